/**
 * Indexes and queries with texts that have a meaning to something else: as values, as ids, as the names of homes, in cursors, and in
 * all that a query may ask. The answers are those of plain TypeScript.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Condition from "redlayer/Condition"
import * as Model from "redlayer/Model"
import * as Query from "redlayer/Query"
import type { RedisService } from "redlayer/RedisService"
import * as assert from "../assert.ts"
import { concurrently, fails } from "../assertions.ts"
import type { Test } from "../suite.ts"
import { compareUtf8, hostileTexts, illFormedTexts } from "../support/hostileTexts.ts"

const fields = {
  id: Schema.String,
  value: Schema.String.pipe(Model.indexed),
  only: Schema.String.pipe(Model.unique),
  kind: Schema.Literals(["short", "long"]),
  n: Schema.Int,
  note: Schema.optionalKey(Schema.String)
}

const Item = Model.make("HostileItem", fields, {
  key: "id",
  indexes: {
    byKind: ["kind", "value"],
    byValue: ["value", "n"],
    byId: ["id"],
    byNote: { fields: ["note"], absent: true }
  }
})

/** Each text is the name of a home. */
const Part = Model.make("HostilePart", {
  of: Schema.String,
  id: Schema.String,
  value: Schema.String.pipe(Model.indexed)
}, {
  key: ["of", "id"],
  slot: "of",
  indexes: { both: ["of", "value"] }
})

const Spread = Model.make("HostileSpread", { id: Schema.String, value: Schema.String.pipe(Model.indexed) }, {
  key: "id",
  slot: { partitions: 3 }
})

const Scored = Model.make("HostileScored", { id: Schema.String, n: Schema.Int.pipe(Model.indexed) }, { key: "id" })

interface Entity {
  readonly id: string
  readonly value: string
  readonly only: string
  readonly kind: "short" | "long"
  readonly n: number
  readonly note?: string
}

/** An escaped id has at most 1,024 bytes. */
const isId = (text: string): boolean => text !== "" && text.length < 256

/** Each text is the value of an entity, and the id of another one whose value is the next text. */
const entities: ReadonlyArray<Entity> = hostileTexts.flatMap((text, i): ReadonlyArray<Entity> => {
  const next = hostileTexts[(i + 1) % hostileTexts.length]!
  const kind = text.length < 3 ? "short" : "long"
  const first: Entity = {
    id: `of ${i}`,
    value: text,
    only: text,
    kind,
    n: i,
    ...(i % 3 === 0 ? undefined : { note: text })
  }
  return isId(text) ? [first, { id: text, value: next, only: `also ${i}`, kind: "long", n: i }] : [first]
})

const by = <A>(...values: ReadonlyArray<(entity: A) => string>) => (a: A, b: A): number => {
  for (const value of values) {
    const order = compareUtf8(value(a), value(b))
    if (order !== 0) return order
  }
  return 0
}

const idOf = ({ id }: { readonly id: string }): string => id
// what an id is escaped to is what decides between equal values
const escaped = ({ id }: { readonly id: string }): string =>
  id.replaceAll(
    /[\u0000-\u0020\u007f%{}:*?[\]\\^$"'`]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`
  )
const valueOf = ({ value }: { readonly value: string }): string => value

const ordered = entities.toSorted(by<Entity>(valueOf, escaped))

const ids = (
  query: Query.Query<any, any>
): Effect.Effect<ReadonlyArray<string>, Query.Failure, RedisService> =>
  Stream.runCollect(Query.ids(query, { pageSize: 1000 })) as any

const same = (actual: ReadonlyArray<unknown>, expected: ReadonlyArray<unknown>, what: string, text: string): void =>
  assert.deepEqual([...actual], [...expected], `${what} of ${JSON.stringify(text.slice(0, 40))}`)

/** Runs the questions about each text, some at once. */
const ofEach = <E, R>(
  texts: ReadonlyArray<string>,
  f: (text: string, i: number) => Effect.Effect<void, E, R>
): Effect.Effect<void, E, R> => Effect.forEach(texts, f, { concurrency: 16, discard: true })

const insertAll = Effect.gen(function*() {
  assert.isTrue(hostileTexts.length > 200 && entities.length > 350)
  const inserted = yield* Item.insertMany(entities)
  for (const [i, one] of inserted.entries()) {
    if (Result.isFailure(one)) assert.fail(`${entities[i]!.id}: ${one.failure}`)
  }
})

/** All pages of a query, forwards and back. */
const pages = Effect.fnUntraced(function*(query: Query.Query<{ readonly id: string }, any>, limit: number) {
  let page: Query.Page<{ readonly id: string }> = yield* Query.page(query, { limit })
  const forwards: Array<string> = page.items.map(idOf)
  while (Option.isSome(page.next)) {
    page = yield* Query.page(query, { limit, after: page.next.value })
    forwards.push(...page.items.map(idOf))
  }
  const back: Array<string> = page.items.map(idOf)
  while (Option.isSome(page.prev)) {
    page = yield* Query.page(query, { limit, before: page.prev.value })
    back.unshift(...page.items.map(idOf))
  }
  return { forwards, back }
})

export const hostileValues = (test: Test): void => {
  test("a query finds exactly the entities with a value, whatever its characters mean elsewhere", () =>
    Effect.gen(function*() {
      yield* insertAll
      yield* ofEach(hostileTexts, (text) =>
        Effect.gen(function*() {
          const equal = ordered.filter(({ value }) => value === text)
          same(yield* ids(Item.by.value({ value: text })), equal.map(idOf), "eq by name", text)
          const found = yield* ids(Item.query(({ value }) => value.eq(text)))
          same(found.toSorted(compareUtf8), equal.map(idOf).toSorted(compareUtf8), "eq", text)
          const short = equal.filter(({ kind }) => kind === "short").map(idOf)
          same(yield* ids(Item.by.byKind({ kind: "short", value: text })), short, "eq after another value", text)
          const upper = equal.filter(({ n }) => n >= 100).toSorted((a, b) => a.n - b.n).map(idOf)
          same(yield* ids(Item.by.byValue({ value: text, n: { gte: 100 } })), upper, "eq before a range", text)
          const unique = yield* Item.findBy("only", { only: text })
          assert.deepEqual(Option.map(unique, ({ value }) => value), Option.some(text))
          const noted = entities.filter(({ note }) => note === text).map(idOf)
          same(yield* ids(Item.by.byNote({ note: text })), noted, "eq of what may be absent", text)
          if (isId(text)) {
            same(yield* ids(Item.by.byId({ id: text })), [text], "id", text)
            assert.strictEqual((yield* Item.get(text)).id, text)
            const place = 1 +
              ordered.filter(({ value }) => compareUtf8(value, entities.find(({ id }) => id === text)!.value) < 0)
                .length
            assert.deepEqual(yield* Item.rank(text, "value", { direction: "asc" }), Option.some(place))
          }
        }))
      assert.strictEqual(
        yield* Query.count(Item.by.byNote({ note: null })),
        entities.filter(({ note }) => note === undefined).length
      )
      assert.deepEqual(yield* Stream.runCollect(Item.check()), [])
    }))

  test("a text is the beginning of exactly the values that begin with it, and of the ids", () =>
    Effect.gen(function*() {
      yield* insertAll
      const firsts = hostileTexts.map((text) => String.fromCodePoint(text.codePointAt(0) ?? 97))
      yield* ofEach([...new Set([...hostileTexts, ...firsts])], (text) =>
        Effect.gen(function*() {
          const expected = ordered.filter(({ value }) => value.startsWith(text))
          same(yield* ids(Item.by.value({ value: Query.prefix(text) })), expected.map(idOf), "prefix", text)
          const long = expected.filter(({ kind }) => kind === "long").length
          assert.strictEqual(yield* Query.count(Item.by.byKind({ kind: "long", value: Query.prefix(text) })), long)
          const named = entities.filter(({ id }) => id.startsWith(text)).length
          assert.strictEqual(yield* Query.count(Item.by.byId({ id: Query.prefix(text) })), named)
          const noted = entities.filter(({ note }) => note?.startsWith(text)).length
          assert.strictEqual(yield* Query.count(Item.by.byNote({ note: Query.prefix(text) })), noted)
        }))
    }))

  test("ranges and lists of values have exactly the entities that are in them, in the order of UTF-8 bytes", () =>
    Effect.gen(function*() {
      yield* insertAll
      yield* ofEach(hostileTexts, (text, i) =>
        Effect.gen(function*() {
          const other = hostileTexts[(i * 7 + 13) % hostileTexts.length]!
          const third = hostileTexts[(i * 31 + 5) % hostileTexts.length]!
          const bounds = {
            gt: (value: string) => compareUtf8(value, text) > 0,
            gte: (value: string) => compareUtf8(value, text) >= 0,
            lt: (value: string) => compareUtf8(value, text) < 0,
            lte: (value: string) => compareUtf8(value, text) <= 0
          }
          for (const name of ["gt", "gte", "lt", "lte"] as const) {
            const within = ordered.filter(({ value }) => bounds[name](value))
            const bound: Model.Bounds<string> = { [name]: text }
            assert.strictEqual(yield* Query.count(Item.by.value({ value: bound })), within.length, `${name} ${text}`)
            const long = within.filter(({ kind }) => kind === "long").length
            assert.strictEqual(
              yield* Query.count(Item.by.byKind({ kind: "long", value: bound })),
              long,
              `${name} ${text}`
            )
          }
          const between = ordered.filter(({ value }) => bounds.gte(value) && compareUtf8(value, other) < 0)
          const range = { gte: text, lt: other }
          assert.strictEqual(yield* Query.count(Item.by.value({ value: range })), between.length, `between ${text}`)
          if (i % 12 === 0) {
            same(yield* ids(Item.by.value({ value: range })), between.map(idOf), "between", text)
            const planned = Item.query(({ kind, value }) =>
              Condition.and(kind.eq("long"), value.gte(text), value.lt(other))
            )
            const long = between.filter(({ kind }) => kind === "long").map(idOf)
            same(yield* ids(Query.orderBy(planned, "value")), long, "between by a condition", text)
          }
          const listed = [text, other, third]
          const either = Query.orderBy(Item.query(({ value }) => value.in(listed)), "value", "desc")
          const expected = ordered.filter(({ value }) => listed.includes(value)).map(idOf).toReversed()
          same(yield* ids(either), expected, "in", text)
          if (i % 5 > 0) return
          const paged = yield* pages(either, 1)
          same(paged.forwards, expected, "pages of in", text)
          same(paged.back, expected, "pages of in, back", text)
        }))
    }))

  test("cursors lead through all values and ids, in both directions", () =>
    Effect.gen(function*() {
      yield* insertAll
      const expected = ordered.map(idOf)
      const all = Item.by.value()
      for (const [query, wanted] of [[all, expected], [Query.reverse(all), expected.toReversed()]] as const) {
        const { back, forwards } = yield* pages(Query.pick(query, ["id"]), 3)
        assert.deepEqual(forwards, [...wanted])
        assert.deepEqual(back, [...wanted])
      }
      const byId = yield* pages(Query.pick(Item.by.byId(), ["id"]), 1)
      assert.deepEqual(byId.forwards, entities.map(idOf).toSorted(compareUtf8))
      assert.deepEqual(byId.back, byId.forwards)
    }))

  test("a part of the key that names a home, and partitions, keep each value apart", () =>
    Effect.gen(function*() {
      const homes = hostileTexts.filter(isId)
      const parts = homes.flatMap((of, i) =>
        [of, hostileTexts[i]!].map((value, j) => ({ of, id: j === 0 ? of : `also ${i}`, value }))
      )
      yield* Part.insertMany(parts)
      yield* ofEach(homes, (of) =>
        Effect.gen(function*() {
          const own = parts.filter((part) => part.of === of)
          const sorted = own.toSorted(by<typeof own[number]>(valueOf, escaped))
          same(yield* ids(Part.by.value({ of })), sorted.map(({ id }) => [of, id]), "home", of)
          const equal = sorted.filter(({ value }) => value === of)
          same(yield* ids(Part.by.both({ of, value: of })), equal.map(({ id }) => [of, id]), "both", of)
        }))
      assert.deepEqual(yield* Stream.runCollect(Part.check()), [])
      const spread = entities.map(({ id, value }) => ({ id, value }))
      yield* Spread.insertMany(spread)
      const { back, forwards } = yield* pages(Spread.by.value(), 7)
      assert.deepEqual(forwards, ordered.map(idOf))
      assert.deepEqual(back, forwards)
      yield* ofEach(hostileTexts.slice(0, 80), (text) =>
        Effect.gen(function*() {
          const begins = ordered.filter(({ value }) => value.startsWith(text)).map(idOf)
          same(yield* ids(Spread.by.value({ value: Query.prefix(text) })), begins, "prefix on partitions", text)
        }))
    }))

  test("a text that is no Unicode is refused as a value, as an id, and by each way to ask for it", () =>
    Effect.gen(function*() {
      const [one] = entities
      yield* Item.insert(one!)
      for (const text of illFormedTexts) {
        const wrong: ReadonlyArray<Effect.Effect<unknown, any, RedisService>> = [
          Item.insert({ ...one!, id: "new", value: text }),
          Item.insert({ ...one!, id: text, only: "new" }),
          Item.ref(one!.id).value.set(text),
          Item.findBy("only", { only: text }),
          Item.top("byKind", 1, { within: { kind: "short", value: text } as any }),
          ids(Item.by.value({ value: text })),
          ids(Item.by.value({ value: Query.prefix(text) })),
          ids(Item.by.value({ value: { gte: text } })),
          ids(Item.by.value({ value: { lt: text } })),
          ids(Item.by.byKind({ kind: "long", value: Query.prefix(text) })),
          ids(Item.by.byId({ id: Query.prefix(text) })),
          ids(Item.query(({ value }) => value.eq(text))),
          ids(Item.query(({ value }) => value.in(["a", text]))),
          ids(Item.query(({ value }) => value.gt(text)))
        ]
        const others = yield* concurrently(
          wrong.map((program) => fails(program, "InvalidValue", { model: "HostileItem" }))
        )
        assert.strictEqual(others.length, wrong.length)
      }
      for (const prefix of [5, null, undefined, {}] as ReadonlyArray<any>) {
        yield* fails(ids(Item.by.value({ value: Query.prefix(prefix) })), "InvalidValue", { field: "value" })
      }
      assert.deepEqual(yield* ids(Item.by.value()), [one!.id])
    }))

  test("a cursor that was made by hand is refused, or a place in the order of its query, and affects no other program", () =>
    Effect.gen(function*() {
      const few = entities.slice(0, 12).map((entity, i) => ({ ...entity, n: i % 4 }))
      yield* Item.insertMany(few)
      yield* Scored.insertMany(few.map(({ id, n }) => ({ id, n })))
      const lex = Item.by.byKind({ kind: "short" })
      const scored = Scored.by.n({ n: { gte: 1 } })
      const partsOf = (query: Query.Query<any, any>) =>
        Effect.map(
          Query.page(query, { limit: 1 }),
          ({ next }): Array<any> => JSON.parse(Result.getOrThrow(Base64Url.decodeString(Option.getOrThrow(next))))
        )
      for (const query of [lex, scored]) {
        const expected = yield* ids(query)
        const [print, way, group, order, id] = yield* partsOf(query)
        const places = [...hostileTexts.slice(0, 60), "\0", "1", "-1", "1e400", "2.5", "(1", "[1", "inf"]
        const refused: ReadonlyArray<ReadonlyArray<unknown>> = [
          [],
          [print],
          [print, way],
          [print, "0", group, order, id],
          [print, way, "0", order, id],
          [print, way, "length", order, id],
          [print, "length", group, order, id],
          [print, way, 1, order, id],
          [print, -1, group, order, id],
          [print, 0.5, group, order, id],
          [print, way, group, order],
          [print, way, group, 5, 5],
          [print, way, group, null, null],
          [print, way, group, [order], [id]],
          [print, way, group, order, id, 0],
          [`${print}x`, way, group, order, id],
          ...illFormedTexts.map((text) => [print, way, group, text, id]),
          ...illFormedTexts.map((text) => [print, way, group, order, text])
        ]
        const encode = (parts: unknown): string => Base64Url.encode(JSON.stringify(parts))
        for (const parts of [...refused, null, 5, "text", { 0: print }, true]) {
          const after = encode(parts)
          yield* fails(Query.page(query, { limit: 3, after }), "InvalidValue", { operation: "page" })
        }
        for (const [name, place] of places.flatMap((text) => [[text, id], [order, text]] as const)) {
          const cursor = encode([print, way, group, name, place])
          const neighbour = Item.ref(few[0]!.id).n.increment(0)
          const answers = yield* concurrently([
            Effect.exit(Query.page(query, { limit: 100, after: cursor })),
            Effect.exit(Query.page(query, { limit: 100, before: cursor })),
            Effect.exit(neighbour as Effect.Effect<any, any, RedisService>)
          ])
          assert.strictEqual(answers[2]!._tag, "Success")
          const shown: Array<unknown> = []
          for (const exit of answers.slice(0, 2)) {
            if (exit._tag === "Success") shown.push(...(exit.value as Query.Page<Entity>).items.map(idOf))
            else assert.match(Cause.pretty(exit.cause), /InvalidValue/)
          }
          // what is shown is of the query, each at most once but for the one that the cursor names
          assert.isTrue(shown.every((id) => expected.includes(id as string)), JSON.stringify([name, place]))
          assert.isTrue(shown.length <= expected.length, JSON.stringify([name, place]))
        }
      }
    }))
}
