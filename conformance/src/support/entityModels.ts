/** The models of the checks on whole entities. */
import * as DateTime from "effect/DateTime"
import * as Schema from "effect/Schema"
import * as Model from "redlayer/Model"
import type { Operation } from "../assertions.ts"

export class Medal extends Schema.Class<Medal>("EntitiesMedal")({ name: Schema.String, points: Schema.Int }) {
  get label() {
    return `${this.name} (${this.points})`
  }
}

export const Color = { Red: "red", Green: "green" } as const

export class Player extends Model.Class<Player>("EntitiesPlayer")({
  name: Schema.String,
  title: Schema.String,
  level: Schema.Int,
  ratio: Schema.Number,
  active: Schema.Boolean,
  role: Schema.Literals(["user", "admin"]),
  color: Schema.Enum(Color),
  email: Schema.String.pipe(Schema.brand("Email")),
  born: Schema.Date,
  joined: Schema.DateTimeUtc,
  avatar: Schema.Uint8Array,
  tags: Schema.Array(Schema.String),
  scores: Schema.Array(Schema.Number),
  medals: Schema.Array(Medal),
  best: Medal,
  home: Schema.Struct({
    city: Schema.String,
    geo: Schema.Struct({ lat: Schema.Number, lon: Schema.Number, names: Schema.Array(Schema.String) })
  }),
  pair: Schema.Tuple([Schema.String, Schema.Int]),
  choice: Schema.Union([Schema.String, Schema.Int, Schema.Struct({ a: Schema.Boolean })]),
  bag: Schema.Record(Schema.String, Schema.Int),
  note: Schema.NullOr(Schema.String),
  nick: Schema.optionalKey(Schema.String),
  age: Schema.optional(Schema.Int),
  extra: Schema.optionalKey(Schema.Struct({ x: Schema.Int })),
  blob: Schema.Struct({ a: Schema.Int, b: Schema.Array(Schema.Int) }).pipe(Model.json)
}, { key: "name" }) {
  get shout() {
    return `${this.title}!`
  }
  greet(other: string) {
    return `${this.name} greets ${other}`
  }
}

export const email = (text: string) => text as typeof Player.fields.email.Type

export const alice = {
  name: "alice",
  title: "Dr",
  level: 3,
  ratio: 0.1 + 0.2,
  active: true,
  role: "admin",
  color: Color.Green,
  email: email("a@example.org"),
  born: new Date(86_400_123),
  joined: DateTime.makeUnsafe(1_700_000_000_123),
  avatar: Uint8Array.from({ length: 256 }, (_, i) => i),
  tags: ["x", "", "x"],
  scores: [1.5, -2, 1e21],
  medals: [new Medal({ name: "gold", points: 3 })],
  best: new Medal({ name: "silver", points: 2 }),
  home: { city: "Bern", geo: { lat: 46.9, lon: 7.4, names: ["Bern", "Berne"] } },
  pair: ["p", 1],
  choice: { a: false },
  bag: { one: 1, two: 2 },
  note: null,
  nick: "al",
  age: 41,
  extra: { x: 1 },
  blob: { a: 1, b: [1, 2] }
} as const

export const emptyPlayer = {
  name: "empty",
  title: "",
  level: 0,
  ratio: 0,
  active: false,
  role: "user",
  color: Color.Red,
  email: email(""),
  born: new Date(0),
  joined: DateTime.makeUnsafe(0),
  avatar: new Uint8Array(),
  tags: [],
  scores: [],
  medals: [],
  best: new Medal({ name: "", points: 0 }),
  home: { city: "", geo: { lat: 0, lon: 0, names: [] } },
  pair: ["", 0],
  choice: "",
  bag: {},
  note: "",
  blob: { a: 0, b: [] }
} as const

export const toPlainObject = (entity: object): Record<string, unknown> => ({ ...entity })

/** Plain objects that contain only their own fields. */
export const Note = Model.make("EntitiesNote", {
  id: Schema.String,
  text: Schema.String,
  count: Schema.Int,
  ratio: Schema.Number,
  done: Schema.Boolean,
  kind: Schema.Literals(["a", "b"]),
  at: Schema.Date,
  data: Schema.Struct({ a: Schema.Int, b: Schema.optionalKey(Schema.String) }).pipe(Model.json),
  stats: Schema.Struct({ wins: Schema.Int, deep: Schema.Struct({ low: Schema.Int, list: Schema.Array(Schema.Int) }) }),
  items: Schema.Array(Schema.String),
  nick: Schema.optionalKey(Schema.String)
}, { key: "id" })

export const note = {
  id: "n",
  text: "t",
  count: 1,
  ratio: 0.5,
  done: false,
  kind: "a",
  at: new Date(5),
  data: { a: 1 },
  stats: { wins: 1, deep: { low: 1, list: [1, 2] } },
  items: ["i", "j"],
  nick: "k"
} as const
export const noteKey = "EntitiesNote:{n}"

/** All operations on the fields of an entity, by name. */
export const everyNoteOperation = (id: string): Record<string, Operation> => {
  const { at, count, data, done, items, kind, nick, ratio, stats, text } = Note.ref(id)
  return {
    "text.get": text.get(),
    "text.set": text.set("x"),
    "text.getAndSet": text.getAndSet("x"),
    "text.compareAndSet": text.compareAndSet("t", "x"),
    "text.append": text.append("x"),
    "count.get": count.get(),
    "count.set": count.set(2),
    "count.increment": count.increment(),
    "count.decrement": count.decrement(),
    "count.multiply": count.multiply(2),
    "count.divide": count.divide(1),
    "count.quotient": count.quotient(1),
    "count.modulo": count.modulo(2),
    "count.min": count.min(2),
    "count.max": count.max(2),
    "count.clamp": count.clamp(0, 5),
    "ratio.increment": ratio.increment(0.1),
    "done.get": done.get(),
    "done.toggle": done.toggle(),
    "kind.getAndSet": kind.getAndSet("b"),
    "at.set": at.set(new Date(0)),
    "data.get": data.get(),
    "data.compareAndSet": data.compareAndSet({ a: 1 }, { a: 2 }),
    "nick.get": nick.get(),
    "nick.isSet": nick.isSet(),
    "nick.set": nick.set("x"),
    "nick.setIfAbsent": nick.setIfAbsent("x"),
    "nick.clear": nick.clear(),
    "nick.compareAndSet": nick.compareAndSet("k", "x"),
    "stats.wins.increment": stats.wins.increment(),
    "stats.deep.low.set": stats.deep.low.set(3),
    "stats.$.get": stats.$.get(),
    "stats.$.set": stats.$.set({ wins: 2, deep: { low: 2, list: [] } }),
    "stats.deep.$.set": stats.deep.$.set({ low: 2, list: [3] }),
    "items.get": items.get(),
    "items.set": items.set(["x"]),
    "items.length": items.length(),
    "items.slice": items.slice(0, 1),
    "items.append": items.append("x"),
    "items.append nothing": items.append([]),
    "items.append with keep": items.append("x", { keep: 1 }),
    "items.prepend": items.prepend("x"),
    "items.prepend nothing": items.prepend([]),
    "items.pop": items.pop(),
    "items.shift": items.shift(),
    "items.clear": items.clear(),
    "items.at(0).get": items.at(0).get(),
    "items.at(0).set": items.at(0).set("x"),
    "items.at(0).append": items.at(0).append("x"),
    "stats.deep.list.append": stats.deep.list.append(5),
    "get": Note.get(id),
    "update": Note.update(id, { count: 5 }),
    "update nested": Note.update(id, { stats: { deep: { list: [] } } }),
    "update nothing": Note.update(id, {})
  }
}

export const WithDefaults = Model.make("EntitiesLater", {
  id: Schema.String,
  old: Schema.String,
  text: Schema.String.pipe(Model.withDefault("abc")),
  count: Schema.Int.check(Schema.isLessThanOrEqualTo(10)).pipe(Model.withDefault(5)),
  ratio: Schema.Number.pipe(Model.withDefault(0.5)),
  done: Schema.Boolean.pipe(Model.withDefault(true)),
  kind: Schema.Literals(["a", "b"]).pipe(Model.withDefault("b")),
  at: Schema.Date.pipe(Model.withDefault(new Date(7))),
  data: Schema.Struct({ a: Schema.Int }).pipe(Model.json, Model.withDefault({ a: 1 })),
  nick: Schema.optionalKey(Schema.String).pipe(Model.withDefault("nobody")),
  note: Schema.NullOr(Schema.String).pipe(Model.withDefault(null)),
  stats: Schema.Struct({ wins: Schema.Int.pipe(Model.withDefault(2)), losses: Schema.Int.pipe(Model.withDefault(3)) }),
  items: Schema.Array(Schema.String).pipe(Model.withDefault(["x"]))
}, { key: "id" })

export const defaults = {
  text: "abc",
  count: 5,
  ratio: 0.5,
  done: true,
  kind: "b",
  at: new Date(7),
  data: { a: 1 },
  nick: "nobody",
  note: null,
  stats: { wins: 2, losses: 3 }
} as const

export const Sparse = Model.make("EntitiesSparse", {
  id: Schema.String,
  a: Schema.optionalKey(Schema.String),
  b: Schema.optional(Schema.Int),
  c: Schema.optionalKey(Schema.NullOr(Schema.String)),
  d: Schema.UndefinedOr(Schema.String)
}, { key: "id" })
