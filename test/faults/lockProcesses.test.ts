/**
 * Processes that hold locks, and are killed or stopped. `REDLAYER_LOCK_ROUNDS` makes the count longer.
 */
import { assert, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Schedule } from "effect"
import { Lock } from "redlayer"
import { eventually, range } from "../live/liveService.ts"
import { describeOwnServer } from "../support/Backends.ts"
import * as Child from "../support/ChildProcess.ts"
import { Counter, type Stopped, type Told } from "../workers/lockWorker.ts"
import { channelsOf, locksOf, scriptCalls, summary } from "./lockTraces.ts"
import { lateness, random, server, service, start } from "./proxiedService.ts"

const rounds = Number(process.env.REDLAYER_LOCK_ROUNDS ?? 200)
const processes = 8

const begin = (url: string, mode: string, ...args: ReadonlyArray<number | string>) =>
  Child.start("lockWorker.ts", [url, mode, ...args.map(String)])

const all = { concurrency: "unbounded" } as const

const repeated = (text: string, count: number): ReadonlyArray<string> => range(count).map(() => text)

/** Processes take a while to start on a busy machine. */
const timeout = 60_000

describeOwnServer("processes with locks", () => {
  it.live("a killed process loses its locks after their lease", () =>
    Effect.gen(function*() {
      const lease = 600
      const { call, url } = yield* server()
      const { run } = yield* service({ url })
      const late = yield* lateness
      const holder = yield* begin(url, "hold", 20, lease)
      const tokens: ReadonlyArray<number> = yield* holder.next
      let killedAt = 0
      const waiting = yield* Effect.forkChild(
        Effect.forEach(range(20), (i) =>
          run(Lock.withLock(
            `held${i}`,
            ({ token }) => Effect.sync(() => ({ token, millis: performance.now() - killedAt })),
            { lease, wait: "20 seconds" }
          )), all),
        start
      )
      // all of them are renewed meanwhile
      yield* Effect.sleep(lease * 1.5)
      assert.strictEqual((yield* locksOf(call)).length, 40)
      killedAt = performance.now()
      yield* holder.signal("SIGKILL")
      const taken = yield* Fiber.join(waiting)
      console.log(`taken over after ${summary(taken.map(({ millis }) => millis))}, of a lease of ${lease} ms`)
      for (const [i, { millis, token }] of taken.entries()) {
        assert.isAbove(token, tokens[i]!)
        assert.isAbove(millis, 0)
        assert.isAtMost(millis, lease + lease / 3 + 100 + late())
      }
      assert.deepStrictEqual(yield* locksOf(call), [])
    }), timeout)

  it.live("a process that is stopped beyond its lease writes nothing any more", () =>
    Effect.gen(function*() {
      const lease = 500
      const { call, url } = yield* server()
      const { run } = yield* service({ url })
      const ids = ["body", "guarded", "save"].flatMap((kind) => range(20).map((i) => `${kind}${i}`))
      yield* run(Effect.forEach(ids, (id) => Counter.insert({ id }), all))
      const child = yield* begin(url, "stopped", 20, lease)
      assert.strictEqual(yield* child.next, "holding")
      yield* child.signal("SIGSTOP")
      // each is somebody else's meanwhile
      yield* run(Effect.forEach(ids, (id) =>
        Counter.withLock(id, (counter) =>
          Effect.succeed({ ...counter, n: counter.n + 1 })), all))
      yield* child.signal("SIGCONT")
      yield* child.send("resumed")
      const heard: Stopped = yield* child.next
      assert.deepStrictEqual(heard, {
        bodies: repeated("LockLost", 20),
        interrupted: 20,
        checks: repeated("LockLost", 20),
        guarded: repeated("LockLost", 20),
        saves: repeated("LockLost", 20)
      })
      const found = yield* run(Effect.forEach(ids, (id) =>
        Counter.ref(id).n.get()))
      assert.deepStrictEqual(found, ids.map(() => 1))
      yield* child.ended
      yield* eventually(Effect.filterOrFail(locksOf(call), (keys) => keys.length === 0))
    }), timeout)

  it.live(
    "a process that is stopped beyond its lease writes nothing even if no one has taken the lock",
    () =>
      Effect.gen(function*() {
        const lease = 300
        const { call, url } = yield* server()
        const { run } = yield* service({ url })
        const ids = ["body", "guarded", "save"].flatMap((kind) => range(20).map((i) => `${kind}${i}`))
        yield* run(Effect.forEach(ids, (id) => Counter.insert({ id }), all))
        const child = yield* begin(url, "stopped", 20, lease)
        assert.strictEqual(yield* child.next, "holding")
        yield* child.signal("SIGSTOP")
        yield* eventually(Effect.filterOrFail(locksOf(call), (keys) => keys.length === 0))
        yield* child.signal("SIGCONT")
        yield* child.send("resumed")
        const { bodies, checks, guarded, interrupted, saves }: Stopped = yield* child.next
        assert.deepStrictEqual([...bodies, ...checks, ...guarded, ...saves], repeated("LockLost", 80))
        assert.strictEqual(interrupted, 20)
        const found = yield* run(Effect.forEach(ids, (id) => Counter.ref(id).n.get()))
        assert.deepStrictEqual(found, ids.map(() => 0))
      }),
    timeout
  )

  it.live(
    "a stopped process keeps a free lock for a quarter of a second, however many waiters it has",
    () =>
      Effect.gen(function*() {
        const { call, url } = yield* server()
        const { run } = yield* service({ url })
        const late = yield* lateness
        const given = yield* Deferred.make<void>()
        const first = yield* Effect.forkChild(run(Lock.withLock("a", () => Deferred.await(given))), start)
        const queued = (count: number) =>
          eventually(Effect.filterOrFail(call("ZCARD", "$lock:{a}:$queue"), (found) => Number(found) === count))
        const crowds = yield* Effect.forEach(range(2), () => begin(url, "crowd", "a", 60), all)
        for (const child of crowds) assert.strictEqual(yield* child.next, "connected")
        yield* queued(120)
        const taken: Array<number> = []
        const take = run(Lock.withLock("a", () => Effect.sync(() => void taken.push(performance.now()))))
        const second = yield* Effect.forkChild(take, start)
        yield* queued(121)
        yield* Effect.forEach(crowds, (child) => child.signal("SIGSTOP"))
        const givenAt = performance.now()
        yield* Deferred.succeed(given, undefined)
        yield* Fiber.join(first)
        // it stands behind all of them in the queue
        yield* Fiber.join(second)
        // and those that come now do not wait at all
        for (let i = 0; i < 10; i++) yield* take
        const millis = taken.map((at) => Math.round(at - givenAt))
        console.log(`120 waiters of two stopped processes; others had the lock after ${millis.join(" ")} ms`)
        assert.isAtMost(millis[0]!, 2 * 300 + 200 + late())
        assert.isAtMost(millis.at(-1)! - millis[0]!, 500 + late())
        // their waiters are not lost
        yield* Effect.forEach(crowds, (child) => child.signal("SIGCONT"))
        for (const child of crowds) assert.deepStrictEqual(yield* child.next, repeated("Success", 60))
        for (const child of crowds) yield* child.ended
      }),
    timeout
  )

  it.live("killed waiters do not block others", () =>
    Effect.gen(function*() {
      const { call, url } = yield* server()
      const { run } = yield* service({ url })
      const late = yield* lateness
      const given = yield* Deferred.make<void>()
      const first = yield* Effect.forkChild(run(Lock.withLock("a", () => Deferred.await(given))), start)
      const key = "$lock:{a}:$queue"
      const dead = yield* Effect.forEach(range(3), () => begin(url, "wait", "a", 10_000), all)
      yield* eventually(Effect.filterOrFail(call("ZCARD", key), (count) => Number(count) === 3))
      let takenAt = 0
      const taking = Effect.sync(() => {
        takenAt = performance.now()
      })
      const second = yield* Effect.forkChild(run(Lock.withLock("a", () => taking)), start)
      yield* eventually(Effect.filterOrFail(call("ZCARD", key), (count) => Number(count) === 4))
      yield* Effect.forEach(dead, (child) => child.signal("SIGKILL"))
      yield* eventually(Effect.filterOrFail(channelsOf(call), (channels) => channels.length === 1))
      const givenAt = performance.now()
      yield* Deferred.succeed(given, undefined)
      yield* Fiber.join(first)
      yield* Fiber.join(second)
      assert.isAtMost(takenAt - givenAt, 100 + late())
      assert.deepStrictEqual(yield* locksOf(call), [])
    }), timeout)

  it.live(
    `acknowledged counts survive killed processes and connections: ${rounds} of them`,
    () =>
      Effect.gen(function*() {
        const lease = 500
        const { call, url } = yield* server()
        const { run } = yield* service({ url })
        yield* run(Counter.insert({ id: "all" }))
        const seed = Date.now() % 1_000_000
        const next = random(seed)
        let acknowledged = 0
        let unknown = 0
        let refused = 0
        let killed = 0
        let cut = 0
        const unexpected: Array<string> = []
        const isOver = () => acknowledged >= rounds
        // about five in a run, and fifty in a long one
        const killEvery = 200
        let killAt = killEvery / 2

        const one = Effect.gen(function*() {
          const child = yield* begin(url, "count", lease)
          let hasBegun = false
          let isTold = false
          const listen = Effect.gen(function*() {
            for (;;) {
              const told: Told | "connected" | "over" = yield* child.next
              if (told === "over") return
              if (told === "connected") continue
              if (told === "begun") {
                hasBegun = true
                // in the middle of its write
                if (acknowledged >= killAt && !isOver()) {
                  killAt = acknowledged + killEvery * (0.5 + next())
                  killed++
                  isTold = true
                  yield* child.signal("SIGKILL")
                }
                continue
              }
              hasBegun = false
              if (told === "acknowledged") acknowledged++
              else if (told === "unknown") unknown++
              else if (told === "refused") refused++
              else unexpected.push(told.unexpected)
              if (isOver() && !isTold) {
                isTold = true
                yield* child.send("stop")
              }
            }
          })
          yield* Effect.catchTag(listen, "ChildFailed", () =>
            Effect.sync(() => {
              if (hasBegun) unknown++
            }))
        }).pipe(Effect.scoped)

        const killer = yield* Effect.forkChild(
          Effect.gen(function*() {
            const list = String(yield* call("CLIENT", "LIST")).trim().split("\n").filter((line) =>
              !line.includes("cmd=client")
            )
            const [, id] = /^id=(\d+)/.exec(list[Math.floor(next() * list.length)] ?? "") ?? []
            if (id !== undefined) cut += Number(yield* call("CLIENT", "KILL", "ID", id))
          }).pipe(Effect.repeat(Schedule.spaced("100 millis"))),
          start
        )
        yield* Effect.forEach(range(processes), () => Effect.repeat(one, { until: isOver }), all)
        yield* Fiber.interrupt(killer)
        const n = yield* Effect.retry(run(Counter.ref("all").n.get()), { times: 10 })
        console.log(
          `${killed} of ${processes} processes and ${cut} connections killed: ` +
            `${acknowledged} acknowledged, ${unknown} unknown, ${refused} refused, ${n} counted`
        )
        assert.deepStrictEqual(unexpected, [], `seed ${seed}`)
        assert.isAbove(killed, 0)
        assert.isAbove(cut, 5)
        assert.isAtLeast(n, acknowledged, `seed ${seed}`)
        assert.isAtMost(n, acknowledged + unknown, `seed ${seed}`)
      }),
    120_000 + rounds * 100
  )

  it.live("waiting processes take turns and poll seldom", () =>
    Effect.gen(function*() {
      const total = 1000
      const { call, url } = yield* server()
      const { run } = yield* service({ url })
      yield* run(Counter.insert({ id: "all" }))
      const children = yield* Effect.forEach(range(processes), () => begin(url, "share", total), all)
      for (const child of children) assert.strictEqual(yield* child.next, "connected")
      yield* call("CONFIG", "RESETSTAT")
      for (const child of children) yield* child.send("go")
      const shares: ReadonlyArray<number> = yield* Effect.forEach(children, (child) => child.next)
      // one of them is the write
      const calls = (yield* scriptCalls(call)) / total - 1
      console.log(`shares of ${processes} processes: ${shares.join(", ")}; ${calls.toFixed(2)} calls a round`)
      assert.strictEqual(shares.reduce((sum, share) => sum + share, 0), total)
      assert.isAtLeast(Math.min(...shares), total / processes / 3)
      assert.isAtMost(calls, 4.5)
    }), 180_000)
})
