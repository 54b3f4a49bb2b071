/**
 * Faults of the nodes of a cluster: they die and come back, freeze, are replaced on purpose and are restarted. A shard is a primary
 * of the start with its replica, by its number: either may be the primary now.
 */
import { Effect, Schedule } from "effect"
import { withLiveClock } from "./LiveClock.ts"
import type { RawRedisError } from "./RawRedis.ts"
import { agree, type ClusterNode, type RedisCluster } from "./RedisCluster.ts"
import * as RedisServer from "./RedisServer.ts"
import { admin } from "./Rights.ts"

/** One fault of the primary of a shard, by the times of `Date.now`. */
export interface Fault {
  readonly kind: "kill" | "freeze" | "failover"
  readonly begin: number
  /** The slots of the primary, when it began. */
  readonly slots: ReadonlySet<number>
  /** When all nodes that run said that the cluster is up, and which node the primary is. */
  readonly up: number
  /** Whether the replica took the place of a primary that could not hand over what it had. */
  readonly isReplaced: boolean
}

const failed = (message: string) => new RedisServer.RedisServerError({ message, portTaken: false })

/** Tries for at most so long. */
const within = (millis: number) => <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.retry(self, { schedule: Schedule.spaced("10 millis"), times: millis / 10 }).pipe(withLiveClock)

const check = (condition: boolean, message: () => string) => condition ? Effect.void : Effect.fail(failed(message()))

const nodesOf = ({ primaries, replicas }: RedisCluster, shard: number) => [primaries[shard]!, replicas[shard]!] as const

/** The node of a shard that has its slots. */
export const primaryOf = (cluster: RedisCluster, shard: number): ClusterNode =>
  nodesOf(cluster, shard).find((node) => cluster.owners.includes(node))!

const slotsOf = ({ owners }: RedisCluster, node: ClusterNode): ReadonlySet<number> =>
  new Set(owners.flatMap((owner, slot) => owner === node ? [slot] : []))

export const replicaOf = (cluster: RedisCluster, shard: number): ClusterNode =>
  nodesOf(cluster, shard).find((node) => !cluster.owners.includes(node))!

const info = (node: ClusterNode, section: "CLUSTER INFO" | "INFO REPLICATION") => {
  const [command, argument] = section.split(" ") as [string, string]
  return Effect.map(node.raw.call(command, argument), String)
}

/** Waits until all nodes that run say that the cluster is up, and agree about the slots. */
export const up = (cluster: RedisCluster): Effect.Effect<void, RawRedisError | RedisServer.RedisServerError> =>
  Effect.gen(function*() {
    for (const node of cluster.all) {
      if (!node.isRunning) continue
      const said = yield* info(node, "CLUSTER INFO")
      yield* check(said.includes("cluster_state:ok"), () => `the cluster is not up:\n${said}`)
    }
    yield* agree(cluster)
  }).pipe(within(20_000))

/** Waits until the cluster is up, and each replica has all that its primary has. */
export const healthy = (cluster: RedisCluster): Effect.Effect<void, RawRedisError | RedisServer.RedisServerError> =>
  Effect.gen(function*() {
    yield* up(cluster)
    for (const shard of cluster.replicas.keys()) {
      const [primary, replica] = [primaryOf(cluster, shard), replicaOf(cluster, shard)]
      const ours = yield* info(primary, "INFO REPLICATION")
      const theirs = yield* info(replica, "INFO REPLICATION")
      yield* check(
        /state=online/.test(ours) && /role:slave/.test(theirs) && /master_link_status:up/.test(theirs) &&
          theirs.includes(`master_port:${primary.server.port}`),
        () => `the replica is not connected:\n${ours}\n${theirs}`
      )
    }
  }).pipe(within(20_000))

/** Waits until a node has the slots of its shard, and the cluster is up. */
const takesOver = (cluster: RedisCluster, node: ClusterNode, millis = 20_000) =>
  Effect.andThen(
    up(cluster),
    Effect.suspend(() => check(cluster.owners.includes(node), () => "the replica has not taken over"))
  ).pipe(within(millis))

/** Kills the primary of a shard, and waits until its replica has taken over. The dead node can be started anew. */
export const kill = Effect.fnUntraced(function*(cluster: RedisCluster, shard: number) {
  const [primary, replica] = [primaryOf(cluster, shard), replicaOf(cluster, shard)]
  const slots = slotsOf(cluster, primary)
  const begin = Date.now()
  primary.isRunning = false
  yield* primary.server.kill("SIGKILL")
  yield* takesOver(cluster, replica)
  // see `cutReplication`
  yield* replica.raw.call("CONFIG", "SET", "masterauth", admin.password)
  const fault: Fault = { kind: "kill", begin, slots, up: Date.now(), isReplaced: true }
  return { fault, dead: primary }
})

/** Stops the primary of a shard for as long as an effect takes. */
export const freeze = Effect.fnUntraced(
  function*<E, R>(cluster: RedisCluster, shard: number, meanwhile: Effect.Effect<unknown, E, R>) {
    const primary = primaryOf(cluster, shard)
    const slots = slotsOf(cluster, primary)
    const begin = Date.now()
    primary.isRunning = false
    yield* primary.server.kill("SIGSTOP")
    yield* meanwhile
    const wasReplaced = !cluster.owners.includes(primary)
    const until = Date.now()
    yield* primary.server.kill("SIGCONT")
    primary.isRunning = true
    yield* up(cluster)
    const isReplaced = !cluster.owners.includes(primary)
    const fault: Fault = { kind: "freeze", begin, slots, up: wasReplaced ? until : Date.now(), isReplaced }
    return fault
  }
)

/** Waits until the replica of a shard has taken over. */
export const replaced = (cluster: RedisCluster, shard: number) => takesOver(cluster, replicaOf(cluster, shard))

/** Lets the replica of a shard take over, as an operator does: the primary hands over all that it has. */
export const failOver = Effect.fnUntraced(function*(cluster: RedisCluster, shard: number) {
  const replica = replicaOf(cluster, shard)
  const slots = slotsOf(cluster, primaryOf(cluster, shard))
  const begin = Date.now()
  // primaries do not vote twice for one shard within two seconds, and a failover without votes ends after five
  yield* Effect.andThen(replica.raw.call("CLUSTER", "FAILOVER"), takesOver(cluster, replica, 6000)).pipe(
    Effect.retry({ schedule: Schedule.spaced("100 millis"), times: 5 }),
    withLiveClock
  )
  const fault: Fault = { kind: "failover", begin, slots, up: Date.now(), isReplaced: false }
  return fault
})

/** Ends a replica as an operator does, and starts it again at its address. */
export const restart = Effect.fnUntraced(function*(cluster: RedisCluster, replica: ClusterNode) {
  replica.isRunning = false
  // the connection ends before the reply
  yield* Effect.ignore(replica.raw.call("SHUTDOWN", "NOSAVE"))
  yield* replica.server.stop
  yield* cluster.restart(replica)
  yield* healthy(cluster)
})

/**
 * Ends the replication of a shard, because its replica has a wrong password from now on. The password is right again for the primary
 * that the replica has next.
 */
export const cutReplication = Effect.fnUntraced(function*(cluster: RedisCluster, shard: number) {
  const [primary, replica] = [primaryOf(cluster, shard), replicaOf(cluster, shard)]
  yield* replica.raw.call("CONFIG", "SET", "masterauth", "wrong")
  yield* primary.raw.call("CLIENT", "KILL", "TYPE", "replica")
  yield* Effect.flatMap(
    info(primary, "INFO REPLICATION"),
    (text) => check(/connected_slaves:0/.test(text), () => `the replica is still connected:\n${text}`)
  ).pipe(within(5000))
})
