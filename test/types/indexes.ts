/**
 * Type tests of indexes and queries. The compiler is the test: each `@ts-expect-error` must be one.
 */
import type { Effect, Option, Stream } from "effect"
import { Schema } from "effect"
import {
  Atomic,
  Condition,
  type DomainError,
  type Field,
  Model,
  Query,
  type RedisService,
  type RedisServiceError
} from "redlayer"
import { type Equals, type ErrorOf, holds } from "./equals.ts"

class Post extends Model.Class<Post>("TypedPost")({
  id: Schema.String,
  author: Schema.String,
  tenant: Schema.String,
  slug: Schema.String,
  status: Schema.Literals(["draft", "live"]),
  createdAt: Schema.Date,
  score: Schema.Int.pipe(Model.indexed),
  email: Schema.optionalKey(Schema.String.pipe(Model.unique)),
  home: Schema.Struct({ city: Schema.String.pipe(Model.indexed) }),
  tags: Schema.Array(Schema.String)
}, {
  key: "id",
  indexes: {
    feed: ["author", "createdAt"],
    queue: { fields: ["createdAt"], where: { status: "draft" } },
    seen: { fields: ["email"], absent: true }
  },
  unique: { slug: ["tenant", "slug"] }
}) {}

const Scattered = Model.make("TypedScattered", { id: Schema.String, n: Schema.Int.pipe(Model.indexed) }, {
  key: "id",
  slot: { partitions: 4 }
})

const ByTenant = Model.make(
  "TypedByTenant",
  { tenant: Schema.String, id: Schema.String, n: Schema.Int.pipe(Model.indexed) },
  { key: ["tenant", "id"], slot: "tenant" }
)

const Wallet = Model.make("TypedWallet", {
  id: Schema.String,
  owner: Schema.String,
  kind: Schema.optionalKey(Schema.Literals(["gold", "plain"])),
  coins: Schema.Int.pipe(Schema.brand("Coins")),
  debt: Schema.BigInt,
  held: Schema.optionalKey(Schema.Duration),
  at: Schema.Date,
  limit: Schema.Struct({ day: Schema.Int })
}, {
  key: "id",
  counted: {
    all: [],
    owner: ["owner"],
    kind: { by: ["kind", "owner"], absent: true },
    gold: { by: [], where: { kind: "gold" } }
  },
  summed: {
    coins: { of: "coins", by: ["owner"] },
    debt: { of: "debt", by: [] },
    held: { of: "held", by: ["kind"] },
    limit: { of: "limit.day", by: ["owner"] }
  }
})

const ScatteredWallet = Model.make("TypedScatteredWallet", { id: Schema.String, n: Schema.Int, big: Schema.BigInt }, {
  key: "id",
  slot: { partitions: 4 },
  counted: { all: [] },
  summed: { big: { of: "big", by: ["n"] } }
})

const TenantWallet = Model.make("TypedTenantWallet", { tenant: Schema.String, id: Schema.String, n: Schema.Int }, {
  key: ["tenant", "id"],
  slot: "tenant",
  counted: { all: [], tenant: ["tenant"] }
})

class Account extends Model.Class<Account>("TypedAccount")({ id: Schema.String, n: Schema.Int }, {
  key: "id",
  counted: { n: ["n"] }
}) {}

class Savings extends Model.extend<Savings, typeof Account>(Account, "TypedSavings")({ rate: Schema.Int }, {
  summed: { rate: { of: "rate", by: ["n"] } }
}) {}

const Live = Model.make("TypedLive", { id: Schema.String, n: Schema.Int }, { key: "id", live: true })
const Plain = Model.make("TypedPlain", { id: Schema.String, n: Schema.Int }, { key: "id" })

type Service = RedisService.RedisService
type ServiceError = RedisServiceError.RedisServiceError
type Invalid = DomainError.InvalidValue

const equals = <A>() => <B>(value: B & (Equals<A, B> extends true ? unknown : "another type")): B => value

export const results = [
  equals<Field.Count<Invalid>>()(Query.count(Post.by.feed({ author: "ann", createdAt: { gte: new Date() } }))),
  equals<Effect.Effect<number, Invalid | ServiceError, Service>>()(
    Query.count(Post.query((post) => post.score.gte(3)))
  ),
  equals<Field.Standing<Invalid>>()(Post.rank("a", "score")),
  equals<Effect.Effect<Option.Option<number>, Invalid | ServiceError, Service>>()(Scattered.rank("a", "n")),
  equals<Effect.Effect<number, Invalid | ServiceError, Service>>()(Query.count(Scattered.by.n())),
  equals<Atomic.Atomic<Post, DomainError.EntityNotFound | DomainError.EntityCorrupted | Invalid>>()(
    Post.getBy("slug", { tenant: "a", slug: "b" })
  ),
  equals<Stream.Stream<{ readonly id: string; readonly score: number }, Query.Failure, Service>>()(
    Post.query((post) => Condition.and(post.author.eq("ann"), post.score.gte(3))).pipe(
      Query.filter((post) => post.tags.contains("new")),
      Query.orderBy("score", "desc"),
      Query.pick(["id", "score"]),
      Query.stream()
    )
  )
]

export const totals = [
  equals<Field.Count<Invalid>>()(Wallet.counted("owner", { owner: "ann" })),
  equals<Field.Count<Invalid>>()(Wallet.counted("all")),
  equals<Field.Count<Invalid>>()(Wallet.summed("coins", { owner: "ann" })),
  equals<Field.BigIntSum<Invalid>>()(Wallet.summed("debt")),
  equals<Field.DurationSum<Invalid>>()(Wallet.summed("held", { kind: "gold" })),
  equals<Field.Count<Invalid>>()(Wallet.summed("limit", { owner: "ann" })),
  equals<Effect.Effect<number, Invalid | ServiceError, Service>>()(ScatteredWallet.counted("all")),
  equals<Effect.Effect<bigint, Invalid | ServiceError, Service>>()(ScatteredWallet.summed("big", { n: 1 })),
  equals<Field.Count<Invalid>>()(TenantWallet.counted("all", { tenant: "a" })),
  equals<Field.Count<Invalid>>()(TenantWallet.counted("tenant", { tenant: "a" })),
  equals<Field.Count<Invalid>>()(Savings.counted("n", { n: 1 })),
  equals<Field.Count<Invalid>>()(Savings.summed("rate", { n: 1 })),
  Wallet.counted("kind", { kind: null, owner: "ann" }),
  Wallet.summed("debt").gt(1n),
  Wallet.summed("held", { kind: "gold" }).lt("1 hour"),
  Wallet.ref("a").debt.increment(Wallet.summed("debt").value().times(2n)),
  Wallet.ref("a").held.set(Wallet.summed("held", { kind: "gold" }).value()),
  Atomic.guard(Wallet.counted("gold").lt(3), () => "too many" as const),
  // a model with an aggregate and no index is kept, too
  Wallet.check(),
  Account.reindex()
]

export const allowed = [
  Post.by.feed(),
  Post.by.feed({ author: "ann" }),
  Post.by.seen({ email: null }),
  Post.by["home.city"]({ "home.city": Query.prefix("An") }),
  // a partial index is found by its condition
  Post.query((post) => Condition.and(post.status.eq("draft"), post.createdAt.lt(new Date()))),
  ByTenant.by.n({ tenant: "a" }),
  ByTenant.top("n", 3, { within: { tenant: "a" } }),
  Live.watch("a"),
  Live.reactivityKeys("a"),
  // keys that an application has declared take them too
  equals<ReadonlyArray<any>>()(Live.reactivityKeys()) satisfies ReadonlyArray<"declared">,
  Query.reactivityKeys(Post.by.feed()) satisfies ReadonlyArray<"declared">,
  Atomic.guard(Query.count(Post.by.feed({ author: "ann" })).lt(5), () => "too many" as const)
]

export const refusedByTypes = [
  // @ts-expect-error the order of the index: author comes first
  Post.by.feed({ createdAt: new Date() }),
  // @ts-expect-error a range is the last value
  Post.by.feed({ author: { gt: "a" }, createdAt: new Date() }),
  // @ts-expect-error not the type of the field
  Post.by.feed({ author: 1 }),
  // @ts-expect-error no such index
  () => Post.by.nothing(),
  // @ts-expect-error a number has no beginning
  Post.by.score({ score: Query.prefix("1") }),
  // @ts-expect-error an absent value has no entry
  Post.by.score({ score: null }),
  // @ts-expect-error the field has no index
  Post.query((post) => post.tags.contains("x")),
  // @ts-expect-error not an index
  () => Post.rank("a", "author"),
  // @ts-expect-error not unique
  () => Post.getBy("feed", { author: "a", createdAt: new Date() }),
  // @ts-expect-error a value is missing
  () => Post.getBy("slug", { tenant: "a" }),
  // @ts-expect-error no index has this field
  Query.orderBy(Post.by.feed({ author: "a" }), "tags"),
  // @ts-expect-error the field that decides the slot is missing
  ByTenant.by.n(),
  // @ts-expect-error the field that decides the slot is missing
  () => ByTenant.top("n", 3),
  // @ts-expect-error no index
  () => Plain.by,
  // @ts-expect-error not live
  () => Plain.watch("a"),
  // @ts-expect-error not live
  () => Post.reactivityKeys("a"),
  // @ts-expect-error not an id
  () => Live.reactivityKeys(1),
  // @ts-expect-error a count of partitions is no program
  () => Atomic.all([Query.count(Scattered.by.n())]),
  // @ts-expect-error a value is missing
  () => Wallet.counted("owner"),
  // @ts-expect-error a value is missing
  () => Wallet.counted("kind", { owner: "ann" }),
  // @ts-expect-error an absent value is in no group
  () => Wallet.counted("owner", { owner: null }),
  // @ts-expect-error not the type of the field
  () => Wallet.counted("owner", { owner: 1 }),
  // @ts-expect-error an aggregate has no ranges
  () => Wallet.counted("owner", { owner: { gte: "a" } }),
  // @ts-expect-error no such count
  () => Wallet.counted("coins", { owner: "ann" }),
  // @ts-expect-error no such sum
  () => Wallet.summed("owner", { owner: "ann" }),
  // @ts-expect-error a number
  () => Wallet.summed("debt").gt(1),
  // @ts-expect-error the field that decides the slot is missing
  () => TenantWallet.counted("all"),
  // @ts-expect-error a count of partitions is no program
  () => Atomic.all([ScatteredWallet.counted("all")]),
  // @ts-expect-error no aggregate
  () => Plain.counted,
  () =>
    Model.make("TypedWrong", { id: Schema.String, text: Schema.String }, {
      key: "id",
      // @ts-expect-error a text has no sum
      summed: { text: { of: "text", by: [] } }
    }),
  // @ts-expect-error no such field
  () => Model.make("TypedWrong", { id: Schema.String }, { key: "id", counted: { byName: ["name"] } }),
  // @ts-expect-error no such field
  () => Model.make("TypedWrong", { id: Schema.String }, { key: "id", indexes: { byName: ["name"] } })
]

type Violation = DomainError.UniqueViolation
type Ref = ReturnType<typeof Post.ref>

// writes of unique fields may be refused, and no others
holds<Violation extends ErrorOf<typeof Post.insert> ? true : false>()
holds<Violation extends ErrorOf<Ref["slug"]["set"]> ? true : false>()
holds<Violation extends ErrorOf<Ref["email"]["set"]> ? true : false>()
// @ts-expect-error
holds<Violation extends ErrorOf<Ref["author"]["set"]> ? true : false>()
// @ts-expect-error
holds<Violation extends ErrorOf<typeof Plain.insert> ? true : false>()
