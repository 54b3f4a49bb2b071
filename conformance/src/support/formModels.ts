/** A model of all kinds of fields, and entities that an earlier schema of it stored. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Model from "redlayer/Model"
import { RawStore } from "redlayer/testing"

/** Each field may be missing, or is a collection. */
export const Form = Model.make("Form", {
  id: Schema.String,
  text: Schema.optionalKey(Schema.String),
  label: Schema.String.pipe(Model.withDefault("")),
  count: Schema.Int.pipe(Model.withDefault(0)),
  data: Schema.optionalKey(Schema.Array(Schema.String)),
  box: Schema.optionalKey(Schema.Struct({ size: Schema.Int, items: Schema.Array(Schema.String) })),
  st: Schema.Struct({
    coins: Schema.Int.pipe(Model.withDefault(0)),
    deep: Schema.Struct({ nick: Schema.optionalKey(Schema.String), tags: Schema.Array(Schema.String) })
  }),
  list: Schema.Array(Schema.String),
  set: Schema.ReadonlySet(Schema.String),
  map: Schema.Record(Schema.String, Schema.Int),
  board: Model.sortedSet(Schema.String)
}, { key: "id" })

export const formKey = "Form:{f}"

/** The entity that reads return if nothing is stored but that it exists. */
export const emptyForm = {
  id: "f",
  label: "",
  count: 0,
  st: { coins: 0, deep: { tags: [] } },
  list: [],
  set: new Set<string>(),
  map: {},
  board: []
}

/** One former form: the field that it is of, where it is stored, and how the error says so. */
export interface Former {
  readonly field: string
  /** Fields of the entity's hash. */
  readonly hash?: Readonly<Record<string, string>>
  /** The name of a collection, which is a list of one item. */
  readonly list?: string
  readonly issue: RegExp
}

export const formers: ReadonlyArray<Former> = [
  ...["text", "label", "count", "data", "box"].flatMap((field): ReadonlyArray<Former> => [
    { field, list: field, issue: /as a list under its own key/ },
    { field, hash: { [`${field}.a`]: "1" }, issue: /as a struct/ }
  ]),
  { field: "box", list: "box.items", issue: /as a struct/ },
  ...["list", "set", "map", "board", "st.deep.tags"].flatMap((field): ReadonlyArray<Former> => [
    { field, hash: { [field]: "[\"a\"]" }, issue: /as one text/ },
    { field, hash: { [`${field}.a`]: "1" }, issue: /as a struct/ }
  ]),
  { field: "st.coins", list: "st.coins", issue: /as a list under its own key/ },
  { field: "st.coins", hash: { "st.coins.a": "1" }, issue: /as a struct/ },
  { field: "st.deep.nick", list: "st.deep.nick", issue: /as a list under its own key/ },
  { field: "st", hash: { st: "{\"coins\":500}" }, issue: /as one text/ },
  { field: "st", list: "st", issue: /as a list under its own key/ },
  { field: "st.deep", hash: { "st.deep": "Ada" }, issue: /as one text/ },
  { field: "st.deep", list: "st.deep", issue: /as a list under its own key/ }
]

/** Stores an entity without any field, and one former form. */
export const storeFormer = ({ hash = {}, list }: Former): Effect.Effect<void, never, RawStore> =>
  Effect.gen(function*() {
    const raw = yield* RawStore
    yield* raw.hashSet(formKey, { $v: "1", ...hash })
    if (list !== undefined) yield* raw.listPush(`${formKey}:${list}`, "a")
  })

/** Removes all that is stored of the entity. */
export const removeForm: Effect.Effect<void, never, RawStore> = Effect.gen(function*() {
  const raw = yield* RawStore
  for (const key of Object.keys(yield* raw.dump)) if (key.startsWith(formKey)) yield* raw.delete(key)
})
