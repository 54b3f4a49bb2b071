/**
 * Indexes and aggregates: after each operation, whatever it is, an index has exactly the entries that the stored entities say, a sum is
 * that of the stored entities, and nothing of either is of what is undone, deleted or expired.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Atomic from "redlayer/Atomic"
import * as Condition from "redlayer/Condition"
import type { InvalidValue, UniqueViolation } from "redlayer/DomainError"
import * as Lock from "redlayer/Lock"
import * as Model from "redlayer/Model"
import * as Query from "redlayer/Query"
import type { RedisService } from "redlayer/RedisService"
import { RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import { concurrently, fails, unchanged } from "../assertions.ts"
import type { Backend, Env, Test } from "../suite.ts"
import { comparePart, type Part } from "../support/parts.ts"
import { minutes, timeOf } from "../support/time.ts"

// the types of indexes are not what is checked here
type Program = Effect.Effect<any, any, RedisService>
type AnyModel = any
const run = (self: Program): Program => self
const hour = minutes(60)

const fields = {
  id: Schema.String,
  n: Schema.Int.pipe(Model.indexed),
  score: Schema.Number.pipe(Model.indexed, Model.withDefault(0)),
  big: Schema.BigInt.pipe(Model.indexed),
  text: Schema.String.pipe(Model.indexed),
  at: Schema.Date.pipe(Model.indexed),
  span: Schema.Duration.pipe(Model.indexed),
  flag: Schema.Boolean.pipe(Model.indexed),
  role: Schema.Literals(["admin", "user"]).pipe(Model.indexed),
  seen: Schema.optionalKey(Schema.Date).pipe(Model.indexed),
  level: Schema.NullOr(Schema.Int).pipe(Model.indexed),
  email: Schema.String.pipe(Model.unique),
  home: Schema.Struct({ city: Schema.String.pipe(Model.indexed), street: Schema.optionalKey(Schema.String) }),
  tags: Schema.Array(Schema.String)
} as const

const indexes = {
  byRole: ["role", "n"],
  byCity: ["home.city", "flag", "at", "id"],
  admins: { fields: ["n"], where: { role: "admin" } },
  everyLevel: { fields: ["level", "seen"], absent: true }
}

const counted = {
  everyone: [],
  role: ["role"],
  levels: { by: ["level", "seen"], absent: true },
  admins: { by: ["home.city", "flag"], where: { role: "admin" } }
}

const summed = {
  nOfRole: { of: "n", by: ["role"] },
  bigOfCity: { of: "big", by: ["home.city", "score"] },
  span: { of: "span", by: [] },
  level: { of: "level", by: ["role"], absent: true }
}

type Entity = any

/** The values that order the entry of an entity in each index, or undefined if it has none. */
const orders: Readonly<Record<string, (entity: Entity) => ReadonlyArray<Part> | undefined>> = {
  n: ({ n }) => [n],
  score: ({ score }) => Number.isNaN(score) ? undefined : [score],
  big: ({ big }) => [big],
  text: ({ text }) => [text],
  at: ({ at }) => [at.getTime()],
  span: ({ span }) => [Option.getOrThrow(Duration.toNanos(span))],
  flag: ({ flag }) => [Number(flag)],
  role: ({ role }) => [role],
  seen: ({ seen }) => seen && [seen.getTime()],
  level: ({ level }) => level === null ? undefined : [level],
  email: ({ email }) => [email],
  "home.city": ({ home }) => [home.city],
  byRole: ({ n, role }) => [role, n],
  byCity: ({ at, flag, home, id }) => [home.city, Number(flag), at.getTime(), id],
  admins: ({ n, role }) => role === "admin" ? [n] : undefined,
  everyLevel: ({ level, seen }) => [level ?? undefined, seen?.getTime()]
}

/** The group of an entity in each aggregate, and what it adds; or undefined if it is not in it. */
const groups: Readonly<Record<string, (entity: Entity) => readonly [group: object, amount: bigint] | undefined>> = {
  "counted everyone": () => [{}, 1n],
  "counted role": ({ role }) => [{ role }, 1n],
  "counted levels": ({ level, seen }) => [{ level, seen: seen ?? null }, 1n],
  "counted admins": ({ flag, home, role }) => role === "admin" ? [{ "home.city": home.city, flag }, 1n] : undefined,
  "summed nOfRole": ({ n, role }) => [{ role }, BigInt(n)],
  "summed bigOfCity": ({ big, home, score }) =>
    Number.isNaN(score) ? undefined : [{ "home.city": home.city, score }, big],
  "summed span": ({ span }) => [{}, Option.getOrThrow(Duration.toNanos(span))],
  "summed level": ({ level, role }) => [{ role }, BigInt(level ?? 0)]
}

/** A sum as digits, whatever its type. */
const digitsOf = (sum: unknown): bigint =>
  Duration.isDuration(sum) ? Option.getOrThrow(Duration.toNanos(sum)) : BigInt(sum as number | bigint)

/** The groups that have a sum, by their text. */
const sumsOf = (
  aggregate: string,
  entities: ReadonlyArray<Entity>
): ReadonlyMap<string, readonly [group: object, sum: bigint]> => {
  const sums = new Map<string, readonly [object, bigint]>()
  for (const entity of entities) {
    const found = groups[aggregate]!(entity)
    if (found === undefined) continue
    const [group, amount] = found
    const text = JSON.stringify(group)
    sums.set(text, [group, (sums.get(text)?.[1] ?? 0n) + amount])
  }
  return sums
}

/** The ids of an index's entries, in order. All texts here are ASCII, whose order is that of JavaScript. */
const expectedOf = (index: string, entities: ReadonlyArray<Entity>): ReadonlyArray<string> =>
  entities.flatMap((entity) => {
    const order = orders[index]!(entity)
    return order === undefined ? [] : [[...order, entity.id]]
  }).sort((a, b) => a.map((part, i) => comparePart(part, b[i])).find((order) => order !== 0) ?? 0)
    .map((order) => order.at(-1) as string)

const ids = ["a", "b", "c", "d"]

interface Kind {
  readonly model: AnyModel
  readonly name: string
}

const kind = (name: string, options: object): Kind => {
  const model: AnyModel = Model.make(name, fields, { key: "id", indexes, counted, summed, ...options } as any)
  return { name, model }
}

const Plain = kind("IndexedPlain", {})
const Written = kind("IndexedWritten", { timeToLive: { duration: hour } })
const Accessed = kind("IndexedAccessed", { timeToLive: { duration: hour, refresh: "access" } })
const Fixed = kind("IndexedFixed", { timeToLive: { duration: hour, refresh: "never" } })
const kinds = [Plain, Written, Accessed, Fixed]

const entity = (id: string, more: object = {}): Entity => ({
  id,
  n: id.charCodeAt(0) % 3,
  score: id.charCodeAt(0) / 2,
  big: BigInt(id.charCodeAt(0)) * 10n ** 14n,
  text: `text ${id}`,
  at: new Date(id.charCodeAt(0) * 1000),
  span: Duration.millis(id.charCodeAt(0)),
  flag: id < "b",
  role: id === "c" ? "admin" : "user",
  level: id === "b" ? null : 7,
  email: `${id}@x`,
  home: { city: id < "c" ? "Rome" : "Oslo" },
  tags: [],
  ...more
})

/** Asserts that each index has the entries of the stored entities, and the store nothing else of them. */
const agrees = ({ model, name }: Kind): Effect.Effect<void, any, Env> =>
  Effect.gen(function*() {
    const raw = yield* RawStore
    const found: ReadonlyArray<any> = yield* Effect.forEach(ids, (id) => model.find(id, { renew: false }) as Program)
    const stored = found.flatMap((one: Option.Option<Entity>) => Option.isSome(one) ? [one.value] : [])
    for (const index of Object.keys(orders)) {
      const expected = expectedOf(index, stored)
      const top: ReadonlyArray<Entity> = yield* run(model.top(index, 10, { direction: "asc" }))
      assert.deepEqual(top.map(({ id }): string => id), [...expected], index)
      assert.strictEqual(yield* run(model.countBetween(index, {})), expected.length, index)
    }
    for (const id of ids) {
      const email = `${id}@x`
      const by: Option.Option<Entity> = yield* run(model.findBy("email", email))
      assert.strictEqual(
        Option.getOrUndefined(Option.map(by, ({ id }) => id)),
        stored.find((one) => one.email === email)?.id
      )
    }
    const dump = yield* raw.dump
    for (const aggregate of Object.keys(groups)) {
      const [method, called] = aggregate.split(" ") as [string, string]
      const sums = [...sumsOf(aggregate, stored).values()]
      for (const [group, sum] of sums) {
        const found: unknown = yield* run(model[method](called, group))
        assert.strictEqual(digitsOf(found), sum, `${aggregate} of ${JSON.stringify(group)}`)
      }
      const key = Object.keys(dump).find((key) => key.startsWith(`${name}:{$}:$ix:${method}:${called}:`))
      const found = Object.values(key === undefined ? {} : dump[key]!.content as Record<string, string>).map(BigInt)
      const inOrder = (sums: ReadonlyArray<bigint>) => sums.toSorted((a, b) => a < b ? -1 : 1)
      assert.deepEqual(inOrder(found), inOrder(sums.map(([, sum]) => sum).filter((sum) => sum !== 0n)), aggregate)
    }
    const expiries: Record<string, number> = {}
    for (const [key, { expiresAt }] of Object.entries(dump)) {
      const id = new RegExp(`^${name}:\\{([a-z])\\}$`).exec(key)?.[1]
      if (id !== undefined && expiresAt !== undefined) expiries[id] = expiresAt
    }
    const noted = (dump[`${name}:{$}:$exp`]?.content ?? []) as ReadonlyArray<string>
    assert.deepEqual(
      Object.fromEntries(Array.from({ length: noted.length / 2 }, (_, i) => [noted[2 * i], Number(noted[2 * i + 1])])),
      expiries
    )
    if (stored.length === 0) {
      assert.deepEqual(Object.keys(dump).filter((key) => /:\$(ix|of|exp)/.test(key)), [])
    }
  })

/** Every operation that writes a field with an index, or an entity. */
const operations = (model: AnyModel): Readonly<Record<string, Program>> => {
  const one = model.ref("a")
  return {
    "n.set": one.n.set(9),
    "n.increment": one.n.increment(5),
    "n.increment by nothing": one.n.increment(0),
    "n.decrement": one.n.decrement(5),
    "n.multiply": one.n.multiply(-3),
    "n.quotient": one.n.quotient(2),
    "n.modulo": one.n.modulo(2),
    "n.min": one.n.min(-1),
    "n.max": one.n.max(100),
    "n.clamp": one.n.clamp(50, 60),
    "n.power": one.n.power(2),
    "n.compareAndSet": one.n.compareAndSet(1, 11),
    "n.compareAndSet of another value": one.n.compareAndSet(77, 11),
    "n.getAndSet": one.n.getAndSet(12),
    "n.set of an operand": one.n.set(model.ref("b").n.value()),
    "score.divide": one.score.divide(7),
    "score.set to an infinity": one.score.set(-Infinity),
    "score.set to almost nothing": one.score.set(5e-324),
    "big.increment": one.big.increment(10n ** 17n),
    "big.set": one.big.set(-1n),
    "text.set": one.text.set("zz"),
    "text.append": one.text.append("!"),
    "text.getAndSet": one.text.getAndSet("\0"),
    "at.add": one.at.add("1 day"),
    "at.subtract": one.at.subtract("1 day"),
    "span.add": one.span.add("1 day"),
    "flag.toggle": one.flag.toggle(),
    "flag.set": one.flag.set(false),
    "role.set": one.role.set("admin"),
    "seen.set": one.seen.set(new Date(5)),
    "seen.setIfAbsent": one.seen.setIfAbsent(new Date(6)),
    "seen.add from nothing": one.seen.add("1 day", { initial: new Date(0) }),
    "seen.clear": one.seen.clear(),
    "level.clear": one.level.clear(),
    "level.set": model.ref("b").level.set(3),
    "level.increment": one.level.increment(2, { initial: 0 }),
    "level.increment from nothing": model.ref("b").level.increment(2, { initial: 0 }),
    "level.compareAndSet": one.level.compareAndSet(7, 8),
    "email.set": one.email.set("z@x"),
    "home.city.set": one.home.city.set("Bern"),
    "home.set": one.home.$.set({ city: "Alma", street: "x" }),
    "tags.append": one.tags.append("x"),
    "home.street.set": one.home.street.set("x"),
    update: model.update("a", { n: -4, seen: new Date(1), home: { city: "Z" } }),
    "update of nothing": model.update("a", {}),
    "update of another field": model.update("a", { tags: ["x"] }),
    put: model.put(entity("a", { n: 77, email: "other@x" })),
    "put of a new one": model.put(entity("d")),
    insert: model.insert(entity("d")),
    "insert for a time": model.insert(entity("d"), { timeToLive: "5 minutes" }),
    "getOrInsert of a new one": model.getOrInsert(entity("d")),
    "getOrInsert of a stored one": model.getOrInsert(entity("a", { n: 99 })),
    "ensure of a new one": model.ensure(entity("d")),
    "ensure of a stored one": model.ensure(entity("a", { n: 99 })),
    delete: model.delete("a"),
    "delete of a missing one": model.delete("d"),
    "delete and insert": Atomic.all([model.delete("a"), model.insert(entity("a", { n: 50, role: "admin" }))] as any),
    "insert and delete": Atomic.all([model.insert(entity("d")), model.delete("d")] as any),
    "insert and set": Atomic.all([model.insert(entity("d")), model.ref("d").n.set(-7)] as any),
    expire: model.expire("a", "10 minutes"),
    persist: model.persist("a"),
    "expire and persist": Atomic.all([model.expire("a", "10 minutes"), model.persist("a")] as any),
    get: model.get("a"),
    "get without renewal": model.get("a", { renew: false }),
    modify: model.modify("a", (found: Entity) => ({ ...found, n: found.n + 20, home: { city: "M" } })),
    withLock: model.withLock("a", (found: Entity) => Effect.succeed({ ...found, n: found.n - 20 })),
    "Lock.withLock": Lock.withLock("indexed", () => one.n.increment(4), { wait: "1 second" } as any),
    idempotencyKey: Atomic.commit(one.n.increment(4) as any, { idempotencyKey: "k", keepFor: "1 minute" } as any),
    "idempotencyKey, again": Effect.andThen(
      Atomic.commit(one.n.increment(4) as any, { idempotencyKey: "l", keepFor: "1 minute" } as any),
      Atomic.commit(one.n.increment(4) as any, { idempotencyKey: "l", keepFor: "1 minute" } as any)
    ),
    when: Atomic.when(one.n.increment(1), one.flag.eq(true)),
    if: Atomic.if(one.flag.eq(false), { onTrue: one.n.set(1), onFalse: one.n.set(33) } as any),
    orElse: Atomic.orElse(
      Atomic.andThen(one.n.set(70), Atomic.guard(Condition.not(one.flag.eq(true)), () => "no")) as any,
      model.ref("b").n.set(71)
    ),
    "orElse of a unique value": Atomic.orElse(one.email.set("b@x"), one.email.set("y@x")),
    ignoreMissing: Atomic.ignoreMissing(Atomic.all([one.n.set(88), model.ref("zz").n.set(1)] as any) as any),
    "several increments": Atomic.all(ids.slice(0, 3).map((id) => model.ref(id).n.increment(2)) as any),
    insertMany: model.insertMany([entity("d"), entity("a", { n: 1000 })]),
    deleteMany: model.deleteMany(["a", "c", "d"]),
    insertManyStream: Stream.runDrain(model.insertManyStream(Stream.make(entity("d")))),
    deleteManyStream: Stream.runDrain(model.deleteManyStream(Stream.make("a", "b")))
  }
}

/** Numbers that may be NaN by their schema: in an index of every kind, and in none. */
const Ratio = Model.make("IndexedRatio", {
  id: Schema.String,
  part: Schema.Number,
  group: Schema.String.pipe(Model.withDefault("g")),
  own: Schema.Number.pipe(Model.indexed),
  composite: Schema.Number.pipe(Model.withDefault(0)),
  optional: Schema.optionalKey(Schema.Number).pipe(Model.indexed),
  nullable: Schema.NullOr(Schema.Number).pipe(Model.indexed, Model.withDefault(null)),
  inner: Schema.Struct({ deep: Schema.Number.pipe(Model.indexed) }).pipe(Model.withDefault({ deep: 0 })),
  chosen: Schema.Number.pipe(Model.withDefault(0)),
  free: Schema.Number.pipe(Model.withDefault(0))
}, {
  key: ["id", "part"],
  indexes: {
    pair: { fields: ["id", "composite"], where: { chosen: 1 }, absent: true },
    byPart: ["part"],
    grouped: ["group", "own"]
  }
})

const insertAll = ({ model }: Kind): Effect.Effect<void, any, RedisService> =>
  Effect.gen(function*() {
    for (const id of ids) yield* run(model.delete(id))
    for (const id of ids.slice(0, 3)) yield* run(model.insert(entity(id)))
  })

const violates = (self: Program, index = "email", more: Partial<UniqueViolation> = {}) =>
  fails(self as Effect.Effect<any, UniqueViolation, RedisService>, "UniqueViolation", { index, ...more })

export const indexUpkeep = (live: Test, backend: Backend): void => {
  const { pass, test } = timeOf(live, backend)

  for (const kind of kinds) {
    test(`${kind.name}: after each operation an index has the entries that the entities say`, () =>
      Effect.gen(function*() {
        for (const [name, operation] of Object.entries(operations(kind.model))) {
          yield* insertAll(kind)
          yield* operation
          yield* Effect.catchDefect(agrees(kind), (defect) => Effect.die(new Error(`after ${name}: ${String(defect)}`)))
        }
        for (const id of ids) yield* run(kind.model.delete(id))
        yield* agrees(kind)
      }))

    test(`${kind.name}: a program that fails leaves every entry as it was`, () =>
      Effect.gen(function*() {
        for (const [name, operation] of Object.entries(operations(kind.model))) {
          if (!Atomic.isAtomic(operation)) continue
          yield* insertAll(kind)
          const stop = Atomic.guard(kind.model.exists("zz"), () => "stop")
          yield* unchanged(Effect.flip(Atomic.all([operation, stop] as any) as Program))
          const undone = Atomic.orElse(Atomic.all([operation, stop] as any) as any, Atomic.succeed(name))
          yield* unchanged(undone as Program)
          yield* agrees(kind)
        }
      }))
  }

  for (const kind of [Written, Accessed, Fixed]) {
    test(`${kind.name}: what has expired is neither shown nor counted, and its unique value is free`, () =>
      Effect.gen(function*() {
        const { model } = kind
        yield* insertAll(kind)
        yield* run(model.expire("a", "10 minutes"))
        yield* run(model.expire("b", "20 minutes"))
        yield* pass(minutes(10) + 1000)
        yield* agrees(kind)
        assert.strictEqual(yield* run(model.countBetween("n", {})), 2)
        assert.isFalse(yield* run(model.existsBy("email", "a@x")))
        // no read has removed the entries before the write
        yield* pass(minutes(10) + 1000)
        yield* run(model.ref("c").email.set("b@x"))
        yield* agrees(kind)
        assert.strictEqual((yield* run(model.getBy("email", "b@x"))).id, "c")
        yield* pass(2 * hour)
        yield* agrees(kind)
        yield* run(model.insert(entity("b")))
        yield* agrees(kind)
      }))
  }

  test("a renewal moves the expiry of the entries: by each write, or by each access", () =>
    Effect.gen(function*() {
      const renewals = [
        [Written, (model: AnyModel) => model.ref("a").n.increment()],
        [Written, (model: AnyModel) => model.ref("a").tags.append("x")],
        [Accessed, (model: AnyModel) => model.get("a")],
        [Accessed, (model: AnyModel) => model.ref("a").text.get()],
        [Accessed, (model: AnyModel) => model.ref("a").tags.get()],
        [Accessed, (model: AnyModel) => model.pick("a", ["n"])],
        [Accessed, (model: AnyModel) => model.getMany(["a"])]
      ] as const
      for (const [kind, renew] of renewals) {
        yield* insertAll(kind)
        yield* pass(minutes(50))
        yield* run(renew(kind.model))
        yield* agrees(kind)
        yield* pass(minutes(20))
        yield* agrees(kind)
        assert.strictEqual(yield* run(kind.model.countBetween("n", {})), 1)
      }
    }))

  test("no two entities get an equal value of a unique index, by any operation", () =>
    Effect.gen(function*() {
      const { model } = Plain
      const more = { email: "b@x" }
      const ways: Readonly<Record<string, Program>> = {
        set: model.ref("a").email.set("b@x"),
        getAndSet: model.ref("a").email.getAndSet("b@x"),
        compareAndSet: model.ref("a").email.compareAndSet("a@x", "b@x"),
        append: Atomic.all([model.ref("a").email.set("b"), model.ref("a").email.append("@x")] as any),
        "set of an operand": model.ref("a").email.set(model.ref("b").email.value()),
        update: model.update("a", more),
        put: model.put(entity("a", more)),
        "put of a new one": model.put(entity("d", more)),
        insert: model.insert(entity("d", more)),
        getOrInsert: model.getOrInsert(entity("d", more)),
        ensure: model.ensure(entity("d", more)),
        duplicate: model.duplicate("b", "d"),
        modify: model.modify("a", (found: Entity) => ({ ...found, ...more })),
        idempotencyKey: Atomic.commit(model.ref("a").email.set("b@x") as any, {
          idempotencyKey: "u",
          keepFor: "1 minute"
        } as any),
        twice: Atomic.all([model.ref("a").email.set("q@x"), model.ref("c").email.set("q@x")] as any)
      }
      for (const way of Object.values(ways)) {
        yield* insertAll(Plain)
        yield* violates(way)
        yield* agrees(Plain)
      }
      yield* violates(model.ref("a").email.set("b@x"), "email", {
        model: "IndexedPlain",
        id: "a",
        operation: "email.set"
      })
    }))

  test("entities may exchange unique values in one program, and one that is given up is free", () =>
    Effect.gen(function*() {
      const { model } = Plain
      yield* insertAll(Plain)
      const [a, b, c] = ["a", "b", "c"].map((id) => model.ref(id).email)
      yield* Atomic.all([a.set("b@x"), b.set("a@x")] as any) as Program
      assert.strictEqual((yield* run(model.getBy("email", "a@x"))).id, "b")
      yield* Atomic.all([a.set("c@x"), b.set("b@x"), c.set("a@x")] as any) as Program
      yield* agrees(Plain)
      yield* Atomic.all([model.delete("c"), b.set("a@x"), a.set("b@x")] as any) as Program
      yield* agrees(Plain)
      yield* unchanged(violates(Atomic.all([a.set("free"), b.set("b@x"), a.set("b@x")] as any) as Program))
      yield* run(a.set("b@x"))
      yield* agrees(Plain)
    }))

  test("of many programs that want one unique value at once, one gets it", () =>
    Effect.gen(function*() {
      const { model } = Plain
      const wanted = ids.map((id) => Effect.exit(model.insert(entity(id, { email: "one@x" })) as Program))
      const exits = yield* concurrently(wanted)
      assert.strictEqual(exits.filter(({ _tag }) => _tag === "Success").length, 1)
      yield* agrees(Plain)
    }))

  test("a program reads what it has written, in every index", () =>
    Effect.gen(function*() {
      const { model } = Plain
      yield* insertAll(Plain)
      const [, rank, count, top, found] = yield* Atomic.all([
        model.ref("a").n.set(50),
        model.rank("a", "n"),
        model.countBetween("byRole", { role: "user", n: { gte: 50 } }),
        model.top("n", 1),
        model.findBy("email", "a@x"),
        model.ref("a").n.set(0)
      ] as any) as Effect.Effect<any, any, RedisService>
      assert.deepEqual(rank, Option.some(1))
      assert.strictEqual(count, 1)
      assert.strictEqual(top[0].n, 50)
      assert.strictEqual(found.value.n, 50)
      yield* agrees(Plain)
    }))

  test("no operation writes NaN into a number that an index has, and other numbers may be NaN", () =>
    Effect.gen(function*() {
      const id = ["a", 1] as const
      const one = Ratio.ref(id)
      const whole = { id: "a", part: 1, own: 1 }
      const refused: ReadonlyArray<readonly [field: string, program: Effect.Effect<any, any, RedisService>]> = [
        ["own", Ratio.insert({ ...whole, id: "b", own: NaN })],
        ["part", Ratio.insert({ ...whole, part: NaN })],
        ["own", Ratio.put({ ...whole, own: NaN })],
        ["composite", Ratio.put({ ...whole, composite: NaN })],
        ["optional", Ratio.getOrInsert({ ...whole, id: "b", optional: NaN })],
        ["nullable", Ratio.ensure({ ...whole, id: "b", nullable: NaN })],
        ["inner.deep", Ratio.put({ ...whole, inner: { deep: NaN } })],
        ["own", Ratio.update(id, { own: NaN })],
        ["inner.deep", Ratio.update(id, { inner: { deep: NaN } })],
        ["inner.deep", one.inner.$.set({ deep: NaN })],
        ["own", Ratio.modify(id, (found) => ({ ...found, own: NaN }))],
        ["own", one.own.set(NaN)],
        ["own", one.own.getAndSet(NaN)],
        ["own", one.own.compareAndSet(1, NaN)],
        ["composite", one.composite.set(NaN)],
        ["optional", one.optional.set(NaN)],
        ["optional", one.optional.setIfAbsent(NaN)],
        ["nullable", one.nullable.set(NaN)],
        ["inner.deep", one.inner.deep.set(NaN)],
        ["own", Atomic.all([one.own.set(5), one.own.set(NaN)])]
      ]
      yield* Ratio.insert({ ...whole, free: NaN, chosen: NaN })
      yield* one.free.set(NaN)
      for (const [field, program] of refused) {
        const { issue } = yield* unchanged(
          fails(program as Effect.Effect<any, InvalidValue, RedisService>, "InvalidValue", {
            model: "IndexedRatio",
            field
          })
        )
        assert.include(issue, "NaN")
      }
      yield* fails(Ratio.withLock(id, (found) => Effect.succeed({ ...found, own: NaN })), "InvalidValue", {
        field: "own"
      })
      const many = yield* Ratio.insertMany([{ ...whole, id: "c" }, { ...whole, id: "d", own: NaN }])
      assert.deepEqual(many.map(({ _tag }) => _tag), ["Success", "Failure"])
      // arithmetic makes none
      for (const make of [one.own.multiply(Infinity), one.own.power(0.5), one.own.set(one.free.value())]) {
        yield* unchanged(Effect.flip(Atomic.andThen(one.own.set(-1), make as any)))
      }
      // it may be compared with
      assert.isFalse(yield* one.own.eq(NaN))
      assert.isFalse(yield* one.own.in([NaN]))
      assert.deepEqual(yield* Effect.map(Ratio.get(id), ({ chosen, free }) => [chosen, free]), [NaN, NaN])
      assert.throws(
        () =>
          Model.make("IndexedNaN", { id: Schema.String, n: Schema.Number.pipe(Model.indexed, Model.withDefault(NaN)) }),
        /default .*NaN/
      )
    }))

  test("a NaN from before its index is read, has no entry, and is replaced by a write", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      const id = ["a", 1] as const
      const { inner, own } = Ratio.ref(id)
      yield* Ratio.insert({ id: "a", part: 1, own: 1 })
      yield* Ratio.insert({ id: "b", part: 2, own: 2 })
      yield* raw.hashSet("IndexedRatio:{a:1}", { own: "NaN" })
      yield* Stream.runDrain(Ratio.reindex())
      assert.deepEqual(yield* Stream.runCollect(Ratio.check()), [])
      assert.deepEqual((yield* Ratio.get(id)).own, NaN)
      assert.strictEqual(yield* Ratio.countBetween("own", {}), 1)
      assert.strictEqual(yield* Ratio.countBetween("byPart", {}), 2)
      // the index does not have all of the group, so it does not serve
      const group = Ratio.query(({ group }) => group.eq("g"))
      yield* fails(Query.count(group) as Effect.Effect<number, InvalidValue, RedisService>, "InvalidValue")
      yield* inner.deep.set(3)
      yield* Ratio.update(id, { free: 1 })
      yield* fails(own.increment(1), "ArithmeticError")
      yield* fails(Ratio.modify(id, (found) => ({ ...found, free: 2 })), "InvalidValue", { field: "own" })
      yield* Ratio.duplicate(id, ["c", 1])
      assert.strictEqual(yield* Ratio.countBetween("own", {}), 1)
      yield* own.set(7)
      assert.strictEqual(yield* Ratio.countBetween("own", {}), 2)
      assert.deepEqual(yield* Stream.runCollect(Ratio.check()), [])
    }))

  test("a definition of indexes that cannot be kept is refused", () =>
    Effect.sync(() => {
      const define = (options: object, more: object = {}) => () =>
        Model.make("IndexedRefused", { ...fields, ...more } as any, { key: "id", ...options } as any)
      const wrong: ReadonlyArray<readonly [options: any, text: RegExp]> = [
        [{ indexes: { x: ["nowhere"] } }, /nowhere/],
        [{ indexes: { x: ["tags"] } }, /tags/],
        [{ indexes: { x: ["home"] } }, /home/],
        [{ indexes: { x: [] } }, /one to 4 fields/],
        [{ indexes: { x: ["n", "n"] } }, /twice/],
        [{ indexes: { x: ["n", "text", "at", "big", "id"] } }, /one to 4 fields/],
        [{ indexes: { n: ["n"] } }, /two indexes/],
        [{ indexes: { "": ["n"] } }, /name of an index/],
        [{ indexes: 5 }, /must be an object/],
        [{ indexes: { x: { fields: ["n"], where: { role: "nobody" } } } }, /where/],
        [{ indexes: { x: { fields: ["n"], where: { nowhere: 1 } } } }, /nowhere/],
        // no index of a model that is spread over slots sees all entities
        [{ slot: { partitions: 4 } }, /partitions/],
        [{ slot: { partitions: 4 }, email: Schema.String, unique: { u: ["text"] } }, /partitions/]
      ]
      for (const [{ email, ...options }, text] of wrong) {
        assert.throws(define(options, email && { email }), text, JSON.stringify(options))
      }
    }))
}
