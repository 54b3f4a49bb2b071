/**
 * The programs of a model: what they take, what they give, and what they fail with.
 */
import { type DateTime, type Effect, type Option, Schema } from "effect"
import { type Atomic, type Condition, type Field, Model, type RedisService } from "redlayer"
import { type Equals, type ErrorOf, holds, type SuccessOf } from "./equals.ts"
import type { Corrupted, Exists, Failed, Invalid, NotFound } from "./errors.ts"

class User extends Model.Class<User>("types/User")({
  name: Schema.String,
  age: Schema.Int,
  score: Schema.Int.pipe(Model.withDefault(0)),
  tags: Schema.Array(Schema.String).pipe(Model.withDefault([])),
  nick: Schema.optionalKey(Schema.String),
  bio: Schema.optional(Schema.String),
  address: Schema.Struct({ street: Schema.String, geo: Schema.Struct({ lat: Schema.Number, lon: Schema.Number }) }),
  raw: Model.json(Schema.Struct({ a: Schema.Int, b: Schema.Int }))
}, { key: "name" }) {
  get adult(): boolean {
    return this.age >= 18
  }
}

const Plain = Model.make("types/Plain", { at: Schema.DateTimeUtc, n: Schema.Int }, { key: "at" })

// -- errors and results --------------------------------------------------------------------------------------------------

holds<Equals<ReturnType<typeof User.get>, Atomic.Atomic<User, NotFound | Corrupted | Invalid>>>()
holds<Equals<ReturnType<typeof User.find>, Atomic.Atomic<Option.Option<User>, Corrupted | Invalid>>>()
holds<Equals<ReturnType<typeof User.exists>, Condition.Condition<Invalid>>>()
holds<Equals<ReturnType<typeof User.insert>, Atomic.Atomic<User, Exists | Invalid>>>()
holds<Equals<ReturnType<typeof User.put>, Atomic.Atomic<User, Invalid>>>()
holds<Equals<ReturnType<typeof User.update>, Atomic.Atomic<void, NotFound | Invalid>>>()
holds<Equals<ReturnType<typeof User.delete>, Atomic.Atomic<boolean, Invalid>>>()
holds<Equals<SuccessOf<typeof Plain.get>, { readonly at: DateTime.Utc; readonly n: number }>>()
holds<Equals<ErrorOf<typeof Plain.insert>, Exists | Invalid>>()

// as an effect a program has the errors of the way there too, and needs the service
const get = User.get("alice")
holds<Equals<Effect.Error<typeof get>, NotFound | Corrupted | Invalid | Failed>>()
holds<Equals<Effect.Success<typeof get>, User>>()
holds<Equals<Effect.Services<typeof get>, RedisService.RedisService>>()

// -- entities ------------------------------------------------------------------------------------------------------------

const address = { street: "s", geo: { lat: 1, lon: 2 } }
const raw = { a: 1, b: 2 }

// what has a default, or is optional, may be left out
void User.insert({ name: "alice", age: 1, address, raw })
void User.put({ name: "alice", age: 1, score: 1, tags: ["a"], nick: "al", bio: undefined, address, raw })
// @ts-expect-error: `age` has no default
void User.insert({ name: "alice", address, raw })
// @ts-expect-error: no such field
void User.insert({ name: "alice", age: 1, address, raw, color: "red" })
// @ts-expect-error: an optional key is absent or has its type
void User.insert({ name: "alice", age: 1, address, raw, nick: undefined })
declare const user: User
void User.put(user)
user.adult satisfies boolean

// @ts-expect-error: a default is a value of its field
void Model.make("types/BadDefault", { n: Schema.Int.pipe(Model.withDefault("0")) })
// @ts-expect-error: the class must name itself
class Nobody extends Model.Class("types/Nobody")({ n: Schema.Int }) {}
void Nobody

// -- ids -----------------------------------------------------------------------------------------------------------------

holds<Equals<Parameters<typeof User.get>[0], string>>()
holds<Equals<Parameters<typeof User.ref>[0], string>>()
holds<Equals<Parameters<typeof Plain.ref>[0], DateTime.Utc>>()
// @ts-expect-error
void User.get(1)

// -- reads that renew nothing --------------------------------------------------------------------------------------------

void User.get("a", { renew: false })
void User.find("a", { renew: undefined })
void User.pick("a", ["age"], { renew: false })
void User.getMany(["a"], { renew: false, concurrency: 2 })
void User.getManyStream(["a"], { renew: false })
User.ref("a", { renew: false }).age satisfies Field.Number
// @ts-expect-error: it is a boolean
void User.get("a", { renew: "no" })
// @ts-expect-error: no such option
void User.get("a", { renews: false })
// @ts-expect-error: a write renews in any case
void User.delete("a", { renew: false })

const UserId = Schema.String.pipe(Schema.brand("UserId"))
const Branded = Model.make("types/Branded", { id: UserId, n: Schema.Int }, { key: "id" })
holds<Equals<Parameters<typeof Branded.get>[0], typeof UserId.Type>>()
// @ts-expect-error
void Branded.get("u1")

// without a key a model gets one
const Generated = Model.make("types/Generated", { n: Schema.Int })
class GeneratedClass extends Model.Class<GeneratedClass>("types/GeneratedClass")({ n: Schema.Int }) {}
holds<Equals<Parameters<typeof Generated.get>[0], string>>()
holds<Equals<SuccessOf<typeof Generated.get>["id"], string>>()
holds<Equals<GeneratedClass["id"], string>>()
void Generated.insert({ n: 1 })
void Generated.insert({ id: "mine", n: 1 })
void GeneratedClass.insert({ n: 1 })
// @ts-expect-error: it is a key, and has no handle
Generated.ref("1").id
void Generated.update("1", { id: "1", n: 2 })
// @ts-expect-error
void Generated.update("1", { id: 1 })

// a key has a text
// @ts-expect-error
void Model.make("types/BooleanKey", { on: Schema.Boolean }, { key: "on" })
// @ts-expect-error
void Model.make("types/ListKey", { all: Schema.Array(Schema.String) }, { key: "all" })
// @ts-expect-error: no such field
void Model.make("types/NoKey", { n: Schema.Int }, { key: "id" })

// -- tuple keys and slots -------------------------------------------------------------------------------------------------

const Cart = Model.make("types/Cart", {
  user: Schema.String,
  number: Schema.Int,
  total: Schema.Int,
  items: Schema.Array(Schema.String)
}, { key: ["user", "number"], slot: "user" })

holds<Equals<Parameters<typeof Cart.ref>[0], readonly [string, number]>>()
void Cart.get(["u", 1])
// @ts-expect-error: the tuple, and not its parts
void Cart.get("u", 1)
// @ts-expect-error
void Cart.get("u")
// @ts-expect-error
void Cart.get([1, "u"])
// @ts-expect-error
void Cart.get(["u"])
const cart = Cart.ref(["u", 1])
holds<Equals<keyof typeof cart, "total" | "items">>()
// @ts-expect-error
cart.user
// @ts-expect-error
cart.number

const key = ["a", "b"] as const
const pair = { a: Schema.String, b: Schema.String, c: Schema.String }
void Model.make("types/SlotId", pair, { key, slot: "id" })
void Model.make("types/SlotA", pair, { key, slot: "a" })
void Model.make("types/SlotB", pair, { key, slot: "b" })
void Model.make("types/SlotP", pair, { key, slot: { partitions: 16 } })
void Model.make("types/SlotQ", pair, { key: "a", slot: { partitions: 16 } })
// @ts-expect-error: no component of the key
void Model.make("types/SlotC", pair, { key, slot: "c" })
// @ts-expect-error: a key of one field has no components
void Model.make("types/SlotS", pair, { key: "a", slot: "a" })
// @ts-expect-error
void Model.make("types/SlotN", pair, { slot: "a" })
// @ts-expect-error
void Model.make("types/SlotM", pair, { key, slot: { parts: 16 } })
// @ts-expect-error: a field twice
void Model.make("types/Twice", pair, { key: ["a", "b", "a"] })
// @ts-expect-error
class TwiceClass extends Model.Class<TwiceClass>("types/TwiceClass")(pair, { key: ["a", "a"] }) {}
void TwiceClass
// options need not be written where they are used
const options = { key: "a", slot: "id" } as const
holds<Equals<Model.Id<ReturnType<typeof withOptions>>, string>>()
const withOptions = () => Model.make("types/Options", { a: Schema.String, n: Schema.Int }, options)
holds<Equals<keyof Model.Ref<ReturnType<typeof withOptions>>, "n">>()
class SlotClass extends Model.Class<SlotClass>("types/SlotClass")(pair, { key: ["a", "b"], slot: "b" }) {}
holds<Equals<Parameters<typeof SlotClass.get>[0], readonly [string, string]>>()
// @ts-expect-error
class BadSlot extends Model.Class<BadSlot>("types/BadSlot")(pair, { key: ["a", "b"], slot: "c" }) {}
void BadSlot

// -- updates -------------------------------------------------------------------------------------------------------------

void User.update("alice", {})
void User.update("alice", { age: 2, tags: ["a"], raw })
// nested structs merge, to any depth
void User.update("alice", { address: { street: "t" } })
void User.update("alice", { address: { geo: { lat: 3 } } })
// an optional field that is undefined goes
void User.update("alice", { nick: undefined, bio: undefined })
// a whole entity is a patch: its key is that of the id
void User.update("alice", { name: "alice", age: 2 })
declare const whole: User
void User.update("alice", { ...whole, age: 2 })
void User.update("alice", whole)
// @ts-expect-error: the key has its type
void User.update("alice", { name: 1 })
// @ts-expect-error: a required field can't go
void User.update("alice", { age: undefined })
// @ts-expect-error
void User.update("alice", { address: { geo: { lat: "3" } } })
// @ts-expect-error: no such field
void User.update("alice", { color: "red" })
// @ts-expect-error: nor in a struct
void User.update("alice", { address: { city: "c" } })
// @ts-expect-error: a value of `Model.json` is whole
void User.update("alice", { raw: { a: 1 } })
// @ts-expect-error: a getter is no field
void User.update("alice", { adult: true })
// @ts-expect-error
void Cart.update(["u", 1], { user: 1 })
void Cart.update(["u", 1], { total: 2 })

// -- combinators keep what a field is ------------------------------------------------------------------------------------

const Combined = Model.make("types/Combined", {
  id: Schema.String,
  a: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9 })).pipe(Model.withDefault(1)),
  b: Schema.Literals(["x", "y"]).pipe(Model.withDefault("x")),
  c: Schema.Array(Schema.Int).pipe(Model.withDefault([])),
  d: Model.json(Schema.Array(Schema.Int)).pipe(Model.withDefault([1]))
}, { key: "id" })
const combined = Combined.ref("1")
holds<Equals<typeof combined.a, Field.Number>>()
holds<Equals<typeof combined.b, Field.Scalar<"x" | "y">>>()
holds<Equals<SuccessOf<typeof combined.c.append>, number>>()
holds<Equals<typeof combined.d, Field.Value<ReadonlyArray<number>>>>()
void Combined.insert({ id: "1" })
