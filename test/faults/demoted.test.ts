/**
 * A primary becomes a replica while programs run, and its name then leads to the new primary: the connections to the old one stay
 * open, so the layer itself must leave it.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Queue, Ref, Schema } from "effect"
import { Lock, Model, RedisService } from "redlayer"
import { isRedisServiceError } from "redlayer/RedisServiceError"
import { errorOf, eventually, range, reasonIs, timed, within } from "../live/liveService.ts"
import { describeOwnServer } from "../support/Backends.ts"
import * as RawRedis from "../support/RawRedis.ts"
import * as RedisServer from "../support/RedisServer.ts"
import * as Rights from "../support/Rights.ts"
import * as TcpProxy from "../support/TcpProxy.ts"
import { service, start } from "./proxiedService.ts"

const Counter = Model.make("demoted/Counter", {
  name: Schema.String,
  count: Schema.Int.pipe(Model.withDefault(0))
}, { key: "name" })

const { count } = Counter.ref("a")
const key = "demoted/Counter:{a}"

/** Two servers with the same data, and a name that leads to the first. */
const pair = Effect.gen(function*() {
  const { password, username } = Rights.admin
  const args = ["--masteruser", username, "--masterauth", password, "--repl-diskless-sync-delay", "0"]
  const old = yield* RedisServer.start({ args })
  const next = yield* RedisServer.start({ args })
  const onOld = yield* RawRedis.make(old.url)
  const onNext = yield* RawRedis.make(next.url)
  const proxy = yield* TcpProxy.make({ port: old.port })
  yield* onNext.call("REPLICAOF", old.host, String(old.port))
  yield* eventually(Effect.filterOrFail(
    onNext.call("INFO", "replication"),
    (info) => String(info).includes("master_link_status:up")
  ))
  const nobody = yield* RedisServer.freePort
  const offset = (raw: RawRedis.RawRedis) =>
    Effect.map(raw.call("INFO", "replication"), (info) => /^master_repl_offset:(\d+)/m.exec(String(info))?.[1])
  /** The second one has all that the first one has acknowledged, and the name leads to it. */
  const promote = Effect.gen(function*() {
    yield* onOld.call("CLIENT", "PAUSE", "10000", "WRITE")
    yield* eventually(Effect.filterOrFail(Effect.all([offset(onOld), offset(onNext)]), ([a, b]) => a === b))
    yield* onNext.call("REPLICAOF", "NO", "ONE")
    yield* proxy.lead(next)
  })
  /** The first one is a replica of nobody, so that what it has grows old. */
  const demote = Effect.gen(function*() {
    yield* onOld.call("REPLICAOF", old.host, String(nobody))
    yield* onOld.call("CLIENT", "UNPAUSE")
  })
  const countOn = (raw: RawRedis.RawRedis) => Effect.map(raw.call("HGET", key, "count"), Number)
  return { old, next, onOld, onNext, proxy, promote, demote, countOn }
})

/** How many connections a server has that are not a test's own. */
const clientsOf = (raw: RawRedis.RawRedis) =>
  Effect.map(
    raw.call("CLIENT", "LIST", "TYPE", "normal"),
    (list) => String(list).split("\n").filter((line) => line.includes("user=default")).length
  )

describeOwnServer("a demoted primary", () => {
  it.live("programs go on at the new primary within their deadlines, once each, and read nothing old", () =>
    Effect.gen(function*() {
      const { countOn, demote, onNext, onOld, promote, proxy } = yield* pair
      const { run } = yield* service({ url: proxy.url })
      yield* run(Counter.insert({ name: "a" }))
      let writes = 0
      let acknowledged = 0
      const state = { isOver: false }
      const old: Array<string> = []
      const writer = Effect.gen(function*() {
        while (!state.isOver) {
          acknowledged = Math.max(acknowledged, yield* run(count.increment()))
          writes++
          yield* Effect.sleep("1 millis")
        }
      })
      const reader = Effect.gen(function*() {
        while (!state.isOver) {
          const atLeast = acknowledged
          const found = yield* run(count.get())
          if (found < atLeast) old.push(`${found} after ${atLeast}`)
          yield* Effect.sleep("1 millis")
        }
      })
      const fibers = yield* Effect.forEach(
        [...range(4).map(() => writer), ...range(4).map(() => reader)],
        (fiber) => Effect.forkChild(fiber, start)
      )
      const reached = (least: number) =>
        eventually(Effect.filterOrFail(Effect.sync(() => acknowledged), (n) => n >= least))
      yield* reached(50)
      yield* promote
      yield* demote
      const before = acknowledged
      yield* reached(before + 50)
      state.isOver = true
      yield* Effect.forEach(fibers, Fiber.join)
      assert.deepStrictEqual(old, [])
      assert.strictEqual(writes, acknowledged)
      assert.strictEqual(yield* countOn(onNext), acknowledged)
      assert.isAbove(acknowledged, yield* countOn(onOld))
      assert.strictEqual(yield* clientsOf(onOld), 0)
      assert.strictEqual(yield* clientsOf(onNext), 1)
    }))

  it.live("what was in flight with the first refusal is neither lost nor unknown, and no read of it is believed", () =>
    Effect.gen(function*() {
      const { countOn, demote, onNext, promote, proxy } = yield* pair
      const { run } = yield* service({ url: proxy.url })
      yield* run(Counter.insert({ name: "a", count: 1 }))
      yield* promote
      yield* onNext.call("HSET", key, "count", "100")
      yield* demote
      yield* proxy.holdRequests()
      // each in a call of its own
      const fibers: Array<Fiber.Fiber<number, unknown>> = []
      for (const i of range(20)) {
        const { heldBytes } = yield* proxy.stats
        const program = i % 4 === 0 ? count.increment() : count.get()
        fibers.push(yield* Effect.forkChild(run(program), start))
        yield* proxy.waitUntil((stats) => stats.heldBytes > heldBytes)
      }
      yield* proxy.release()
      const results = yield* Effect.forEach(fibers, Fiber.join)
      for (const found of results) assert.isAtLeast(found, 100)
      assert.strictEqual(yield* countOn(onNext), 105)
    }))

  it.live("a server that stays a replica is unavailable at the deadline, and sees few connections", () =>
    Effect.gen(function*() {
      const { demote, onOld, proxy } = yield* pair
      const { run } = yield* service({ url: proxy.url, deadline: "2 seconds" })
      yield* run(Counter.insert({ name: "a" }))
      yield* demote
      const { accepted } = yield* proxy.stats
      const exits = yield* Effect.forEach(
        range(100),
        (i) => timed(run(i % 2 === 0 ? count.increment() : count.get())),
        {
          concurrency: "unbounded"
        }
      )
      // the first reads may have come before the first refusal
      for (const [exit, millis] of exits.filter((_, i) => i % 2 === 0)) {
        assert.strictEqual(reasonIs(exit, "ServerUnavailable").code, "READONLY")
        within(millis, 1800, 2400)
      }
      assert.strictEqual(reasonIs(yield* Effect.exit(run(count.get())), "ServerUnavailable").code, "READONLY")
      assert.isAtMost((yield* proxy.stats).accepted - accepted, 14)
      yield* onOld.call("REPLICAOF", "NO", "ONE")
      assert.strictEqual(yield* run(count.increment()), 1)
    }))

  it.live("a layer that starts on a replica says so, and what to do", () =>
    Effect.gen(function*() {
      const { demote, onOld, proxy } = yield* pair
      yield* demote
      const build = (deadline: number) => Effect.scoped(Layer.build(RedisService.layer({ url: proxy.url, deadline })))
      const [exit, millis] = yield* timed(build(1500))
      assert.strictEqual(reasonIs(exit, "ServerUnavailable").code, "READONLY")
      within(millis, 1400, 1800)
      const error = errorOf(exit)
      assert.include(isRedisServiceError(error) ? error.message : "", "replica")
      assert.include(isRedisServiceError(error) ? error.message : "", "primary")
      assert.isAtMost((yield* proxy.stats).accepted, 10)
      // during a failover the name may still lead to the old primary
      const starting = yield* Effect.forkChild(build(5000), start)
      yield* onOld.call("REPLICAOF", "NO", "ONE")
      yield* Fiber.join(starting)
    }))

  it.live("a replica without its primary is left too, because it refuses reads", () =>
    Effect.gen(function*() {
      const { demote, onNext, onOld, promote, proxy } = yield* pair
      const { run } = yield* service({ url: proxy.url })
      yield* run(Counter.insert({ name: "a" }))
      yield* onOld.call("CONFIG", "SET", "replica-serve-stale-data", "no")
      yield* promote
      yield* onNext.call("HSET", key, "count", "7")
      yield* demote
      assert.strictEqual(yield* run(count.get()), 7)
      assert.strictEqual(yield* clientsOf(onOld), 0)
    }))

  it.live("subscriptions go with the programs, and report the gap", () =>
    Effect.gen(function*() {
      const { demote, onNext, promote, proxy } = yield* pair
      const { run } = yield* service({ url: proxy.url })
      yield* run(Counter.insert({ name: "a" }))
      const events = yield* Queue.unbounded<RedisService.SubscriptionEvent>()
      const next = Effect.timeout(Queue.take(events), "3 seconds")
      const { subscribe } = yield* run(Effect.service(RedisService.RedisService))
      yield* subscribe("$topic:news", (event) => Queue.offerUnsafe(events, event))
      yield* promote
      yield* demote
      assert.strictEqual(yield* run(count.increment()), 1)
      assert.deepStrictEqual(yield* next, { _tag: "Missed" })
      yield* onNext.call("PUBLISH", "$topic:news", "hello")
      assert.deepStrictEqual(yield* next, { _tag: "Message", text: "hello" })
    }))

  it.live("a waiter of a lock is woken by the new primary", () =>
    Effect.gen(function*() {
      const { demote, onOld, promote, proxy } = yield* pair
      const holder = yield* service({ url: proxy.url })
      const waiter = yield* service({ url: proxy.url })
      const order = yield* Ref.make<ReadonlyArray<string>>([])
      const note = (what: string) => Ref.update(order, (all) => [...all, what])
      const held = yield* Queue.unbounded<void>()
      const release = yield* Queue.unbounded<void>()
      const hold = Effect.gen(function*() {
        yield* Queue.offer(held, undefined)
        yield* Queue.take(release)
        yield* note("released")
      })
      const first = yield* Effect.forkChild(
        holder.run(Lock.withLock("demoted", () => hold, { lease: "3 seconds" })),
        start
      )
      yield* Queue.take(held)
      const second = yield* Effect.forkChild(
        waiter.run(Lock.withLock("demoted", () => note("taken"), { lease: "3 seconds" })),
        start
      )
      yield* eventually(Effect.filterOrFail(onOld.call("EXISTS", "$lock:{demoted}:$queue"), (found) => found === 1))
      yield* promote
      yield* demote
      yield* Queue.offer(release, undefined)
      const [, millis] = yield* timed(Fiber.join(first).pipe(Effect.andThen(Fiber.join(second))))
      assert.deepStrictEqual(yield* Ref.get(order), ["released", "taken"])
      assert.isBelow(millis, 5000)
    }))
})
