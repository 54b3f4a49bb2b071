/**
 * The operations that are O(1) alone, of every family, for `growth-program`. Those of a sorted set are O(log n) in its size, which
 * does not change here. Operation number `i` of a program is `make(i)`, so that a program takes no item twice.
 */
import { Data, DateTime, Duration, Schema } from "effect"
import { Atomic, Condition, Model, Topic } from "redlayer"

class Sheet extends Model.Class<Sheet>("Sheet")({
  id: Schema.String,
  text: Schema.String,
  int: Schema.Int,
  finite: Schema.Finite,
  big: Schema.BigInt,
  flag: Schema.Boolean,
  date: Schema.Date,
  time: Schema.DateTimeUtc,
  duration: Schema.Duration,
  bytes: Schema.Uint8Array,
  perhaps: Schema.NullOr(Schema.Int),
  list: Schema.Array(Schema.String),
  moments: Schema.Array(Schema.Date),
  set: Schema.ReadonlySet(Schema.String),
  map: Schema.Record(Schema.String, Schema.Int),
  ranking: Model.sortedSet(Schema.String),
  nested: Schema.Struct({ wins: Schema.Int, losses: Schema.Int }),
  json: Model.json(Schema.Array(Schema.Int))
}, { key: "id", slot: { partitions: 1 } }) {}

/** A small model whose entities live for a day: programs on whole entities, and on many of them. */
class Card extends Model.Class<Card>("Card")({
  id: Schema.String,
  n: Schema.Int,
  tags: Schema.ReadonlySet(Schema.String)
}, { key: "id", slot: { partitions: 1 }, timeToLive: { duration: "1 day" } }) {}

/** A model with a sum of its entities. */
class Stake extends Model.Class<Stake>("Stake")({ id: Schema.String, n: Schema.Int }, {
  key: "id",
  summed: { n: { of: "n", by: [] } }
}) {}

class Refused extends Data.TaggedError("Refused") {}

const News = Topic.make("News", Schema.String)

const id = "sheet"
const sheet = Sheet.ref(id)
const cardId = (i: number): string => `card-${i}`
const card = (i: number) => Card.ref(cardId(i))
const newCard = (i: number) => ({ id: cardId(i), n: 0, tags: new Set<string>() })

/** Larger than the longest program. */
export const items = 17_000

const name = (i: number): string => `item-${i}`
const names = Array.from({ length: items }, (_, i) => name(i))

const empty = Sheet.put({
  id,
  text: "text",
  int: 0,
  finite: 1.5,
  big: 0n,
  flag: false,
  date: new Date(0),
  time: DateTime.makeUnsafe(0),
  duration: Duration.seconds(1),
  bytes: new Uint8Array([1, 2, 3]),
  perhaps: null,
  moments: [],
  list: ["first"],
  set: new Set(["first"]),
  map: { first: 1 },
  ranking: [{ member: "first", score: 1 }],
  nested: { wins: 0, losses: 0 },
  json: [1]
})

/** The data that an operation finds: one entity with short collections, one long collection, or many entities. */
const states = {
  short: [empty],
  list: [empty, sheet.list.set(names)],
  set: [empty, sheet.set.set(new Set(names))],
  map: [empty, sheet.map.set(Object.fromEntries(names.map((name, i) => [name, i])))],
  ranking: [empty, sheet.ranking.set(names.map((member, score) => ({ member, score })))],
  cards: [Atomic.forEach(names, (_, i) => Card.put({ ...newCard(i), tags: new Set(["a"]) }))],
  noCards: []
} satisfies Record<string, ReadonlyArray<Atomic.Any>>

export type State = keyof typeof states

export const stateOf = (state: State): ReadonlyArray<Atomic.Any> => states[state]

export interface Operation {
  readonly name: string
  readonly state: State
  readonly make: (i: number) => Atomic.Any
  /** The number of instructions that it may take. Programs have so many times fewer of such operations. */
  readonly instructions: number
}

const onShort: Record<string, Operation["make"]> = {
  "text.get": () => sheet.text.get(),
  "text.set": (i) => sheet.text.set(name(i)),
  "text.getAndSet": (i) => sheet.text.getAndSet(name(i)),
  "text.compareAndSet": (i) => sheet.text.compareAndSet("text", name(i)),
  "text.append": () => sheet.text.append("a"),
  "text.eq": () => sheet.text.eq("text"),
  "text.in": () => sheet.text.in(["a", "text"]),
  "text.lt": () => sheet.text.lt("u"),
  "int.get": () => sheet.int.get(),
  "int.set": (i) => sheet.int.set(i),
  "int.increment": () => sheet.int.increment(),
  "int.increment, operand": () => sheet.int.increment(sheet.nested.wins.value()),
  "int.decrement": () => sheet.int.decrement(),
  "int.getAndSet": (i) => sheet.int.getAndSet(i),
  "int.compareAndSet": (i) => sheet.int.compareAndSet(0, i),
  "int.set, operand": () => sheet.int.set(sheet.nested.wins.value()),
  "int.in": () => sheet.int.in([0, 1]),
  "int.multiply": () => sheet.int.multiply(1),
  "int.quotient": () => sheet.int.quotient(2),
  "int.modulo": () => sheet.int.modulo(7),
  "int.min": (i) => sheet.int.min(i),
  "int.max": (i) => sheet.int.max(i),
  "int.clamp": () => sheet.int.clamp(0, 9),
  "int.gte": () => sheet.int.gte(0),
  "int.gte, operand": () => sheet.int.gte(sheet.nested.wins.value()),
  "finite.increment": () => sheet.finite.increment(0.5),
  "finite.divide": () => sheet.finite.divide(1),
  "finite.power": () => sheet.finite.power(1),
  "big.increment": () => sheet.big.increment(1n),
  "big.multiply": () => sheet.big.multiply(1n),
  "flag.toggle": () => sheet.flag.toggle(),
  "flag.eq": () => sheet.flag.eq(true),
  "date.set, now": () => sheet.date.set(Atomic.now),
  "date.subtract": () => sheet.date.subtract("1 second"),
  "date.add": () => sheet.date.add("1 second"),
  "time.lt": () => sheet.time.lt(DateTime.makeUnsafe(1)),
  "duration.add": () => sheet.duration.add("1 second"),
  "bytes.set": (i) => sheet.bytes.set(new Uint8Array([i % 256])),
  "bytes.eq": () => sheet.bytes.eq(new Uint8Array([1, 2, 3])),
  "json.eq": () => sheet.json.eq([1]),
  "perhaps.set": (i) => sheet.perhaps.set(i),
  "perhaps.isSet": () => sheet.perhaps.isSet(),
  "perhaps.setIfAbsent": (i) => sheet.perhaps.setIfAbsent(i),
  "perhaps.increment": () => sheet.perhaps.increment(1, { initial: 0 }),
  "perhaps.clear": () => sheet.perhaps.clear(),
  "json.get": () => sheet.json.get(),
  "json.set": (i) => sheet.json.set([i]),
  "nested.get": () => sheet.nested.$.get(),
  "nested.set": (i) => sheet.nested.$.set({ wins: i, losses: 0 }),
  "nested.wins.increment": () => sheet.nested.wins.increment(),
  "list.append": (i) => sheet.list.append(name(i)),
  "list.append, keep": (i) => sheet.list.append(name(i), { keep: 10 }),
  "list.prepend": (i) => sheet.list.prepend(name(i)),
  "list.insert": (i) => sheet.list.insert(0, name(i)),
  "set.add": (i) => sheet.set.add(name(i)),
  "set.clear": () => sheet.set.clear(),
  "map.put": (i) => sheet.map.put(name(i), i),
  "map.at.set": (i) => sheet.map.at(name(i)).set(i),
  "map.at.increment": (i) => sheet.map.at(name(i)).increment(),
  "ranking.add": (i) => sheet.ranking.add(name(i), i),
  "ranking.increment": (i) => sheet.ranking.increment(name(i)),
  "Model.exists": () => Sheet.exists(id),
  "Model.version": () => Sheet.version(id),
  "Model.atVersion": () => Sheet.atVersion(id, Model.Version.make("1")),
  "Model.pick": () => Sheet.pick(id, ["text", "int"]),
  "Model.update, nothing": () => Sheet.update(id, {}),
  "Model.update": (i) => Sheet.update(id, { int: i }),
  "Model.summed": () => Stake.summed("n"),
  "Topic.publish": (i) => News.publish(name(i))
}

/** Each takes at most eight instructions. */
const combined: typeof onShort = {
  "nested.eq": () => sheet.nested.$.eq({ wins: 0, losses: 0 }),
  "int.increment, computed": () => sheet.int.increment(sheet.nested.wins.value().times(2).plus(1)),
  "moments.append, now": () => sheet.moments.append(Atomic.now),
  "date.set, computed": () => sheet.date.set(Atomic.now.plus("1 hour")),
  "ranking.score, operand": () => sheet.finite.increment(sheet.ranking.score("first").value({ default: 0 })),
  "ranking.score, compared": () => sheet.ranking.score("first").gte(1),
  "Condition.and": () => Condition.and(sheet.int.gte(0), sheet.flag.eq(false)),
  "Condition.or": () => Condition.or(sheet.int.lt(0), sheet.flag.eq(false)),
  "Condition.not": () => Condition.not(sheet.int.lt(0)),
  "Atomic.if": () => Atomic.if(sheet.int.gte(0), { onTrue: sheet.int.increment(), onFalse: sheet.int.decrement() }),
  "Atomic.guard": () => Atomic.guard(sheet.int.gte(0), () => new Refused()),
  "Atomic.when, true": () => sheet.int.increment().pipe(Atomic.when(sheet.int.gte(0))),
  "Atomic.when, false": () => sheet.int.increment().pipe(Atomic.when(sheet.int.lt(0))),
  "Atomic.orElse": () => Atomic.orElse(sheet.int.increment(), Atomic.succeed(0)),
  "Atomic.orElse, failed": () =>
    Atomic.orElse(
      Atomic.andThen(sheet.int.increment(), Atomic.guard(sheet.int.lt(0), () => new Refused())),
      Atomic.succeed(undefined)
    ),
  "Atomic.ignoreMissing": () => Atomic.ignoreMissing(Sheet.ref("missing").int.increment())
}

const onLong = {
  list: {
    "list.length": () => sheet.list.length(),
    "list.at, first": () => sheet.list.at(0).get(),
    "list.at, last": () => sheet.list.at(-1).set("last"),
    "list.length, operand": () => sheet.int.increment(sheet.list.length().value()),
    "list.length, compared": () => sheet.list.length().gte(1),
    "list.pop": () => sheet.list.pop(),
    "list.shift": () => sheet.list.shift(),
    "list.trim": () => sheet.list.trim(1),
    "list.removeRange": () => sheet.list.removeRange(0, 1)
  },
  set: {
    "set.size": () => sheet.set.size(),
    "set.has": (i: number) => sheet.set.has(name(i)),
    "set.add, again": (i: number) => sheet.set.add(name(i)),
    "set.remove": (i: number) => sheet.set.remove(name(i)),
    "set.pop": () => sheet.set.pop()
  },
  map: {
    "map.size": () => sheet.map.size(),
    "map.has": (i: number) => sheet.map.has(name(i)),
    "map.put, again": (i: number) => sheet.map.put(name(i), i),
    "map.remove": (i: number) => sheet.map.remove(name(i)),
    "map.pop": (i: number) => sheet.map.pop(name(i)),
    "map.popAny": () => sheet.map.popAny(),
    "map.at.get": (i: number) => sheet.map.at(name(i)).get(),
    "map.at.isSet": (i: number) => sheet.map.at(name(i)).isSet(),
    "map.at.eq": (i: number) => sheet.map.at(name(i)).eq(i),
    "map.at.increment, again": (i: number) => sheet.map.at(name(i)).increment(),
    "map.at.getAndSet": (i: number) => sheet.map.at(name(i)).getAndSet(1),
    "map.at.clear": (i: number) => sheet.map.at(name(i)).clear()
  },
  ranking: {
    "ranking.size": () => sheet.ranking.size(),
    "ranking.has": (i: number) => sheet.ranking.has(name(i)),
    "ranking.score": (i: number) => sheet.ranking.score(name(i)),
    "ranking.count": (i: number) => sheet.ranking.count({ min: i }),
    "ranking.rank": (i: number) => sheet.ranking.rank(name(i)),
    "ranking.remove": (i: number) => sheet.ranking.remove(name(i)),
    "ranking.popMin": () => sheet.ranking.popMin(),
    "ranking.popMax": () => sheet.ranking.popMax()
  },
  cards: {
    "Model.get, many": (i: number) => Card.get(cardId(i)),
    "Model.find, many": (i: number) => Card.find(cardId(i)),
    "Model.getVersioned, many": (i: number) => Card.getVersioned(cardId(i)),
    "Model.getOrInsert, many": (i: number) => Card.getOrInsert(newCard(i)),
    "Model.duplicate, many": (i: number) => Card.duplicate(cardId(i), `copy-${i}`),
    "Model.update, many": (i: number) => Card.update(cardId(i), { n: 1 }),
    "Model.put, many": (i: number) => Card.put(newCard(i)),
    "Model.delete, many": (i: number) => Card.delete(cardId(i)),
    "Model.expire, many": (i: number) => Card.expire(cardId(i), "1 hour"),
    "Model.persist, many": (i: number) => Card.persist(cardId(i)),
    "Model.timeToLive, many": (i: number) => Card.timeToLive(cardId(i)),
    "int.increment, many": (i: number) => card(i).n.increment(),
    "set.add, many": (i: number) => card(i).tags.add("b")
  },
  noCards: {
    "Model.insert, many": (i: number) => Card.insert(newCard(i)),
    "Model.ensure, many": (i: number) => Card.ensure(newCard(i)),
    "Model.find, none": (i: number) => Card.find(cardId(i))
  }
} satisfies Partial<Record<State, Record<string, Operation["make"]>>>

const operationsOf = (state: State, family: typeof onShort, instructions = 1): ReadonlyArray<Operation> =>
  Object.entries(family).map(([name, make]) => ({ name, state, make, instructions }))

export const operations: ReadonlyArray<Operation> = [
  ...operationsOf("short", onShort),
  ...operationsOf("short", combined, 8),
  ...Object.entries(onLong).flatMap(([state, family]) => operationsOf(state as State, family))
]
