/** Models that extend other models, and tolerant fields. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as References from "effect/References"
import * as Schema from "effect/Schema"
import * as Atomic from "redlayer/Atomic"
import * as Model from "redlayer/Model"
import { RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import { concurrently, fails, stored, unchanged } from "../assertions.ts"
import type { Test } from "../suite.ts"

class User extends Model.Class<User>("InheritedUser")({
  name: Schema.String,
  logins: Schema.Int.pipe(Model.withDefault(0)),
  tags: Schema.ReadonlySet(Schema.String).pipe(Model.withDefault(new Set<string>() as ReadonlySet<string>))
}, { key: "name", timeToLive: { duration: "1 hour", refresh: "never" } }) {
  get greeting() {
    return `Hello, ${this.name}`
  }
  greet(other: { readonly name: string }) {
    return `${this.greeting} and ${other.name}`
  }
}

class Admin extends Model.extend<Admin, typeof User>(User, "InheritedAdmin")({
  level: Schema.Int,
  rights: Schema.Array(Schema.String).pipe(Model.withDefault([]))
}) {
  get rank() {
    return this.level * 10
  }
  override get greeting() {
    return `${super.greeting}!`
  }
}

class Root extends Model.extend<Root, typeof Admin>(Admin, "InheritedRoot")({ level: Schema.Literal(9) }, {
  timeToLive: undefined
}) {}

const Cart = class Cart
  extends Model.Class<any>("InheritedCart")({ user: Schema.String, no: Schema.Int, n: Schema.Int }, {
    key: ["user", "no"],
    slot: "user"
  })
{}

export const inheritance = (test: Test): void => {
  test("an extended model has the fields, getters and methods of its base, and its own", () =>
    Effect.gen(function*() {
      const admin = yield* Admin.insert({ name: "a", level: 3, tags: new Set(["x"]) })
      const found = yield* Admin.get("a")
      for (const one of [admin, found, new Admin({ name: "a", level: 3, tags: new Set(["x"]) })]) {
        assert.instanceOf(one, Admin)
        assert.instanceOf(one, User)
        assert.strictEqual(one.greeting, "Hello, a!")
        assert.strictEqual(one.greet({ name: "b" }), "Hello, a! and b")
        assert.strictEqual(one.rank, 30)
        assert.deepEqual(one.rights, [])
      }
      const { level, logins, rights, tags } = Admin.ref("a")
      assert.deepEqual(
        yield* Atomic.all([logins.increment(), level.increment(), rights.append("r"), tags.add("y")]),
        [1, 4, 1, 1]
      )
      assert.notProperty(Admin.ref("a"), "greeting")
      assert.notProperty(Admin.ref("a"), "name")
      const patched = yield* Atomic.all([
        Admin.update("a", { logins: 7, level: 1 }),
        Admin.pick("a", ["logins", "level"])
      ])
      assert.deepEqual(patched[1], { logins: 7, level: 1 })
      assert.instanceOf((yield* Admin.getOrInsert({ name: "a", level: 1 })).entity, Admin)
    }))

  test("an extended model and its base never see each other's entities", () =>
    Effect.gen(function*() {
      yield* concurrently([
        Effect.asVoid(User.insert({ name: "a" })),
        Effect.asVoid(Admin.insert({ name: "a", level: 1 })),
        Effect.asVoid(Root.insert({ name: "a", level: 9 }))
      ])
      assert.deepEqual(Object.keys(yield* stored).sort(), [
        "InheritedAdmin:{a}",
        "InheritedRoot:{a}",
        "InheritedUser:{a}"
      ])
      assert.notInstanceOf(yield* User.get("a"), Admin)
      yield* Admin.ref("a").logins.increment()
      assert.strictEqual((yield* User.get("a")).logins, 0)
      assert.isTrue(yield* Admin.delete("a"))
      assert.isTrue(yield* User.exists("a"))
      assert.isFalse(yield* Admin.exists("a"))
      const root = yield* Root.get("a")
      assert.instanceOf(root, Admin)
      assert.strictEqual(root.rank, 90)
      yield* fails(Root.insert({ name: "b", level: 3 as 9 }), "InvalidValue", {
        model: "InheritedRoot",
        field: "level"
      })
    }))

  test("an extended model has the key, slot and time to live of its base by default", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* User.insert({ name: "a" })
      yield* Admin.insert({ name: "a", level: 1, rights: ["x"] })
      yield* Root.insert({ name: "a", level: 9 })
      assert.isAbove((yield* raw.expiresAt("InheritedUser:{a}"))!, Date.now())
      assert.isAbove((yield* raw.expiresAt("InheritedAdmin:{a}"))!, Date.now())
      assert.strictEqual(yield* raw.expiresAt("InheritedAdmin:{a}"), yield* raw.expiresAt("InheritedAdmin:{a}:rights"))
      assert.isUndefined(yield* raw.expiresAt("InheritedRoot:{a}"))
      class Big extends Model.extend<Big, typeof Cart>(Cart, "InheritedBig")({ more: Schema.Int }) {}
      yield* Big.insert({ user: "u", no: 1, n: 1, more: 2 } as any)
      assert.strictEqual(yield* raw.hashGet("InheritedBig:{u}:1", "more"), "2")
      yield* fails(Admin.update("a", { name: "b" } as any), "InvalidValue", { field: "name" })
    }))

  test("Schema's own `extend` is refused at the first operation, and a service takes one form of a name", () =>
    Effect.gen(function*() {
      class Raw extends User.extend<Raw>("InheritedRaw")({ extra: Schema.Int }) {}
      assert.throws(() => (Raw as any).get("a"), /extend/)
      assert.throws(() => (Raw as any).ref("a"), /extend/)
      yield* Admin.exists("a")
      class Other extends Model.extend<Other, typeof User>(User, "InheritedAdmin")({ other: Schema.Int }) {}
      const refused = yield* Effect.exit(Other.exists("a"))
      assert.match(Exit.isFailure(refused) ? Cause.pretty(refused.cause) : "", /InheritedAdmin.*in use on this service/)
      // the same definition again is allowed
      class Same extends Model.extend<Same, typeof User>(User, "InheritedAdmin")({
        level: Schema.Int,
        rights: Schema.Array(Schema.String).pipe(Model.withDefault([]))
      }) {}
      assert.isFunction(Same.get)
    }))
}

const Profile = Model.make("TolerantProfile", {
  id: Schema.String,
  theme: Schema.Literals(["light", "dark"]).pipe(Model.withDefault("light"), Model.tolerant),
  age: Schema.optionalKey(Schema.Int).pipe(Model.tolerant),
  note: Schema.NullOr(Schema.Int).pipe(Model.tolerant),
  words: Schema.Array(Schema.Int).pipe(Model.withDefault([]), Model.tolerant),
  set: Schema.ReadonlySet(Schema.Int).pipe(Model.tolerant),
  record: Schema.Record(Schema.String, Schema.Int).pipe(Model.withDefault({ made: 1 }), Model.tolerant),
  sorted: Model.sortedSet(Schema.Int).pipe(Model.tolerant),
  deep: Schema.Struct({ n: Schema.Int.pipe(Model.withDefault(5), Model.tolerant), strict: Schema.Int }),
  strict: Schema.Int
}, { key: "id" })

const profile = {
  id: "p",
  theme: "dark",
  age: 40,
  note: 1,
  words: [1],
  set: new Set([1]),
  record: { a: 1 },
  sorted: [{ member: 1, score: 1 }],
  deep: { n: 1, strict: 2 },
  strict: 3
} as const

const key = "TolerantProfile:{p}"

const withLogs = Effect.fnUntraced(function*<A, E, R>(self: Effect.Effect<A, E, R>) {
  const lines: Array<string> = []
  const logger = Logger.make<unknown, void>(({ fiber, logLevel, message }) => {
    const annotations = JSON.stringify(fiber.getRef(References.CurrentLogAnnotations))
    lines.push(`${logLevel} ${String(message)} ${annotations}`)
  })
  const value = yield* Effect.provide(self, Logger.layer([logger]))
  return [value, lines] as const
})

export const tolerance = (test: Test): void => {
  test("a tolerant field that cannot be decoded reads as its default, absent, null or empty, and is logged and listed", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      const [given, quiet] = yield* withLogs(Profile.insert(profile))
      assert.deepEqual(Model.issues(given), [])
      assert.deepEqual(Model.issues(yield* Profile.get("p")), [])
      assert.deepEqual(quiet, [])
      yield* raw.hashSet(key, { theme: "SECRET", age: "SECRET", note: "SECRET", "deep.n": "SECRET" })
      yield* raw.listPush(`${key}:words`, "SECRET")
      yield* raw.setAdd(`${key}:set`, "SECRET")
      yield* raw.hashSet(`${key}:record`, { b: "SECRET" })
      yield* raw.sortedAdd(`${key}:sorted`, "SECRET", "5")
      const { age: _, ...rest } = profile
      const wanted = {
        ...rest,
        theme: "light",
        note: null,
        words: [],
        set: new Set(),
        record: { made: 1 },
        sorted: [],
        deep: { n: 5, strict: 2 }
      }
      const fields = ["theme", "age", "note", "words", "set", "record", "sorted", "deep.n"]
      yield* unchanged(Effect.gen(function*() {
        const reads = {
          get: Profile.get("p"),
          find: Effect.map(Profile.find("p"), Option.getOrThrow),
          getOrInsert: Effect.map(Profile.getOrInsert(profile), ({ entity }) => entity),
          program: Effect.map(Atomic.all([Profile.exists("p"), Profile.get("p")]), ([, entity]) => entity)
        }
        for (const [name, read] of Object.entries(reads)) {
          const [entity, lines] = yield* withLogs(read)
          assert.deepEqual({ ...entity }, wanted as any, name)
          assert.deepEqual(Model.issues(entity).map(({ field }) => field).sort(), fields.slice().sort(), name)
          for (const { issue } of Model.issues(entity)) assert.isAbove(issue.length, 5)
          assert.isAbove(lines.length, 0, name)
          for (const line of lines) {
            assert.match(line, /warn/i)
            // the log contains neither the value nor the id
            assert.notInclude(line, "SECRET")
            assert.notInclude(line, key)
          }
          assert.lengthOf(lines, fields.length)
          for (const line of lines) assert.include(line, "TolerantProfile")
        }
        const picked = yield* Profile.pick("p", ["theme", "strict"])
        assert.deepEqual(picked, { theme: "light", strict: 3 })
        assert.deepEqual(Model.issues(picked).map(({ field }) => field), ["theme"])
        assert.deepEqual(Model.issues(yield* Profile.pick("p", ["strict"])), [])
        const deep = yield* Profile.ref("p").deep.$.get()
        assert.deepEqual(deep, { n: 5, strict: 2 })
        assert.deepEqual(Model.issues(deep).map(({ field }) => field), ["deep.n"])
        const many = yield* Profile.getMany(["p", "missing"])
        assert.strictEqual(many[0]!._tag, "Success")
        assert.strictEqual(many[1]!._tag, "Failure")
        // an operation on the field itself still fails
        const { deep: { n }, note, set, theme, words } = Profile.ref("p")
        for (const read of [theme.get(), note.get(), words.get(), set.get(), n.increment()]) {
          const error = yield* Effect.flip(read as Effect.Effect<unknown, { readonly _tag: string }, any>)
          assert.strictEqual(error._tag, "RedisServiceError")
        }
      }))
      // a field that is written again is read again
      yield* Profile.update("p", {
        theme: "dark",
        age: 41,
        note: 2,
        words: [2],
        set: new Set(),
        record: {},
        sorted: []
      })
      yield* Profile.ref("p").deep.n.set(1)
      assert.deepEqual(Model.issues(yield* Profile.get("p")), [])
    }))

  test("a missing tolerant field is tolerated, and a field that is not tolerant still fails the whole entity", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Profile.insert(profile)
      for (const field of ["theme", "age", "note", "deep.n"]) yield* raw.hashDelete(key, field)
      const found = yield* Profile.get("p")
      assert.strictEqual(found.theme, "light")
      assert.notProperty(found, "age")
      assert.strictEqual(found.deep.n, 5)
      assert.isNull(found.note)
      // absence is an issue for a nullable field only, not for an optional field or one with a default
      assert.deepEqual(Model.issues(found).map(({ field }) => field), ["note"])
      yield* raw.hashSet(key, { "deep.strict": "abc" })
      yield* unchanged(fails(Profile.get("p"), "EntityCorrupted", { field: "deep.strict" }))
      yield* raw.hashSet(key, { "deep.strict": "2" })
      // a key of the wrong type is an error of the entity, not of the field
      yield* raw.delete(`${key}:words`)
      yield* raw.stringSet(`${key}:words`, "x")
      yield* unchanged(fails(Profile.get("p"), "EntityCorrupted", { id: "p" }))
    }))

  test("a tolerant field needs a value to read as", () =>
    Effect.sync(() => {
      assert.throws(
        // @ts-expect-error: it has no default
        () => Model.make("TolerantWithout", { id: Schema.String, n: Model.tolerant(Schema.Int) }, { key: "id" }),
        /"n".*needs a default/
      )
      const whole = Schema.Struct({ a: Schema.Int })
      assert.throws(
        // @ts-expect-error: it has no default
        () => Model.make("TolerantStruct", { id: Schema.String, s: Model.tolerant(whole) }, { key: "id" }),
        /"s".*field by field/
      )
      assert.deepEqual(Model.issues({}), [])
    }))
}
