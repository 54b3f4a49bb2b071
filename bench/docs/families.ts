/**
 * The rows in the order of the page, with the work of each in words.
 */

interface Described {
  readonly name: string
  readonly work: string
}

export interface Family {
  readonly title: string
  /** The picture shows this family. */
  readonly pictured: boolean
  readonly rows: ReadonlyArray<Described>
}

export const families: ReadonlyArray<Family> = [
  {
    title: "One field",
    pictured: true,
    rows: [
      { name: "increment-raw", work: "an increment, by 500 fibers; theirs checks nothing" },
      { name: "increment-hot", work: "the same, all on one entity" },
      { name: "increment-safe", work: "the same; theirs checks that the hash exists" },
      { name: "increment-exactly-once", work: "the same, with `exactlyOnce`" },
      { name: "increment-cpu", work: "the client's processor time for an increment" },
      { name: "latency-1", work: "an increment, by one fiber that waits for each" },
      { name: "empty-call", work: "a program without a step, by one fiber that waits for each" },
      { name: "many-clients", work: "an increment, by 8 processes of 4 fibers" },
      {
        name: "cluster-increment",
        work: "an increment on a cluster of three primaries, by 500 fibers; `slot: \"id\"`"
      },
      { name: "cluster-partitioned", work: "the same with `slot: { partitions: 16 }`" },
      { name: "server-limit", work: "an increment, by 2 processes of 500 fibers" },
      { name: "headline-model", work: "an increment in a model that has collections and an index, and expires" }
    ]
  },
  {
    title: "Programs",
    pictured: true,
    rows: [
      { name: "transaction-4", work: "four increments, all or nothing" },
      { name: "hot-stock", work: "16 fibers take from one stock that never goes below 0" },
      { name: "hot-stock-script", work: "500 fibers do the same" }
    ]
  },
  {
    title: "Whole entities",
    pictured: true,
    rows: [
      { name: "get-8", work: "an entity of 8 fields is read; theirs is not decoded" },
      { name: "get-om", work: "the same, decoded on both sides" },
      { name: "insert-om", work: "an entity of 8 fields is inserted" },
      { name: "read-modify-write", work: "an increment; theirs reads, changes, saves, and loses updates" },
      { name: "bulk-insert", work: "10,000 entities are inserted by one call" }
    ]
  },
  {
    title: "Indexes",
    pictured: true,
    rows: [
      { name: "top-10", work: "the 10 players of 100,000 that have the most points; theirs reads all and sorts" },
      { name: "indexed-write", work: "an increment of an indexed field, beside one of a field without an index" },
      { name: "server-indexed", work: "the same, 128 in a call: the server's time" }
    ]
  },
  {
    title: "Locks",
    pictured: true,
    rows: [
      { name: "lock-uncontended", work: "a free lock is acquired and released" },
      { name: "lock-handoff", work: "from a release to the next of 8 waiters" }
    ]
  },
  {
    title: "The server's time",
    pictured: true,
    rows: [
      { name: "server-batch", work: "an increment, 128 in a call" },
      { name: "server-single", work: "an increment, one in a call" },
      { name: "program-transfer", work: "a transfer between two accounts with floors, 128 in a call" },
      { name: "program-quota", work: "a rate limit by fixed window, 128 in a call" }
    ]
  },
  {
    title: "Growth",
    pictured: false,
    rows: [
      { name: "growth-increment", work: "an increment among 1,000,000 entities, beside 100" },
      { name: "growth-append", work: "an append to a list of 1,000,000 items, beside 10" },
      { name: "growth-rank", work: "the rank of one of 1,000,000 entities, beside 1,000" },
      { name: "growth-page", work: "the page of 20 behind 100,000 entities, beside the first one" },
      { name: "growth-program", work: "a step of a program of 16,000 steps, beside 1,000: the worst of all operations" }
    ]
  },
  {
    title: "Size",
    pictured: false,
    rows: [
      { name: "memory", work: "the memory of an entity on the server" },
      { name: "bundle", work: "the gzipped bundle of an application's part of redlayer" },
      { name: "import", work: "the time to import all of redlayer, with its peers" },
      { name: "types", work: "the compiler's instantiations for 20 models of 20 fields" }
    ]
  }
]
