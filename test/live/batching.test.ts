/**
 * Programs that travel together, counted by the server after a first commit.
 */
import { assert, layer } from "@effect/vitest"
import { Context, Effect, Exit, Fiber, Layer, Option, Schema } from "effect"
import { Atomic, Model, RedisService } from "redlayer"
import { describeOwnServer } from "../support/Backends.ts"
import * as RawRedis from "../support/RawRedis.ts"
import * as RedisServer from "../support/RedisServer.ts"
import { reasonIs } from "./liveService.ts"

class Server extends Context.Service<Server, {
  readonly url: string
  readonly raw: RawRedis.RawRedis
}>()("test/Server") {
  static readonly layer = Layer.effect(
    Server,
    Effect.gen(function*() {
      const { url } = yield* RedisServer.start()
      return { url, raw: yield* RawRedis.make(url) }
    })
  )
}

class Player extends Model.Class<Player>("Player")({
  name: Schema.String,
  title: Schema.String.pipe(Model.withDefault("")),
  score: Schema.Int.pipe(Model.withDefault(0)),
  wins: Schema.Int.pipe(Model.withDefault(0)),
  notes: Schema.Array(Schema.String).pipe(Model.withDefault([]))
}, { key: "name" }) {}

const range = (length: number) => Array.from({ length }, (_, i) => i)

const together = <A, E, R>(effects: ReadonlyArray<Effect.Effect<A, E, R>>) =>
  Effect.all(effects, { concurrency: "unbounded" })

/** Script calls that reached the server since its statistics were reset. */
const scriptCalls = Effect.gen(function*() {
  const { raw } = yield* Server
  const info = String(yield* raw.call("INFO", "commandstats"))
  const calls = (name: string) => Number(new RegExp(`^cmdstat_${name}:calls=(\\d+)`, "m").exec(info)?.[1] ?? 0)
  return { evalsha: calls("evalsha"), evalsha_ro: calls("evalsha_ro"), eval: calls("eval") + calls("eval_ro") }
})

/** One entity and one commit before the statistics are reset; then the body; then what it took. */
const counted = <A, E, R>(body: Effect.Effect<A, E, R>, batch?: RedisService.ServiceOptions["batch"]) =>
  Effect.gen(function*() {
    const { raw, url } = yield* Server
    return yield* Effect.gen(function*() {
      yield* raw.call("FLUSHALL")
      yield* Player.insert({ name: "a", notes: ["1"] })
      yield* Player.ref("a").wins.increment()
      yield* raw.call("CONFIG", "RESETSTAT")
      const result = yield* body
      return { result, calls: yield* scriptCalls }
    }).pipe(Effect.provide(RedisService.layer({ url, batch }), { local: true }))
  })

const only = (calls: { readonly evalsha?: number; readonly evalsha_ro?: number }) => ({
  evalsha: 0,
  evalsha_ro: 0,
  eval: 0,
  ...calls
})

describeOwnServer("round trips", () => {
  layer(Server.layer, { excludeTestServices: true, timeout: 20_000 })((it) => {
    it.effect("a hundred concurrent increments are one call", () =>
      Effect.gen(function*() {
        const { calls, result } = yield* counted(together(range(100).map(() => Player.ref("a").score.increment())))
        assert.deepStrictEqual(calls, only({ evalsha: 1 }))
        assert.deepStrictEqual(result, range(100).map((i) => i + 1))
      }))

    it.effect("a hundred fibers that commit in one turn are one call", () =>
      Effect.gen(function*() {
        const { calls } = yield* counted(Effect.gen(function*() {
          const fibers = yield* Effect.forEach(range(100), () => Effect.forkChild(Player.ref("a").score.increment()))
          yield* Effect.forEach(fibers, Fiber.join)
        }))
        assert.deepStrictEqual(calls, only({ evalsha: 1 }))
      }))

    it.effect("a hundred sequential increments are a hundred calls", () =>
      Effect.gen(function*() {
        const { calls } = yield* counted(Effect.forEach(range(100), () => Player.ref("a").score.increment()))
        assert.deepStrictEqual(calls, only({ evalsha: 100 }))
      }))

    it.effect("an Atomic.all of four is one call", () =>
      Effect.gen(function*() {
        const a = Player.ref("a")
        const { calls, result } = yield* counted(
          Atomic.all([a.score.increment(5), a.wins.increment(), a.notes.append("2"), a.title.set("Dr")])
        )
        assert.deepStrictEqual(calls, only({ evalsha: 1 }))
        assert.deepStrictEqual(result, [5, 2, 2, undefined])
      }))

    it.effect("an entity with its lists is read, inserted, replaced, updated and deleted in one call each", () =>
      Effect.gen(function*() {
        const read = yield* counted(Player.get("a"))
        assert.deepStrictEqual(read.calls, only({ evalsha_ro: 1 }))
        assert.deepStrictEqual(read.result.notes, ["1"])
        for (
          const program of [
            Player.insert({ name: "b", notes: ["1", "2"] }),
            Player.put({ name: "a", notes: ["1", "2"] }),
            Player.update("a", { title: "Dr", notes: ["3"], wins: 3 }),
            Player.delete("a")
          ]
        ) {
          const { calls } = yield* counted<unknown, unknown, RedisService.RedisService>(program)
          assert.deepStrictEqual(calls, only({ evalsha: 1 }))
        }
      }))

    it.effect("nothing is sent for a value, or for what is refused", () =>
      Effect.gen(function*() {
        const { calls, result } = yield* counted(Effect.gen(function*() {
          const value = yield* Atomic.succeed(1)
          const mapped = yield* Atomic.all([Atomic.succeed(2), Atomic.map(Atomic.succeed(3), (n) => n + 1)])
          const refused = yield* Effect.flip(Player.ref("a").score.set(0.5))
          const both = yield* Effect.flip(
            Atomic.all([Player.ref("a").score.increment(), Player.ref("a").title.set("\ud800")])
          )
          return [value, mapped, refused._tag, both._tag]
        }))
        assert.deepStrictEqual(calls, only({}))
        assert.deepStrictEqual(result, [1, [2, 4], "InvalidValue", "InvalidValue"])
      }))

    it.effect("a hundred concurrent reads are one read-only call", () =>
      Effect.gen(function*() {
        const a = Player.ref("a")
        const { calls, result } = yield* counted(
          together<unknown, unknown, RedisService.RedisService>(
            range(20).flatMap(() => [
              a.score.get(),
              a.notes.get(),
              Player.exists("a"),
              Player.find("none"),
              Atomic.all([a.wins.get(), a.notes.length()])
            ])
          )
        )
        assert.deepStrictEqual(calls, only({ evalsha_ro: 1 }))
        assert.deepStrictEqual(result.slice(0, 5), [0, ["1"], true, Option.none(), [1, 1]])
      }))

    it.effect("reads, writes and what only removes are one call, in the order of their commits", () =>
      Effect.gen(function*() {
        const a = Player.ref("a")
        const { calls, result } = yield* counted(
          together<unknown, unknown, RedisService.RedisService>(
            range(10).flatMap(() => [a.score.get(), a.score.increment(), a.notes.pop()])
          )
        )
        assert.deepStrictEqual(calls, only({ evalsha: 1 }))
        assert.deepStrictEqual(result.slice(0, 6), [0, 1, Option.some("1"), 1, 2, Option.none()])
      }))

    it.effect("on a server that is full, reads and removals succeed beside writes that fail", () =>
      Effect.gen(function*() {
        const { raw } = yield* Server
        const a = Player.ref("a")
        const { calls, result } = yield* counted(
          Effect.gen(function*() {
            yield* raw.call("CONFIG", "SET", "maxmemory", "1")
            return yield* Atomic.pipeline([a.score.increment(), a.score.get(), a.notes.pop(), a.notes.get()])
          }).pipe(Effect.ensuring(Effect.orDie(raw.call("CONFIG", "SET", "maxmemory", "0"))))
        )
        reasonIs(result[0], "OutOfMemory")
        assert.deepStrictEqual(result.slice(1), [Exit.succeed(0), Exit.succeed(Option.some("1")), Exit.succeed(["1"])])
        // the server counts no refused call; what it accepts is then a call for each access, the reads first
        assert.deepStrictEqual(calls, only({ evalsha: 1, evalsha_ro: 1 }))
      }))

    it.effect.each([
      { programs: 128, expected: 1 },
      { programs: 129, expected: 2 },
      { programs: 300, expected: 3 }
    ])("$programs programs are $expected calls", ({ expected, programs }) =>
      Effect.gen(function*() {
        const { calls } = yield* counted(together(range(programs).map(() => Player.ref("a").score.increment())))
        assert.deepStrictEqual(calls, only({ evalsha: expected }))
      }))

    it.effect("more than 256 kB are several calls", () =>
      Effect.gen(function*() {
        const text = "x".repeat(100_000)
        const { calls } = yield* counted(together(range(5).map(() => Player.ref("a").title.set(text))))
        assert.deepStrictEqual(calls, only({ evalsha: 3 }))
        // larger than a call may be, and alone in it
        const large = yield* counted(together<unknown, unknown, RedisService.RedisService>([
          Player.ref("a").score.increment(),
          Player.ref("a").title.set("x".repeat(300_000)),
          Player.ref("a").score.increment()
        ]))
        assert.deepStrictEqual(large.calls, only({ evalsha: 3 }))
        assert.deepStrictEqual(large.result, [1, undefined, 2])
      }))

    it.effect("more than 2,048 instructions are several calls", () =>
      Effect.gen(function*() {
        const thousand = Atomic.all(range(1000).map(() => Player.ref("a").score.increment()))
        const { calls, result } = yield* counted(together(range(5).map(() => thousand)))
        assert.deepStrictEqual(calls, only({ evalsha: 3 }))
        assert.deepStrictEqual(result.map((values) => values.at(-1)), [1000, 2000, 3000, 4000, 5000])
        const large = yield* counted(Atomic.all(range(3000).map(() => Player.ref("a").score.increment())))
        assert.deepStrictEqual(large.calls, only({ evalsha: 1 }))
        assert.strictEqual(large.result.at(-1), 3000)
      }))

    it.effect("the bounds of a call are options of the layer", () =>
      Effect.gen(function*() {
        const increments = together(range(20).map(() => Player.ref("a").score.increment()))
        const programs = yield* counted(increments, { programs: 7 })
        assert.deepStrictEqual(programs.calls, only({ evalsha: 3 }))
        assert.deepStrictEqual(programs.result, range(20).map((i) => i + 1))
        // a key and a text are a little over 400 bytes
        const titles = together(range(6).map(() => Player.ref("a").title.set("x".repeat(400))))
        assert.deepStrictEqual((yield* counted(titles, { bytes: 1000 })).calls, only({ evalsha: 3 }))
        assert.deepStrictEqual((yield* counted(titles, { bytes: 1 })).calls, only({ evalsha: 6 }))
        const three = Atomic.all(range(3).map(() => Player.ref("a").score.increment()))
        const instructions = yield* counted(together(range(6).map(() => three)), { instructions: 7 })
        assert.deepStrictEqual(instructions.calls, only({ evalsha: 3 }))
        // a bound that is not given is the usual one
        assert.deepStrictEqual((yield* counted(increments, { bytes: 100_000 })).calls, only({ evalsha: 1 }))
      }))

    it.effect("five hundred concurrent appends are four calls, and each is there once", () =>
      Effect.gen(function*() {
        const { calls, result } = yield* counted(
          Effect.gen(function*() {
            yield* together(range(500).map((i) => Player.ref("a").notes.append(String(i))))
            return yield* Player.ref("a").notes.get()
          })
        )
        assert.deepStrictEqual(calls, only({ evalsha: 4, evalsha_ro: 1 }))
        assert.deepStrictEqual([...result].sort(), ["1", ...range(500).map(String)].sort())
      }))
  })
})
