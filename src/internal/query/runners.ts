/**
 * Runs queries, in two phases: the entries of an index first, then a program for each entity, which checks the condition again. So
 * what others write between the two is never shown wrongly, and no script touches a key that its call does not declare.
 */
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { EntityCorrupted, EntityNotFound, InvalidValue } from "../../DomainError.ts"
import { All, AndThen, Junction, Mapped, Not, When } from "../program/atomic.ts"
import { commitAll } from "../program/commit.ts"
import type { AtomicNode } from "../program/node.ts"
import { RedisService } from "../service.ts"
import { Problem } from "../text/problem.ts"
import { merge, type Merged, mostEntries } from "./merge.ts"
import { type Branch, planOf, type Way } from "./planner.ts"
import type { Query } from "./query.ts"
import { compareEntries } from "./ranking.ts"
import type { Entry, HomeReads } from "./reads.ts"

/** How many entries a page examines at most that are in none, before it is given though it is not full. */
const mostLeftOut = 10_000

/** A place in the order of a query: after an entry of a group, or before all of them. */
interface Place {
  readonly way: number
  readonly group: number
  readonly after: Entry | undefined
}

/** An entry, where it is, and the branch that found it. Its order is its score, or the codes behind the prefix of the branch. */
interface Found extends Entry {
  readonly group: number
  readonly branch: Branch
  readonly home: HomeReads
}

interface Planned {
  readonly query: Query
  readonly ways: ReadonlyArray<Way>
  readonly fingerprint: string
}

const refusal = ({ source: { plan } }: Query, operation: string, { field, issue }: Problem): InvalidValue =>
  new InvalidValue({ model: plan.name, id: "", operation, field, issue })

const planned = (query: Query, operation: string): Effect.Effect<Planned, InvalidValue> =>
  Effect.suspend(() => {
    const found = planOf(query)
    return found instanceof Problem
      ? Effect.fail(refusal(query, operation, found))
      : Effect.succeed({ query, ...found })
  })

/** A node as the effect that commits it. */
const run = <A>(node: AtomicNode): Effect.Effect<A, any, RedisService> =>
  node as unknown as Effect.Effect<A, any, RedisService>

const together = <A>(nodes: ReadonlyArray<AtomicNode>): Effect.Effect<ReadonlyArray<A>, any, RedisService> =>
  Effect.all(nodes.map((node) => run<A>(node)), { concurrency: "unbounded" })

/** How many entries a way has at most. */
const sizeOf = ({ groups }: Way): Effect.Effect<number, any, RedisService> =>
  Effect.map(
    together<number>(groups.flat().flatMap(({ homes, range }) => homes.map((home) => home.count(range)))),
    (counts) => counts.reduce((sum, count) => sum + count, 0)
  )

/** The way that has the fewest entries. */
const choose = ({ ways }: Planned): Effect.Effect<number, any, RedisService> =>
  ways.length === 1
    ? Effect.succeed(0)
    : Effect.map(
      Effect.all(ways.map(sizeOf), { concurrency: "unbounded" }),
      (sizes) => sizes.indexOf(Math.min(...sizes))
    )

const isScore = ({ index }: Branch): boolean => index.spec.order === "score"

/** The next entries of a group. */
const entriesOf = (
  { groups }: Way,
  { after, group }: Place,
  reverse: boolean,
  limit: number
): Effect.Effect<Merged<Found>, any, RedisService> => {
  const branches = groups[group]!
  const compare = branches.length === 0 ? () => 0 : compareEntries(branches[0]!.index)
  return merge(
    branches.flatMap((branch) => branch.homes.map((home) => ({ branch, home }))),
    ({ branch, home }, limit) => {
      const place = after && { id: after.id, order: isScore(branch) ? after.order : branch.prefix + after.order }
      return Effect.map(
        run<ReadonlyArray<Entry>>(home.entries(branch.range, reverse, limit, place)),
        (entries) =>
          entries.map(({ id, order }): Found => ({
            group,
            order: isScore(branch) ? order : order.slice(branch.prefix.length),
            id,
            branch,
            home
          }))
      )
    },
    (a, b) => reverse ? compare(b, a) : compare(a, b),
    limit
  )
}

/** The condition that an entity must still meet, as one of the query. */
const conditionOf = (
  { query }: Planned,
  { groups }: Way,
  { branch, group, home, id }: Found,
  ref: object
): AtomicNode => {
  const { filters, source, start } = query
  const wheres = start._tag === "condition" ? [start.where, ...filters] : filters
  const holds = (other: Branch, own: HomeReads): AtomicNode => own.forIndex(other.index).holds(id, other.range)
  return new Junction(true, [
    start._tag === "index" ? holds(branch, home) : source.exists(home.idOf(id)),
    ...groups.slice(0, group).flat().map((earlier) => new Not(holds(earlier, home))),
    ...wheres.map((where) => where(ref))
  ])
}

/** Makes the program for an entity that meets the condition. */
type Act = (id: unknown) => AtomicNode

const reading = ({ names, source }: Query): Act => names === undefined ? source.get : (id) => source.pick(id, names)

/** An entity that was examined. `value`: none if it does not meet the condition. */
interface Examined {
  readonly entry: Found
  readonly exit: Exit.Exit<Option.Option<unknown>, unknown>
}

/** Runs a program for each entity that meets the condition. */
const examine = (
  self: Planned,
  way: Way,
  entries: ReadonlyArray<Found>,
  act: Act
): Effect.Effect<ReadonlyArray<Examined>, never, RedisService> =>
  Effect.flatMap(RedisService, (service) => {
    const { source } = self.query
    const nodes = entries.map((entry): AtomicNode => {
      const id = entry.home.idOf(entry.id)
      if (id instanceof Problem) return entry.home.unreadable(entry.id, id)
      return new When(conditionOf(self, way, entry, source.ref(id)), act(id))
    })
    return Effect.map(
      commitAll(nodes, service),
      (exits) => exits.map((exit, i): Examined => ({ entry: entries[i]!, exit }))
    )
  })

/** Entities of a query in its order, from a place on. */
interface Walk {
  readonly items: ReadonlyArray<Examined>
  /** Where the next walk begins. Undefined: there is nothing more. */
  readonly next: Place | undefined
}

interface WalkOptions {
  readonly limit: number
  readonly isBackward?: boolean | undefined
  readonly from?: Place | undefined
  /** Whether `act` writes, so that it must not run for more entities than are wanted. */
  readonly writes?: boolean | undefined
  /** Entries that are left out. */
  readonly skip?: ReadonlySet<string> | undefined
}

/** The place before all entities. */
const start = (self: Planned): Effect.Effect<Place, any, RedisService> =>
  Effect.map(choose(self), (way) => ({
    way,
    group: self.query.isReversed ? self.ways[way]!.groups.length - 1 : 0,
    after: undefined
  }))

const walk = Effect.fnUntraced(function*(
  self: Planned,
  act: Act,
  { from, isBackward = false, limit, skip, writes = false }: WalkOptions
): Effect.fn.Return<Walk, any, RedisService> {
  const number = from?.way ?? (yield* choose(self))
  const way = self.ways[number]
  if (way === undefined) return { items: [], next: undefined }
  const reverse = self.query.isReversed !== isBackward
  const { length } = way.groups
  const step = reverse ? -1 : 1
  const items: Array<Examined> = []
  let group = from?.group ?? (reverse ? length - 1 : 0)
  let after = from?.after
  let examined = 0
  const isGroup = (group: number): boolean => group >= 0 && group < length
  while (items.length < limit && isGroup(group)) {
    if (examined - items.length >= mostLeftOut) return { items, next: { way: number, group, after } }
    const missing = limit - items.length
    // one more than is missing tells whether there is a next page
    const wanted = Math.min(mostEntries, writes ? missing : Math.max(missing + 1, examined))
    const { entries: found, isEnd }: Merged<Found> = yield* entriesOf(
      way,
      { way: number, group, after },
      reverse,
      wanted
    )
    const entries = skip === undefined ? found : found.filter(({ home, id }) => !skip.has(`${home.home}:${id}`))
    const results = yield* examine(self, way, entries, act)
    examined += found.length
    for (const [i, result] of results.entries()) {
      after = result.entry
      if (isMatch(result.exit)) items.push(result)
      if (items.length < limit) continue
      const hasMore = i < results.length - 1 || !isEnd || isGroup(group + step)
      return { items, next: hasMore ? { way: number, group, after } : undefined }
    }
    if (isEnd) group += step
    after = isEnd ? undefined : found.at(-1)
  }
  return { items, next: undefined }
})

/** Whether an entity is in the result: it meets the condition, or can't be read. */
const isMatch = (exit: Exit.Exit<Option.Option<unknown>, unknown>): boolean =>
  Exit.isFailure(exit) || Option.isSome(exit.value)

const encodeCursor = ({ fingerprint }: Planned, { after, group, way }: Place): string =>
  Base64Url.encode(JSON.stringify([fingerprint, way, group, ...(after === undefined ? [] : [after.order, after.id])]))

/** A number as a server or the store in memory writes a score. */
const score = /^-?(?:inf(?:inity)?|\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/i

const isText = (value: unknown): value is string => typeof value === "string" && value.isWellFormed()

/** Decodes a cursor. Whatever it holds, it is a place in the order of the query, because anyone can make one. */
const decodeCursor = (self: Planned, cursor: unknown): Place | Problem => {
  const foreign = new Problem("Expected a cursor of this query")
  const text = typeof cursor === "string" ? Base64Url.decodeString(cursor) : Result.fail(undefined)
  if (Result.isFailure(text)) return foreign
  try {
    const [fingerprint, way, group, order, id, ...rest] = JSON.parse(text.success)
    const groups = Number.isInteger(way) ? self.ways[way]?.groups : undefined
    const branches = Number.isInteger(group) ? groups?.[group] : undefined
    if (fingerprint !== self.fingerprint || rest.length > 0 || branches === undefined) return foreign
    if (order === undefined) return { way, group, after: undefined }
    const isPlace = isText(order) && isText(id) && (!isScore(branches[0]!) || score.test(order))
    return isPlace ? { way, group, after: { order, id } } : foreign
  } catch {
    return foreign
  }
}

/** The first entity that can't be read, as the error of the whole. */
const values = (items: ReadonlyArray<Examined>): Effect.Effect<ReadonlyArray<unknown>, any> =>
  Effect.forEach(items, ({ exit }) => Exit.isSuccess(exit) ? Effect.succeed(Option.getOrThrow(exit.value)) : exit)

const problemOfLimit = (limit: unknown): Problem | undefined =>
  Number.isSafeInteger(limit) && (limit as number) >= 0
    ? undefined
    : new Problem("Expected a limit that is a whole number of at least 0")

/** `Query.PageOptions` documents the options. */
interface PageOptions {
  readonly limit: number
  readonly after?: string | undefined
  readonly before?: string | undefined
}

/** @internal */
export const page = (query: Query, options: PageOptions): Effect.Effect<any, any, RedisService> =>
  Effect.gen(function*() {
    const self = yield* planned(query, "page")
    const { after, before, limit } = options
    const refused = problemOfLimit(limit) ??
      (after !== undefined && before !== undefined ? new Problem("Expected `after` or `before`, not both") : undefined)
    if (refused !== undefined) return yield* refusal(query, "page", refused)
    const cursor = after ?? before
    const from = cursor === undefined ? undefined : decodeCursor(self, cursor)
    if (from instanceof Problem) return yield* refusal(query, "page", from)
    const isBackward = before !== undefined
    const { items, next } = limit === 0
      ? { items: [], next: from ?? (yield* start(self)) }
      : yield* walk(self, reading(query), { limit, isBackward, from })
    const ordered = isBackward ? items.toReversed() : items
    const cursorOf = (place: Place | undefined): Option.Option<string> =>
      Option.map(Option.fromUndefinedOr(place), (place) => encodeCursor(self, place))
    // the other side of the page is where it began
    const [first] = items
    const back = from === undefined
      ? undefined
      : first === undefined
      // behind all that was examined, so that the entry before an empty page is not left out
      ? next ?? {
        way: from.way,
        group: self.query.isReversed !== isBackward ? 0 : self.ways[from.way]!.groups.length - 1,
        after: undefined
      }
      : { way: from.way, group: first.entry.group, after: first.entry }
    return {
      items: yield* values(ordered),
      next: cursorOf(isBackward ? back : next),
      prev: cursorOf(isBackward ? next : back)
    }
  })

const pageSize = 256

/** The plan of a query that is read in parts of this size. */
const plannedFor = (query: Query, operation: string, size: number): Effect.Effect<Planned, InvalidValue> =>
  Number.isSafeInteger(size) && size >= 1 && size <= mostEntries
    ? planned(query, operation)
    : Effect.fail(refusal(query, operation, new Problem(`Expected a page size from 1 to ${mostEntries}`, "pageSize")))

/** All entities, walked through in parts. Between two of them others may write. */
const walks = (
  query: Query,
  operation: string,
  act: (query: Query) => Act,
  size: number = pageSize
): Stream.Stream<ReadonlyArray<Examined>, any, RedisService> =>
  Stream.unwrap(
    Effect.map(plannedFor(query, operation, size), (self) =>
      Stream.paginate(undefined as Place | undefined, (from) =>
        Effect.map(
          walk(self, act(query), { limit: size, from }),
          ({ items, next }) =>
            [
              [items],
              Option.map(Option.fromUndefinedOr(next), (place) =>
                place as Place | undefined)
            ] as const
        )))
  )

/** @internal */
export const results = (
  query: Query,
  options?: { readonly pageSize?: number | undefined }
): Stream.Stream<any, any, any> =>
  walks(query, "results", reading, options?.pageSize).pipe(
    Stream.mapEffect((items) =>
      Effect.forEach(items, ({ exit }): Effect.Effect<Result.Result<unknown, unknown>, any> => {
        if (Exit.isSuccess(exit)) return Effect.succeed(Result.succeed(Option.getOrThrow(exit.value)))
        const error = Exit.findErrorOption(exit)
        return Option.isSome(error) && error.value instanceof EntityCorrupted
          ? Effect.succeed(Result.fail(error.value))
          : exit as Exit.Exit<never, unknown>
      })
    ),
    Stream.flattenIterable
  )

/** @internal */
export const stream = (
  query: Query,
  options?: { readonly pageSize?: number | undefined }
): Stream.Stream<any, any, any> =>
  walks(query, "stream", reading, options?.pageSize).pipe(Stream.mapEffect(values), Stream.flattenIterable)

/** @internal */
export const ids = (query: Query, options?: { readonly pageSize?: number | undefined }): Stream.Stream<any, any, any> =>
  walks(query, "ids", () => (id) => new Mapped(new All([], undefined), () => id), options?.pageSize).pipe(
    Stream.mapEffect(values),
    Stream.flattenIterable
  )

/** @internal */
export const first = (query: Query, operation = "first"): Effect.Effect<Option.Option<any>, any, RedisService> =>
  Effect.gen(function*() {
    const self = yield* planned(query, operation)
    let from: Place | undefined
    do {
      const { items, next } = yield* walk(self, reading(query), { limit: 1, from })
      const [entity] = yield* values(items)
      if (items.length > 0) return Option.some(entity)
      from = next
    } while (from !== undefined)
    return Option.none()
  })

/** @internal */
export const getFirst = (query: Query): Effect.Effect<any, any, RedisService> =>
  Effect.flatMap(
    first(query, "getFirst"),
    Option.match({
      onNone: () => Effect.fail(new EntityNotFound({ model: query.source.plan.name, id: "", operation: "getFirst" })),
      onSome: Effect.succeed
    })
  )

/** The only home and range of a query whose entries are its entities. Undefined: it has others, or a condition. */
const onlyRange = (query: Query): Branch | undefined => {
  const found = planOf(query)
  if (found instanceof Problem || found.ways.length !== 1 || !found.ways[0]!.isExact) return undefined
  const branches = found.ways[0]!.groups.flat()
  return branches.length === 1 && query.source.plan.partitions === undefined ? branches[0] : undefined
}

/**
 * Counts the entities. It is a program if one range of one home has exactly them.
 *
 * @internal
 */
export const count = (query: Query): AtomicNode | Effect.Effect<number, any, RedisService> => {
  const only = onlyRange(query)
  return only === undefined ? countEach(query) : only.homes[0]!.count(only.range)
}

const countEach = (query: Query): Effect.Effect<number, any, RedisService> =>
  Effect.flatMap(planned(query, "count"), ({ ways: [way] }) =>
    way?.isExact === true
      ? sizeOf(way)
      : Stream.runFold(ids(query, { pageSize: mostEntries }), () => 0, (total) => total + 1))

/** @internal */
export const exists = (query: Query): AtomicNode | Effect.Effect<boolean, any, RedisService> => {
  const only = onlyRange(query)
  return only === undefined
    ? Effect.map(Stream.runHead(ids(query, { pageSize: 1 })), Option.isSome)
    : only.homes[0]!.has(only.range)
}

/** How many ranges are looked at for the size of an entry, and how many entries at each end of them. */
const sampled = { ranges: 16, entries: 4 }

const utf8 = new TextEncoder()

const bytesOf = (text: string): number => utf8.encode(text).length

/** The bytes of an entry on a server, as measured: docs/indexes.md. The member of an index that is not of scores is in a hash, too. */
const bytesOfEntry = (branch: Branch, { id, order }: Entry): number =>
  isScore(branch) ? 100 + bytesOf(id) : 160 + bytesOf(id) + 2 * bytesOf(order)

/** The mean size of the entries at the ends of some ranges of a way. 0: there are none. */
const sizeOfEntries = ({ groups }: Way): Effect.Effect<number, any, RedisService> => {
  const all = groups.flat().flatMap((branch) => branch.homes.map((home) => ({ branch, home })))
  const step = Math.max(1, all.length / sampled.ranges)
  const some = Array.from({ length: Math.min(all.length, sampled.ranges) }, (_, i) => all[Math.floor(i * step)]!)
  const asked = some.flatMap(({ branch, home }) =>
    [false, true].map((reverse) => home.entries(branch.range, reverse, sampled.entries))
  )
  return Effect.map(together<ReadonlyArray<Entry>>(asked), (answers) => {
    const sizes = answers.flatMap((entries, i) => entries.map((entry) => bytesOfEntry(some[i >> 1]!.branch, entry)))
    return sizes.length === 0 ? 0 : Math.round(sizes.reduce((sum, size) => sum + size, 0) / sizes.length)
  })
}

/**
 * Says how a query would run.
 *
 * @internal
 */
export const explain = (query: Query): Effect.Effect<any, any, RedisService> =>
  Effect.gen(function*() {
    const self = yield* planned(query, "explain")
    const number = yield* choose(self)
    const way = self.ways[number]!
    const branches = way.groups.flat()
    const [examinedAtMost, bytesOfAnEntry] = yield* Effect.all([sizeOf(way), sizeOfEntries(way)], {
      concurrency: "unbounded"
    })
    return {
      indexes: [...new Set(branches.map(({ index }) => index.spec.name))],
      ranges: branches.length,
      homes: branches[0]?.homes.length ?? 0,
      examinedAtMost,
      bytesOfAnEntry,
      roundTripsOfAPage: self.ways.length === 1 ? 2 : 3,
      isExact: way.isExact
    }
  })

/** @internal */
export const deleteAll = (query: Query): Effect.Effect<number, any, RedisService> =>
  Effect.gen(function*() {
    const { source } = query
    const self = yield* planned(query, "deleteAll")
    let deleted = 0
    let from: Place | undefined
    do {
      const { items, next } = yield* walk(self, source.delete, { limit: mostEntries, from, writes: true })
      for (const wasDeleted of yield* values(items)) if (wasDeleted === true) deleted++
      from = next
    } while (from !== undefined)
    return deleted
  })

/** @internal */
export const updateAll = (
  query: Query,
  patch: unknown,
  options: { readonly limit?: number | undefined } = {}
): Effect.Effect<any, any, RedisService> =>
  Effect.gen(function*() {
    const { source } = query
    const refused = options.limit === undefined ? undefined : problemOfLimit(options.limit)
    if (refused !== undefined) return yield* refusal(query, "updateAll", refused)
    const self = yield* planned(query, "updateAll")
    const seen = new Set<string>()
    const changed: Array<unknown> = []
    const act: Act = (id) => {
      const update: AtomicNode = typeof patch === "function" ? patch(source.ref(id)) : source.update(id, patch)
      return options.limit === undefined ? update : new AndThen(update, reading(query)(id), false)
    }
    let from: Place | undefined
    do {
      const limit = Math.min(mostEntries, (options.limit ?? Infinity) - changed.length)
      const { items, next } = yield* walk(self, act, { limit, from, writes: true, skip: seen })
      for (const { entry } of items) seen.add(`${entry.home.home}:${entry.id}`)
      changed.push(...yield* values(items))
      from = next
    } while (from !== undefined && changed.length < (options.limit ?? Infinity))
    return options.limit === undefined ? changed.length : changed
  })
