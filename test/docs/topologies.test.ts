/**
 * The leaderboard, the stock and the page of the leaderboard run on a cluster and under Sentinels: the environment alone says where.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Queue, Stream } from "effect"
import { fork } from "node:child_process"
import { once } from "node:events"
import { describeOwnServer } from "../support/Backends.ts"
import * as RedisCluster from "../support/RedisCluster.ts"
import * as RedisSentinel from "../support/RedisSentinel.ts"
import { demonstrations, keys, run } from "./demoProcess.ts"

type Environment = Readonly<Record<string, string>>

/** Runs the demos on one place, beside each other. */
const exact = (env: Environment, name: RegExp) =>
  Effect.forEach(demonstrations, ({ assertExact, script }) =>
    Effect.map(run({ script, env }), (outcome) => {
      assert.strictEqual(outcome.stderr, "")
      assert.match(outcome.stdout, name)
      assertExact(outcome)
      assert.strictEqual(outcome.status, 0)
    }), { concurrency: "unbounded", discard: true })

/** The page's server in a process of its own. */
const startPage = Effect.fnUntraced(function*(env: Environment) {
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      fork(new URL("../../examples/leaderboard/server.ts", import.meta.url), [], {
        execArgv: ["-C", "redlayer-source"],
        env: { ...process.env, PORT: "0", REDIS_URL: "", ...env },
        stdio: ["ignore", "ignore", "inherit", "ipc"]
      })
    ),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )
  const [message] = yield* Effect.promise(() => Promise.race([once(child, "message"), once(child, "exit")]))
  assert.isDefined(message?.port, "the page's server has ended before it listened")
  return `http://127.0.0.1:${message.port}/leagues/gold`
})

interface Board {
  readonly player: { readonly score: number; readonly wins: number }
}

/** A game at one server of the page is shown by another one, of another process. */
const shared = Effect.fnUntraced(function*(env: Environment) {
  const here = yield* startPage(env)
  const there = yield* startPage(env)
  const boards = yield* Queue.unbounded<Board>()
  yield* Effect.forkScoped(
    Stream.fromAsyncIterable(
      (async function*() {
        const { body } = await fetch(`${there}/events?player=Ada`)
        yield* body!.pipeThrough(new TextDecoderStream())
      })(),
      String
    ).pipe(
      Stream.splitLines,
      Stream.filter((line) => line.startsWith("data: {\"league\"")),
      Stream.runForEach((line) => Queue.offer(boards, JSON.parse(line.slice("data: ".length))))
    )
  )
  const first = yield* Queue.take(boards)
  const { score, winner } = yield* Effect.promise(async () => {
    const response = await fetch(`${here}/games`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ winner: "Ada" })
    })
    return await response.json() as { readonly score: number; readonly winner: string }
  })
  assert.strictEqual(winner, "Ada")
  let last = first
  while (last.player.wins === first.player.wins) last = yield* Queue.take(boards)
  assert.deepInclude(last.player, { score, wins: first.player.wins + 1 })
})

describeOwnServer("the examples on other places", () => {
  it.live(
    "the demos are exact on a cluster, no key remains, and two servers of the page share a ranking",
    () =>
      Effect.gen(function*() {
        const { nodes, primaries } = yield* RedisCluster.start({ replicas: 0 })
        const env = { REDIS_CLUSTER_NODES: nodes.slice(0, 2).join() }
        yield* exact(env, /^on the cluster at REDIS_CLUSTER_NODES$/m)
        for (const { server } of primaries) assert.deepStrictEqual(yield* keys(server.url), [])
        yield* shared(env)
      }),
    60_000
  )

  it.live(
    "the demos are exact under Sentinels, no key remains, and two servers of the page share a ranking",
    () =>
      Effect.gen(function*() {
        const { name, primary, sentinels } = yield* RedisSentinel.start({ replicas: 1 })
        const env = { REDIS_SENTINELS: sentinels.join(), REDIS_SENTINEL_NAME: name }
        yield* exact(env, /^on the server that the REDIS_SENTINELS name$/m)
        assert.deepStrictEqual(yield* keys((yield* primary).url), [])
        yield* shared(env)
      }),
    60_000
  )
})
