/**
 * Which schemas a model and a topic take, and which handle a schema has whose value is stored as a whole.
 */
import { Context, Effect, Option, Schema, SchemaGetter } from "effect"
import { type Field, Model, Topic } from "redlayer"
import { type Equals, holds } from "./equals.ts"

class Salt extends Context.Service<Salt, { readonly text: string }>()("types/schemas/Salt") {}

const Decoded = Schema.String.pipe(Schema.decode({
  decode: SchemaGetter.transformEffect((text: string) => Effect.map(Salt, (salt) => text.slice(salt.text.length))),
  encode: SchemaGetter.transform((text: string) => `salt${text}`)
}))
const Encoded = Schema.flip(Decoded)

// -- a transformation that needs a service -----------------------------------------------------------------------------------

// @ts-expect-error: its decoding needs a service
void Model.make("types/schemas/Decoded", { id: Schema.String, field: Decoded }, { key: "id" })
// @ts-expect-error: its encoding needs a service
void Model.make("types/schemas/Encoded", { id: Schema.String, field: Encoded }, { key: "id" })
// @ts-expect-error
void Model.make("types/schemas/List", { id: Schema.String, field: Schema.Array(Decoded) }, { key: "id" })
// @ts-expect-error
void Model.make("types/schemas/Optional", { id: Schema.String, field: Schema.optionalKey(Decoded) }, { key: "id" })
// @ts-expect-error
void Model.make("types/schemas/Struct", { id: Schema.String, field: Schema.Struct({ a: Decoded }) }, { key: "id" })
// @ts-expect-error
void Model.make("types/schemas/Json", { id: Schema.String, field: Model.json(Decoded) }, { key: "id" })
// @ts-expect-error
void Model.make("types/schemas/Key", { id: Decoded }, { key: "id" })
// @ts-expect-error
void Model.make("types/schemas/Keyless", { field: Decoded })
// @ts-expect-error
void Model.Class<any>("types/schemas/Class")({ id: Schema.String, field: Decoded }, { key: "id" })
// @ts-expect-error
void Topic.make("types/schemas/Topic", Decoded)
// @ts-expect-error
void Topic.make("types/schemas/Topics", Schema.Array(Encoded))

// -- a key, and a tolerant field -----------------------------------------------------------------------------------------------

// @ts-expect-error: a key is always there
void Model.make("types/schemas/OptionalKey", { id: Schema.optionalKey(Schema.String) }, { key: "id" })
// @ts-expect-error: it has no default
void Model.tolerant(Schema.String)
// @ts-expect-error
void Model.tolerant(Schema.Struct({ a: Schema.Int }))
// @ts-expect-error
void Model.tolerant(Schema.Json)
// @ts-expect-error
void Schema.Tuple([Schema.Int]).pipe(Model.tolerant)
void Schema.String.pipe(Model.withDefault(""), Model.tolerant)
void Model.tolerant(Schema.optionalKey(Schema.String))
void Model.tolerant(Schema.UndefinedOr(Schema.String))
void Model.tolerant(Schema.NullOr(Schema.String))
void Model.tolerant(Schema.Array(Schema.String))
void Model.tolerant(Schema.Record(Schema.String, Schema.Int))
void Model.tolerant(Schema.ReadonlySet(Schema.String))
void Model.tolerant(Schema.HashMap(Schema.String, Schema.Int))
void Model.tolerant(Model.sortedSet(Schema.String))

// -- models that refer to themselves ---------------------------------------------------------------------------------------------

interface NodeJson {
  readonly id: string
  readonly kids: ReadonlyArray<NodeJson>
  readonly next: NodeJson | null
  readonly named: { readonly [name: string]: NodeJson }
  readonly twin?: NodeJson
  readonly other?: NodeJson | undefined
}

class Node extends Model.Class<Node>("types/schemas/Node")({
  id: Schema.String,
  kids: Schema.Array(Schema.suspend((): Schema.Codec<Node, NodeJson> => Node)),
  next: Schema.NullOr(Schema.suspend((): Schema.Codec<Node, NodeJson> => Node)),
  named: Schema.Record(Schema.String, Schema.suspend((): Schema.Codec<Node, NodeJson> => Node)),
  twin: Schema.optionalKey(Schema.suspend((): Schema.Codec<Node, NodeJson> => Node)),
  other: Schema.optional(Schema.suspend((): Schema.Codec<Node, NodeJson> => Node))
}, { key: "id" }) {}

const node = Node.ref("a")
holds<Equals<typeof node.twin, Field.Optional<Node, Field.Failure, undefined>>>()
holds<Equals<typeof node.next, Field.Optional<Node, Field.Failure, null>>>()

// -- values that are stored as a whole -------------------------------------------------------------------------------------------

const Whole = Model.make("types/schemas/Whole", {
  id: Schema.String,
  json: Schema.Json,
  optional: Schema.optionalKey(Schema.Json),
  nothing: Schema.Void,
  option: Schema.OptionFromOptionalKey(Schema.String),
  later: Schema.suspend(() => Schema.Array(Schema.Int))
}, { key: "id" })
const { json, later, nothing, option, optional } = Whole.ref("a")
holds<Equals<typeof json, Field.Value<Schema.Json>>>()
void json.set(null)
holds<Equals<typeof optional, Field.Optional<Schema.Json, Field.Failure, undefined>>>()
holds<Equals<typeof nothing, Field.Optional<void, Field.Failure, undefined>>>()
holds<Equals<typeof option, Field.Value<Option.Option<string>>>>()
void option.set(Option.none())
holds<Equals<typeof later, Field.Value<ReadonlyArray<number>>>>()
