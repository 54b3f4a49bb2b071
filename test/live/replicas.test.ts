/**
 * Programs that wait until replicas have a copy.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Schedule, Schema } from "effect"
import { Atomic, Lock, Model, RedisService, type RedisServiceError } from "redlayer"
import { RedisTransport } from "redlayer/RedisTransport"
import * as Standalone from "../../src/internal/redis/client/standalone.ts"
import { describeOwnServer } from "../support/Backends.ts"
import * as Replicated from "../support/Replicated.ts"
import * as TcpProxy from "../support/TcpProxy.ts"

const Counter = Model.make("ReplicatedCounter", { id: Schema.String, n: Schema.Int }, { key: "id" })

const { n } = Counter.ref("a")

const layer = ({ primary }: Replicated.Replicated, options: RedisService.LayerOptions = {}) =>
  RedisService.layer({ url: primary.url, ...options })

const waiting = { waitReplicas: { count: 1, timeout: "400 millis" } } as const

const reasonOf = <A, E, R>(self: Effect.Effect<A, E | RedisServiceError.RedisServiceError, R>) =>
  Effect.map(Effect.flip(self), (error) => (error as RedisServiceError.RedisServiceError).reason)

const signal = (servers: ReadonlyArray<{ readonly pid: number }>, name: NodeJS.Signals) =>
  Effect.sync(() => servers.forEach(({ pid }) => process.kill(pid, name)))

/** Stops the replicas for as long as an effect takes. */
const frozen = <A, E, R>({ replicas }: Replicated.Replicated, self: Effect.Effect<A, E, R>) =>
  Effect.acquireUseRelease(signal(replicas, "SIGSTOP"), () => self, () => signal(replicas, "SIGCONT"))

describeOwnServer("waitReplicas", () => {
  it.live(
    "of a layer: a write succeeds when a replica has it, and fails, applied, if none has it in time",
    () =>
      Effect.gen(function*() {
        const servers = yield* Replicated.start(2)
        yield* Effect.gen(function*() {
          yield* Counter.insert({ id: "a", n: 0 })
          const counts = yield* Effect.all(Array.from({ length: 50 }, () => n.increment()), {
            concurrency: "unbounded"
          })
          assert.deepStrictEqual(counts, Array.from({ length: 50 }, (_, i) => i + 1))
          yield* frozen(
            servers,
            Effect.gen(function*() {
              const began = performance.now()
              const reason = yield* reasonOf(n.increment())
              assert.isAbove(performance.now() - began, 390)
              assert.include(reason, { _tag: "NotEnoughReplicas", required: 1, confirmed: 0 } as object)
              assert.isTrue(reason.applied)
              assert.isFalse(reason.isRetryable)
              // a program that only reads, in a call of its own, waits for nothing
              const writer = yield* Effect.forkChild(Effect.exit(n.increment()))
              yield* Effect.yieldNow
              const from = performance.now()
              yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
              assert.strictEqual(yield* n.get(), 52)
              assert.isBelow(performance.now() - from, 300)
              assert.isTrue(Exit.isFailure(yield* Fiber.join(writer)))
            })
          )
          assert.strictEqual(yield* n.increment(), 53)
        }).pipe(Effect.provide(layer(servers, waiting)))
        yield* Effect.gen(function*() {
          const reason = yield* reasonOf(n.increment())
          assert.include(reason, { _tag: "NotEnoughReplicas", required: 3, confirmed: 2 } as object)
        }).pipe(Effect.provide(layer(servers, { waitReplicas: { count: 3, timeout: "50 millis" } })))
      }),
    30_000
  )

  it.live("of a commit: in place of what the layer says, and with an idempotency key", () =>
    Effect.gen(function*() {
      const servers = yield* Replicated.start(1)
      yield* Effect.gen(function*() {
        yield* Counter.insert({ id: "a", n: 0 })
        assert.strictEqual(yield* Atomic.commit(n.increment(), waiting), 1)
        assert.strictEqual(yield* n.increment().pipe(Atomic.commit(waiting)), 2)
        const once = { ...waiting, idempotencyKey: "k", keepFor: "1 minute" } as const
        yield* frozen(
          servers,
          Effect.gen(function*() {
            const [plain, demanding] = yield* Effect.all([
              Effect.exit(n.increment()),
              reasonOf(Atomic.commit(n.increment(), waiting))
            ], { concurrency: "unbounded" })
            assert.deepStrictEqual(plain, Exit.succeed(3))
            assert.strictEqual(demanding._tag, "NotEnoughReplicas")
            assert.strictEqual((yield* reasonOf(Atomic.commit(n.increment(), once)))._tag, "NotEnoughReplicas")
            // what fails is undone, so there is nothing to copy
            assert.strictEqual(
              (yield* Effect.flip(Atomic.commit(n.increment(1, { atMost: 0 }), waiting)))._tag,
              "OutOfBounds"
            )
          })
        )
        assert.strictEqual(yield* Atomic.commit(n.increment(), once), 5)
        for (const waitReplicas of [{ count: 0 }, { count: 1.5 }, {}, { count: 1, timeout: "0 millis" }, 1]) {
          const reason = yield* reasonOf(Atomic.commit(n.increment(), { waitReplicas } as never))
          assert.match((reason as RedisServiceError.InvalidOption).option, /^waitReplicas/)
        }
        assert.strictEqual(yield* n.get(), 5)
      }).pipe(Effect.provide(layer(servers)))
    }), 30_000)

  it.live("of a lock: one that no replica has in time is given back", () =>
    Effect.gen(function*() {
      const servers = yield* Replicated.start(1)
      const locked = Lock.withLock("job", () => Effect.succeed("done"), { lease: "20 seconds", wait: 0 })
      yield* Effect.gen(function*() {
        yield* frozen(
          servers,
          Effect.map(Effect.flip(locked), (error) =>
            assert.strictEqual("reason" in error && error.reason._tag, "NotEnoughReplicas"))
        )
        assert.strictEqual(
          yield* locked.pipe(Effect.retry({ schedule: Schedule.spaced("20 millis"), times: 50 })),
          "done"
        )
      }).pipe(Effect.provide(layer(servers, waiting)))
    }), 30_000)

  it.live(
    "does not count the replicas of a server that took the place of the one that wrote",
    () =>
      Effect.gen(function*() {
        const [lonely, other] = [yield* Replicated.start(0), yield* Replicated.start(1)]
        const proxy = yield* TcpProxy.make({ port: lonely.primary.port })
        const options = { port: proxy.port, waitReplicas: { count: 1, timeout: "3 seconds" } } as const
        yield* Effect.gen(function*() {
          const failing = yield* Effect.forkChild(reasonOf(Counter.insert({ id: "a", n: 0 })))
          yield* Effect.sleep("300 millis")
          yield* proxy.lead({ port: other.primary.port })
          yield* proxy.cut()
          const reason = yield* Fiber.join(failing)
          assert.include(reason, { _tag: "NotEnoughReplicas", required: 1, confirmed: 0 } as object)
          yield* Counter.insert({ id: "a", n: 0 })
        }).pipe(Effect.provide(RedisService.layer(options)))
      }),
    30_000
  )

  it.live("is refused before anything is sent, where it can't be kept", () =>
    Effect.gen(function*() {
      const servers = yield* Replicated.start(0)
      const built = (options: RedisService.LayerOptions) =>
        reasonOf(Effect.scoped(Layer.build(layer(servers, options))))
      assert.include(yield* built({ waitReplicas: { count: 1 }, deadline: "1 second" }), {
        _tag: "InvalidOption",
        option: "waitReplicas.timeout",
        issue: "expected a duration that is shorter than the deadline"
      } as object)
      for (const waitReplicas of [{ count: 0 }, {}, { count: 1, timeout: 0 }]) {
        assert.strictEqual((yield* built({ waitReplicas } as never))._tag, "InvalidOption")
      }
      const client = yield* Standalone.acquire({ port: servers.primary.port })
      const bare = Layer.succeed(RedisTransport, { ...Standalone.transport(client), waitsForReplicas: undefined })
      const over = (options: RedisService.ServiceOptions) =>
        RedisService.layerTransport(options).pipe(Layer.provide(bare))
      assert.strictEqual((yield* reasonOf(Effect.scoped(Layer.build(over(waiting)))))._tag, "Unsupported")
      yield* Effect.gen(function*() {
        assert.strictEqual(
          (yield* reasonOf(Atomic.commit(Counter.insert({ id: "a", n: 0 }), waiting)))._tag,
          "Unsupported"
        )
        assert.isFalse(yield* Counter.exists("a"))
      }).pipe(Effect.provide(over({})))
    }), 30_000)
})
