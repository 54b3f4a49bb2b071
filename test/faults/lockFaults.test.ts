/**
 * Locks while connections break, servers stop, and administrators interfere: who has lost one hears of it in time, and writes
 * nothing.
 */
import { assert, it } from "@effect/vitest"
import { Cause, Context, Deferred, Effect, Exit, Fiber, Layer, Scope } from "effect"
import { readFileSync } from "node:fs"
import { Atomic, Lock, RedisService, RedisTransport } from "redlayer"
import * as Testing from "redlayer/testing"
import { errorOf, eventually, range, reasonIs, until } from "../live/liveService.ts"
import { describeOwnServer } from "../support/Backends.ts"
import * as RedisServer from "../support/RedisServer.ts"
import { Counter } from "../workers/lockWorker.ts"
import { channelsOf, connectionsOf, locksOf, summary } from "./lockTraces.ts"
import { lateness, server, service, start } from "./proxiedService.ts"

const all = { concurrency: "unbounded" } as const

const tagOf = (exit: Exit.Exit<unknown, unknown>): string =>
  Exit.isSuccess(exit) ? "Success" : Object(errorOf(exit))._tag ?? Cause.pretty(exit.cause)

const elapsed = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const from = performance.now()
    return Effect.map(Effect.exit(self), (exit) => ({ exit, millis: performance.now() - from }))
  })

/** Those who use topics or locks need these too. */
const messages = ["+publish", "+subscribe", "+unsubscribe", "+ping"]

/** When the effect that never ends was interrupted. */
const enduring = (interruptedAt: Array<number>) =>
  Effect.onInterrupt(Effect.never, () => Effect.sync(() => interruptedAt.push(performance.now())))

/** Nothing of this process runs meanwhile. */
const block = (millis: number) =>
  Effect.sync(() => {
    const end = performance.now() + millis
    while (performance.now() < end);
  })

const gone = (call: Parameters<typeof locksOf>[0]) =>
  eventually(Effect.filterOrFail(locksOf(call), (keys) => keys.length === 0))

describeOwnServer("locks", () => {
  it.live.each(["DEL", "PEXPIRE", "HDEL"])(
    "that somebody removes by %s are lost within a third of their lease",
    (command) =>
      Effect.gen(function*() {
        const lease = 600
        const { call, url } = yield* server()
        const { run } = yield* service({ url })
        const late = yield* lateness
        const ids = range(20).map((i) => `e${i}`)
        yield* run(Effect.forEach(ids, (id) => Counter.insert({ id }), all))
        const interruptedAt: Array<number> = []
        const holding = yield* Effect.forkChild(
          Effect.forEach(ids, (id) =>
            Effect.exit(run(Counter.withLock(id, () => enduring(interruptedAt), { lease }))), all),
          start
        )
        const keys = ids.map((id) =>
          `faults/Counter:{${id}}:$lock:`
        )
        yield* eventually(Effect.filterOrFail(locksOf(call), (found) => found.length === keys.length))
        // in the middle of their leases
        yield* Effect.sleep(lease / 2)
        const removedAt = performance.now()
        // one that is renewed within the millisecond is held on
        for (let left = keys; left.length > 0; left = command === "PEXPIRE" ? yield* locksOf(call) : []) {
          for (const key of left) {
            if (command === "DEL") yield* call("DEL", key)
            else if (command === "PEXPIRE") yield* call("PEXPIRE", key, "1")
            else {for (const owner of (yield* call("HKEYS", key)) as ReadonlyArray<string>) {
                yield* call("HDEL", key, owner)
              }}
          }
        }
        const exits = yield* Fiber.join(holding)
        assert.deepStrictEqual(exits.map(tagOf), ids.map(() => "LockLost"))
        assert.strictEqual(interruptedAt.length, ids.length)
        const millis = interruptedAt.map((at) => at - removedAt)
        console.log(`after ${command} interrupted after ${summary(millis)}, of a lease of ${lease} ms`)
        assert.isAtMost(Math.max(...millis), lease / 3 + 100 + late())
        assert.deepStrictEqual(yield* locksOf(call), [])
      })
  )

  it.live("a lock that someone removes and another takes stays with the new holder", () =>
    Effect.gen(function*() {
      const lease = 600
      const { call, url } = yield* server()
      const { run } = yield* service({ url })
      const first = yield* Effect.forkChild(
        Effect.exit(run(Lock.withLock("a", () => Effect.never, { lease }))),
        start
      )
      yield* eventually(Effect.filterOrFail(locksOf(call), (found) => found.length === 1))
      yield* call("DEL", "$lock:{a}")
      yield* run(Lock.withLock("a", ({ check }) =>
        Effect.gen(function*() {
          assert.strictEqual(tagOf(yield* Fiber.join(first)), "LockLost")
          yield* Effect.sleep(lease)
          yield* check
          assert.deepStrictEqual(yield* locksOf(call), ["$lock:{a}"])
        }), { lease }))
      yield* gone(call)
    }))

  it.live("a lock is lost if its process stands still for two leases, and its write does not happen", () =>
    Effect.gen(function*() {
      const lease = 200
      const { call, url } = yield* server()
      const { run } = yield* service({ url })
      yield* run(Counter.insert({ id: "a" }))
      const { n } = Counter.ref("a")
      for (const renew of [true, false]) {
        const interruptedAt: Array<number> = []
        const options = { lease, renew }
        const exits = yield* run(Effect.scoped(Effect.gen(function*() {
          const held = yield* Lock.acquire("", { on: Counter.ref("a"), ...options })
          const body = yield* Effect.forkChild(
            Effect.exit(held.protect(Effect.andThen(block(2 * lease), enduring(interruptedAt)))),
            start
          )
          const guarded = yield* Effect.exit(Effect.andThen(held.guard, n.set(1)))
          const both = yield* Effect.exit(Atomic.all([n.set(2), held.guard]))
          return [yield* Fiber.join(body), guarded, both, yield* Effect.exit(held.check)]
        })))
        assert.deepStrictEqual(exits.map(tagOf), exits.map(() => "LockLost"))
        assert.strictEqual(interruptedAt.length, 1)
        const saved = yield* Effect.exit(
          run(Counter.withLock("a", (counter) => Effect.as(block(2 * lease), { ...counter, n: 3 }), options))
        )
        assert.strictEqual(tagOf(saved), "LockLost")
      }
      assert.strictEqual(yield* run(n.get()), 0)
      yield* gone(call)
    }))

  it.live("an acquire that arrives after its release is refused", () =>
    Effect.gen(function*() {
      const { call, url } = yield* server()
      const services = yield* Layer.build(
        Testing.layerService().pipe(Layer.provideMerge(RedisService.layer({ url })))
      )
      const faults = Context.get(services, Testing.Faults)
      const run = <A, E>(self: Effect.Effect<A, E, RedisService.RedisService>) => Effect.provide(self, services)
      for (const i of range(20)) {
        const name = `a${i}`
        // the first comes late: who asked asks again, and has long given it back
        yield* faults.usePlan(Testing.sequence([Testing.deliverLate()]))
        yield* run(Lock.withLock(name, () => Effect.void))
        assert.deepStrictEqual(yield* locksOf(call), [])
        yield* faults.release
        assert.deepStrictEqual(yield* locksOf(call), [])
        // both come late: who asked has given up
        yield* faults.usePlan(
          Testing.sequence([Testing.deliverLate(), Testing.deliverLate(), Testing.delay("1 minute")])
        )
        const asking = yield* Effect.forkChild(run(Lock.withLock(name, () => Effect.void)), start)
        yield* eventually(Effect.filterOrFail(faults.log, ({ length }) => length === 3))
        yield* Fiber.interrupt(asking)
        // it says so
        yield* eventually(Effect.filterOrFail(faults.log, (log) => log[3]?.state === "Answered"))
        yield* faults.release
        assert.deepStrictEqual(yield* locksOf(call), [])
        yield* faults.usePlan(Testing.none)
        yield* run(Lock.withLock(name, () => Effect.void, { wait: 0 }))
      }
    }))

  it.live("a lock is refused on a server that may evict it, unless the layer accepts that", () =>
    Effect.gen(function*() {
      const { url } = yield* server({ args: ["--maxmemory-policy", "allkeys-lru"] })
      const refusing = yield* service({ url })
      yield* refusing.run(Counter.insert({ id: "a" }))
      for (
        const program of [
          Effect.scoped(Lock.acquire("a")),
          Effect.scoped(Lock.tryAcquire("a")),
          Effect.scoped(Lock.acquireAll(["a", "b"])),
          Lock.withLock("a", () => Effect.void),
          Counter.withLock("a", (counter) => Effect.succeed(counter))
        ]
      ) {
        reasonIs(yield* Effect.exit(refusing.run<unknown, unknown>(program)), "Unsupported")
      }
      const accepting = yield* service({ url, locks: { acceptEviction: true } })
      const saved = Counter.withLock("a", (counter) => Effect.succeed({ ...counter, n: 1 }))
      assert.deepStrictEqual(yield* accepting.run(saved), { id: "a", n: 1 })
    }))

  it.live("locks are kept and waited for through broken connections", () =>
    Effect.gen(function*() {
      const lease = 1500
      const { call, proxy, url } = yield* server()
      const { run, up } = yield* service({ url: proxy.url })
      const other = yield* service({ url })
      const given = yield* Deferred.make<void>()
      const holding = yield* Effect.forkChild(
        run(Lock.withLock("a", (held) =>
          Effect.gen(function*() {
            yield* Deferred.await(given)
            yield* held.check
            return held.token
          }), { lease })),
        start
      )
      const wait = { lease, wait: "20 seconds" } as const
      yield* eventually(Effect.filterOrFail(locksOf(call), (keys) => keys.length === 1))
      const waiting = yield* Effect.forkChild(
        run(Lock.withLock("a", ({ token }) => Effect.succeed(token), wait)),
        start
      )
      yield* eventually(Effect.filterOrFail(locksOf(call), (keys) => keys.length === 2))
      // for longer than a lease in all
      for (const _ of range(8)) {
        yield* Effect.sleep(lease / 5)
        yield* proxy.cut()
        yield* up
      }
      assert.strictEqual(
        tagOf(yield* Effect.exit(other.run(Effect.scoped(Lock.acquire("a", { wait: 0 }))))),
        "LockTimeout"
      )
      yield* Deferred.succeed(given, undefined)
      const [first, second] = [yield* Fiber.join(holding), yield* Fiber.join(waiting)]
      assert.isAbove(second, first)
      yield* gone(call)
    }))

  it.live("a lock that cannot be renewed is lost before its lease ends, and closing waits for no one", () =>
    Effect.gen(function*() {
      const lease = 900
      const { call, kill, url } = yield* server()
      const { run } = yield* service({ url })
      const late = yield* lateness
      const interruptedAt: Array<number> = []
      const holding = yield* Effect.forkChild(
        Effect.forEach(range(10), (i) =>
          // at different times of their leases
          Effect.delay(elapsed(run(Lock.withLock(`a${i}`, () => enduring(interruptedAt), { lease }))), i * 30), all),
        start
      )
      yield* eventually(Effect.filterOrFail(locksOf(call), (keys) => keys.length === 10))
      yield* Effect.sleep(lease)
      const stoppedAt = performance.now()
      yield* kill("SIGSTOP")
      const exits = yield* Fiber.join(holding)
      const over = performance.now() - stoppedAt
      yield* kill("SIGCONT")
      assert.deepStrictEqual(exits.map(({ exit }) => tagOf(exit)), exits.map(() => "LockLost"))
      const millis = interruptedAt.map((at) => at - stoppedAt)
      console.log(`on a server that stops interrupted after ${summary(millis)}, of a lease of ${lease} ms`)
      assert.strictEqual(millis.length, 10)
      // the last renewal was before the server stopped
      assert.isAtMost(Math.max(...millis), lease + late())
      assert.isAtLeast(Math.min(...millis), lease / 3)
      // and nobody waited for the release
      assert.isAtMost(over, lease + 100 + late())
      yield* gone(call)
    }))

  it.live.each(["SIGSTOP", "SIGKILL"] as const)(
    "are given back within their lease to a server that is gone by %s",
    (signal) =>
      Effect.gen(function*() {
        const lease = 800
        const { kill, url } = yield* server()
        const { run } = yield* service({ url })
        const late = yield* lateness
        const scope = yield* Scope.make()
        yield* run(Effect.forEach(range(3), (i) => Scope.provide(Lock.acquire(`a${i}`, { lease }), scope), all))
        const given = yield* Deferred.make<void>()
        const holding = yield* Effect.forkChild(run(Lock.withLock("b", () => Deferred.await(given), { lease })), start)
        yield* Effect.sleep(lease / 3)
        const stoppedAt = performance.now()
        yield* kill(signal)
        yield* Deferred.succeed(given, undefined)
        yield* Fiber.join(holding)
        const withLock = performance.now() - stoppedAt
        yield* Scope.close(scope, Exit.void)
        const scopes = performance.now() - stoppedAt
        console.log(`${signal}: given back after ${Math.round(withLock)} and ${Math.round(scopes)} ms`)
        assert.isAtMost(withLock, lease + 100 + late())
        // three in turn, but the time of all has passed by then
        assert.isAtMost(scopes, lease + 100 + late())
        yield* kill("SIGCONT")
      })
  )

  it.live("a waiter fails when its layer closes, and nothing is left", () =>
    Effect.gen(function*() {
      const { call, proxy, url } = yield* server()
      const late = yield* lateness
      const holder = yield* service({ url })
      yield* holder.run(Scope.provide(Lock.acquire("a"), yield* Effect.scope))
      const connections = yield* connectionsOf(call)
      const { close, run } = yield* service({ url: proxy.url })
      const waiting = yield* Effect.forEach(range(8), () =>
        Effect.forkChild(
          Effect.exit(run(Lock.withLock("a", () => Effect.void, { lease: "3 seconds", wait: "1 minute" }))),
          start
        ))
      yield* eventually(Effect.filterOrFail(call("ZCARD", "$lock:{a}:$queue"), (count) => Number(count) === 8))
      const closedAt = performance.now()
      yield* close
      for (const fiber of waiting) {
        reasonIs(yield* Fiber.join(fiber), "ConnectionUnavailable")
      }
      assert.isAtMost(performance.now() - closedAt, 200 + late())
      yield* proxy.waitUntil(({ connections }) => connections === 0)
      yield* eventually(Effect.filterOrFail(connectionsOf(call), (now) => now === connections))
      assert.deepStrictEqual(yield* channelsOf(call), [])
      // nobody listens to them any more, and the next who looks forgets them
      assert.deepStrictEqual(yield* eventually(Effect.filterOrFail(locksOf(call), (keys) => keys.length === 1)), [
        "$lock:{a}"
      ])
    }))

  it.live("an acquire happens once with exactlyOnce", () =>
    Effect.gen(function*() {
      const { call, proxy, url } = yield* server()
      const { run, up } = yield* service({ url: proxy.url, exactlyOnce: true, deadline: "20 seconds" })
      yield* run(Counter.insert({ id: "a" }))
      let cuts = 0
      const cutting = yield* Effect.forkChild(
        Effect.forever(Effect.gen(function*() {
          yield* Effect.sleep("100 millis")
          yield* up
          yield* proxy.cutOnNext(cuts++ % 3 === 0 ? "request" : "reply")
        })),
        start
      )
      const rounds = 25
      const exits = yield* Effect.forEach(range(8), () =>
        Effect.forEach(range(rounds), () =>
          Effect.exit(run(Counter.withLock("a", (counter) =>
            Effect.succeed({ ...counter, n: counter.n + 1 }), {
            lease: "3 seconds",
            wait: "1 minute"
          })))), all)
      yield* Fiber.interrupt(cutting)
      yield* proxy.cutOnNext(undefined)
      const outcomes = exits.flat().map(tagOf)
      console.log(`${cuts} connections cut, ${outcomes.length} saves`)
      // a save that happened twice would meet its own version
      assert.deepStrictEqual(
        outcomes,
        outcomes.map(() =>
          "Success"
        )
      )
      const other = yield* service({ url })
      assert.strictEqual(yield* other.run(Counter.ref("a").n.get()), 8 * rounds)
      assert.isAbove(cuts, 1)
      yield* gone(call)
    }), 120_000)

  it.live("a lock that is acquired while its layer closes is released", () =>
    Effect.gen(function*() {
      const { call, url } = yield* server()
      for (const delay of range(5)) {
        const { close, run } = yield* service({ url })
        yield* run(Counter.find("a"))
        const asking = yield* Effect.forEach(range(20), (i) =>
          Effect.forkChild(run(Effect.scoped(Effect.andThen(Lock.acquire(`a${i}`), Effect.never))), start))
        yield* Effect.sleep(delay / 2)
        yield* Fiber.interruptAll(asking)
        yield* close
        assert.deepStrictEqual(yield* locksOf(call), [], `after ${delay / 2} ms`)
      }
    }))

  it.live("an acquire whose every answer is lost ends", () =>
    Effect.gen(function*() {
      const late = yield* lateness
      const services = yield* Layer.build(
        Testing.layerService(() => Testing.loseRequest).pipe(Layer.provide(RedisService.layerMemory))
      )
      for (const options of [{ wait: 0, lease: 200 }, { wait: 200 }]) {
        const { exit, millis } = yield* elapsed(
          Effect.provide(Lock.withLock("a", () => Effect.void, options), services)
        )
        assert.notStrictEqual(tagOf(exit), "Success")
        assert.isAtMost(millis, 300 + late())
      }
    }))

  it.live("a save whose reply is late reports its outcome, and not a lost lock", () =>
    Effect.gen(function*() {
      const lease = 400
      const { proxy, url } = yield* server()
      const { run } = yield* service({ url: proxy.url, deadline: "3 seconds" })
      const other = yield* service({ url })
      yield* run(Counter.insert({ id: "a" }))
      const { replyBytes } = yield* proxy.stats
      const saving = yield* Effect.forkChild(
        Effect.exit(
          run(
            Counter.withLock("a", (counter) => Effect.as(proxy.swallowReplies(true), { ...counter, n: 1 }), {
              lease,
              renew: false
            })
          )
        ),
        start
      )
      yield* proxy.waitUntil((now) => now.replyBytes > replyBytes)
      reasonIs(yield* Fiber.join(saving), "OutcomeUnknown")
      assert.strictEqual(yield* other.run(Counter.ref("a").n.get()), 1)
    }))

  it.live("a shared lock is not blocked by a dead exclusive waiter", () =>
    Effect.gen(function*() {
      const { call, url } = yield* server()
      const { run } = yield* service({ url })
      const dying = yield* service({ url })
      const shared = { mode: "shared", lease: "10 seconds" } as const
      const given = yield* Deferred.make<void>()
      const holding = yield* Effect.forkChild(run(Lock.withLock("a", () => Deferred.await(given), shared)), start)
      yield* eventually(Effect.filterOrFail(locksOf(call), (keys) => keys.length === 1))
      const waiting = yield* Effect.forkChild(
        Effect.exit(dying.run(Lock.withLock("a", () => Effect.void, { wait: "1 minute" }))),
        start
      )
      yield* eventually(Effect.filterOrFail(locksOf(call), (keys) => keys.length === 2))
      // as long as it waits nobody passes
      const asking = Effect.exit(run(Lock.withLock("a", () => Effect.void, { ...shared, wait: 0 })))
      assert.strictEqual(tagOf(yield* asking), "LockTimeout")
      yield* dying.close
      yield* Fiber.join(waiting)
      yield* eventually(Effect.filterOrFail(channelsOf(call), (channels) => channels.length === 0))
      assert.strictEqual(tagOf(yield* asking), "Success")
      yield* Deferred.succeed(given, undefined)
      yield* Fiber.join(holding)
      yield* gone(call)
    }))

  it.live("a lock cannot be waited for over a transport without subscriptions", () =>
    Effect.gen(function*() {
      const { call, url } = yield* server()
      const { client, run } = yield* service({ url })
      const services = yield* Layer.build(
        RedisService.layerTransport().pipe(
          Layer.provide(Layer.succeed(RedisTransport.RedisTransport, {
            ready: Effect.void,
            evaluate: ({ argument, command, keys, script }) =>
              Effect.promise(() =>
                client.call(command, [script, keys.length, ...keys, argument]).then(
                  (reply) => ({ _tag: "Text", text: String(reply) }) as const,
                  (error: Error) => ({ _tag: "Error", message: error.message }) as const
                )
              )
          }))
        )
      )
      yield* Effect.scoped(Effect.gen(function*() {
        yield* run(Scope.provide(Lock.acquire("a"), yield* Effect.scope))
        const exit = yield* Effect.exit(Effect.provide(Lock.withLock("a", () => Effect.void), services))
        reasonIs(exit, "Unsupported")
      }))
      yield* Effect.provide(Lock.withLock("a", () => Effect.void), services)
      assert.deepStrictEqual(yield* locksOf(call), [])
    }))

  it.live("locks need no more rights than docs/server.md says", () =>
    Effect.gen(function*() {
      const page = readFileSync(new URL("../../docs/server.md", import.meta.url), "utf8")
      const [, rights = ""] = /^ACL SETUSER app (on >password [^`]*)/m.exec(page) ?? []
      const { call, url } = yield* server()
      yield* call("ACL", "SETUSER", "app", ...rights.trim().split(/\s+/), ...messages, "&app:$wake:*")
      yield* call("ACL", "LOG", "RESET")
      const { run } = yield* service({ url, username: "app", password: "password", keyPrefix: "app:" })
      yield* run(Counter.insert({ id: "a" }))
      const count = Counter.withLock("a", (counter) =>
        Effect.as(Effect.sleep("150 millis"), { ...counter, n: counter.n + 1 }), { lease: 300 })
      const shared = Lock.withLock("b", () =>
        Effect.sleep("5 millis"), { mode: "shared" })
      const permitted = Lock.withLocks(["c", "d"], () =>
        Effect.void, { mode: { permits: 2 } })
      const given = yield* Deferred.make<void>()
      const givenUp = Lock.withLock("e", () => Effect.void, { wait: "30 millis" })
      const held = yield* Effect.forkChild(run(Lock.withLock("e", () => Deferred.await(given))), start)
      yield* run(Effect.all(range(5).flatMap(() => [count, shared, permitted]), all))
      assert.strictEqual(tagOf(yield* Effect.exit(run(givenUp))), "LockTimeout")
      yield* Deferred.succeed(given, undefined)
      yield* Fiber.join(held)
      assert.strictEqual(yield* run(Counter.ref("a").n.get()), 5)
      assert.deepStrictEqual(yield* call("ACL", "LOG"), [])
    }))

  it.live("waiters poll while the right to subscribe is missing, and are woken when it returns", () =>
    Effect.gen(function*() {
      const lease = 900
      const { call, url } = yield* server()
      yield* call("ACL", "SETUSER", "app", "on", ">password", "~*", "&*", "+@all")
      const late = yield* lateness
      const holder = yield* service({ url })
      const { run } = yield* service({ url, username: "app", password: "password" })
      const waits = { lease, wait: "1 minute" } as const
      const isWaitedFor = eventually(
        Effect.filterOrFail(call("ZCARD", "$lock:{a}:$queue"), (count) => Number(count) === 1)
      )
      /** How long after its release the lock was taken by the one that waits, who is there already. */
      const handed = Effect.fnUntraced(function*(meanwhile: Effect.Effect<unknown, unknown>) {
        const given = yield* Deferred.make<void>()
        const holding = yield* Effect.forkChild(
          holder.run(Lock.withLock("a", () => Deferred.await(given), { lease })),
          start
        )
        yield* eventually(Effect.filterOrFail(locksOf(call), (keys) => keys.length === 1))
        const taking = yield* Effect.forkChild(
          run(Lock.withLock("a", () => Effect.sync(() => performance.now()), waits)),
          start
        )
        yield* isWaitedFor
        yield* meanwhile
        const givenAt = performance.now()
        yield* Deferred.succeed(given, undefined)
        yield* Fiber.join(holding)
        return (yield* Fiber.join(taking)) - givenAt
      })
      const nobodyHears = eventually(Effect.filterOrFail(channelsOf(call), (channels) => channels.length === 0))
      const revoked = yield* handed(Effect.andThen(call("ACL", "SETUSER", "app", "resetchannels"), nobodyHears))
      assert.isAtMost(revoked, lease / 3 + 100 + late())
      const given = yield* Deferred.make<void>()
      const holding = yield* Effect.forkChild(holder.run(Lock.withLock("a", () => Deferred.await(given))), start)
      yield* eventually(Effect.filterOrFail(locksOf(call), (keys) => keys.length === 1))
      reasonIs(yield* Effect.exit(run(Lock.withLock("a", () => Effect.void, waits))), "AccessDenied")
      yield* Deferred.succeed(given, undefined)
      yield* Fiber.join(holding)
      yield* call("ACL", "SETUSER", "app", "&*")
      const again = yield* handed(Effect.void)
      console.log(`handed on after ${Math.round(revoked)} ms by looking, and ${Math.round(again)} ms by hearing`)
      assert.isAtMost(again, 100 + late())
      yield* gone(call)
    }))

  it.live("a holder without the right to publish still releases, and the next waiter finds the lock by polling", () =>
    Effect.gen(function*() {
      const lease = 900
      const { call, url } = yield* server()
      yield* call("ACL", "SETUSER", "app", "on", ">password", "~*", "resetchannels", "+@all")
      const late = yield* lateness
      const holder = yield* service({ url, username: "app", password: "password" })
      const { run } = yield* service({ url })
      const given = yield* Deferred.make<void>()
      const holding = yield* Effect.forkChild(
        holder.run(Lock.withLock("a", () => Deferred.await(given), { lease: "1 minute" })),
        start
      )
      yield* eventually(Effect.filterOrFail(locksOf(call), (keys) => keys.length === 1))
      const taking = yield* Effect.forkChild(
        run(Lock.withLock("a", () => Effect.sync(() => performance.now()), { lease })),
        start
      )
      yield* eventually(Effect.filterOrFail(call("ZCARD", "$lock:{a}:$queue"), (count) => Number(count) === 1))
      const givenAt = performance.now()
      yield* Deferred.succeed(given, undefined)
      yield* Fiber.join(holding)
      assert.isAtMost((yield* Fiber.join(taking)) - givenAt, lease / 3 + 100 + late())
      yield* gone(call)
    }))

  it.live("locks that a restarted server forgot are lost, and the tokens still grow", () =>
    Effect.gen(function*() {
      const lease = 1500
      const first = yield* server()
      const { run } = yield* service({ url: first.url })
      const interruptedAt: Array<number> = []
      let token = 0
      const holding = yield* Effect.forkChild(
        Effect.exit(run(Lock.withLock("a", (held) =>
          Effect.suspend(() => {
            token = held.token
            return enduring(interruptedAt)
          }), { lease }))),
        start
      )
      yield* until("it is held", () => token > 0)
      yield* first.kill("SIGKILL")
      yield* RedisServer.start({ port: first.port })
      assert.strictEqual(tagOf(yield* Fiber.join(holding)), "LockLost")
      assert.strictEqual(interruptedAt.length, 1)
      assert.isAbove(yield* run(Lock.withLock("a", ({ token }) => Effect.succeed(token))), token)
    }))
})
