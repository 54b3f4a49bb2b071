/**
 * The types of models: creation, parts, copies, many at once, inheritance.
 */
import { type Duration, Effect, type Option, type Result, Schema, Stream } from "effect"
import { type Atomic, type Condition, type Field, Model, type RedisService } from "redlayer"
import { type Equals, type ErrorOf, holds, type SuccessOf } from "./equals.ts"
import type { Corrupted, Exists, Failed, Invalid, NotFound } from "./errors.ts"

class User extends Model.Class<User>("types/models/User")({
  name: Schema.String,
  age: Schema.Int.pipe(Model.withDefault(0)),
  nick: Schema.optionalKey(Schema.String),
  note: Schema.NullOr(Schema.Int),
  tags: Schema.ReadonlySet(Schema.String),
  scores: Schema.Record(Schema.String, Schema.Int),
  ranks: Model.sortedSet(Schema.String),
  stats: Schema.Struct({ wins: Schema.Int, badges: Schema.ReadonlySet(Schema.String) })
}, { key: "name", timeToLive: { duration: "1 hour", refresh: "access" } }) {
  get adult(): boolean {
    return this.age >= 18
  }
}

const Cart = Model.make("types/models/Cart", { user: Schema.String, no: Schema.Int, total: Schema.BigInt }, {
  key: ["user", "no"],
  slot: "user"
})

const user = {
  name: "a",
  note: null,
  tags: new Set(["x"]),
  scores: {},
  ranks: [],
  stats: { wins: 0, badges: new Set<string>() }
}

// -- what a model may say ------------------------------------------------------------------------------------------------

void Model.make("types/models/Never", { id: Schema.String }, {
  key: "id",
  timeToLive: { duration: 5, refresh: "never" }
})
// @ts-expect-error: it needs a duration
void Model.make("types/models/NoLife", { id: Schema.String }, { key: "id", timeToLive: { refresh: "write" } })
// @ts-expect-error
void Model.make("types/models/Some", { id: Schema.String }, { key: "id", timeToLive: { duration: 5, refresh: "x" } })
// @ts-expect-error: the default is a value of the field
Schema.ReadonlySet(Schema.String).pipe(Model.withDefault(["a"]))

// -- a model is a schema -----------------------------------------------------------------------------------------------------

holds<Equals<typeof Cart.Type, { readonly user: string; readonly no: number; readonly total: bigint }>>()
holds<Equals<ReturnType<typeof Cart.make>, typeof Cart.Type>>()
const Holder = Schema.Struct({ cart: Cart, carts: Schema.Array(Cart) })
holds<Equals<typeof Holder.Type["cart"], typeof Cart.Type>>()
const decoded = Schema.decodeUnknownEffect(Cart)({})
holds<Equals<Effect.Success<typeof decoded>, typeof Cart.Type>>()
const Nested = Model.make("types/models/Nested", { id: Schema.String, cart: Cart }, { key: "id" })
holds<Equals<Model.Ref<typeof Nested>["cart"]["no"], Field.Number>>()
// @ts-expect-error
void Cart.make({ user: "u", no: 1, total: 1 })

// -- creation --------------------------------------------------------------------------------------------------------------

holds<Equals<SuccessOf<typeof User.getOrInsert>, { readonly entity: User; readonly created: boolean }>>()
holds<Equals<ErrorOf<typeof User.getOrInsert>, Corrupted | Invalid>>()
holds<Equals<SuccessOf<typeof User.ensure>, boolean>>()
holds<Equals<ErrorOf<typeof User.ensure>, Invalid>>()
holds<Equals<SuccessOf<typeof User.duplicate>, void>>()
holds<Equals<ErrorOf<typeof User.duplicate>, NotFound | Exists | Invalid>>()
holds<Equals<Parameters<typeof Cart.duplicate>, [id: readonly [string, number], newId: readonly [string, number]]>>()
void User.insert(user, { timeToLive: "1 day" })
void User.ensure(user, { timeToLive: 5000 })
void User.getOrInsert({ ...user, nick: "n", age: 3 })
// @ts-expect-error: a record of numbers
void User.insert({ ...user, scores: { a: "1" } })
// @ts-expect-error: a set is no array
void User.insert({ ...user, tags: ["x"] })
// @ts-expect-error: a nullable field is there, be it null
void User.ensure({ name: "a", tags: new Set<string>(), scores: {}, ranks: [], stats: user.stats })
// @ts-expect-error: put gives no life of its own
void User.put(user, { timeToLive: 5 })

// -- versions ---------------------------------------------------------------------------------------------------------------

holds<Equals<SuccessOf<typeof User.version>, Model.Version>>()
holds<Equals<ErrorOf<typeof User.version>, NotFound | Invalid>>()
holds<Equals<SuccessOf<typeof User.getVersioned>, { readonly entity: User; readonly version: Model.Version }>>()
holds<Equals<ErrorOf<typeof User.getVersioned>, NotFound | Corrupted | Invalid>>()
holds<Equals<ReturnType<typeof User.atVersion>, Condition.Condition<Invalid>>>()
holds<Equals<Parameters<typeof Cart.atVersion>, [id: readonly [string, number], version: Model.Version]>>()
holds<Equals<typeof Model.Version.Encoded, string>>()
// @ts-expect-error: a text is no version, until `Model.Version` has checked it
void User.atVersion("a", "7")

// -- life ------------------------------------------------------------------------------------------------------------------

holds<Equals<SuccessOf<typeof User.timeToLive>, Option.Option<Duration.Duration>>>()
holds<Equals<ErrorOf<typeof User.timeToLive>, NotFound | Invalid>>()
holds<Equals<SuccessOf<typeof User.expire>, void>>()
holds<Equals<ErrorOf<typeof User.expire>, NotFound | Invalid>>()
holds<Equals<ErrorOf<typeof User.persist>, NotFound | Invalid>>()
void User.expire("a", { hours: 1 })
// @ts-expect-error
void User.expire("a")

// -- parts -----------------------------------------------------------------------------------------------------------------

const picked = User.pick("a", ["age", "tags", "name", "nick"])
holds<
  Equals<
    Atomic.Success<typeof picked>,
    {
      readonly age: number
      readonly tags: ReadonlySet<string>
      readonly name: string
      readonly nick?: string
    }
  >
>()
holds<Equals<Atomic.Error<typeof picked>, NotFound | Corrupted | Invalid>>()
// @ts-expect-error: a getter is no field
void User.pick("a", ["adult"])
// @ts-expect-error
void User.pick("a", ["nothing"])
// @ts-expect-error: names of the top only
void User.pick("a", ["stats.wins"])

void User.update("a", {
  tags: new Set(["y"]),
  note: null,
  stats: { badges: new Set<string>() },
  ranks: [{ member: "a", score: 1 }]
})
// @ts-expect-error: null is a value, and undefined none
void User.update("a", { note: undefined })
// @ts-expect-error
void User.update("a", { nick: null })

// -- many --------------------------------------------------------------------------------------------------------------------

const found = User.getMany(["a"])
holds<
  Equals<
    typeof found,
    Effect.Effect<
      ReadonlyArray<Result.Result<User, NotFound | Corrupted | Invalid | Failed>>,
      Failed,
      RedisService.RedisService
    >
  >
>()
const inserted = Cart.insertMany(new Set([{ user: "u", no: 1, total: 1n }]), { concurrency: 5, timeToLive: "1 day" })
type Carts = Effect.Success<typeof inserted>
holds<
  Equals<
    Carts[number],
    Result.Result<{ readonly user: string; readonly no: number; readonly total: bigint }, Exists | Invalid | Failed>
  >
>()
const deleted = Cart.deleteMany([["u", 1]], { onProgress: (done) => Effect.log(done) })
holds<Equals<Effect.Success<typeof deleted>, ReadonlyArray<Result.Result<boolean, Invalid | Failed>>>>()
// @ts-expect-error: the tuple
void Cart.deleteMany(["u"])
// @ts-expect-error: a text is one id, though it is iterable
void User.deleteMany("alice")
// @ts-expect-error
void User.getMany("alice")
// @ts-expect-error
void User.getManyStream("alice")
// @ts-expect-error
void User.deleteManyStream("alice")
// @ts-expect-error: nor is an entity several
void User.insertMany("alice")
declare const generated: Generator<string>
for (const several of [generated, new Map<string, 1>().keys(), new Set(["a"])] as const) void User.getMany(several)
// @ts-expect-error: a life is given when something is made
void Cart.deleteMany([["u", 1]], { timeToLive: 5 })

declare const ids: Stream.Stream<string, "E", { readonly R: true }>
const streamed = User.getManyStream(ids, { concurrency: 10 })
holds<
  Equals<
    typeof streamed,
    Stream.Stream<
      Result.Result<User, NotFound | Corrupted | Invalid | Failed>,
      Failed | "E",
      RedisService.RedisService | { readonly R: true }
    >
  >
>()
const drained = Stream.runDrain(User.deleteManyStream(["a"]))
holds<Equals<typeof drained, Effect.Effect<void, Failed, RedisService.RedisService>>>()

// -- inheritance -------------------------------------------------------------------------------------------------------------

class Admin extends Model.extend<Admin, typeof User>(User, "types/models/Admin")({
  level: Schema.Int,
  age: Schema.Literals([1, 2]),
  nick: Schema.String
}) {
  get powerful(): boolean {
    return this.level > 5 && this.adult
  }
}

declare const admin: Admin
admin satisfies { readonly adult: boolean; readonly level: number; readonly powerful: boolean }
const ref = Admin.ref("a")
holds<Equals<keyof typeof ref, "age" | "nick" | "note" | "tags" | "scores" | "ranks" | "stats" | "level">>()
holds<Equals<typeof ref.tags, Field.Set<string>>>()
holds<Equals<typeof ref.level, Field.Number>>()
// a field of the same name, and of the same type or a narrower one, takes the place of the first
holds<Equals<typeof ref.age, Field.Scalar<1 | 2>>>()
holds<Equals<typeof ref.nick, Field.Text>>()
// @ts-expect-error: the methods of the base would find another type
void Model.extend<Admin, typeof User>(User, "types/models/Other")({ age: Schema.String })
// @ts-expect-error
void Model.extend<Admin, typeof User>(User, "types/models/Wider")({ age: Schema.NullOr(Schema.Int) })
void Model.extend<Admin, typeof User>(User, "types/models/Same")({ age: Schema.Int })
holds<Equals<SuccessOf<typeof Admin.get>, Admin>>()
holds<Equals<Model.Id<typeof Admin>, string>>()
// @ts-expect-error: a getter is no field
ref.adult
// @ts-expect-error: the fields of both
void Admin.insert(user)
void Admin.insert({ ...user, level: 1, age: 2, nick: "n" })
// @ts-expect-error: without its own type
class Untyped extends Model.extend(User, "types/models/Untyped")({ level: Schema.Int }) {}
void Untyped

void (Model.issues(admin) satisfies ReadonlyArray<{ readonly field: string; readonly issue: string }>)
