/** Keys of indexes that hold another type of value, and entities that an index finds and that are of another type. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Atomic from "redlayer/Atomic"
import * as Model from "redlayer/Model"
import * as Query from "redlayer/Query"
import { RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import { concurrently, fails, unchanged, wrongType } from "../assertions.ts"
import type { Env, Test } from "../suite.ts"
import { minutes } from "../support/time.ts"

const Player = Model.make("IndexKeysPlayer", {
  id: Schema.String,
  team: Schema.String,
  name: Schema.String.pipe(Model.unique),
  score: Schema.Int.pipe(Model.indexed),
  tags: Schema.Array(Schema.String)
}, { key: "id", indexes: { team: ["team"] }, timeToLive: { duration: minutes(60), refresh: "never" } })

const Other = Model.make("IndexKeysOther", { id: Schema.String, n: Schema.Int.pipe(Model.indexed) }, { key: "id" })

const home = "IndexKeysPlayer:{$}"

const player = (id: string, more: object = {}) => ({ id, team: "red", name: `n${id}`, score: 1, tags: ["x"], ...more })

type Program = Effect.Effect<unknown, any, Env>

const { name, score, team } = Player.ref("a")

const count = (index: "name" | "score" | "team"): Program => Player.countBetween(index, {})

const page: Program = Query.page(Player.by.team(), { limit: 5 })

/** By the beginning of a key's name after the home: the programs that need the key. */
const needs: Readonly<Record<string, Readonly<Record<string, Program>>>> = {
  "$ix:score:": {
    "an increment": score.increment(),
    "a set": score.set(5),
    "an increment beside others": Atomic.all([team.get(), score.increment(), score.increment()]),
    count: count("score"),
    rank: Player.rank("a", "score"),
    top: Player.top("score", 3),
    around: Player.around("a", "score", 3),
    "a page": Query.page(Player.by.score(), { limit: 5 }),
    deleteAll: Query.deleteAll(Player.by.score())
  },
  "$ix:team:": { set: team.set("blue"), count: count("team"), page, top: Player.top("team", 3) },
  "$of:team:": { set: team.set("blue"), page, rank: Player.rank("a", "team") },
  "$ix:name:": {
    set: name.set("other"),
    findBy: Player.findBy("name", { name: "na" }),
    getBy: Player.getBy("name", { name: "na" }),
    existsBy: Player.existsBy("name", { name: "na" })
  },
  "$of:name:": { set: name.set("other"), rank: Player.rank("a", "name") },
  $exp: { expire: Player.expire("a", minutes(5)), count: count("score"), page },
  $plan: { count: count("team"), findBy: Player.findBy("name", { name: "na" }), page }
}

/** Programs that need all keys. */
const always: Readonly<Record<string, Program>> = {
  insert: Player.insert(player("c")),
  delete: Player.delete("a"),
  "an attempt": Atomic.orElse(Player.insert(player("c")), Atomic.succeed("something else")),
  check: Stream.runCollect(Player.check()),
  "check that mends": Stream.runCollect(Player.check({ mend: true })),
  reindex: Stream.runCollect(Player.reindex())
}

export const indexKeys = (test: Test): void => {
  test("a key of an index that holds another type is an error that names the key, and nothing changes", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      for (const [start, programs] of Object.entries(needs)) {
        for (const type of ["string", "list", "set", start.startsWith("$of") || start === "$plan" ? "zset" : "hash"]) {
          yield* Player.insertMany([player("a"), player("b")])
          const key = Object.keys(yield* raw.dump).find((key) => key.startsWith(`${home}:${start}`))!
          yield* raw.delete(key)
          if (type === "string") yield* raw.stringSet(key, "x")
          if (type === "list") yield* raw.listPush(key, "x")
          if (type === "set") yield* raw.setAdd(key, "x")
          if (type === "hash") yield* raw.hashSet(key, { x: "1" })
          if (type === "zset") yield* raw.sortedAdd(key, "x", "1")
          for (const [what, program] of Object.entries({ ...programs, ...always })) {
            // a plan is noted by what creates an entity, and looked at by what reads an index
            if (start === "$plan" && (what === "delete" || what.startsWith("check"))) continue
            yield* unchanged(wrongType(program, { model: "IndexKeysPlayer", key })).pipe(
              Effect.catchCause((cause) =>
                Effect.die(new Error(`${what} with a ${type} at ${key}: ${Cause.pretty(cause)}`))
              )
            )
          }
          // programs that travel in the same call are not affected
          const beside: ReadonlyArray<Program> = [
            Other.insert({ id: `${type}${start}1`, n: 1 }),
            Player.insert(player("c")),
            Other.insert({ id: `${type}${start}2`, n: 2 })
          ]
          const insertions = yield* concurrently(beside.map((program) => Effect.exit(program)))
          assert.deepEqual(insertions.map(({ _tag }): string => _tag), ["Success", "Failure", "Success"])
          // without the key it can be mended
          yield* raw.delete(key)
          yield* Stream.runDrain(Player.check({ mend: true }))
          assert.deepEqual(yield* Stream.runCollect(Player.check()), [])
          assert.deepEqual((yield* Player.top("score", 5)).map(({ id }) => id), ["b", "a"])
          assert.deepEqual(Option.map(yield* Player.findBy("name", { name: "nb" }), ({ id }) => id), Option.some("b"))
          yield* Player.deleteMany(["a", "b"])
        }
      }
    }))

  test("an increment that keeps one score alone is undone if the index holds another type", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Other.insertMany([{ id: "a", n: 1 }, { id: "b", n: 2 }])
      const key = Object.keys(yield* raw.dump).find((key) => key.startsWith("IndexKeysOther:{$}:$ix:n"))!
      yield* raw.delete(key)
      yield* raw.stringSet(key, "x")
      const [a, b] = [Other.ref("a").n, Other.ref("b").n]
      const programs: ReadonlyArray<Program> = [
        a.increment(),
        Atomic.all([a.increment(), b.increment()]),
        Atomic.all([a.increment(), a.set(7), Player.find("nobody")])
      ]
      for (const program of programs) yield* unchanged(wrongType(program, { model: "IndexKeysOther", key }))
      // in one call
      yield* unchanged(concurrently(Array.from({ length: 9 }, () => wrongType(a.increment(), { id: "a", key }))))
      assert.strictEqual(yield* a.get(), 1)
    }))

  test("an entity that an index finds and that is of another type is corrupted, by its own key", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      const of = (id: string) => `IndexKeysPlayer:{${id}}`
      const reads: ReadonlyArray<Effect.Effect<unknown, any, Env>> = [
        Player.top("score", 3),
        Player.around("b", "score", 3),
        page,
        Atomic.all([Player.rank("b", "score"), Player.top("team", 3)])
      ]
      yield* Player.insertMany([player("a"), player("b")])
      yield* raw.delete(`${of("a")}:tags`)
      yield* raw.stringSet(`${of("a")}:tags`, "x")
      for (const read of reads) {
        const where = { model: "IndexKeysPlayer", id: "a", key: `${of("a")}:tags`, field: "tags", applied: false }
        yield* unchanged(fails(read as Effect.Effect<unknown, any, Env>, "EntityCorrupted", where))
      }
      yield* raw.delete(`${of("a")}:tags`)
      yield* raw.delete(of("a"))
      yield* raw.listPush(of("a"), "x")
      for (const read of reads) {
        const where = { model: "IndexKeysPlayer", id: "a", key: of("a"), field: "", applied: false }
        yield* unchanged(fails(read as Effect.Effect<unknown, any, Env>, "EntityCorrupted", where))
      }
      // others are found
      assert.deepEqual((yield* Player.top("score", 1)).map(({ id }) => id), ["b"])
    }))
}
