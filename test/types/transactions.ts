/**
 * The types of conditions, operands, guards and branches: results, errors, and programs that do not compile.
 */
import { Data, type Duration, Effect, type Exit, type Option, Schema } from "effect"
import { Atomic, Condition, type Field, Model, type RedisService } from "redlayer"
import { type Equals, holds } from "./equals.ts"
import type { Arithmetic, Bounds, Corrupted, Exists, Failed, Index, Invalid, NotFound } from "./errors.ts"

type Success<P> = Atomic.Success<P>
type ErrorOf<P> = Atomic.Error<P>

const UserId = Schema.String.pipe(Schema.brand("UserId"))
const Coins = Schema.Int.pipe(Schema.brand("Coins"))

const Item = Model.make("types/transactions/Item", {
  id: Schema.String,
  text: Schema.String,
  text2: Schema.String,
  int: Schema.Int,
  num: Schema.Number,
  big: Schema.BigInt,
  big2: Schema.BigInt,
  date: Schema.Date,
  utc: Schema.DateTimeUtc,
  wait: Schema.Duration,
  bool: Schema.Boolean,
  word: Schema.Literals(["a", "b"]),
  word2: Schema.Literals(["b", "c"]),
  level: Schema.Literals([1, 2]),
  userId: UserId,
  coins: Coins,
  json: Model.json(Schema.Array(Schema.Int)),
  optInt: Schema.optionalKey(Schema.Int),
  nullText: Schema.NullOr(Schema.String),
  list: Schema.Array(Schema.Int),
  texts: Schema.Array(Schema.String),
  set: Schema.ReadonlySet(Schema.String),
  record: Schema.Record(Schema.String, Schema.Int),
  names: Schema.Record(Schema.String, Schema.String),
  sorted: Model.sortedSet(Schema.String),
  struct: Schema.Struct({ a: Schema.Int, b: Schema.optionalKey(Schema.String) })
}, { key: "id" })

const ref = Item.ref("1")
const { big, bool, coins, date, int, json, level, list, num, optInt, text, utc, wait, word } = ref

class NotEnough extends Data.TaggedError("NotEnough")<{ readonly coins: number }> {}
class Closed extends Data.TaggedError("Closed")<{}> {}

// -- conditions ------------------------------------------------------------------------------------------------------------

const more = int.gt(5)
holds<Equals<typeof more, Condition.Condition<NotFound | Invalid>>>()
holds<Equals<Success<typeof more>, boolean>>()
holds<Equals<Condition.Error<typeof more>, NotFound | Invalid>>()
// each is a program, and an effect
void (more satisfies Atomic.Atomic<boolean, NotFound | Invalid>)
void (more satisfies Effect.Effect<boolean, NotFound | Invalid | Failed, RedisService.RedisService>)
const at = list.at(0).eq(1)
holds<Equals<typeof at, Condition.Condition<NotFound | Invalid | Index>>>()
const exists = Item.exists("1")
holds<Equals<typeof exists, Condition.Condition<Invalid>>>()
const has = [list.contains(1), ref.set.has("a"), ref.record.has("a"), ref.sorted.has("a")] as const
holds<Equals<typeof has[0 | 1 | 2 | 3], Condition.Condition<NotFound | Invalid>>>()
const size = list.length()
holds<Equals<typeof size, Field.Count>>()
holds<Equals<Success<typeof size>, number>>()
const wide = ref.set.size().gte(5)
holds<Equals<typeof wide, Condition.Condition<NotFound | Invalid>>>()
const entry = ref.record.at("a").gt(1)
holds<Equals<typeof entry, Condition.Condition<NotFound | Invalid | Bounds>>>()

const both = Condition.and(more, at, exists)
holds<Equals<typeof both, Condition.Condition<NotFound | Invalid | Index>>>()
const either = Condition.or(exists, exists)
holds<Equals<typeof either, Condition.Condition<Invalid>>>()
const none = Condition.not(Condition.and(Condition.or(exists, at), more))
holds<Equals<typeof none, Condition.Condition<NotFound | Invalid | Index>>>()
declare const many: readonly [typeof more, ...Array<typeof exists>]
const all = Condition.and(...many)
holds<Equals<typeof all, Condition.Condition<NotFound | Invalid>>>()
declare const every: Array<typeof exists | typeof at>
const everySpread = Condition.or(...every)
holds<Equals<typeof everySpread, Condition.Condition<NotFound | Invalid | Index>>>()
const everyOne = Condition.and(every)
holds<Equals<typeof everyOne, Condition.Condition<NotFound | Invalid | Index>>>()
const arrayOf = Condition.and([exists, at, more])
holds<Equals<typeof arrayOf, Condition.Condition<NotFound | Invalid | Index>>>()
const noneOf = Condition.and([])
holds<Equals<typeof noneOf, Condition.Condition>>()
// @ts-expect-error: a program is no condition
void Condition.and([exists, ref.int.get()])
// @ts-expect-error
void Condition.or([true])
// @ts-expect-error
void Condition.not()
declare const unknown: unknown
if (Condition.isCondition(unknown)) holds<Equals<typeof unknown, Condition.Condition<unknown>>>()
const wider: Condition.Condition<NotFound | Invalid | Bounds> = more
void wider
holds<Equals<typeof more extends Condition.Condition<NotFound> ? true : false, false>>()

// a program that gives a boolean is no condition
// @ts-expect-error
void Condition.not(bool.get())
// @ts-expect-error
void Condition.and(more, bool.get())
// @ts-expect-error
void Condition.or(Atomic.map(more, (is) => !is), more)
// @ts-expect-error
void Condition.not(bool.toggle())
// @ts-expect-error
void Condition.not(int.compareAndSet(1, 2))
// @ts-expect-error
void Condition.and(true, more)
// @ts-expect-error
void Condition.not(Atomic.commit(more))
// @ts-expect-error: a handle is no condition
void Condition.not(bool)
// @ts-expect-error: a count is no condition
void Condition.not(size)
// @ts-expect-error: a condition, and not its effect
void Condition.not(Effect.map(more, (is) => is))

// what each kind can be compared with
void [
  text.eq("a"),
  text.lt("a"),
  text.in(["a"]),
  int.neq(1),
  int.lte(1),
  num.gte(0.5),
  big.gt(1n),
  date.lt(new Date(0))
]
void [bool.eq(true), bool.in([true]), word.eq("a"), word.in(["a", "b"]), level.eq(1), json.eq([1]), optInt.lt(5)]
void [ref.nullText.eq("a"), ref.names.at("a").lt("b"), ref.struct.$.eq({ a: 1 }), ref.struct.$.neq({ a: 1, b: "b" })]
// @ts-expect-error
void text.eq(1)
// @ts-expect-error
void int.eq("1")
// @ts-expect-error
void int.lt(1n)
// @ts-expect-error
void big.lt(1)
// @ts-expect-error
void date.lt(5)
// @ts-expect-error
void utc.eq(new Date(0))
// @ts-expect-error
void word.eq("c")
// @ts-expect-error
void word.in(["a", "c"])
// @ts-expect-error
void int.in(1)
// @ts-expect-error
void level.eq(3)
// @ts-expect-error
void ref.userId.eq("a")
// @ts-expect-error
void json.eq(["a"])
// @ts-expect-error: what is absent is asked for by `isSet`
void optInt.eq(undefined)
// @ts-expect-error
void ref.nullText.eq(null)
// @ts-expect-error
void size.gt("1")
// @ts-expect-error
void ref.struct.$.eq({ b: "b" })
// @ts-expect-error
void list.contains("a")
// booleans, words, JSON and structs have no order
// @ts-expect-error
bool.lt
// @ts-expect-error
word.gt
// @ts-expect-error
json.lte
// @ts-expect-error
ref.userId.gte
// @ts-expect-error
ref.nullText.lt
// @ts-expect-error
ref.struct.$.lt
// @ts-expect-error: only some may be absent
int.isSet
// @ts-expect-error: what may be absent is one of nothing
optInt.in
// @ts-expect-error
list.eq
// @ts-expect-error
ref.set.eq
// @ts-expect-error
json.in

// -- operands --------------------------------------------------------------------------------------------------------------

const value = int.value()
holds<Equals<typeof value, Field.NumberOperand<number, NotFound | Invalid>>>()
const sum = value.plus(num.value()).times(2).minus(1).dividedBy(3).quotient(2).modulo(5).min(9).max(num.value())
holds<Equals<typeof sum, Field.NumberOperand<number, NotFound | Invalid>>>()
const bigSum = big.value().plus(1n).minus(big.value()).times(2n).quotient(3n).modulo(2n).min(1n).max(0n)
holds<Equals<typeof bigSum, Field.BigIntOperand<bigint, NotFound | Invalid>>>()
const textValue = text.value()
holds<Equals<typeof textValue, Field.Operand<string, NotFound | Invalid>>>()
const sizeValue = size.value()
holds<Equals<typeof sizeValue, Field.NumberOperand<number, NotFound | Invalid>>>()

const setBySum = int.set(sum)
holds<Equals<typeof setBySum, Atomic.Atomic<void, NotFound | Invalid | Bounds | Arithmetic>>>()
const setPlain = int.set(5)
holds<Equals<typeof setPlain, Atomic.Atomic<void, NotFound | Invalid>>>()
const increased = int.increment(sum)
holds<Equals<typeof increased, Atomic.Atomic<number, NotFound | Invalid | Bounds | Arithmetic>>>()
const compared = int.lt(sum)
holds<Equals<typeof compared, Condition.Condition<NotFound | Invalid | Arithmetic>>>()
const comparedPlain = int.lt(5)
holds<Equals<typeof comparedPlain, Condition.Condition<NotFound | Invalid>>>()
const coinsBy = coins.increment(int.value())
holds<Equals<Success<typeof coinsBy>, typeof Coins.Type>>()
void [int.decrement(value), int.multiply(value), int.divide(value), int.quotient(value), int.modulo(value)]
void [int.min(value), int.max(value), int.clamp(value, 5), int.clamp(0, value), int.increment(value, { atMost: 5 })]
void [big.increment(bigSum), big.set(bigSum), big.eq(bigSum), big.clamp(0n, bigSum)]
void [text.append(textValue), text.set(ref.text2.value()), text.eq(ref.text2.value()), text.lt(textValue)]
void [int.increment(sizeValue), int.set(sizeValue), size.eq(int.value()), int.gt(ref.set.size().value().plus(1))]
void [optInt.increment(value, { initial: 0 }), optInt.eq(value), ref.record.at("a").increment(value)]
void [ref.names.at("a").append(textValue), list.at(0).increment(value), list.at(0).eq(value)]
void [
  date.set(date.value()),
  date.lt(date.value()),
  wait.eq(wait.value()),
  word.set(word.value()),
  bool.set(bool.value())
]
void [json.set(json.value()), coins.set(coins.value()), ref.userId.eq(ref.userId.value()), text.eq(ref.userId.value())]
void [ref.struct.a.increment(ref.struct.a.value()), num.set(int.value()), num.lt(Item.ref("2").int.value())]

// @ts-expect-error: a text is no number
void int.increment(textValue)
// @ts-expect-error
void int.set(textValue)
// @ts-expect-error
void int.eq(textValue)
// @ts-expect-error
void int.increment(value.plus(textValue))
// @ts-expect-error: a bigint is not an operand for a number
void int.increment(big.value())
// @ts-expect-error
void int.eq(bigSum)
// @ts-expect-error
void value.plus(1n)
// @ts-expect-error
void value.times(big.value())
// @ts-expect-error: nor a number a bigint
void big.increment(value)
// @ts-expect-error
void big.set(sum)
// @ts-expect-error
void bigSum.plus(1)
// @ts-expect-error
void big.lt(list.length().value())
// @ts-expect-error
bigSum.dividedBy
// @ts-expect-error
void text.append(value)
// @ts-expect-error
void text.set(value)
// @ts-expect-error
void bool.set(textValue)
// @ts-expect-error
void word.set(textValue)
// @ts-expect-error: another word may be none of these
void word.set(ref.word2.value())
// @ts-expect-error: any number may be none of these
void level.set(value)
// @ts-expect-error: what is stored has the brand
void coins.set(value)
// @ts-expect-error
void ref.userId.set(textValue)
// @ts-expect-error
void json.set(textValue)
// @ts-expect-error: dates of two kinds
void date.set(utc.value())
// @ts-expect-error
void wait.set(date.value())
// @ts-expect-error
void size.eq(textValue)
// an item may not be there, which is an error of its own
const item = list.at(0).value()
holds<Equals<typeof item, Field.NumberOperand<number, NotFound | Invalid | Index>>>()
holds<Equals<typeof item extends Parameters<typeof int.increment>[0] ? true : false, false>>()
holds<Equals<typeof item extends Parameters<typeof int.eq>[0] ? true : false, false>>()
holds<Equals<typeof item extends Parameters<typeof value.plus>[0] ? true : false, false>>()
holds<Equals<typeof value extends Parameters<typeof int.increment>[0] ? true : false, true>>()
const textItem = ref.texts.at(0).value()
holds<Equals<typeof textItem extends Parameters<typeof text.append>[0] ? true : false, false>>()
// @ts-expect-error: what may be absent is an operand with a default only
void optInt.value()
// @ts-expect-error
void ref.nullText.value()
// @ts-expect-error
void ref.record.at("a").value()
const orZero = optInt.value({ default: 0 })
holds<Equals<typeof orZero, Field.NumberOperand<number>>>()
void int.increment(ref.record.at("a").value({ default: 1 }).plus(orZero))
void text.append(ref.nullText.value({ default: "" }))
// @ts-expect-error: the default is a value of the field
void optInt.value({ default: "0" })
// @ts-expect-error: only numbers compute
textValue.plus
// @ts-expect-error: a date moves by durations
void date.value().plus(date.value())
// @ts-expect-error: a duration has no arithmetic
wait.value().plus
// @ts-expect-error
bool.value().min
// @ts-expect-error: a list is not an operand
list.value
// @ts-expect-error
ref.set.value
// @ts-expect-error: the exponent is known
void int.power(value)
// @ts-expect-error: a handle is no operand
void int.increment(num)
// @ts-expect-error: nor is a program
void int.increment(num.get())
void list.append(value)
void list.append([1, value])
void optInt.set(value)
// @ts-expect-error
void list.append(textValue)
// @ts-expect-error
void optInt.set(textValue)
// @ts-expect-error
void Item.update("1", { int: value })
// @ts-expect-error: an operand is no program
void Atomic.all([value])
// @ts-expect-error: a bound is known
void int.increment(1, { atMost: value })

// -- guards ----------------------------------------------------------------------------------------------------------------

const guard = Atomic.guard(more, () => new Closed())
holds<Equals<typeof guard, Atomic.Atomic<void, NotFound | Invalid | Closed>>>()
// the error is there, and nowhere else
const after = guard.pipe(Atomic.andThen(text.get()))
holds<Equals<typeof after, Atomic.Atomic<string, NotFound | Invalid | Closed>>>()
holds<Equals<ErrorOf<typeof more>, NotFound | Invalid>>()
const beside = Atomic.all({ guard, other: text.get(), second: Atomic.guard(exists, () => "no" as const) })
holds<Equals<Success<typeof beside>, { guard: void; other: string; second: void }>>()
holds<Equals<ErrorOf<typeof beside>, NotFound | Invalid | Closed | "no">>()
const onlyOwn = Atomic.guard(exists, () => 5 as const)
holds<Equals<ErrorOf<typeof onlyOwn>, Invalid | 5>>()
const never = Atomic.guard(exists, (): never => {
  throw new Error()
})
holds<Equals<ErrorOf<typeof never>, Invalid>>()
const caught = Effect.catchTag(after, "Closed", () => Effect.succeed(1))
holds<Equals<Effect.Success<typeof caught>, string | number>>()
holds<Equals<Effect.Error<typeof caught>, NotFound | Invalid | Failed>>()
// @ts-expect-error: such an error can't happen
void Effect.catchTag(text.get(), "Closed", () => Effect.succeed(1))

const observing = Atomic.guard(
  more,
  { observe: { coins: int, tags: ref.set, item: list.at(0), maybe: optInt, whole: ref.struct.$, text } },
  (seen) => {
    holds<
      Equals<
        typeof seen,
        {
          readonly coins: number
          readonly tags: ReadonlySet<string>
          readonly item: number
          readonly maybe: Option.Option<number>
          readonly whole: { readonly a: number; readonly b?: string }
          readonly text: string
        }
      >
    >()
    return new NotEnough({ coins: seen.coins })
  }
)
holds<Equals<Success<typeof observing>, void>>()
holds<Equals<ErrorOf<typeof observing>, NotFound | Invalid | Index | Corrupted | NotEnough>>()
const observingFew = Atomic.guard(more, { observe: { coins } }, ({ coins }) => new NotEnough({ coins }))
holds<Equals<ErrorOf<typeof observingFew>, NotFound | Invalid | NotEnough>>()
// @ts-expect-error: a condition
void Atomic.guard(bool.get(), () => new Closed())
// @ts-expect-error
void Atomic.guard(true, () => new Closed())
// @ts-expect-error: a function, since it is made each time
void Atomic.guard(more, new Closed())
// @ts-expect-error
void Atomic.guard(more, { observe: { coins } }, ({ gold }) => gold)
const observedRead = Atomic.guard(more, { observe: { coins: ref.coins.get(), left: Item.timeToLive("1") } }, (seen) => {
  holds<Equals<typeof seen, { readonly coins: typeof Coins.Type; readonly left: Option.Option<Duration.Duration> }>>()
  return new Closed()
})
holds<Equals<ErrorOf<typeof observedRead>, NotFound | Invalid | Closed>>()
// @ts-expect-error
void Atomic.guard(more, { observe: { coins: 5 } }, () => new Closed())
// @ts-expect-error
void Atomic.guard(more)

// -- branches --------------------------------------------------------------------------------------------------------------

const when = int.increment().pipe(Atomic.when(at))
holds<Equals<typeof when, Atomic.Atomic<Option.Option<number>, NotFound | Invalid | Bounds | Arithmetic | Index>>>()
const whenFirst = Atomic.when(text.get(), exists)
holds<Equals<typeof whenFirst, Atomic.Atomic<Option.Option<string>, NotFound | Invalid>>>()
const whenGuarded = Atomic.when(guard, exists)
holds<Equals<typeof whenGuarded, Atomic.Atomic<Option.Option<void>, NotFound | Invalid | Closed>>>()
// @ts-expect-error
void Atomic.when(text.get(), bool.get())
// @ts-expect-error
void text.get().pipe(Atomic.when(true))
// @ts-expect-error: the program is the first
void Atomic.when(exists, text.get())
// @ts-expect-error
void Atomic.when(() => text.get(), exists)

const chosen = Atomic.if(at, { onTrue: text.get(), onFalse: int.increment() })
holds<Equals<typeof chosen, Atomic.Atomic<string | number, NotFound | Invalid | Index | Bounds | Arithmetic>>>()
const piped = exists.pipe(Atomic.if({ onTrue: Item.get("1"), onFalse: guard }))
holds<Equals<ErrorOf<typeof piped>, NotFound | Invalid | Corrupted | Closed>>()
const chosenAlike = Atomic.if(exists, { onTrue: Atomic.succeed(1 as const), onFalse: Atomic.succeed(2 as const) })
holds<Equals<typeof chosenAlike, Atomic.Atomic<1 | 2, Invalid>>>()
// @ts-expect-error
void Atomic.if(bool.get(), { onTrue: text.get(), onFalse: text.get() })
// @ts-expect-error
void Atomic.if(exists, { onTrue: text.get() })
// @ts-expect-error
void Atomic.if(exists, { onTrue: text.get(), onFalse: () => text.get() })
// @ts-expect-error
void Atomic.if(exists, { onTrue: text.get(), onFalse: Effect.succeed(1) })

// the first one's errors are gone, but those that it can't catch
const first = Atomic.orElse(int.increment(), text.get())
holds<Equals<typeof first, Atomic.Atomic<string | number, NotFound | Invalid>>>()
const harmless = Atomic.orElse(int.increment(), Atomic.succeed("none"))
holds<Equals<typeof harmless, Atomic.Atomic<string | number, Invalid>>>()
const whole = Item.get("1").pipe(Atomic.orElse(Atomic.succeed(null)))
holds<Equals<ErrorOf<typeof whole>, Invalid | Corrupted>>()
const inserted = Atomic.orElse(
  Item.insert(null!),
  Atomic.guard(exists, () => new Closed())
)
holds<Equals<ErrorOf<typeof inserted>, Invalid | Closed>>()
const guarded = Atomic.orElse(guard, int.increment())
holds<Equals<ErrorOf<typeof guarded>, NotFound | Invalid | Bounds | Arithmetic>>()
const three = int.increment().pipe(Atomic.orElse(Item.insert(null!)), Atomic.orElse(Atomic.succeed(true)))
holds<Equals<ErrorOf<typeof three>, Invalid>>()
declare const creating: Atomic.Atomic<number, Exists>
const created = Atomic.orElse(creating, Atomic.succeed(1))
holds<Equals<typeof created, Atomic.Atomic<number>>>()
// @ts-expect-error
void Atomic.orElse(int.increment(), () => text.get())
// @ts-expect-error
void Atomic.orElse(int.increment(), Effect.succeed(1))

const ignored = Atomic.ignoreMissing(int.increment())
holds<Equals<typeof ignored, Atomic.Atomic<Option.Option<number>, Invalid | Bounds | Arithmetic>>>()
const ignoredWhole = Item.get("1").pipe(Atomic.ignoreMissing)
holds<Equals<ErrorOf<typeof ignoredWhole>, Invalid | Corrupted>>()
const ignoredGuard = Atomic.ignoreMissing(guard)
holds<Equals<typeof ignoredGuard, Atomic.Atomic<Option.Option<void>, Invalid | Closed>>>()
// @ts-expect-error
void Atomic.ignoreMissing(Effect.succeed(1))

// -- sequences -------------------------------------------------------------------------------------------------------------

const tapped = text.get().pipe(Atomic.tap(int.increment()))
holds<Equals<typeof tapped, Atomic.Atomic<string, NotFound | Invalid | Bounds | Arithmetic>>>()
const tappedFirst = Atomic.tap(guard, text.get())
holds<Equals<typeof tappedFirst, Atomic.Atomic<void, NotFound | Invalid | Closed>>>()
// @ts-expect-error
void Atomic.tap(text.get(), () => int.increment())

const each = Atomic.forEach(["1", "2"], (id, i) => Item.ref(id).int.increment(i))
holds<Equals<typeof each, Atomic.Atomic<Array<number>, NotFound | Invalid | Bounds | Arithmetic>>>()
const eachLast = Atomic.forEach((n: number) => Atomic.guard(int.gt(n), () => new Closed()))
holds<Equals<ReturnType<typeof eachLast>, Atomic.Atomic<Array<void>, NotFound | Invalid | Closed>>>()
// @ts-expect-error
void Atomic.forEach(["1"], (id) => Effect.succeed(id))

const tuple = Atomic.all([more, when, first, ignored])
holds<
  Equals<
    Success<typeof tuple>,
    [boolean, Option.Option<number>, string | number, Option.Option<number>]
  >
>()
holds<Equals<ErrorOf<typeof tuple>, NotFound | Invalid | Bounds | Arithmetic | Index>>()
declare const guards: ReadonlyArray<typeof guard>
const array = Atomic.all(guards)
holds<Equals<ErrorOf<typeof array>, NotFound | Invalid | Closed>>()
holds<Equals<Success<typeof array>[number], void>>()
const record = Atomic.all({ is: more, maybe: when, size })
holds<Equals<Success<typeof record>, { is: boolean; maybe: Option.Option<number>; size: number }>>()
const fixed = Atomic.all([Atomic.succeed(1), Atomic.as(exists, "x")])
holds<Equals<ErrorOf<typeof fixed>, Invalid>>()

const exits = Atomic.pipeline([guard, text.get(), Atomic.succeed(1)])
holds<
  Equals<
    typeof exits,
    Effect.Effect<
      [
        Exit.Exit<void, NotFound | Invalid | Closed | Failed>,
        Exit.Exit<string, NotFound | Invalid | Failed>,
        Exit.Exit<number, Failed>
      ],
      never,
      RedisService.RedisService
    >
  >
>()
// @ts-expect-error
void Atomic.pipeline([Effect.succeed(1)])

const explained = Atomic.explain(after)
holds<Equals<typeof explained, Effect.Effect<Atomic.Explanation, Invalid>>>()
const explainedFor = Atomic.explain(Atomic.succeed(1))
holds<Equals<typeof explainedFor, Effect.Effect<Atomic.Explanation>>>()

// -- generic over models and fields ------------------------------------------------------------------------------------------

interface Holder<Id> {
  readonly ref: (id: Id) => { readonly int: Field.Number }
}

const moved = <Id>(model: Holder<Id>, from: Id, to: Id, amount: number) => {
  const [a, b] = [model.ref(from).int, model.ref(to).int]
  return Atomic.guard(a.gte(amount), { observe: { coins: a } }, ({ coins }) => new NotEnough({ coins })).pipe(
    Atomic.andThen(a.decrement(amount)),
    Atomic.andThen(b.increment(amount))
  )
}
const movedItems = moved(Item, "1", "2", 5)
holds<Equals<typeof movedItems, Atomic.Atomic<number, NotFound | Invalid | Bounds | Arithmetic | NotEnough>>>()
// @ts-expect-error
void moved(Item, 1, 2, 5)

const raised = <A extends number, E>(field: Field.Number<A, E>, by: Field.Operand<number>, below: A) =>
  field.increment(by).pipe(Atomic.when(field.lt(below)))
const raisedCoins = raised(coins, int.value(), Coins.make(5))
holds<
  Equals<
    typeof raisedCoins,
    Atomic.Atomic<Option.Option<typeof Coins.Type>, NotFound | Invalid | Bounds | Arithmetic>
  >
>()
// @ts-expect-error
void raised(coins, text.value(), Coins.make(5))
// @ts-expect-error
void raised(coins, int.value(), 5)

const within = <A, E>(field: Field.Ordering<A, E>, low: A, high: A) => Condition.and(field.gte(low), field.lte(high))
const inWindow = within(date, new Date(0), new Date(1))
holds<Equals<typeof inWindow, Condition.Condition<NotFound | Invalid>>>()
void within(list.length(), 0, 5)
void within(list.at(0), 0, 5)
// @ts-expect-error
void within(bool, false, true)

const firstOf = <A, E>(programs: readonly [Atomic.Atomic<A, E>, ...Array<Atomic.Atomic<A, E>>]) =>
  programs.reduce((self, that) => Atomic.orElse(self, that))
const firstFound = firstOf([int.increment(), num.increment()])
holds<Equals<Success<typeof firstFound>, number>>()

const onlyIfThere = <M extends Model.Any, A, E>(
  model: M,
  id: Model.Id<M>,
  program: Atomic.Atomic<A, E>
): Atomic.Atomic<Option.Option<A>, E | Invalid> => Atomic.when(program, model.exists(id))
const there = onlyIfThere(Item, "1", int.increment())
holds<Equals<Success<typeof there>, Option.Option<number>>>()

const allOf = <const C extends readonly [Condition.Any, ...Array<Condition.Any>]>(conditions: C) =>
  Condition.and(...conditions)
const all3 = allOf([more, at, exists])
holds<Equals<Condition.Error<typeof all3>, NotFound | Invalid | Index>>()
