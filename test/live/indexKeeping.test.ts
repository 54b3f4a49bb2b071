/**
 * Indexes and aggregates that are made anew: a definition that changes while entities are stored, entries that were changed by hand, and entities
 * that expire while nobody looks.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Layer, Option, Result, Schedule, Schema, Stream } from "effect"
import { Atomic, Model, Query, RedisService } from "redlayer"
import { server } from "../faults/proxiedService.ts"
import { describeOwnServer } from "../support/Backends.ts"
import { range } from "./liveService.ts"

const fields = { id: Schema.String, team: Schema.String, points: Schema.Int, at: Schema.optionalKey(Schema.Date) }

type Service = RedisService.RedisService

const slots: ReadonlyArray<Model.Slot<"id">> = ["id", { partitions: 3 }]

describeOwnServer("keeping of indexes", () => {
  for (const slot of slots) {
    const name = typeof slot === "string" ? slot : "partitions"
    const Plain = Model.make("KeepPlayer", fields, { key: "id", slot })
    const First = Model.make("KeepPlayer", fields, {
      key: "id",
      slot,
      indexes: { byTeam: ["team", "points"] },
      counted: { team: ["team"] }
    })
    const Second = Model.make("KeepPlayer", fields, {
      key: "id",
      slot,
      indexes: { byTeam: ["team", "points"], points: ["points"] },
      counted: { team: ["team"] },
      summed: { points: { of: "points", by: ["team"] } },
      ...(slot === "id" ? { unique: { at: ["at"] } } : undefined)
    })

    it.live(
      `[${name}] entities from before an index are in it after reindex, which later definitions replace`,
      () =>
        Effect.gen(function*() {
          const { call, url } = yield* server()
          const on = <A, E>(effect: Effect.Effect<A, E, RedisService.RedisService>) =>
            Effect.provide(effect, RedisService.layer({ url }), { local: true })
          const entity = (i: number) => ({ id: `p${i}`, team: `t${i % 3}`, points: i % 10 })
          yield* on(Plain.insertMany(Array.from({ length: 60 }, (_, i) => entity(i))))

          // entities from before the first index
          yield* on(Effect.gen(function*() {
            assert.lengthOf(yield* Stream.runCollect(First.check()), 60)
            const progress = yield* Stream.runCollect(First.reindex())
            assert.deepStrictEqual(progress.at(-1), { entities: 60, changed: 60, isDone: true })
            assert.deepStrictEqual(yield* Stream.runCollect(First.check()), [])
            assert.strictEqual(yield* Query.count(First.by.byTeam({ team: "t1" })), 20)
            assert.strictEqual(yield* First.counted("team", { team: "t1" }), 20)
            assert.strictEqual((yield* Stream.runCollect(First.reindex())).at(-1)!.changed, 0)
          }))

          // another definition: its indexes are not complete
          yield* on(Effect.gen(function*() {
            const refused = yield* Effect.flip(Query.count(Second.by.points({ points: 3 })))
            assert.strictEqual(refused._tag === "RedisServiceError" && refused.reason._tag, "Unsupported")
            const sum = yield* Effect.flip(
              Second.summed("points", { team: "t1" }) as Effect.Effect<number, any, Service>
            )
            assert.strictEqual(sum.reason._tag, "Unsupported")
            // a process with the earlier definition still works
            yield* Second.insert(entity(60))
          }))
          yield* on(Effect.gen(function*() {
            yield* First.ref("p1").points.increment(100)
            assert.strictEqual(yield* Query.count(First.by.byTeam({ team: "t1", points: { gte: 100 } })), 1)
          }))
          yield* on(Effect.gen(function*() {
            yield* Stream.runDrain(Second.reindex())
            assert.deepStrictEqual(yield* Stream.runCollect(Second.check()), [])
            assert.strictEqual(yield* Query.count(Second.by.points()), 61)
            assert.strictEqual(yield* Query.count(Second.by.points({ points: { gte: 100 } })), 1)
            assert.strictEqual(yield* Second.counted("team", { team: "t0" }), 21)
            assert.strictEqual(yield* Second.summed("points", { team: "t1" }), 190)
          }))

          // from now on the earlier definition can't write, and nothing of such a write stays
          yield* on(Effect.gen(function*() {
            const before = yield* call("HGETALL", "KeepPlayer:{p2}")
            for (const write of [First.insert(entity(70)), First.ref("p2").points.increment(), First.delete("p2")]) {
              const refused = yield* Effect.flip(write as Effect.Effect<unknown, any, RedisService.RedisService>)
              assert.strictEqual(refused._tag === "RedisServiceError" && refused.reason._tag, "Unsupported")
            }
            assert.deepStrictEqual(yield* call("HGETALL", "KeepPlayer:{p2}"), before)
            assert.isFalse(yield* First.exists("p70"))
          }))
          yield* on(Effect.gen(function*() {
            assert.deepStrictEqual(yield* Stream.runCollect(Second.check()), [])
            // the keys of the earlier definition hold nothing but its mark
            const keys = (yield* call("KEYS", "KeepPlayer:{*}:$*")) as unknown as ReadonlyArray<string>
            const replaced = keys.filter((key) => /:\$(?:ix|of):/.test(key) && !key.endsWith(planOf(keys)))
            assert.isAbove(replaced.length, 0)
            for (const key of replaced) {
              assert.strictEqual(yield* call(key.includes(":$ix:") ? "HLEN" : "ZCARD", key), 1 as any)
            }
          }))

          // back to the earlier definition, on purpose
          yield* on(Effect.gen(function*() {
            yield* Stream.runDrain(First.reindex())
            assert.deepStrictEqual(yield* Stream.runCollect(First.check()), [])
            yield* First.insert(entity(71))
            assert.strictEqual(yield* Query.count(First.by.byTeam()), 62)
            assert.strictEqual(yield* First.counted("team", { team: "t2" }), 21)
          }))
        }).pipe(Effect.scoped),
      60_000
    )
  }

  it.live(
    "entries that were changed by hand are found and mended",
    () =>
      Effect.gen(function*() {
        const { call, url } = yield* server()
        const Player = Model.make("KeepMended", fields, {
          key: "id",
          indexes: { byTeam: ["team"], points: ["points"] }
        })
        yield* Effect.gen(function*() {
          yield* Player.insertMany(
            Array.from({ length: 1200 }, (_, i) => ({ id: `p${i}`, team: `t${i % 3}`, points: i % 10 }))
          )
          const keys = (yield* call("KEYS", "KeepMended:{$}:$ix:*")) as unknown as ReadonlyArray<string>
          const team = keys.find((key) => key.includes("byTeam"))!
          const points = keys.find((key) => key.includes("points"))!
          const [member] = (yield* call("ZRANGE", team, "0", "0")) as unknown as ReadonlyArray<string>
          yield* call("ZREM", team, member!)
          yield* call("ZADD", team, "0", "t9\u0000p5")
          yield* call("ZADD", points, "77", "p7")
          yield* call("ZADD", points, "1", "ghost")
          yield* call("ZADD", "KeepMended:{$}:$exp", "99999999999999", "ghost")
          yield* call("DEL", "KeepMended:{p9}")
          yield* call("HSET", "KeepMended:{p11}", "points", "5000")
          const found = yield* Stream.runCollect(Player.check())
          assert.deepStrictEqual(
            found.map(({ id, index, issue }) => [id, index, issue].join()).toSorted(),
            [
              "ghost,,no such entity",
              "ghost,points,no such entity",
              "p0,,entries differ",
              "p11,,entries differ",
              "p5,byTeam,no such entity",
              "p7,,entries differ",
              "p9,byTeam,no such entity",
              "p9,points,no such entity"
            ]
          )
          yield* Stream.runDrain(Player.check({ mend: true }))
          assert.deepStrictEqual(yield* Stream.runCollect(Player.check()), [])
          assert.strictEqual(yield* Query.count(Player.by.points({ points: 5000 })), 1)
          assert.strictEqual(yield* Query.count(Player.by.byTeam()), 1199)
        }).pipe(Effect.provide(RedisService.layer({ url })))
      }).pipe(Effect.scoped),
    60_000
  )

  it.live(
    "aggregates of more entities than a page has are made while others write, and mended after entities were removed by hand",
    () =>
      Effect.gen(function*() {
        const { call, url } = yield* server()
        const Plain = Model.make("KeepSum", fields, { key: "id" })
        const Summed = Model.make("KeepSum", fields, {
          key: "id",
          counted: { team: ["team"] },
          summed: { points: { of: "points", by: [] } }
        })
        const on = <A, E>(effect: Effect.Effect<A, E, Service>) =>
          Effect.provide(effect, RedisService.layer({ url }), { local: true })
        const entity = (i: number) => ({ id: `p${i}`, team: `t${i % 3}`, points: i })
        const size = 3000
        yield* on(Plain.insertMany(Array.from({ length: size }, (_, i) => entity(i))))
        yield* on(Effect.gen(function*() {
          let writes = 0
          const write = Effect.forever(Effect.suspend(() => {
            const i = (7 * writes++) % size
            const { points, team } = Summed.ref(`p${i}`)
            return Effect.ignore(
              writes % 3 === 0 ? team.set("t9") : writes % 3 === 1 ? points.increment() : Summed.delete(`p${i}`)
            )
          }))
          yield* Effect.raceFirst(
            Stream.runDrain(Summed.reindex()),
            Effect.all(Array.from({ length: 20 }, () => write), { concurrency: "unbounded", discard: true })
          )
          assert.isAbove(writes, 10)
          assert.deepStrictEqual(yield* Stream.runCollect(Summed.check()), [])
          const stored = (yield* Stream.runCollect(Summed.stream())).flatMap((one) =>
            Result.isSuccess(one) ? [one.success] : []
          )
          const sum = (points: ReadonlyArray<number>) => points.reduce((total, one) => total + one, 0)
          assert.strictEqual(yield* Summed.summed("points"), sum(stored.map(({ points }) => points)))
          assert.strictEqual(
            yield* Summed.counted("team", { team: "t9" }),
            stored.filter(({ team }) => team === "t9").length
          )

          const gone = stored.slice(0, 1300)
          for (const { id } of gone) yield* call("DEL", `KeepSum:{${id}}`)
          const found = yield* Stream.runCollect(Summed.check())
          assert.lengthOf(found, 2 * gone.length - gone.filter(({ points }) => points === 0).length)
          assert.deepStrictEqual([...new Set(found.map(({ issue }) => issue))], ["no such entity"])
          yield* Stream.runDrain(Summed.check({ mend: true }))
          assert.deepStrictEqual(yield* Stream.runCollect(Summed.check()), [])
          assert.strictEqual(yield* Summed.summed("points"), sum(stored.slice(1300).map(({ points }) => points)))
        }))
      }).pipe(Effect.scoped),
    60_000
  )

  it.live(
    "entries of 5,000 entities that expire together are removed by a sweep, and are never counted",
    () =>
      Effect.gen(function*() {
        const { call, url } = yield* server()
        const Session = Model.make("KeepSession", { ...fields, team: Schema.String.pipe(Model.indexed) }, {
          key: "id",
          indexes: { points: ["points"] },
          timeToLive: { duration: "2 seconds", refresh: "never" }
        })
        yield* Effect.gen(function*() {
          yield* Session.insertMany(
            Array.from({ length: 5000 }, (_, i) => ({ id: `p${i}`, team: `t${i % 3}`, points: i % 10 }))
          )
          yield* Session.insert({ id: "kept", team: "t0", points: 3 }, { timeToLive: "1 hour" })
          // not all of them expire in the order in which they were inserted
          yield* Effect.repeat(Session.count(), {
            until: (count) => count === 1,
            schedule: Schedule.max([Schedule.spaced("50 millis"), Schedule.recurs(200)])
          })
          assert.strictEqual(yield* Query.count(Session.by.team()), 1)
          yield* Session.sweep()
          for (const kind of ["$ix:points", "$ix:team", "$exp"]) {
            const [key] = (yield* call("KEYS", `KeepSession:{$}:${kind}*`)) as unknown as ReadonlyArray<string>
            assert.strictEqual(yield* call("ZCARD", key!), 1 as any)
          }
          assert.deepStrictEqual(yield* Stream.runCollect(Session.check()), [])
        }).pipe(Effect.provide(RedisService.layer({ url })))
      }).pipe(Effect.scoped),
    60_000
  )

  it.live(
    "two processes sweep a model that nobody uses, also after they have lost their connection",
    () =>
      Effect.gen(function*() {
        const { call, proxy, url } = yield* server()
        const Visit = Model.make("KeepVisit", fields, {
          key: "id",
          indexes: { team: ["team"], points: ["points"] },
          slot: { partitions: 2 },
          timeToLive: { duration: "300 millis", refresh: "never" }
        })
        const sweepEvery = { every: "1 second", models: [Visit] } as const
        yield* Layer.build(RedisService.layer({ url: proxy.url, deadline: "1 second", sweepEvery }))
        yield* Layer.build(RedisService.layer({ url: proxy.url, deadline: "1 second", sweepEvery }))
        const entries = Effect.map(
          call("KEYS", "KeepVisit:*:$*"),
          (keys) => (keys as unknown as ReadonlyArray<string>).filter((key) => !key.endsWith(":$plan"))
        )
        for (const isCut of [false, true]) {
          yield* Effect.provide(
            Visit.insertMany(Array.from({ length: 100 }, (_, i) => ({ id: `p${i}`, team: "a", points: i }))),
            RedisService.layer({ url }),
            { local: true }
          )
          assert.isAbove((yield* entries).length, 0)
          if (isCut) yield* proxy.cut()
          yield* Effect.repeat(entries, {
            until: (found) => found.length === 0,
            schedule: Schedule.max([Schedule.spaced("50 millis"), Schedule.recurs(200)])
          })
          assert.deepStrictEqual(yield* entries, [])
        }
      }).pipe(Effect.scoped),
    60_000
  )
})

describeOwnServer("entries of entities that expire", () => {
  const Session = Model.make("KeepExpiring", { ...fields, team: Schema.String.pipe(Model.unique) }, {
    key: "id",
    indexes: { points: ["points"], whole: { fields: ["team", "points"], absent: true } }
  })

  // redisson#2625, #4357 and #5351; spring-data-redis#1145 and #1726
  it.live(
    "an entity that expires is in no count, ranking or page from that moment on, and is never null",
    () =>
      Effect.gen(function*() {
        const { url } = yield* server()
        yield* Effect.gen(function*() {
          const stays = { id: "stays", team: "t", points: 1 }
          yield* Session.insert(stays)
          const all = Atomic.all({
            exists: Session.exists("goes"),
            count: Query.count(Session.by.points()),
            more: Query.count(Session.by.whole({ team: "u" })),
            top: Session.top("points", 5),
            found: Session.findBy("team", { team: "u" }),
            rank: Session.rank("stays", "points"),
            around: Session.around("stays", "whole", 5),
            some: Query.exists(Session.by.points({ points: { gt: 1 } }))
          })
          let seen = 0
          let gone = 0
          for (const _ of range(20)) {
            const goes = { id: "goes", team: "u", points: 2 }
            yield* Session.insert(goes, { timeToLive: "50 millis" })
            const end = performance.now() + 80
            while (performance.now() < end) {
              const now = yield* all
              const shown = now.exists ? [goes, stays] : [stays]
              if (now.exists) seen++
              else gone++
              assert.deepStrictEqual(now, {
                exists: now.exists,
                count: shown.length,
                more: shown.length - 1,
                top: shown,
                found: now.exists ? Option.some(goes) : Option.none(),
                rank: Option.some(shown.length),
                around: shown,
                some: now.exists
              })
              // the entries are read before the entities: it may expire between the two
              const [page, stream, first] = yield* Effect.all([
                Query.page(Session.by.points(), { limit: 5 }),
                Stream.runCollect(Query.stream(Session.by.whole())),
                Query.first(Query.reverse(Session.by.points()))
              ])
              for (const items of [page.items, stream, [Option.getOrThrow(first)]]) {
                for (const one of items) assert.deepStrictEqual(one, one.id === "goes" ? goes : stays)
                if (!now.exists) assert.lengthOf(items, 1)
              }
              yield* Effect.sleep(1)
            }
          }
          assert.isAbove(seen, 20)
          assert.isAbove(gone, 20)
          assert.deepStrictEqual(yield* Stream.runCollect(Session.check()), [])
        }).pipe(Effect.provide(RedisService.layer({ url })))
      }).pipe(Effect.scoped),
    30_000
  )

  it.live(
    "entities that were made immortal by hand, though an index says that they have expired, stop no read",
    () =>
      Effect.gen(function*() {
        const { call, url } = yield* server()
        yield* Effect.gen(function*() {
          const total = 1500
          yield* Session.insertMany(
            range(total).map((i) => ({ id: `p${i}`, team: `t${i}`, points: i })),
            { timeToLive: "1 hour" } as any
          )
          const names = range(total).map((i) => `p${i}`)
          yield* Effect.forEach(names, (name) => call("PERSIST", `KeepExpiring:{${name}}`), { concurrency: 100 })
          yield* call("ZADD", "KeepExpiring:{$}:$exp", ...names.flatMap((name) => ["1", name]))
          assert.strictEqual(yield* Query.count(Session.by.points()), total)
          assert.lengthOf(yield* Session.top("points", 3), 3)
          assert.lengthOf((yield* Query.page(Session.by.whole(), { limit: 7 })).items, 7)
          yield* Session.sweep()
          // what differs is found, and mended
          assert.lengthOf(yield* Stream.runCollect(Session.check()), total)
          yield* Stream.runDrain(Session.check({ mend: true }))
          assert.deepStrictEqual(yield* Stream.runCollect(Session.check()), [])
          assert.strictEqual(yield* Query.count(Session.by.points()), total)
        }).pipe(Effect.provide(RedisService.layer({ url, deadline: "5 seconds" })))
      }).pipe(Effect.scoped),
    30_000
  )

  it.live(
    "entries that were removed by hand are found and made again, of every kind of index",
    () =>
      Effect.gen(function*() {
        const { call, url } = yield* server()
        yield* Effect.gen(function*() {
          yield* Session.insertMany(range(20).map((i) => ({ id: `p${i}`, team: `t${i}`, points: i })))
          for (const kind of ["$ix:points", "$ix:team", "$ix:whole", "$of:team", "$of:whole"]) {
            const [key = ""] = (yield* call("KEYS", `KeepExpiring:{$}:${kind}*`)) as unknown as ReadonlyArray<string>
            if (kind.startsWith("$ix")) {
              yield* call("ZREMRANGEBYRANK", key, "0", "0")
              assert.lengthOf(yield* Stream.runCollect(Session.check()), 1, kind)
            }
            yield* call("DEL", key)
            assert.lengthOf(yield* Stream.runCollect(Session.check()), kind.startsWith("$of") ? 40 : 20, kind)
            yield* Stream.runDrain(Session.check({ mend: true }))
            assert.deepStrictEqual(yield* Stream.runCollect(Session.check()), [], kind)
            assert.strictEqual(yield* Query.count(Session.by.points()), 20)
            assert.isTrue(Option.isSome(yield* Session.findBy("team", { team: "t7" })), kind)
            assert.lengthOf(yield* Stream.runCollect(Query.ids(Session.by.whole())), 20, kind)
          }
        }).pipe(Effect.provide(RedisService.layer({ url })))
      }).pipe(Effect.scoped),
    30_000
  )
})

/** The plan that all current keys have at their end. */
const planOf = (keys: ReadonlyArray<string>): string =>
  keys.find((key) => key.includes(":$ix:points"))!.split(":").at(-1)!

describeOwnServer("the size of entries", () => {
  it.live(
    "`bytesOfAnEntry` is about what a server says",
    () =>
      Effect.gen(function*() {
        const { call, url } = yield* server()
        const Sized = Model.make("KeepSized", {
          id: Schema.String,
          score: Schema.Int.pipe(Model.indexed),
          name: Schema.String,
          state: Schema.Literals(["open", "waiting"]),
          at: Schema.Date
        }, { key: "id", indexes: { name: ["name"], queue: ["state", "name", "at"] } })
        const count = 5000
        yield* Effect.gen(function*() {
          yield* Sized.insertMany(
            range(count).map((i) => ({
              id: `00000000-0000-7000-8000-${String(i).padStart(12, "0")}`,
              score: i,
              name: `name ${String(i).padStart(7, "0")}`,
              state: i % 2 === 0 ? "open" as const : "waiting" as const,
              at: new Date(1.7e12 + i)
            }))
          )
          const queries = { score: Sized.by.score(), name: Sized.by.name(), queue: Sized.by.queue() }
          // Valkey keeps small entries in fewer bytes than Redis, 9 in fewer than 8
          const most = /^valkey_version/m.test(String(yield* call("INFO", "server"))) ? 1.5 : 1.15
          for (const [name, query] of Object.entries(queries)) {
            const keys = (yield* call("KEYS", `KeepSized:{$}:$*:${name}:*`)) as unknown as ReadonlyArray<string>
            assert.lengthOf(keys, name === "score" ? 1 : 2)
            let bytes = 0
            for (const key of keys) bytes += Number(yield* call("MEMORY", "USAGE", key, "SAMPLES", "0"))
            const { bytesOfAnEntry } = yield* Query.explain(query)
            const measured = bytes / count
            assert.isAbove(bytesOfAnEntry, 0.85 * measured, `${name}: ${bytesOfAnEntry} of ${measured}`)
            assert.isBelow(bytesOfAnEntry, most * measured, `${name}: ${bytesOfAnEntry} of ${measured}`)
          }
        }).pipe(Effect.provide(RedisService.layer({ url })))
      }).pipe(Effect.scoped),
    60_000
  )
})
