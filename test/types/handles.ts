/**
 * Which operations the field of a model has, by its schema.
 */
import { type Brand, type DateTime, type Duration, type HashMap, type HashSet, type Option, Schema } from "effect"
import { type Atomic, type Field, Model } from "redlayer"
import { type Equals, type ErrorOf, holds, type Names, type SuccessOf } from "./equals.ts"
import type { Arithmetic, Bounds, Corrupted, Index, Invalid, NotFound } from "./errors.ts"

type CellNames = "get" | "set" | "compareAndSet" | "eq" | "neq"
type ValueNames = CellNames | "value"
type WordNames = ValueNames | "getAndSet" | "in"
type OrderingNames = "lt" | "lte" | "gt" | "gte"
type NumberNames =
  | WordNames
  | OrderingNames
  | "increment"
  | "decrement"
  | "multiply"
  | "divide"
  | "quotient"
  | "modulo"
  | "power"
  | "min"
  | "max"
  | "clamp"
type BigIntNames = Exclude<NumberNames, "divide" | "power">
type TimeNames = WordNames | OrderingNames | "add" | "subtract"
type OptionalNames = CellNames | "value" | "setIfAbsent" | "isSet" | "clear"
type OptionalNumberNames = OptionalNames | Exclude<NumberNames, WordNames>
type EntryNames = OptionalNames | "getAndSet"
type ListNames =
  | "get"
  | "set"
  | "length"
  | "slice"
  | "append"
  | "prepend"
  | "contains"
  | "insert"
  | "pop"
  | "shift"
  | "remove"
  | "removeRange"
  | "trim"
  | "clear"
  | "at"
type SetNames =
  | "get"
  | "set"
  | "values"
  | "size"
  | "has"
  | "add"
  | "remove"
  | "removeAll"
  | "pop"
  | "clear"
  | "union"
  | "intersection"
  | "difference"
type MapNames =
  | "get"
  | "set"
  | "size"
  | "keys"
  | "has"
  | "put"
  | "putAll"
  | "remove"
  | "removeAll"
  | "pop"
  | "popAny"
  | "clear"
  | "at"
type SortedSetNames =
  | "get"
  | "set"
  | "size"
  | "has"
  | "add"
  | "addAll"
  | "increment"
  | "remove"
  | "removeAll"
  | "score"
  | "rank"
  | "range"
  | "rangeByScore"
  | "count"
  | "removeRangeByRank"
  | "removeRangeByScore"
  | "popMin"
  | "popMax"
  | "clear"

const Color = { Red: "red", Blue: "blue" } as const
const Level = { Low: 1, High: 2 } as const

const UserId = Schema.String.pipe(Schema.brand("UserId"))
const Coins = Schema.Int.pipe(Schema.brand("Coins"))
type UserId = typeof UserId.Type
type Coins = typeof Coins.Type

class Address extends Schema.Class<Address>("Address")({
  street: Schema.String,
  number: Schema.Int
}) {
  get label(): string {
    return `${this.street} ${this.number}`
  }
  shout(): string {
    return this.label.toUpperCase()
  }
}

class Everything extends Model.Class<Everything>("types/Everything")({
  id: Schema.String,
  text: Schema.String,
  minimum: Schema.NonEmptyString,
  int: Schema.Int,
  float: Schema.Number,
  bool: Schema.Boolean,
  defaulted: Schema.Int.pipe(Model.withDefault(0)),
  literal: Schema.Literal("one"),
  literals: Schema.Literals(["a", "b"]),
  numbers: Schema.Literals([1, 2]),
  yes: Schema.Literal(true),
  color: Schema.Enum(Color),
  level: Schema.Enum(Level),
  userId: UserId,
  coins: Coins,
  any: Schema.Any,
  unknown: Schema.Unknown,
  never: Schema.Never,
  big: Schema.BigInt,
  date: Schema.Date,
  utc: Schema.DateTimeUtc,
  duration: Schema.Duration,
  bytes: Schema.Uint8Array,
  numberFromString: Schema.NumberFromString,
  trimmed: Schema.Trim,
  nullable: Schema.NullOr(Schema.String),
  union: Schema.Union([Schema.String, Schema.Number]),
  tuple: Schema.Tuple([Schema.String, Schema.Int]),
  noItems: Schema.Tuple([]),
  record: Schema.Record(Schema.String, Schema.Int),
  map: Schema.ReadonlyMap(Schema.String, Schema.Int),
  set: Schema.ReadonlySet(Schema.String),
  hashSet: Schema.HashSet(Schema.String),
  hashMap: Schema.HashMap(Schema.Date, Schema.Boolean),
  bigLiteral: Schema.Literal(5n),
  points: Schema.ReadonlySet(Schema.Struct({ x: Schema.Int })),
  byId: Schema.Record(UserId, Schema.String),
  byTemplate: Schema.Record(Schema.TemplateLiteral(["v", Schema.String]), Schema.BigInt),
  byWord: Schema.Record(Schema.Literals(["a", "b"]), Schema.Int),
  waits: Schema.Record(Schema.String, Schema.Duration),
  words2: Schema.Record(Schema.String, Schema.Literals(["x", "y"])),
  structs: Schema.ReadonlyMap(Schema.String, Schema.Struct({ a: Schema.Int })),
  sorted: Model.sortedSet(Schema.String),
  sortedDates: Model.sortedSet(Schema.Date).pipe(Model.withDefault([])),
  tolerantSet: Schema.ReadonlySet(Schema.String).pipe(Model.tolerant),
  boundedSet: Schema.ReadonlySet(Schema.String).check(Schema.isMaxSize(3)),
  defaultRecord: Schema.Record(Schema.String, Schema.Int).pipe(Model.withDefault({})),
  jsonSet: Model.json(Schema.ReadonlySet(Schema.String)),
  jsonRecord: Model.json(Schema.Record(Schema.String, Schema.Int)),
  optionalSet: Schema.optionalKey(Schema.ReadonlySet(Schema.String)),
  optionalBig: Schema.optionalKey(Schema.BigInt),
  optionalDate: Schema.optional(Schema.DateTimeUtc),
  optionalWord: Schema.optionalKey(Schema.Literals([1, 2])),
  optionalEncoded: Schema.optionalKey(Schema.NumberFromString),
  nullInt: Schema.NullOr(Schema.Int),
  nullBig: Schema.NullOr(Schema.BigInt),
  nullWait: Schema.NullOr(Schema.Duration),
  nullFlag: Schema.NullOr(Schema.Boolean),
  nullWord: Schema.NullOr(Schema.Literals(["a", "b"])),
  nullStruct: Schema.NullOr(Schema.Struct({ a: Schema.Int })),
  nullSet: Schema.NullOr(Schema.ReadonlySet(Schema.String)),
  nullJson: Schema.NullOr(Schema.Int).pipe(Model.json),
  onlyNull: Schema.Null,
  optionType: Schema.Option(Schema.String),
  template: Schema.TemplateLiteral(["v", Schema.Int]),
  optionalKey: Schema.optionalKey(Schema.Int),
  optional: Schema.optional(Schema.String),
  undefinable: Schema.UndefinedOr(Schema.Boolean),
  optionalStruct: Schema.optionalKey(Schema.Struct({ a: Schema.Int })),
  optionalList: Schema.optionalKey(Schema.Array(Schema.Int)),
  struct: Schema.Struct({ a: Schema.Int, deep: Schema.Struct({ b: Schema.String, list: Schema.Array(Schema.Int) }) }),
  address: Address,
  words: Schema.Array(Schema.String),
  counts: Schema.Array(Schema.Int),
  flags: Schema.Array(Schema.Boolean),
  ids: Schema.Array(UserId),
  choices: Schema.Array(Schema.Literals(["x", "y"])),
  dates: Schema.Array(Schema.DateTimeUtc),
  spots: Schema.Array(Schema.Struct({ x: Schema.Int, y: Schema.Int })),
  nested: Schema.Array(Schema.Array(Schema.Int)),
  nullables: Schema.Array(Schema.NullOr(Schema.Int)),
  encodedItems: Schema.Array(Schema.NumberFromString),
  nonEmpty: Schema.NonEmptyArray(Schema.String),
  mutable: Schema.mutable(Schema.Array(Schema.String)),
  jsonList: Model.json(Schema.Array(Schema.Int)),
  jsonStruct: Model.json(Schema.Struct({ a: Schema.Int })),
  jsonInt: Model.json(Schema.Int),
  jsonDefault: Model.json(Schema.Array(Schema.Int)).pipe(Model.withDefault([1])),
  jsonAnnotated: Model.json(Schema.Struct({ a: Schema.Int })).annotate({ title: "a" }),
  jsonBranded: Model.json(Schema.Array(Schema.Int)).pipe(Schema.brand("Numbers")),
  jsonOptional: Model.json(Schema.optionalKey(Schema.Array(Schema.Int))),
  optionalJson: Schema.optionalKey(Model.json(Schema.Array(Schema.Int))),
  jsonItems: Schema.Array(Model.json(Schema.Array(Schema.Int))),
  optionalUnknown: Schema.optionalKey(Schema.Unknown),
  optionalAny: Schema.optionalKey(Schema.Any),
  "dotted.name": Schema.Int
}, { key: "id" }) {
  get upper(): string {
    return this.text.toUpperCase()
  }
  method(): number {
    return this.int
  }
}

declare const entity: Everything
export const ref = Everything.ref("1")

// -- 1. handles come from the fields of the schema, never from the decoded type ------------------------------------------

holds<Equals<Exclude<keyof typeof Everything.fields, "id">, keyof typeof ref>>()
entity.upper satisfies string
// @ts-expect-error: a getter is no field
ref.upper
// @ts-expect-error: a method is no field
ref.method
// @ts-expect-error: the key is in the name of the entity's key
ref.id
// @ts-expect-error: the whole entity is `Everything.get`
ref.$

holds<Equals<Names<typeof ref.address>, "street" | "number" | "$">>()
// @ts-expect-error: a getter of a nested class
ref.address.label
// @ts-expect-error: a method of a nested class
ref.address.shout

// a struct has only its fields, and `$`
holds<Equals<keyof typeof ref.struct, "a" | "deep" | "$">>()
holds<Equals<keyof typeof ref.struct.deep, "b" | "list" | "$">>()
holds<Equals<Names<typeof ref.struct.$>, "get" | "set" | "eq" | "neq">>()
holds<Equals<typeof ref.struct.a, Field.Number>>()
holds<Equals<typeof ref.struct.deep.b, Field.Text>>()
holds<Equals<typeof ref.struct.deep.list, Field.List<number, Field.Number<number, NotFound | Invalid | Index>>>>()
holds<Equals<SuccessOf<typeof ref.address.$.get>, Address>>()
holds<Equals<ErrorOf<typeof ref.address.$.get>, NotFound | Invalid | Corrupted>>()
holds<Equals<ErrorOf<typeof ref.address.$.set>, NotFound | Invalid>>()
// @ts-expect-error
ref.struct.get
// @ts-expect-error: an instance of the class has methods
void ref.address.$.set({ street: "s", number: 1 })

// names are as they are
holds<Equals<(typeof ref)["dotted.name"], Field.Number>>()

// -- 2. the order of the rules -------------------------------------------------------------------------------------------

// any, unknown and never are values
holds<Equals<typeof ref.any, Field.Value<any>>>()
holds<Equals<typeof ref.unknown, Field.Value<unknown>>>()
holds<Equals<typeof ref.never, Field.Value<never>>>()
holds<Equals<Names<typeof ref.any>, ValueNames>>()

// so is what its schema transforms, whatever it decodes to
holds<Equals<typeof ref.numberFromString, Field.Value<number>>>()
// @ts-expect-error
ref.numberFromString.increment

// literals and enums are words: no append, no arithmetic
holds<Equals<typeof ref.literal, Field.Scalar<"one">>>()
holds<Equals<typeof ref.literals, Field.Scalar<"a" | "b">>>()
holds<Equals<typeof ref.numbers, Field.Scalar<1 | 2>>>()
holds<Equals<typeof ref.yes, Field.Scalar<true>>>()
holds<Equals<typeof ref.color, Field.Scalar<"red" | "blue">>>()
holds<Equals<typeof ref.level, Field.Scalar<1 | 2>>>()
holds<Equals<Names<typeof ref.literals>, WordNames>>()
// @ts-expect-error
ref.literals.append
// @ts-expect-error
ref.color.append
// @ts-expect-error
ref.numbers.increment
// @ts-expect-error
ref.level.increment
// @ts-expect-error
ref.yes.toggle
// @ts-expect-error
void ref.literals.set("c")
// @ts-expect-error
void ref.color.compareAndSet("red", "green")

// the scalar types
holds<Equals<typeof ref.text, Field.Text>>()
holds<Equals<typeof ref.minimum, Field.Text>>()
holds<Equals<typeof ref.int, Field.Number>>()
holds<Equals<typeof ref.float, Field.Number>>()
holds<Equals<typeof ref.defaulted, Field.Number>>()
holds<Equals<typeof ref.bool, Field.Bool>>()
holds<Equals<Names<typeof ref.text>, WordNames | OrderingNames | "append">>()
holds<Equals<Names<typeof ref.int>, NumberNames>>()
holds<Equals<Names<typeof ref.bool>, WordNames | "toggle">>()
// @ts-expect-error
ref.text.increment
// @ts-expect-error
ref.int.append
// @ts-expect-error
ref.bool.increment
// @ts-expect-error
ref.int.toggle

holds<Equals<typeof ref.big, Field.BigInt>>()
holds<Equals<typeof ref.date, Field.Time<Date>>>()
holds<Equals<typeof ref.utc, Field.Time<DateTime.Utc>>>()
holds<Equals<typeof ref.duration, Field.Time<Duration.Duration>>>()
holds<Equals<Names<typeof ref.big>, BigIntNames>>()
holds<Equals<Names<typeof ref.date>, TimeNames>>()
holds<Equals<Names<typeof ref.duration>, TimeNames>>()
holds<Equals<typeof ref.bigLiteral, Field.Value<5n>>>()
// @ts-expect-error
ref.big.divide
// @ts-expect-error
ref.big.power
// @ts-expect-error
ref.date.increment
// @ts-expect-error
void ref.big.increment(1)
void ref.big.clamp(0n, 5n, { atLeast: 1n })
void ref.date.add("1 day", { atMost: new Date(0) })
void ref.duration.subtract({ days: 1 })
// @ts-expect-error: a bound is a date too
void ref.date.add("1 day", { atMost: 5 })
// @ts-expect-error
void ref.date.add()
// @ts-expect-error: by a duration, and not to a date
void ref.date.compareAndSet(new Date(0), "1 day")

// what has no operations of its own is a value
holds<Equals<SuccessOf<typeof ref.bytes.get>, typeof Schema.Uint8Array.Type>>()
holds<Equals<Names<typeof ref.bytes>, ValueNames>>()
holds<Equals<typeof ref.union, Field.Value<string | number>>>()
holds<Equals<typeof ref.onlyNull, Field.Value<null>>>()
holds<Equals<typeof ref.optionType, Field.Value<Option.Option<string>>>>()

// maps come before sets
type Counter = Field.NumberEntry
holds<Equals<typeof ref.record, Field.Map<string, number, { readonly [x: string]: number }, Counter>>>()
holds<Equals<typeof ref.map, Field.Map<string, number, ReadonlyMap<string, number>, Counter>>>()
holds<Equals<typeof ref.hashMap, Field.Map<Date, boolean, HashMap.HashMap<Date, boolean>, Field.BoolEntry>>>()
holds<Equals<typeof ref.set, Field.Set<string>>>()
holds<Equals<typeof ref.hashSet, Field.Set<string, HashSet.HashSet<string>>>>()
holds<Equals<typeof ref.points, Field.Set<{ readonly x: number }>>>()
holds<Equals<Names<typeof ref.record>, MapNames>>()
holds<Equals<Names<typeof ref.map>, MapNames>>()
holds<Equals<Names<typeof ref.hashMap>, MapNames>>()
holds<Equals<Names<typeof ref.set>, SetNames>>()
holds<Equals<Names<typeof ref.hashSet>, SetNames>>()
holds<Equals<typeof ref.tolerantSet, Field.Set<string>>>()
holds<Equals<typeof ref.boundedSet, Field.Set<string>>>()
holds<Equals<typeof ref.defaultRecord, Field.Map<string, number, { readonly [x: string]: number }, Counter>>>()
// @ts-expect-error: a map is no set
ref.map.union
// @ts-expect-error: a set has no entries
ref.set.at
// @ts-expect-error: a record's fields are its entries
ref.record.anything

// the keys of a record are its texts, branded or of a template; those that are known are a struct
holds<Equals<Parameters<typeof ref.byId.has>, [key: UserId]>>()
holds<Equals<Parameters<typeof ref.byTemplate.has>, [key: `v${string}`]>>()
holds<Equals<typeof ref.byWord, Field.Value<{ readonly a: number; readonly b: number }>>>()
void ref.hashMap.at(new Date(0))
// @ts-expect-error
void ref.hashMap.at("2024-01-01")
// @ts-expect-error
void ref.byId.has("u")

// a sorted set, by its mark
holds<Equals<typeof ref.sorted, Field.SortedSet<string>>>()
holds<Equals<typeof ref.sortedDates, Field.SortedSet<Date>>>()
holds<Equals<Names<typeof ref.sorted>, SortedSetNames>>()
// @ts-expect-error: it is no list
ref.sorted.append
// @ts-expect-error
void ref.sorted.add("a")
// @ts-expect-error
void ref.sorted.increment("a", 1n)
// @ts-expect-error: without a bound it would remove all
void ref.sorted.removeRangeByScore({})
// @ts-expect-error: an undefined bound is no bound
void ref.sorted.removeRangeByScore({ max: undefined })
// @ts-expect-error: from where?
void ref.sorted.removeRangeByRank()

// tuples are no lists
holds<Equals<typeof ref.tuple, Field.Value<readonly [string, number]>>>()
holds<Equals<typeof ref.noItems, Field.Value<readonly []>>>()
holds<Equals<typeof ref.nonEmpty, Field.Value<readonly [string, ...Array<string>]>>>()
// @ts-expect-error
ref.tuple.append

// lists
holds<Equals<Names<typeof ref.words>, ListNames>>()
holds<Equals<typeof ref.words, Field.List<string, Field.Text<string, NotFound | Invalid | Index>>>>()
holds<Equals<Names<typeof ref.mutable>, ListNames>>()

// `Model.json` is one value, whatever is in it
holds<Equals<typeof ref.jsonList, Field.Value<ReadonlyArray<number>>>>()
holds<Equals<typeof ref.jsonStruct, Field.Value<{ readonly a: number }>>>()
holds<Equals<typeof ref.jsonInt, Field.Value<number>>>()
holds<Equals<typeof ref.jsonDefault, Field.Value<ReadonlyArray<number>>>>()
holds<Equals<typeof ref.jsonAnnotated, Field.Value<{ readonly a: number }>>>()
holds<Equals<typeof ref.jsonBranded, Field.Value<ReadonlyArray<number> & Brand.Brand<"Numbers">>>>()
holds<Equals<Names<typeof ref.jsonItems>, ListNames>>()
holds<Equals<typeof ref.jsonSet, Field.Value<ReadonlySet<string>>>>()
holds<Equals<typeof ref.jsonRecord, Field.Value<{ readonly [x: string]: number }>>>()
holds<Equals<typeof ref.nullJson, Field.Value<number | null>>>()
// @ts-expect-error
ref.jsonList.append
// @ts-expect-error
ref.jsonStruct.a
// @ts-expect-error
ref.jsonInt.increment

// -- 3. amounts are plain, results are the field's own type ---------------------------------------------------------------

holds<Equals<typeof ref.coins, Field.Number<Coins>>>()
holds<Equals<Coins, number & Brand.Brand<"Coins">>>()
holds<Equals<SuccessOf<typeof ref.coins.increment>, Coins>>()
holds<Equals<SuccessOf<typeof ref.coins.clamp>, Coins>>()
type Amount = number | Field.Operand<number>
holds<Equals<Parameters<typeof ref.coins.increment>, [by?: Amount | undefined, bounds?: Field.Bounds | undefined]>>()
holds<Equals<Parameters<typeof ref.coins.clamp>, [low: Amount, high: Amount, bounds?: Field.Bounds | undefined]>>()
void ref.coins.increment(5)
// @ts-expect-error: what is stored has the brand
void ref.coins.set(5)
void ref.coins.set(Coins.make(5))
// @ts-expect-error
void ref.int.increment("1")
// @ts-expect-error
void ref.int.increment(1n)
// @ts-expect-error: only `increment` and `decrement` mean 1
void ref.int.multiply()
void ref.int.decrement(1, { atLeast: 0 })
// @ts-expect-error
void ref.int.decrement(1, { minimum: 0 })

// a branded text has no append
holds<Equals<typeof ref.userId, Field.Scalar<UserId>>>()
// @ts-expect-error
ref.userId.append
// @ts-expect-error
void ref.userId.set("u")

// neither has the text of a template
// @ts-expect-error
ref.template.append

// -- 4. one rule for what may be absent ----------------------------------------------------------------------------------

holds<Equals<typeof ref.optionalKey, Field.OptionalNumber<number, Field.Failure, undefined>>>()
holds<Equals<typeof ref.nullInt, Field.OptionalNumber<number, Field.Failure, null>>>()
holds<Equals<typeof ref.optionalBig, Field.OptionalBigInt<bigint, Field.Failure, undefined>>>()
holds<Equals<typeof ref.nullBig, Field.OptionalBigInt<bigint, Field.Failure, null>>>()
holds<Equals<typeof ref.optionalDate, Field.OptionalTime<DateTime.Utc, Field.Failure, undefined>>>()
holds<Equals<typeof ref.nullWait, Field.OptionalTime<Duration.Duration, Field.Failure, null>>>()
holds<Equals<typeof ref.nullable, Field.Optional<string, Field.Failure, null>>>()
holds<Equals<typeof ref.nullFlag, Field.Optional<boolean, Field.Failure, null>>>()
holds<Equals<typeof ref.nullWord, Field.Optional<"a" | "b", Field.Failure, null>>>()
holds<Equals<typeof ref.optionalWord, Field.Optional<1 | 2, Field.Failure, undefined>>>()
holds<Equals<typeof ref.optionalEncoded, Field.Optional<number, Field.Failure, undefined>>>()
holds<Equals<typeof ref.nullStruct, Field.Optional<{ readonly a: number }, Field.Failure, null>>>()
holds<Equals<typeof ref.nullSet, Field.Optional<ReadonlySet<string>, Field.Failure, null>>>()
holds<Equals<typeof ref.optionalSet, Field.Optional<ReadonlySet<string>, Field.Failure, undefined>>>()
void ref.nullable.set(null)
void ref.optionalKey.set(undefined)
// @ts-expect-error: `null` is what a nullable field is without a value
void ref.nullable.set(undefined)
// @ts-expect-error
void ref.optionalKey.set(null)
void (ref.nullable satisfies Field.Optional<string>)
holds<Equals<Names<typeof ref.optionalKey>, OptionalNumberNames>>()
holds<Equals<Names<typeof ref.nullBig>, Exclude<OptionalNumberNames, "divide" | "power">>>()
holds<Equals<Names<typeof ref.nullWait>, OptionalNames | OrderingNames | "add" | "subtract">>()
holds<Equals<ErrorOf<typeof ref.nullInt.get>, NotFound | Invalid>>()
holds<Equals<ErrorOf<typeof ref.nullInt.increment>, NotFound | Invalid | Bounds | Arithmetic>>()
holds<Equals<typeof ref.optional, Field.Optional<string, Field.Failure, undefined>>>()
holds<Equals<typeof ref.undefinable, Field.Optional<boolean, Field.Failure, undefined>>>()
holds<Equals<typeof ref.optionalStruct, Field.Optional<{ readonly a: number }, Field.Failure, undefined>>>()
holds<Equals<typeof ref.optionalList, Field.Optional<ReadonlyArray<number>, Field.Failure, undefined>>>()
holds<Equals<typeof ref.jsonOptional, Field.Optional<ReadonlyArray<number>, Field.Failure, undefined>>>()
holds<Equals<typeof ref.optionalJson, Field.Optional<ReadonlyArray<number>, Field.Failure, undefined>>>()
holds<Equals<typeof ref.optionalUnknown, Field.Optional<unknown, Field.Failure, undefined>>>()
holds<Equals<typeof ref.optionalAny, Field.Optional<any>>>()
holds<Equals<Names<typeof ref.optional>, OptionalNames>>()
holds<Equals<SuccessOf<typeof ref.optional.get>, Option.Option<string>>>()
holds<Equals<SuccessOf<typeof ref.optional.setIfAbsent>, boolean>>()
void ref.optionalKey.increment(1, { initial: 0, atMost: 5 })
// @ts-expect-error: there may be nothing to add to
void ref.optionalKey.increment(1)
// @ts-expect-error
void ref.optionalKey.increment()
// @ts-expect-error
void ref.nullBig.increment(1n, { initial: 0 })
// @ts-expect-error
void ref.nullWait.add("1 day", {})
// @ts-expect-error
ref.optionalEncoded.increment
// @ts-expect-error
ref.optionalWord.increment
// @ts-expect-error
ref.nullSet.add
// @ts-expect-error: only what may be absent can be cleared
ref.text.clear

// -- 5. items of lists, entries of maps ------------------------------------------------------------------------------------

const countAt = ref.counts.at(0)
holds<Equals<typeof countAt, Field.Number<number, NotFound | Invalid | Index>>>()
const flagAt = ref.flags.at(0)
holds<Equals<typeof flagAt, Field.Bool<NotFound | Invalid | Index>>>()
const idAt = ref.ids.at(0)
holds<Equals<typeof idAt, Field.Scalar<UserId, NotFound | Invalid | Index>>>()
const choiceAt = ref.choices.at(0)
holds<Equals<typeof choiceAt, Field.Scalar<"x" | "y", NotFound | Invalid | Index>>>()
const dateAt = ref.dates.at(0)
holds<Equals<typeof dateAt, Field.Time<DateTime.Utc, NotFound | Invalid | Index>>>()
const pointAt = ref.spots.at(0)
holds<Equals<typeof pointAt, Field.Value<{ readonly x: number; readonly y: number }, NotFound | Invalid | Index>>>()
const nestedAt = ref.nested.at(0)
holds<Equals<typeof nestedAt, Field.Value<ReadonlyArray<number>, NotFound | Invalid | Index>>>()
const nullableAt = ref.nullables.at(0)
holds<Equals<typeof nullableAt, Field.Value<number | null, NotFound | Invalid | Index>>>()
const encodedAt = ref.encodedItems.at(0)
holds<Equals<typeof encodedAt, Field.Value<number, NotFound | Invalid | Index>>>()
holds<Equals<ErrorOf<typeof countAt.increment>, NotFound | Invalid | Index | Bounds | Arithmetic>>()
const entryAt = ref.record.at("a")
holds<Equals<typeof entryAt, Field.NumberEntry<number, NotFound | Invalid | Bounds>>>()
holds<Equals<Names<typeof entryAt>, OptionalNumberNames | "getAndSet">>()
const entrySet = entryAt.set(1)
holds<Equals<typeof entrySet, Atomic.Atomic<void, NotFound | Invalid | Bounds>>>()
holds<Equals<ErrorOf<typeof entryAt.set>, NotFound | Invalid | Bounds | Arithmetic>>()
holds<Equals<ErrorOf<typeof entryAt.increment>, NotFound | Invalid | Bounds | Arithmetic>>()
holds<Equals<SuccessOf<typeof entryAt.getAndSet>, Option.Option<number>>>()
const flagEntry = ref.hashMap.at(new Date(0))
holds<Equals<typeof flagEntry, Field.BoolEntry>>()
holds<Equals<Names<typeof flagEntry>, EntryNames | "toggle">>()
declare const userId: UserId
const textEntry = ref.byId.at(userId)
holds<Equals<typeof textEntry, Field.TextEntry>>()
holds<Equals<Names<typeof textEntry>, EntryNames | OrderingNames | "append">>()
const bigEntry = ref.byTemplate.at("v1")
holds<Equals<typeof bigEntry, Field.BigIntEntry>>()
holds<Equals<Names<typeof bigEntry>, Exclude<OptionalNumberNames, "divide" | "power"> | "getAndSet">>()
const waitEntry = ref.waits.at("a")
holds<Equals<typeof waitEntry, Field.TimeEntry<Duration.Duration>>>()
holds<Equals<Names<typeof waitEntry>, EntryNames | OrderingNames | "add" | "subtract">>()
const wordEntry = ref.words2.at("a")
holds<Equals<typeof wordEntry, Field.Entry<"x" | "y">>>()
const structEntry = ref.structs.at("a")
holds<Equals<typeof structEntry, Field.Entry<{ readonly a: number }>>>()
void ref.record.at("a").increment()
void ref.record.at("a").increment(5, { initial: 1, atMost: 10 })
void bigEntry.decrement()
// @ts-expect-error: only counters begin by themselves
void ref.record.at("a").multiply(2)
// @ts-expect-error
void waitEntry.add("1 day")
// @ts-expect-error: an entry that is a struct is read and replaced as a whole
structEntry.a
// @ts-expect-error
wordEntry.append

// @ts-expect-error: an item that is a struct is read and replaced as a whole
ref.spots.at(0).x
// @ts-expect-error
void ref.words.at("0")

// a handle belongs to its own type: it neither widens nor narrows
declare const takesText: (field: Field.Text) => void
declare const takesValue: <A>(field: Field.Value<A>) => A
takesText(ref.text)
// @ts-expect-error
takesText(ref.userId)
// @ts-expect-error: `set` would take any text
const widened: Field.Value<string> = ref.literals
takesValue(ref.int) satisfies number

void widened
