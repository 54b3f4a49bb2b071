/**
 * Clusters for tests: some primaries, each with replicas, on free ports of the loopback interface, and gone with their scope. The
 * nodes know each other when they start, so a cluster serves after about two seconds.
 */
import { Effect, Exit, Schedule, Scope } from "effect"
import { randomBytes } from "node:crypto"
import { slotOf } from "../../conformance/src/support/slot.ts"
import type { Certificates } from "./Certificates.ts"
import { withLiveClock } from "./LiveClock.ts"
import type { RawRedisError } from "./RawRedis.ts"
import * as RawRedis from "./RawRedis.ts"
import * as RedisServer from "./RedisServer.ts"
import { admin } from "./Rights.ts"

export interface ClusterNode {
  readonly id: string
  /** The process, which is another one after a restart. */
  server: RedisServer.RedisServer
  /** The commands of the admin. */
  readonly raw: RawRedis.RawRedis
  /** Whether it can be asked: it is neither dead nor frozen. */
  isRunning: boolean
}

export interface RedisCluster {
  /** As the cluster has started. */
  readonly primaries: ReadonlyArray<ClusterNode>
  /** As the cluster has started. */
  readonly replicas: ReadonlyArray<ClusterNode>
  readonly all: ReadonlyArray<ClusterNode>
  /** The primary of each slot, as the nodes have agreed last: see {@link agree}. */
  readonly owners: Array<ClusterNode>
  /** When a slot was moved last. */
  readonly moved: Map<number, number>
  /** The addresses of all nodes, as a layer takes them. */
  readonly nodes: ReadonlyArray<string>
  /** Starts a node anew, where it was, with the cluster that it knew and without data. */
  readonly restart: (node: ClusterNode) => Effect.Effect<void, RedisServer.RedisServerError, Scope.Scope>
}

export interface ClusterStartOptions {
  readonly primaries?: number
  /** The replicas of each primary. */
  readonly replicas?: number
  /** Primaries that have neither slots nor replicas. They are the last of `primaries`. */
  readonly empty?: number
  readonly args?: ReadonlyArray<string>
  /** Whether everyone may do everything. */
  readonly unrestricted?: boolean
  /** The nodes speak TLS only, also among themselves. The process must trust the authority by default. */
  readonly certificates?: Certificates
}

interface Plan {
  readonly id: string
  readonly port: number
  readonly busPort: number
  readonly of: string | undefined
  readonly slots: string
}

const configOf = (plans: ReadonlyArray<Plan>, self: Plan): string =>
  plans.map((plan, i) => {
    const kind = plan.of === undefined ? "master" : "slave"
    const flags = plan === self ? `myself,${kind}` : kind
    return `${plan.id} 127.0.0.1:${plan.port}@${plan.busPort} ${flags} ${plan.of ?? "-"} 0 0 ${
      plan.of === undefined ? i + 1 : 0
    } connected ${plan.slots}`.trim()
  }).join("\n") + `\nvars currentEpoch ${plans.length} lastVoteEpoch 0\n`

const newId = () => randomBytes(20).toString("hex")

/** Where replicas may take over they do so soon. Elsewhere a node that a busy machine has held for a second is not taken for dead. */
const settingsOf = (replicas: number): ReadonlyArray<string> => [
  "--cluster-node-timeout",
  replicas > 0 ? "1000" : steady,
  "--repl-diskless-sync-delay",
  "0"
]

/** Milliseconds for `cluster-node-timeout` of a cluster whose nodes are not to fail. */
export const steady = "15000"

const overTls = ["--tls-cluster", "yes", "--tls-replication", "yes"]

/** A primary whose last slot is moved away stays one. */
const stayingPrimary = ["--cluster-allow-replica-migration", "no"]

const startOnce = Effect.fnUntraced(function*(
  { args = [], certificates, empty = 0, primaries = 3, replicas = 1, unrestricted }: ClusterStartOptions = {}
): Effect.fn.Return<RedisCluster, RedisServer.RedisServerError | RawRedisError, Scope.Scope> {
  const plans: Array<Plan> = []
  for (let i = 0; i < primaries * (1 + replicas) + empty; i++) {
    const hasSlots = i < primaries
    const isReplica = i >= primaries + empty
    const share = 16_384 / primaries
    plans.push({
      id: newId(),
      port: yield* RedisServer.freePort,
      busPort: yield* RedisServer.freePort,
      of: isReplica ? plans[(i - primaries - empty) % primaries]!.id : undefined,
      slots: hasSlots ? `${Math.ceil(i * share)}-${Math.ceil((i + 1) * share) - 1}` : ""
    })
  }
  const launch = (plan: Plan, options: RedisServer.StartOptions) =>
    RedisServer.start({
      port: plan.port,
      busPort: plan.busPort,
      cluster: true,
      unrestricted,
      certificates,
      args: [
        ...settingsOf(replicas),
        ...(empty > 0 ? stayingPrimary : []),
        ...(certificates === undefined ? [] : overTls),
        ...args
      ],
      ...options
    })
  const all = yield* Effect.forEach(
    plans,
    Effect.fnUntraced(function*(plan) {
      const server = yield* launch(plan, { nodesConf: configOf(plans, plan) })
      const node: ClusterNode = { id: plan.id, server, raw: yield* RawRedis.make(server.url), isRunning: true }
      return node
    }),
    { concurrency: "unbounded" }
  )
  for (const { server } of all) yield* RedisServer.awaitClusterOk(server)
  return {
    primaries: all.slice(0, primaries + empty),
    replicas: all.slice(primaries + empty),
    all,
    moved: new Map(),
    owners: Array.from({ length: 16_384 }, (_, slot) => all[Math.floor(slot * primaries / 16_384)]!),
    nodes: all.map(({ server }) => `${server.host}:${server.port}`),
    restart: Effect.fnUntraced(function*(node) {
      const plan = plans.find(({ id }) => id === node.id)!
      node.server = yield* launch(plan, { dir: node.server.directory }).pipe(
        // a client that looks for the node may have got its port as its own
        Effect.retry({ schedule: Schedule.spaced("100 millis"), times: 100, while: ({ portTaken }) => portTaken })
      )
      node.isRunning = true
    })
  }
})

/** Starts a cluster and waits until all its nodes serve. Its primaries have equal shares of the slots, in their order. */
export const start = Effect.fnUntraced(function*(options: ClusterStartOptions = {}) {
  const scope = yield* Effect.scope
  const attempt = Effect.gen(function*() {
    const own = yield* Scope.fork(scope)
    return yield* startOnce(options).pipe(
      Scope.provide(own),
      Effect.onError((cause) => Scope.close(own, Exit.failCause(cause)))
    )
  })
  // all nodes know the ports of all others, so one port that another process has taken meanwhile changes all
  return yield* Effect.retry(attempt, {
    times: 5,
    while: (error) => error._tag === "RedisServerError" && error.portTaken
  })
})

/**
 * Looks at each key of each node: whether the slot that its name says is the node's, and the one that the server counts it in. A server
 * keeps a dictionary for each slot, so a script that wrote into a wrong one would hide a key.
 */
export const walk = Effect.fnUntraced(function*({ owners, primaries }: RedisCluster) {
  const wrong: Array<string> = []
  let keys = 0
  for (const node of primaries) {
    const { client } = node.raw
    const { port } = node.server
    const ask = (commands: ReadonlyArray<readonly [name: string, ...args: ReadonlyArray<string>]>) =>
      Effect.promise(async () => {
        const pipeline = client.pipeline()
        for (const [name, ...args] of commands) pipeline.call(name, ...args)
        return (await pipeline.exec())!.map(([error, reply]) => {
          if (error !== null) throw error
          return reply
        })
      })
    // a scan removes keys that have expired, which the counts would have
    const scanned = new Set<string>()
    let cursor = "0"
    do {
      const [next, found] = (yield* node.raw.call("SCAN", cursor, "COUNT", "1000")) as [string, ReadonlyArray<string>]
      for (const key of found) scanned.add(key)
      cursor = next
    } while (cursor !== "0")
    const counts = yield* ask(owners.map((_, slot) => ["CLUSTER", "COUNTKEYSINSLOT", String(slot)]))
    const used = counts.flatMap((count, slot) => Number(count) === 0 ? [] : [[slot, Number(count)] as const])
    const lists = yield* ask(used.map(([slot, count]) => ["CLUSTER", "GETKEYSINSLOT", String(slot), String(count + 1)]))
    const counted = new Set<string>()
    for (const [i, [slot, count]] of used.entries()) {
      const found = lists[i] as ReadonlyArray<string>
      if (found.length !== count) wrong.push(`${port}: slot ${slot} counts ${count} keys, and has ${found.length}`)
      if (owners[slot] !== node) wrong.push(`${port}: slot ${slot} is of another node, and has ${count} keys`)
      for (const key of found) {
        counted.add(key)
        if (slotOf(key) !== slot) wrong.push(`${port}: ${key} of slot ${slotOf(key)} is in slot ${slot}`)
      }
    }
    for (const key of scanned) if (!counted.has(key)) wrong.push(`${port}: ${key} is in no slot`)
    for (const key of counted) if (!scanned.has(key)) wrong.push(`${port}: ${key} of a slot is found by no scan`)
    const size = Number(yield* node.raw.call("DBSIZE"))
    const sum = used.reduce((sum, [, count]) => sum + count, 0)
    if (size !== sum) wrong.push(`${port}: ${size} keys, of which the slots count ${sum}`)
    keys += size
  }
  return { keys, wrong }
})

/** The epoch and the slots of each primary that has slots, as a node knows them, in the order of their names. */
const sayingOf = (lines: string): ReadonlyMap<string, readonly [epoch: string, slots: ReadonlyArray<string>]> =>
  new Map(
    lines.trim().split("\n").flatMap((line) => {
      const [id = "", , flags = "", , , , epoch = "", , ...words] = line.split(" ")
      const slots = words.filter((word) => !word.startsWith("["))
      return flags.includes("master") && slots.length > 0 ? [[id, [epoch, slots] as const] as const] : []
    }).toSorted(([a], [b]) => a < b ? -1 : 1)
  )

/**
 * Waits until all nodes that run say the same of the slots, and notes it in `owners`. A node whose slot is moved before it knows of
 * the last move may take itself for the owner of a slot that it has lost, or the reverse, and then removes the keys of the slot.
 */
export const agree = Effect.fnUntraced(function*({ all, owners }: RedisCluster) {
  const sayings = yield* Effect.forEach(
    all.filter(({ isRunning }) => isRunning),
    ({ raw }) => Effect.map(raw.call("CLUSTER", "NODES"), (lines) => sayingOf(String(lines)))
  ).pipe(
    Effect.filterOrFail(
      ([first, ...others]) =>
        others.every((other) => JSON.stringify([...other]) === JSON.stringify([...first!])) &&
        new Set([...first!.values()].map(([epoch]) => epoch)).size === first!.size,
      (sayings) =>
        new RedisServer.RedisServerError({
          message: `the nodes do not agree:\n${sayings.map((one) => JSON.stringify([...one])).join("\n")}`,
          portTaken: false
        })
    ),
    Effect.retry({ schedule: Schedule.spaced("2 millis"), times: 5000 }),
    withLiveClock
  )
  for (const [id, [, ranges]] of sayings[0]!) {
    const node = all.find((node) => node.id === id)!
    for (const range of ranges) {
      const [first, last = first] = range.split("-").map(Number)
      owners.fill(node, first, last! + 1)
    }
  }
})

/**
 * Milliseconds for which a slot stays where it is. A message between nodes may be as late as that, because it waits for the receipt of
 * the one before it. Redis 7.0 gives a slot that has moved there and back within this time to the node of a late message, and its keys
 * are removed.
 */
const restMillis = 150

/**
 * Moves a slot as `redis-cli` does, and waits until all nodes that run know of it. `meanwhile` runs when some of its keys are here and
 * some are there.
 */
export const moveSlot = Effect.fnUntraced(function*(
  cluster: RedisCluster,
  slot: number,
  to: ClusterNode,
  meanwhile: Effect.Effect<void> = Effect.void
) {
  const { moved: movedAt, owners } = cluster
  const from = owners[slot]!
  if (from === to) return
  const rest = (movedAt.get(slot) ?? -Infinity) + restMillis - performance.now()
  if (rest > 0) yield* withLiveClock(Effect.sleep(rest))
  const set = (node: ClusterNode, ...args: ReadonlyArray<string>) =>
    node.raw.call("CLUSTER", "SETSLOT", String(slot), ...args)
  yield* set(to, "IMPORTING", from.id)
  yield* set(from, "MIGRATING", to.id)
  const { host, port } = to.server
  const { password, username } = admin
  let moved = 0
  for (;;) {
    const keys = (yield* from.raw.call("CLUSTER", "GETKEYSINSLOT", String(slot), "10")) as ReadonlyArray<string>
    if (moved === 0 && keys.length < 2) yield* meanwhile
    if (keys.length === 0) break
    for (const key of keys) {
      if (moved++ === 1) yield* meanwhile
      yield* from.raw.call("MIGRATE", host, String(port), key, "0", "1000", "AUTH2", username, password)
    }
  }
  for (const node of new Set([to, from, ...owners])) if (node.isRunning) yield* set(node, "NODE", to.id)
  movedAt.set(slot, performance.now())
  yield* agree(cluster)
})
