/**
 * The text of `docs/performance.md`, and the rows that README.md quotes.
 */
import { amount, type Result } from "../harness/report.ts"
import { families } from "./families.ts"
import { table } from "./markdown.ts"
import type { Stored } from "./stored.ts"

const ratioOf = ({ ratio }: Result): string => ratio.toFixed(ratio < 10 ? 2 : 0)

const cells = (work: string, result: Result): ReadonlyArray<string> => [
  work,
  `${amount(result.ours)} ${result.unit}`,
  result.contender,
  amount(result.theirs),
  ratioOf(result)
]

const columns = ["redlayer", "contender", "theirs", "ratio"]

const resultsOf = ({ results }: Stored, name: string): ReadonlyArray<Result> =>
  results.filter((result) => result.name === name)

const familyTables = (stored: Stored): string =>
  families.map(({ rows, title }) =>
    `### ${title}\n\n` + table(
      ["row", "work", ...columns],
      rows.flatMap(({ name, work }) => resultsOf(stored, name).map((result) => [`\`${name}\``, ...cells(work, result)]))
    )
  ).join("\n\n")

/** The rows of the picture that may be below 1. */
export const losses: ReadonlyArray<readonly [name: string, why: string]> = [
  ["latency-1", "one caller that waits for each reply pays for a script call alone; `HINCRBY` checks nothing"],
  [
    "empty-call",
    "an Effect, the encoding of the program and the decoding of its reply cost the client some microseconds"
  ],
  ["lock-uncontended", "as `latency-1`; the lock is also renewed, fenced, and waits without polling"],
  ["indexed-write", "each write of an indexed field writes the index too, which is one command more"],
  ["server-indexed", "as `indexed-write`"],
  ["server-single", "the script decodes its argument and encodes its reply, for one operation"],
  ["many-clients", "each process has too few callers to fill a call, so a call carries a few programs"],
  ["server-batch", "the script checks the entity, the type and the bounds, and theirs does not"],
  ["program-transfer", "the script interprets the steps of any program, and can undo them; theirs knows its only task"],
  ["program-quota", "as `program-transfer`"],
  ["bulk-insert", "the script checks for each entity that it does not exist"],
  [
    "increment-raw",
    "where processor cores are few, client and server share them; `HINCRBY` checks nothing, so its server does less"
  ],
  ["increment-hot", "as `increment-raw`"],
  ["increment-exactly-once", "as `increment-raw`; the server also stores each result"],
  ["headline-model", "as `increment-raw`; the expiry is also renewed"],
  ["server-limit", "as `many-clients`: `redis-benchmark` is written in C, and leaves the server more of the processor"]
]

const lossTable = (stored: Stored): string =>
  table(
    ["row", "ratio", "why"],
    losses.flatMap(([name, why]) => resultsOf(stored, name).map((result) => [`\`${name}\``, ratioOf(result), why]))
  )

export const page = (stored: Stored): string => {
  const { date, machine, versions } = stored
  return `# Performance

\`npm run bench\` measures redlayer beside other clients and hand-written scripts. This page shows one run. A ratio above 1 means that redlayer
is ahead.

![The ratio of each row](performance.svg)

## What was measured

${
    table(["", ""], [
      ["date", date],
      ["machine", `${machine.processor}, ${machine.cores} cores, ${machine.gigabytes} GB, ${machine.system}`],
      ["other load", `${machine.load} processes on average, in the minute before the run`],
      ...Object.entries(versions).map(([name, version]) => [name, version])
    ])
  }

Client and server share this machine with its other load, which changes even the ratios. The contenders of a row take turns on the same server, round
after round, in separate processes. The numbers are medians of the rounds. After its last round a row checks what is stored: a lost or repeated
operation fails it.

The model of most rows has 8 scalar fields and no time to live. There are 1,000 entities. redlayer runs on the default layer. Each contender is used in
the way that its documentation recommends for speed: ioredis with auto-pipelining, for example. The hand-written scripts are in
[bench/scripts](https://github.com/redlayer/redlayer/tree/main/bench/scripts).

${familyTables(stored)}

\`growth-increment\` compares two quotients: the cost with many entities, divided by the cost with few, of redlayer and of a hand-written script.

## Where redlayer loses, or may lose

${lossTable(stored)}

In every row redlayer checks that the entity exists, that the stored text is of the field's type and that the result is within the schema's bounds, and it
counts the entity's version. \`HINCRBY\`, \`EVALSHA\` in \`increment-safe\` and the script of \`server-batch\` do less. The other hand-written scripts check and
write the same.

## What to do about it

- **Run callers concurrently.** All programs that are committed in one turn of the event loop travel in one call. Use \`Effect.forEach\` with
  \`concurrency\` instead of one operation after the other.
- **Combine operations that belong together** with [\`Atomic.all\`](transactions.md). They are one program, in one round trip.
- **Send independent programs together** with \`Atomic.pipeline\`, and whole entities with the [bulk operations](bulk.md).
- **Let the server decide and compute.** A [condition](transactions.md#conditions) or an [operand](transactions.md#operands) saves the round trip of a
  read before a write.
- **Share one layer in a process**, so that all callers fill the same calls.

## Run it yourself

\`\`\`sh
npm ci
npm run bench                               # all rows, some ten minutes
npm run bench -- --only increment-raw       # one row
npm run bench -- --json results.json        # also a file
npm run bench -- --verbose                  # also each operation of growth-program
npm run bench -- --instructions             # the server's instructions, with valgrind
npm run bench -- --docs                     # all rows, and writes this page
\`\`\`

It needs \`redis-server\` or \`valkey-server\` on the PATH, and starts its own server. Compare the ratios of one run. Absolute figures depend on the machine
and its load.
`
}

/** The rows that README.md quotes. */
const quoted: ReadonlyArray<readonly [name: string, contender: string, work: string]> = [
  ["increment-raw", "ioredis HINCRBY", "an increment, by 500 fibers; theirs checks nothing"],
  ["transaction-4", "ioredis multi()", "four increments, all or nothing"],
  ["get-om", "redis-om fetch", "an entity of 8 fields is read and decoded"],
  ["hot-stock", "redis-semaphore", "16 fibers take from one stock that never goes below 0"],
  ["latency-1", "ioredis HINCRBY", "an increment, by one fiber that waits for each"]
]

const [begin, end] = ["<!-- performance: `npm run bench -- --docs` writes these rows -->", "<!-- /performance -->"]

export const quotation = (stored: Stored): string => {
  const body = quoted.flatMap(([name, contender, work]) =>
    resultsOf(stored, name).filter((result) => result.contender === contender).map((result) => cells(work, result))
  )
  return `${begin}\n\n${table(["work", ...columns], body)}\n\n${end}`
}

/** Replaces the quotation in the text of README.md. */
export const quoteIn = (readme: string, stored: Stored): string => {
  const [from, to] = [readme.indexOf(begin), readme.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`README.md has no place between ${begin} and ${end}`)
  return readme.slice(0, from) + quotation(stored) + readme.slice(to + end.length)
}
