/**
 * Faults of queries that users of other tools have reported, each with the place of a report: values that are empty, null or missing,
 * names and values with punctuation, booleans that filters ignore.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Condition from "redlayer/Condition"
import * as Model from "redlayer/Model"
import * as Query from "redlayer/Query"
import type { RedisService } from "redlayer/RedisService"
import { RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import type { Test } from "../suite.ts"

const Person = Model.make("ReportedPerson", {
  id: Schema.String,
  kind: Schema.Literals(["a"]),
  name: Schema.String.pipe(Model.indexed),
  nick: Schema.optionalKey(Schema.String).pipe(Model.indexed),
  title: Schema.NullOr(Schema.String).pipe(Model.indexed),
  flag: Schema.Boolean.pipe(Model.indexed),
  maybe: Schema.optionalKey(Schema.Boolean).pipe(Model.indexed),
  perhaps: Schema.NullOr(Schema.Boolean)
}, {
  key: "id",
  indexes: {
    kind: ["kind"],
    nicks: { fields: ["nick"], absent: true },
    titles: { fields: ["title"], absent: true },
    flags: { fields: ["flag", "maybe"], absent: true },
    maybes: { fields: ["perhaps"], absent: true }
  }
})

type Ids = Effect.Effect<ReadonlyArray<string>, Query.Failure, RedisService>

const ids = (query: Query.Query<any, any>): Ids =>
  Effect.map(Stream.runCollect(Query.ids(query)), (ids) => [...ids as ReadonlyArray<string>].sort())

const everyone = Person.query(({ kind }) => kind.eq("a"))

const flags = [true, false]
const optional = [true, false, undefined]
const nullable = [true, false, null]

const person = (id: string, more: object = {}) => ({
  id,
  kind: "a" as const,
  name: id,
  title: null,
  flag: false,
  perhaps: null,
  ...more
})

const Tolerant = Model.make("ReportedTolerant", {
  id: Schema.String,
  state: Schema.Literals(["live", "done"]).pipe(Model.withDefault("live"), Model.tolerant, Model.indexed)
}, { key: "id" })

/** Names that mean something to a query language, a key or a script. */
const names = [
  [
    "User-Name",
    "a b",
    "a-b",
    "a_b",
    "S&D",
    "Active or",
    "a|b",
    "{tag}",
    "{$}",
    "*",
    "a?",
    "[x]",
    "\\",
    "\"",
    "'",
    "%41"
  ],
  ["x$", "a$ix", "@x:{y}", "a:b", ":", "1", "-", "\0", "\u0001", "\uffff", "\u{1f600}", "e\u0301", "constructor"]
].flat()

// the types of names that are computed are not what is checked here
const Named: any = Model.make(
  "ReportedNamed",
  {
    id: Schema.String,
    ...Object.fromEntries(names.map((name) => [name, Schema.String.pipe(Model.indexed)]))
  } as any,
  {
    key: "id",
    indexes: Object.fromEntries(names.map((name, i) => [`by ${name}`, [name, names[(i + 1) % names.length]!]]))
  } as any
)

export const reportedFaults = (test: Test): void => {
  // redis-om-python#594
  test("an empty text, null and a missing value are three values of a query", () =>
    Effect.gen(function*() {
      yield* Person.insertMany([
        person("empty", { name: "", nick: "", title: "" }),
        person("null", { title: null }),
        person("word", { nick: "null", title: "null" }),
        person("undefined", { nick: "undefined", title: "undefined" })
      ])
      assert.deepEqual(yield* ids(Person.by.name({ name: "" })), ["empty"])
      assert.deepEqual(yield* ids(Person.by.name({ name: { lte: "" } })), ["empty"])
      assert.strictEqual(yield* Query.count(Person.by.name({ name: { gt: "" } })), 3)
      assert.deepEqual(yield* ids(Person.query(({ name }) => name.eq(""))), ["empty"])
      for (const field of ["nick", "title"] as const) {
        const key = (value: string | null) => ({ [field]: value }) as any
        assert.deepEqual(yield* ids(Person.by[field](key(""))), ["empty"])
        assert.deepEqual(yield* ids(Person.by[field](key("null"))), ["word"])
        assert.deepEqual(yield* ids(Person.by[field](key("undefined"))), ["undefined"])
        // without `absent` what is missing has no entry
        assert.deepEqual(yield* ids(Person.by[field]()), ["empty", "undefined", "word"])
        const all = field === "nick" ? Person.by.nicks : Person.by.titles
        assert.deepEqual(yield* ids(all(key(null))), ["null"])
        assert.deepEqual(yield* ids(all(key(""))), ["empty"])
        assert.deepEqual(yield* ids(all()), ["empty", "null", "undefined", "word"])
        assert.deepEqual(yield* ids(Person.query((one) => one[field].eq(""))), ["empty"])
        const either = Person.query((one) => Condition.or(one[field].eq(""), one[field].eq("null")))
        assert.deepEqual(yield* ids(either), ["empty", "word"])
        const filtered = (where: (one: any) => any): Ids => ids(Query.filter(everyone, where))
        assert.deepEqual(yield* filtered((one) => one[field].eq("")), ["empty"])
        assert.deepEqual(yield* filtered((one) => one[field].isSet()), ["empty", "undefined", "word"])
        assert.deepEqual(yield* filtered((one) => Condition.not(one[field].isSet())), ["null"])
        assert.deepEqual(yield* filtered((one) => one[field].neq("")), ["null", "undefined", "word"])
        // each becomes another one
        const handle = (id: string): any => Person.ref(id)[field]
        const run = (program: any): Effect.Effect<unknown, any, RedisService> => program
        yield* run(handle("empty").clear())
        assert.deepEqual(yield* ids(all(key(null))), ["empty", "null"])
        yield* run(handle("null").set(""))
        assert.deepEqual(yield* ids(all(key(""))), ["null"])
        yield* run(handle("null").clear())
        yield* run(handle("empty").set(""))
      }
      assert.deepEqual(yield* Stream.runCollect(Person.check()), [])
    }))

  // redis-om-python#729 and #618, node-redis-om#198
  test("true, false and a missing boolean are three values of a query, and `not` is their complement", () =>
    Effect.gen(function*() {
      const people = flags.flatMap((flag) =>
        optional.flatMap((maybe) =>
          nullable.map((perhaps) =>
            person(`${flag} ${maybe} ${perhaps}`, { flag, perhaps, ...(maybe === undefined ? undefined : { maybe }) })
          )
        )
      )
      yield* Person.insertMany(people as any)
      const wanted = (holds: (one: any) => boolean): ReadonlyArray<string> =>
        people.filter(holds).map(({ id }) => id).sort()
      for (const value of flags) {
        assert.deepEqual(yield* ids(Person.by.flag({ flag: value })), wanted(({ flag }) => flag === value))
        assert.deepEqual(yield* ids(Person.by.maybe({ maybe: value })), wanted(({ maybe }) => maybe === value))
        assert.deepEqual(yield* ids(Person.by.maybes({ perhaps: value })), wanted(({ perhaps }) => perhaps === value))
        assert.deepEqual(yield* ids(Person.query(({ flag }) => flag.eq(value))), wanted(({ flag }) => flag === value))
        assert.deepEqual(
          yield* ids(Person.query(({ maybe }) => maybe.eq(value))),
          wanted(({ maybe }) => maybe === value)
        )
        assert.deepEqual(
          yield* ids(Person.query(({ perhaps }) => perhaps.eq(value))),
          wanted(({ perhaps }) => perhaps === value)
        )
        for (const other of flags) {
          const where = { flag: value, maybe: other }
          assert.deepEqual(
            yield* ids(Person.by.flags(where)),
            wanted(({ flag, maybe }) => flag === value && maybe === other)
          )
          const conditions: ReadonlyArray<readonly [(one: any) => any, (one: any) => boolean]> = [
            [({ flag }) => Condition.not(flag.eq(value)), ({ flag }) => flag !== value],
            [({ maybe }) => Condition.not(maybe.eq(value)), ({ maybe }) => maybe !== value],
            [({ perhaps }) => Condition.not(perhaps.eq(value)), ({ perhaps }) => perhaps !== value],
            [({ maybe }) => maybe.neq(value), ({ maybe }) => maybe !== value],
            [
              ({ flag, maybe }) => Condition.not(Condition.and(flag.eq(value), maybe.eq(other))),
              ({ flag, maybe }) => flag !== value || maybe !== other
            ],
            [
              ({ flag, maybe }) => Condition.or(Condition.not(flag.eq(value)), Condition.not(maybe.eq(other))),
              ({ flag, maybe }) => flag !== value || maybe !== other
            ],
            [
              ({ maybe, perhaps }) => Condition.not(Condition.or(maybe.eq(value), perhaps.eq(other))),
              ({ maybe, perhaps }) => maybe !== value && perhaps !== other
            ],
            [
              ({ maybe, perhaps }) => Condition.and(Condition.not(maybe.eq(value)), Condition.not(perhaps.eq(other))),
              ({ maybe, perhaps }) => maybe !== value && perhaps !== other
            ]
          ]
          for (const [condition, holds] of conditions) {
            assert.deepEqual(yield* ids(Query.filter(everyone, condition)), wanted(holds))
            const planned = Person.query((one) => Condition.and(one.kind.eq("a"), condition(one)))
            assert.deepEqual(yield* ids(planned), wanted(holds))
          }
        }
      }
      assert.deepEqual(
        yield* ids(Person.by.flags({ flag: true, maybe: null })),
        wanted(({ flag, maybe }) => flag === true && maybe === undefined)
      )
      assert.deepEqual(yield* ids(Person.by.maybes({ perhaps: null })), wanted(({ perhaps }) => perhaps === null))
    }))

  // redis-om-node#124, #154 and #250; redis-om-spring#167, #433 and #513
  test("the name of a field and of an index may have any character", () =>
    Effect.gen(function*() {
      const entity = (id: string, i: number) => ({
        id,
        ...Object.fromEntries(names.map((name, at) => [name, names[(at + i) % names.length]!]))
      })
      const stored = names.map((_, i) => entity(`${i}`, i)).concat(entity("again", 0))
      yield* Named.insertMany(stored) as Effect.Effect<unknown, any, RedisService>
      for (const [at, name] of names.entries()) {
        const next = names[(at + 1) % names.length]!
        for (const value of [name, names[(at + 3) % names.length]!]) {
          const expected = (stored as ReadonlyArray<any>).filter((one) => one[name] === value)
          const found = expected.map(({ id }): string => id).sort()
          assert.deepEqual(yield* ids(Named.by[name]({ [name]: value })), found, name)
          assert.deepEqual(yield* ids(Named.query((one: any) => one[name].eq(value))), found, name)
          const both = { [name]: value, [next]: expected[0]![next] }
          const pairs = expected.filter((one) => one[next] === both[next]).map(({ id }): string => id)
          assert.deepEqual(yield* ids(Named.by[`by ${name}`](both)), pairs.sort(), name)
          assert.strictEqual(
            (yield* Named.top(name, 1, { within: { [name]: value } }) as Effect.Effect<any, any, RedisService>).length,
            1,
            name
          )
        }
        const set = (value: string): Effect.Effect<unknown, any, RedisService> => Named.ref("again")[name].set(value)
        yield* set("changed")
        assert.deepEqual(yield* ids(Named.by[name]({ [name]: "changed" })), ["again"], name)
        yield* set(name)
      }
      const problems: Effect.Effect<ReadonlyArray<unknown>, any, RedisService> = Stream.runCollect(Named.check())
      assert.deepEqual(yield* problems, [])
    }))

  // redisson#3044, #4754 and #5827
  test("an index has the stored value of a tolerant field, until that is written anew", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Tolerant.insertMany([{ id: "a" }, { id: "b", state: "done" }])
      // as a schema with another literal had stored it
      yield* raw.hashSet("ReportedTolerant:{a}", { state: "waiting" })
      yield* Stream.runDrain(Tolerant.check({ mend: true }))
      assert.strictEqual((yield* Tolerant.get("a")).state, "live")
      assert.deepEqual(yield* ids(Tolerant.by.state({ state: "live" })), [])
      assert.deepEqual(yield* ids(Tolerant.by.state()), ["a", "b"])
      yield* Tolerant.ref("a").state.set("live")
      assert.deepEqual(yield* ids(Tolerant.by.state({ state: "live" })), ["a"])
      yield* raw.hashDelete("ReportedTolerant:{b}", "state")
      yield* Stream.runDrain(Tolerant.check({ mend: true }))
      assert.deepEqual(yield* ids(Tolerant.by.state({ state: "live" })), ["a", "b"])
      assert.deepEqual(yield* Stream.runCollect(Tolerant.check()), [])
    }))
}
