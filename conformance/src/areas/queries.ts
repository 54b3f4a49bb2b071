/**
 * Queries: what they find, in which order, page by page, and what they refuse. Random ones are compared with plain TypeScript in
 * test/differential.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Atomic from "redlayer/Atomic"
import * as Condition from "redlayer/Condition"
import * as Model from "redlayer/Model"
import * as Query from "redlayer/Query"
import * as assert from "../assert.ts"
import { fails } from "../assertions.ts"
import type { Test } from "../suite.ts"

const fields = {
  id: Schema.String,
  author: Schema.String,
  status: Schema.Literals(["draft", "live"]),
  n: Schema.Int,
  score: Schema.Int.pipe(Model.indexed),
  note: Schema.optionalKey(Schema.String),
  tags: Schema.Array(Schema.String)
}

const Post = Model.make("QueriesPost", fields, {
  key: "id",
  live: true,
  indexes: {
    feed: ["author", "n"],
    drafts: { fields: ["n"], where: { status: "draft" } },
    note: { fields: ["note"], absent: true }
  }
})

const Site = Model.make("QueriesSite", {
  id: Schema.String,
  place: Schema.Struct({ city: Schema.String, floor: Schema.Int }).pipe(Model.withDefault({ city: "Rome", floor: 1 }))
}, {
  key: "id",
  indexes: { city: ["place.city", "place.floor"] },
  counted: { city: ["place.city"] },
  summed: { floor: { of: "place.floor", by: ["place.city"] } }
})

const Session = Model.make("QueriesSession", { id: Schema.String, user: Schema.String, at: Schema.Int }, {
  key: "id",
  indexes: { user: ["user", "at"] }
})

const Spread = Model.make("QueriesSpread", { id: Schema.String, n: Schema.Int.pipe(Model.indexed) }, {
  key: "id",
  slot: { partitions: 30 }
})

const posts = Array.from({ length: 40 }, (_, i) => ({
  id: `p${i}`,
  author: i % 2 === 0 ? "ann" : "bob",
  status: i % 3 === 0 ? "draft" as const : "live" as const,
  n: i % 7,
  score: i % 5,
  tags: i % 4 === 0 ? ["new"] : []
}))

const byPlace = (a: typeof posts[number], b: typeof posts[number]): number => a.n - b.n || (a.id < b.id ? -1 : 1)

const all = <A, E, R>(self: Stream.Stream<A, E, R>): Effect.Effect<ReadonlyArray<A>, E, R> => Stream.runCollect(self)

export const queries = (test: Test): void => {
  test("pages go forwards and back, and each entity is on one of them", () =>
    Effect.gen(function*() {
      yield* Post.insertMany(posts)
      const wanted = posts.filter(({ author }) => author === "ann").toSorted(byPlace).map(({ id }) => id)
      const feed = Post.by.feed({ author: "ann" }).pipe(Query.pick(["id"]))
      const seen: Array<string> = []
      let page = yield* Query.page(feed, { limit: 6 })
      assert.deepEqual(page.prev, Option.none())
      for (;;) {
        seen.push(...page.items.map(({ id }) => id))
        if (Option.isNone(page.next)) break
        page = yield* Query.page(feed, { limit: 6, after: page.next.value })
      }
      assert.deepEqual(seen, wanted)
      const back: Array<string> = page.items.map(({ id }) => id)
      while (Option.isSome(page.prev)) {
        page = yield* Query.page(feed, { limit: 6, before: page.prev.value })
        back.unshift(...page.items.map(({ id }) => id))
      }
      assert.deepEqual(back, wanted)
      const reversed = yield* all(Query.stream(Query.reverse(feed), { pageSize: 3 }))
      assert.deepEqual(reversed.map(({ id }) => id), wanted.toReversed())
    }))

  test("a limit of 0 gives no entity and a cursor at the beginning", () =>
    Effect.gen(function*() {
      yield* Post.insertMany(posts.slice(0, 3))
      const empty = yield* Query.page(Post.by.score(), { limit: 0 })
      assert.deepEqual([empty.items, empty.prev], [[], Option.none()])
      const rest = yield* Query.page(Post.by.score(), { limit: 100, after: Option.getOrThrow(empty.next) })
      assert.strictEqual(rest.items.length, 3)
      assert.deepEqual(rest.next, Option.none())
    }))

  test("an index may name a field of a struct that has a default", () =>
    Effect.gen(function*() {
      yield* Site.insertMany([{ id: "a" }, { id: "b", place: { city: "Oslo", floor: 3 } }, { id: "c" }])
      yield* Site.ref("c").place.floor.set(5)
      const ids = (city: string) =>
        Query.ids(Query.reverse(Site.by.city({ "place.city": city }))).pipe(Stream.runCollect)
      assert.deepEqual(yield* ids("Rome"), ["c", "a"])
      assert.deepEqual(yield* ids("Oslo"), ["b"])
      assert.deepEqual(yield* Site.counted("city", { "place.city": "Rome" }), 2)
      assert.deepEqual(yield* Site.summed("floor", { "place.city": "Rome" }), 6)
    }))

  test("wrong limits, foreign cursors and conditions without an index are refused", () =>
    Effect.gen(function*() {
      yield* Post.insertMany(posts)
      const { next } = yield* Query.page(Post.by.score(), { limit: 3 })
      const after = Option.getOrThrow(next)
      for (const limit of [-1, 0.5, NaN, Infinity, "3" as any]) {
        yield* fails(Query.page(Post.by.score(), { limit }), "InvalidValue", { operation: "page" })
        yield* fails(Post.top("score", limit), "InvalidValue", { operation: "top" })
        yield* fails(Post.around(posts[0]!.id, "score", limit), "InvalidValue", { operation: "around" })
      }
      yield* fails(Post.top("score", 1001), "InvalidValue", { operation: "top" })
      yield* fails(Post.around(posts[0]!.id, "score", 500), "InvalidValue", { operation: "around" })
      assert.isNotEmpty(yield* Post.top("score", 1000))
      assert.isNotEmpty(yield* Post.around(posts[0]!.id, "score", 499))
      for (
        const other of [
          Query.reverse(Post.by.score()),
          Post.by.score({ score: { gt: 1 } }),
          Query.filter(Post.by.score(), ({ n }) => n.gt(1)),
          Post.by.feed()
        ]
      ) yield* fails(Query.page(other, { limit: 3, after }), "InvalidValue", { operation: "page" })
      for (const cursor of ["", "x", `${after}x`, 5 as any]) {
        yield* fails(Query.page(Post.by.score(), { limit: 3, after: cursor }), "InvalidValue", { operation: "page" })
      }
      yield* fails(Query.page(Post.by.score(), { limit: 3, after, before: after }), "InvalidValue", {
        operation: "page"
      })
      yield* fails(Query.page(Post.query(({ n }) => n.gt(1)), { limit: 3 }), "InvalidValue", { operation: "page" })
      yield* fails(Query.page(Post.query(({ score }) => Condition.not(score.eq(1))), { limit: 3 }), "InvalidValue", {
        operation: "page"
      })
      for (const pageSize of [0, -1, NaN, 1001]) {
        yield* fails(all(Query.stream(Post.by.score(), { pageSize })), "InvalidValue", { operation: "stream" })
      }
    }))

  test("the values of a condition may be many, and the order is that of the query", () =>
    Effect.gen(function*() {
      yield* Post.insertMany(posts)
      const either = Post.query(({ author }) => author.in(["bob", "ann"]))
      const authors = (yield* all(Query.stream(Query.orderBy(either, "author")))).map(({ author }) => author)
      assert.deepEqual(authors, authors.toSorted())
      // the ranges of the values follow one another, and a page continues in the next one
      for (const direction of ["asc", "desc"] as const) {
        const query = Query.orderBy(either, "author", direction)
        const whole = (yield* all(Query.ids(query))).map(String)
        assert.deepEqual(whole.toSorted(), posts.map(({ id }) => id).toSorted())
        const paged = yield* all(Query.ids(query, { pageSize: 3 }))
        assert.deepEqual(paged.map(String), whole)
      }
      const numbers = (yield* all(Query.stream(Query.orderBy(either, "n", "desc")))).map(({ n }) => n)
      assert.deepEqual(numbers, posts.map(({ n }) => n).toSorted((a, b) => b - a))
      const or = Post.query(({ author, score }) => Condition.or(author.eq("ann"), score.eq(3)))
      const forwards = (yield* all(Query.ids(or))).map(String)
      assert.strictEqual(
        new Set(forwards).size,
        posts.filter(({ author, score }) => author === "ann" || score === 3).length
      )
      assert.deepEqual((yield* all(Query.ids(Query.reverse(or)))).map(String), forwards.toReversed())
    }))

  test("a partial index serves a condition that implies it, and entries of absent values come first", () =>
    Effect.gen(function*() {
      yield* Post.insertMany(posts)
      const drafts = Post.query(({ n, status }) => Condition.and(status.eq("draft"), n.lt(3)))
      assert.deepEqual((yield* Query.explain(drafts)).indexes, ["drafts"])
      assert.deepEqual(
        (yield* all(Query.ids(drafts))).map(String),
        posts.filter(({ n, status }) => status === "draft" && n < 3).toSorted(byPlace).map(({ id }) => id)
      )
      yield* Post.ref("p7").note.set("")
      yield* Post.ref("p8").note.set("b")
      assert.strictEqual(yield* Query.count(Post.by.note({ note: null })), 38)
      assert.deepEqual((yield* all(Query.ids(Post.by.note()))).slice(-2), ["p7", "p8"])
    }))

  test("a count is a condition and an operand of its program", () =>
    Effect.gen(function*() {
      const mine = Query.count(Session.by.user({ user: "ann" }))
      const open = (id: string) =>
        Atomic.guard(mine.lt(3), () => "too many" as const).pipe(
          Atomic.andThen(Session.insert({ id, user: "ann", at: 1 }))
        )
      const exits = yield* Effect.forEach(["a", "b", "c", "d"], (id) => Effect.exit(open(id)), {
        concurrency: "unbounded"
      })
      assert.strictEqual(exits.filter(({ _tag }) => _tag === "Success").length, 3)
      yield* Session.ref("a").at.set(mine.value())
      assert.strictEqual(yield* Session.ref("a").at.get(), 3)
      yield* Post.insertMany(posts)
      yield* Post.ref("p1").n.set(Post.rank("p4", "score").value({ default: 0 }))
      assert.strictEqual(yield* Post.ref("p1").n.get(), 1)
    }))

  test("entities that are changed or deleted by a query are those that meet its condition", () =>
    Effect.gen(function*() {
      yield* Post.insertMany(posts)
      const fresh = Post.by.feed({ author: "ann" }).pipe(Query.filter(({ tags }) => tags.contains("new")))
      const claimed = yield* Query.updateAll(fresh, { status: "live" }, { limit: 4 })
      assert.strictEqual(claimed.length, 4)
      assert.isTrue(claimed.every(({ status, tags }) => status === "live" && tags.length > 0))
      assert.strictEqual(yield* Query.updateAll(fresh, ({ score }) => score.increment(100)), 10)
      assert.strictEqual(yield* Query.count(Post.by.score({ score: { gte: 100 } })), 10)
      assert.strictEqual(yield* Query.deleteAll(fresh), 10)
      assert.strictEqual(yield* Query.count(Post.by.score()), 30)
    }))

  const size = (query: Query.Query<any, any>) => Effect.map(Query.explain(query), (found) => found.bytesOfAnEntry)

  test("the size of an entry is estimated from the entries of the ranges", () =>
    Effect.gen(function*() {
      const all = Post.by.score()
      assert.strictEqual(yield* size(all), 0)
      // six bytes of an id
      const entity = (id: string, author: string, score: number) =>
        ({ id, author, status: "live", n: 1, score, tags: [] }) as const
      yield* Post.insertMany([entity("ä🙂", "ann", 1), entity("äbcde", "ann", 1)])
      assert.strictEqual(yield* size(all), 106)
      // the codes of "ann" and 1, and the id
      assert.strictEqual(yield* size(Post.by.feed()), 160 + 6 + 2 * (4 + 2 + 6))
      yield* Post.insertMany(Array.from({ length: 50 }, (_, i) => entity(`${i}`.padStart(16, "x"), "bob", 2)))
      assert.strictEqual(yield* size(Post.by.score({ score: 1 })), 106)
      assert.strictEqual(yield* size(Post.by.score({ score: 2 })), 116)
      assert.strictEqual(yield* size(Post.by.score({ score: 3 })), 0)
      assert.strictEqual(yield* size(all), Math.round((2 * 106 + 6 * 116) / 8))
      // of several indexes, of the one that is taken
      assert.strictEqual(
        yield* size(Post.query(({ author, score }) => Condition.and(author.eq("ann"), score.gte(1)))),
        190
      )
      const both = Post.query(({ author }) => author.in(["ann", "bob", "carol"]))
      assert.strictEqual(yield* size(both), Math.round((4 * 190 + 8 * (160 + 16 + 2 * (4 + 2 + 16))) / 12))
      const many = Post.query(({ n }) => n.in(Array.from({ length: 100 }, (_, i) => i)))
      yield* fails(Query.explain(many), "InvalidValue")
    }))

  test("the size of an entry is estimated over all partitions, and their entries are counted", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* size(Spread.by.n()), 0)
      yield* Spread.insertMany(Array.from({ length: 40 }, (_, i) => ({ id: `${i}`.padStart(7, "y"), n: i })))
      assert.strictEqual(yield* size(Spread.by.n()), 107)
      const { examinedAtMost, homes } = yield* Query.explain(Spread.by.n({ n: { lt: 30 } }))
      assert.deepEqual([examinedAtMost, homes], [30, 30])
    }))
}
