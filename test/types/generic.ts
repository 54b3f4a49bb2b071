/**
 * Code that is generic over models and fields.
 */
import { Effect, Schema } from "effect"
import { Atomic, type DomainError, type Field, Model, type RedisService, type RedisServiceError } from "redlayer"
import { type Equals, holds } from "./equals.ts"

class User extends Model.Class<User>("types/generic/User")({
  name: Schema.String,
  visits: Schema.Int,
  title: Schema.Literals(["mr", "ms"]),
  tags: Schema.Array(Schema.String)
}, { key: "name" }) {}

const Page = Model.make("types/generic/Page", {
  site: Schema.String,
  path: Schema.String,
  visits: Schema.Int
}, { key: ["site", "path"] })

const Coins = Schema.Int.pipe(Schema.brand("Coins"))
const Purse = Model.make("types/generic/Purse", { owner: Schema.String, coins: Coins }, { key: "owner" })

// -- over fields ---------------------------------------------------------------------------------------------------------

const addTwice = <A extends number, E>(field: Field.Number<A, E>, by: number) =>
  field.increment(by).pipe(Atomic.andThen(field.increment(by)))

const added = addTwice(User.ref("alice").visits, 2)
holds<
  Equals<
    typeof added,
    Atomic.Atomic<number, Field.Failure | DomainError.OutOfBounds | DomainError.ArithmeticError>
  >
>()
const coins = addTwice(Purse.ref("alice").coins, 2)
holds<Equals<Atomic.Success<typeof coins>, typeof Coins.Type>>()
const plain = (field: Field.Number) => field.increment()
void plain(Page.ref(["s", "/"]).visits)
// @ts-expect-error: its `set` would take any number
void plain(Purse.ref("alice").coins)
// @ts-expect-error
void plain(User.ref("alice").tags)

const read = <A, E>(field: Field.Value<A, E>) => field.get()
const title = read(User.ref("alice").title)
holds<Equals<typeof title, Atomic.Atomic<"mr" | "ms", Field.Failure>>>()

const push = <A, Item>(list: Field.List<A, Item>, items: ReadonlyArray<A>) => list.append(items, { keep: 10 })
void push(User.ref("alice").tags, ["a"])
// @ts-expect-error
void push(User.ref("alice").tags, [1])

// -- over models ---------------------------------------------------------------------------------------------------------

const remove = <M extends Model.Any>(model: M, id: Model.Id<M>): Atomic.Atomic<boolean, DomainError.InvalidValue> =>
  model.delete(id)
void remove(User, "alice")
void remove(Page, ["s", "/"])
// @ts-expect-error
void remove(User, 1)
// @ts-expect-error
void remove(Page, "s")

const bump = <M extends Model.Any>(model: M, id: Model.Id<M>, field: (ref: Model.Ref<M>) => Field.Number) =>
  field(model.ref(id) as Model.Ref<M>).increment()
const bumped = bump(Page, ["s", "/"], (page) => page.visits)
holds<Equals<Atomic.Success<typeof bumped>, number>>()
void bump(User, "alice", (user) => user.visits)
// @ts-expect-error: it has no visits
void bump(Purse, "alice", (purse) => purse.visits)
// @ts-expect-error: a list is no number
void bump(User, "alice", (user) => user.tags)

interface Visited<Id> {
  readonly ref: (id: Id) => { readonly visits: Field.Number }
}
const visit = <Id>(model: Visited<Id>, id: Id) => model.ref(id).visits.increment()
void visit(User, "alice")
void visit(Page, ["s", "/"])
// @ts-expect-error: it has no visits
void visit(Purse, "alice")

holds<Equals<Model.Id<typeof User>, string>>()
holds<Equals<Model.Id<typeof Page>, readonly [string, string]>>()
holds<Equals<Model.Id<typeof Purse>, string>>()
holds<Equals<keyof Model.Ref<typeof User>, "visits" | "title" | "tags">>()
holds<Equals<Model.Ref<typeof Page>, { readonly visits: Field.Number }>>()
holds<Equals<Model.Ref<typeof Purse>["coins"], Field.Number<typeof Coins.Type>>>()

const fetch = <M extends Model.Any>(model: M, id: Model.Id<M>): ReturnType<M["get"]> =>
  model.get(id) as ReturnType<M["get"]>
const fetched = fetch(User, "alice")
holds<Equals<Atomic.Success<typeof fetched>, User>>()

const models: ReadonlyArray<Model.Any> = [User, Page, Purse]
void models

// -- over programs -------------------------------------------------------------------------------------------------------

const timed = <A, E>(program: Atomic.Atomic<A, E>): Effect.Effect<
  A,
  E | RedisServiceError.RedisServiceError,
  RedisService.RedisService
> => Effect.withSpan(program, "program")
void timed(User.get("alice"))

const collect = <const P extends ReadonlyArray<Atomic.Any>>(programs: P) => Atomic.all(programs)
const collected = collect([User.ref("a").visits.get(), User.ref("a").title.get()])
holds<Equals<Atomic.Success<typeof collected>[1], "mr" | "ms">>()

// -- by hand: the handle of a schema ---------------------------------------------------------------------------------------

holds<Equals<Field.Of<typeof Schema.Int>, Field.Number>>()
holds<Equals<Field.Of<typeof Schema.String>, Field.Text>>()

// a struct with a default is a struct
const defaulted = Schema.Struct({ n: Schema.Int }).pipe(Model.withDefault({ n: 1 }))
holds<Equals<Field.Of<typeof defaulted>, Field.Struct<{ readonly n: number }, { readonly n: Schema.Int }>>>()
