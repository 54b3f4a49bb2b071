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
