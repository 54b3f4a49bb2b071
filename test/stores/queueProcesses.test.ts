/**
 * A queue with four worker processes that are killed while they work.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Random, seed } from "../differential/random.ts"
import { describeOwnServer } from "../support/Backends.ts"
import * as ChildProcess from "../support/ChildProcess.ts"
import * as RedisCluster from "../support/RedisCluster.ts"
import * as RedisServer from "../support/RedisServer.ts"
import { sized } from "../support/Sizes.ts"
import { Noted, queueLayer, queueOf, serviceOf } from "../workers/queueWorker.ts"

const items = sized(120, 300)
const workers = 4
const lease = 2000

const check = Effect.fnUntraced(function*(url: string, nodes: string) {
  const random = new Random("queueProcesses")
  yield* Effect.gen(function*() {
    const queue = yield* queueOf
    yield* Noted.insert({ id: "all", deliveries: [], times: [], done: [] })
    const running: Array<ChildProcess.Child> = []
    const start = Effect.tap(
      Effect.tap(ChildProcess.start("queueWorker.ts", [url, nodes]), ({ next }) => next),
      (child) => Effect.sync(() => running.push(child))
    )
    yield* Effect.forEach(Array.from({ length: workers }), () => start, { concurrency: "unbounded", discard: true })
    for (let i = 0; i < items; i++) yield* queue.offer(i, { id: `${i}` })
    let kills = 0
    while (true) {
      const done = new Set(yield* Noted.ref("all").done.get()).size
      if (done === items) break
      // at a moment that nobody has chosen: in the middle of a take, of the work, or of its end
      yield* Effect.sleep(random.int(1, 50))
      if (kills === 10 || done < 20 * kills || running.length === 0) continue
      const [victim] = running.splice(random.int(0, running.length - 1), 1)
      yield* victim!.kill
      kills++
      yield* Effect.forkScoped(start)
    }
    const { deliveries, times } = yield* Noted.get("all")
    const noted = deliveries.map((line, i) => {
      const [id, attempts, pid] = line.split(" ").map(Number)
      return { id: id!, attempts: attempts!, pid: pid!, at: times[i]!.getTime() }
    })
    const firsts: Array<number> = []
    for (const [id, all] of Map.groupBy(noted, ({ id }) => id)) {
      firsts.push(id)
      for (let i = 1; i < all.length; i++) {
        // a claim is noted a moment later than it was made, and the next one begins after its lease
        assert.isAbove(
          all[i]!.at - all[i - 1]!.at,
          lease - 1000,
          `seed ${seed}: ${id} was delivered twice within its lease`
        )
        assert.notStrictEqual(all[i]!.pid, all[i - 1]!.pid, `seed ${seed}: a living worker got ${id} twice`)
        assert.isAbove(all[i]!.attempts, all[i - 1]!.attempts)
      }
    }
    assert.strictEqual(firsts.length, items, "an item was lost")
    // one item of each worker may be ahead of its note
    for (const [place, id] of firsts.entries()) {
      const first = noted.find((one) => one.id === id)!
      if (first.attempts === 1) {
        assert.isAtMost(Math.abs(place - id), 2 * workers + kills, `seed ${seed}: ${id} at ${place}`)
      }
    }
    // who died before its note has used an attempt too
    const again = noted.filter(({ attempts }) => attempts > 1)
    assert.isAtLeast(kills, 5)
    assert.isAbove(again.length, 0)
  }).pipe(Effect.provide(Layer.provideMerge(queueLayer, serviceOf(url, nodes))))
})

describeOwnServer("a queue with workers that are killed", () => {
  it.live("loses nothing, and delivers nothing twice within its lease, on one server", () =>
    Effect.gen(function*() {
      const { url } = yield* RedisServer.start()
      yield* check(url, "")
    }).pipe(Effect.scoped), 240_000)

  it.live("loses nothing, and delivers nothing twice within its lease, on a cluster", () =>
    Effect.gen(function*() {
      const { nodes } = yield* RedisCluster.start({ replicas: 0 })
      yield* check("", nodes.join())
    }).pipe(Effect.scoped), 240_000)
})
