/** The effect of every operation on the time to live, for each value of `refresh`. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Atomic from "redlayer/Atomic"
import type * as Field from "redlayer/Field"
import * as Model from "redlayer/Model"
import { type Dump, RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import type { Backend, Test } from "../suite.ts"
import {
  bigint,
  bigintEntry,
  bool,
  boolEntry,
  date,
  duration,
  emptyList,
  emptyMap,
  emptySet,
  emptySortedSet,
  entity,
  entityFields,
  entityOf,
  entry,
  type Kind,
  list,
  map,
  number,
  numberEntry,
  optional,
  optionalBigInt,
  optionalNumber,
  optionalTime,
  type Row,
  rowsOf,
  rowsOfPart,
  scalar,
  set,
  sortedSet,
  type Table,
  type Target,
  text,
  textEntry,
  timeEntry,
  value,
  whole
} from "../support/operationKinds.ts"
import { keysOf, minutes, type Time, timeOf } from "../support/time.ts"

type Refresh = "never" | "write" | "access"

const rules: ReadonlyArray<Refresh> = ["never", "write", "access"]

const timeToLive = minutes(100)
// with the minute within which the next operations do not renew it again
const renewed = "in 101 minutes"

/** The expected outcome of each kind of operation, for each value of `refresh`. */
const expected: { readonly [K in Kind]: { readonly [R in Refresh]: string } } = {
  reads: { never: "kept", write: "kept", access: renewed },
  writes: { never: "written, kept", write: `written, ${renewed}`, access: `written, ${renewed}` },
  ignores: { never: "kept", write: "kept", access: "kept" },
  refused: { never: "kept", write: "kept", access: "kept" },
  creates: { never: "written, in 100 minutes", write: `written, ${renewed}`, access: `written, ${renewed}` },
  removes: { never: "gone", write: "gone", access: "gone" },
  expires: { never: "in 10 minutes", write: "in 10 minutes", access: "in 10 minutes" },
  persists: { never: "never", write: "never", access: "never" }
}

interface Section {
  readonly rows: ReadonlyArray<Row<any>>
  readonly fields: Schema.Struct.Fields
  readonly entityOf: (id: string, isOther: boolean) => object
  readonly handleOf: (model: any, id: string) => unknown
}

/** The operations of one field, in an entity that also has collections. */
const field = <S extends Schema.Top>(
  schema: S,
  value: S["Type"] | undefined,
  rows: ReadonlyArray<Row<Field.Of<S>>>,
  other: S["Type"] | undefined = value
): Section => ({
  rows,
  fields: { id: Schema.String, count: Schema.Int, list: Schema.Array(Schema.Int), map: entityFields.map, it: schema },
  entityOf: (id, isOther) => {
    const it = isOther ? other : value
    return { id, count: 1, list: [1], map: { a: 1 }, ...(it === undefined ? undefined : { it }) }
  },
  handleOf: (model, id) => model.ref(id).it
})

/** The section, and the same for an entity without collections, which is a single hash. */
const withAndWithoutCollections = (section: Section): ReadonlyArray<Section> => {
  const { id, it } = section.fields
  return [section, { ...section, fields: { id, it } }]
}

type ItemOf<S extends Schema.Top> = Field.Of<S> extends Field.List<any, infer Item> ? Item : never

const items = <S extends Schema.Top>(schema: S, value: S["Type"], table: Table<ItemOf<Schema.$Array<S>>>): Section =>
  field(Schema.Array(schema) as any, [value, value], rowsOfPart("at(0)", (it: any) => it.at(0), table) as any)

type EntryOf<S extends Schema.Top> = Field.Of<S> extends Field.Map<any, any, any, infer Entry> ? Entry : never

/** Entries that exist, entries that do not, and the first entry of an empty map. */
const entries = <S extends Schema.Top>(
  schema: S,
  value: S["Type"],
  table: (isPresent: boolean) => Table<EntryOf<Schema.$Record<typeof Schema.String, S>>>
): ReadonlyArray<Section> => {
  const record = Schema.Record(Schema.String, schema) as any
  const rows = (key: string, isPresent: boolean): any =>
    rowsOfPart(`at(${key})`, (it: any) => it.at(key), table(isPresent))
  return [
    field(record, { a: value, b: value }, [...rows("a", true), ...rows("x", false)]),
    field(record, {}, rows("x", false))
  ]
}

const optionals = <S extends Schema.Top>(
  schema: S,
  value: S["Type"],
  table: (isPresent: boolean) => Table<any>
): ReadonlyArray<Section> =>
  [Schema.optionalKey(schema), Schema.optional(schema), Schema.NullOr(schema)].flatMap((optional, i) => [
    ...withAndWithoutCollections(field(optional as any, value, rowsOf(table(true)))),
    ...withAndWithoutCollections(field(optional as any, i === 2 ? null : undefined, rowsOf(table(false))))
  ])

const pair = Schema.Tuple([Schema.String, Schema.Int])
const literals = Schema.Literals(["a", "b"])
const maps = Schema.Record(Schema.String, Schema.Int)
const structs = Schema.Struct({ count: Schema.Int, tags: Schema.Array(Schema.Int) })
const sortedSets = Model.sortedSet(Schema.String)

const sections: { readonly [name: string]: Section | ReadonlyArray<Section> } = {
  Value: withAndWithoutCollections(field(pair, ["a", 1], rowsOf(value<readonly [string, number]>(["a", 1], ["b", 2])))),
  Word: withAndWithoutCollections(field(literals, "a", rowsOf(scalar<"a" | "b">("a", "b")))),
  Text: withAndWithoutCollections(field(Schema.String, "a", rowsOf(text))),
  Bool: withAndWithoutCollections(field(Schema.Boolean, true, rowsOf(bool))),
  Int: withAndWithoutCollections(field(Schema.Int, 6, rowsOf(number))),
  Number: withAndWithoutCollections(field(Schema.Number, 6, rowsOf(number))),
  BigInt: withAndWithoutCollections(field(Schema.BigInt, 6n, rowsOf(bigint))),
  Date: withAndWithoutCollections(field(Schema.Date, new Date(6), rowsOf(date))),
  Duration: withAndWithoutCollections(field(Schema.Duration, Duration.millis(6), rowsOf(duration))),
  Optional: optionals(Schema.String, "a", (isPresent) => optional(isPresent, "a", "b")),
  OptionalNumber: optionals(Schema.Int, 6, optionalNumber),
  OptionalBigInt: optionals(Schema.BigInt, 6n, optionalBigInt),
  OptionalTime: optionals(Schema.Date, new Date(6), optionalTime),
  List: field(Schema.Array(Schema.Int), [1, 2, 3], rowsOf(list)),
  EmptyList: field(Schema.Array(Schema.Int), [], rowsOf(emptyList)),
  Items: [
    items(pair, ["a", 1], value<readonly [string, number]>(["a", 1], ["b", 2])),
    items(literals, "a", scalar<"a" | "b">("a", "b")),
    items(Schema.String, "a", text),
    items(Schema.Boolean, true, bool),
    items(Schema.Int, 6, number),
    items(Schema.BigInt, 6n, bigint),
    items(Schema.Date, new Date(6), date)
  ],
  Set: field(Schema.ReadonlySet(Schema.String), new Set(["a", "b"]), rowsOf(set), new Set(["b", "c"])),
  EmptySet: field(Schema.ReadonlySet(Schema.String), new Set(), rowsOf(emptySet), new Set(["b", "c"])),
  Map: field(maps, { a: 1, b: 2 }, rowsOf(map)),
  EmptyMap: field(maps, {}, rowsOf(emptyMap)),
  Entries: [
    ...entries(literals, "a", (isPresent) => entry<"a" | "b">(isPresent, "a", "b")),
    ...entries(Schema.String, "a", textEntry),
    ...entries(Schema.Boolean, true, boolEntry),
    ...entries(Schema.Int, 6, numberEntry),
    ...entries(Schema.BigInt, 6n, bigintEntry),
    ...entries(Schema.Date, new Date(6), timeEntry)
  ],
  SortedSet: field(sortedSets, [{ member: "a", score: 1 }, { member: "b", score: 2 }], rowsOf(sortedSet)),
  EmptySortedSet: field(sortedSets, [], rowsOf(emptySortedSet)),
  Struct: field(structs, { count: 6, tags: [1, 2, 3] }, [
    ...rowsOfPart("$", (it: Field.Of<typeof structs>) => it.$, whole),
    ...rowsOfPart("count", (it: Field.Of<typeof structs>) => it.count, number),
    ...rowsOfPart("tags", (it: Field.Of<typeof structs>) => it.tags, list)
  ]),
  Model: {
    rows: rowsOf<Target>(entity as any),
    fields: entityFields,
    entityOf,
    handleOf: (model, id): Target => ({ model, id })
  },
  FlatModel: {
    // without the cases that name a collection
    rows: rowsOf<Target>(entity as any).filter(({ name }) => !["pick (2)", "update (2)", "modify (2)"].includes(name)),
    fields: { id: Schema.String, count: Schema.Int, nick: Schema.optionalKey(Schema.String) },
    entityOf,
    handleOf: (model, id): Target => ({ model, id })
  }
}

/** The outcome for an entity: whether it was written, and when it expires. */
const outcome = (before: Dump, after: Dump, key: string, now: number): string => {
  // leftover keys of a lock have their own expiry
  const found = Object.fromEntries(Object.entries(keysOf(after, key)).filter(([name]) => !name.includes(":$lock:")))
  const hash = found[key]
  if (hash === undefined) return Object.keys(found).length === 0 ? "gone" : `left: ${Object.keys(found)}`
  const apart = Object.entries(found).filter(([, { expiresAt }]) => expiresAt !== hash.expiresAt)
  if (apart.length > 0) return `at another time: ${apart.map(([name]) => name)}`
  const version = ({ [key]: stored }: Dump) => stored && (stored.content as Readonly<Record<string, string>>).$v
  const written = version(before) === version(after) ? "" : "written, "
  const at = hash.expiresAt
  if (at !== undefined && at === before[key]?.expiresAt) return `${written}kept`
  return written + (at === undefined ? "never" : `in ${Math.round((at - now) / minutes(1))} minutes`)
}

/** Each row has two entities: one for the operation alone, and one for the operation in a larger program. */
const checkSection = ({ entityOf, fields, handleOf, rows }: Section, name: string, rule: Refresh, { pass }: Time) =>
  Effect.gen(function*() {
    const raw = yield* RawStore
    const model: any = Model.make(name, fields as typeof entityFields, {
      key: "id",
      timeToLive: { duration: timeToLive, refresh: rule }
    })
    const other = handleOf(model, "other")
    const tried = rows.flatMap((row, i) => {
      const [alone, among] = [`${i}`, `${i}+`]
      const call = (id: string) => row.call(handleOf(model, id), other)
      const program = call(among)
      const one = { row, id: alone, title: row.name, program: call(alone) }
      return Atomic.isAtomic(program)
        ? [one, {
          row,
          id: among,
          title: `${row.name}, in a program`,
          program: Atomic.all([program, model.exists(among)])
        }]
        : [one]
    })
    const inserted = tried.filter(({ row }) => row.kind !== "creates").map(({ id }) => entityOf(id, false))
    const results = yield* model.insertMany([...inserted, entityOf("other", true)]) as Model.Bulk<unknown, unknown>
    assert.deepEqual(results.filter(Result.isFailure), [])
    yield* pass(timeToLive / 2)
    const before = yield* raw.dump
    const refusals: Array<string> = []
    for (const { program, row, title } of tried) {
      const exit = yield* Effect.exit(program)
      if ((exit._tag === "Failure") !== (row.kind === "refused")) refusals.push(`${title}: ${exit}`)
    }
    assert.deepEqual(refusals, [])
    const after = yield* raw.dump
    const now = yield* Clock.currentTimeMillis
    assert.deepEqual(
      Object.fromEntries(tried.map(({ id, title }) => [title, outcome(before, after, `${name}:{${id}}`, now)])),
      Object.fromEntries(tried.map(({ row, title }) => [title, expected[row.kind][rule]]))
    )
  })

const Tagged = Model.make("Refresh-Tagged", { id: Schema.String, tags: Schema.ReadonlySet(Schema.String) }, {
  key: "id",
  timeToLive: { duration: timeToLive, refresh: "write" }
})

export const refresh = (test: Test, backend: Backend): void => {
  const time = timeOf(test, backend)
  time.test("an operation that reads a second set does not renew the entity of that set if the same program created it", () =>
    Effect.gen(function*() {
      const { tags } = Tagged.ref("b")
      const b = { id: "b", tags: new Set(["b"]) }
      yield* Tagged.insert({ id: "a", tags: new Set(["a"]) })
      const begins = { timeToLive: "10 seconds" } as const
      for (
        const read of [tags.union, tags.intersection, tags.difference].map((read) =>
          read.call(Tagged.ref("a").tags, tags)
        )
      ) {
        for (
          const create of [
            Tagged.insert(b, begins),
            Tagged.ensure(b, begins),
            Tagged.getOrInsert(b, begins),
            Atomic.andThen(Tagged.put(b), Tagged.expire("b", begins.timeToLive)),
            Atomic.andThen(Tagged.insert(b), Tagged.expire("b", begins.timeToLive)),
            Atomic.all([Tagged.insert(b), tags.add("c"), Tagged.expire("b", begins.timeToLive)])
          ]
        ) {
          const key = "Refresh-Tagged:{b}"
          yield* Atomic.all([create as Atomic.Atomic<unknown>, read])
          yield* time.expires([key, `${key}:tags`], 10_000)
          yield* Tagged.delete("b")
        }
      }
    }))
  for (const [name, several] of Object.entries(sections)) {
    for (const rule of rules) {
      time.test(`${name} follows its refresh rule: ${rule}`, () =>
        Effect.gen(function*() {
          const all = Array.isArray(several) ? several as ReadonlyArray<Section> : [several as Section]
          for (let i = 0; i < all.length; i++) yield* checkSection(all[i], `Refresh-${name}-${i}-${rule}`, rule, time)
        }))
    }
  }
}
