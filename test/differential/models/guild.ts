/**
 * Sets, maps and sorted sets, of any members and values, with bounds, nested; each write, or each access, lets it live on.
 */
import { HashMap, HashSet, Schema } from "effect"
import { Model } from "redlayer"
import * as Collection from "../calls/collectionCalls.ts"
import * as Op from "../calls/scalarCalls.ts"
import { fieldsOf, type ModelCase, refusing } from "../modelDescription.ts"
import type { Gen } from "../random.ts"
import {
  bigint,
  boolean,
  build,
  duration,
  float,
  foreign,
  integer,
  listOf,
  mapOf,
  mapped,
  name,
  oneOf,
  patchOf,
  recordOf,
  scoredOf,
  setOf,
  tame,
  text,
  texts
} from "../storedTexts.ts"

const Pair = Schema.Tuple([Schema.String, Schema.Int])
const Point = Schema.Struct({ x: Schema.Int })
const Doc = Schema.Struct({ title: Schema.String, tags: Schema.Array(Schema.String) })

const fields = {
  id: Schema.String,
  members: Schema.ReadonlySet(Schema.String),
  few: Schema.ReadonlySet(Schema.Int.check(Schema.isBetween({ minimum: -10, maximum: 10 }))).check(
    Schema.isMinSize(2),
    Schema.isMaxSize(4)
  ),
  pairs: Schema.HashSet(Pair),
  odd: Schema.ReadonlySet(Schema.Int).check(Schema.makeFilter((set) => set.size % 2 === 1)),
  counts: Schema.Record(Schema.String, Schema.Int.check(Schema.isBetween({ minimum: -50, maximum: 50 }))),
  capped: Schema.Record(Schema.String, Schema.Number).check(Schema.isMinProperties(2), Schema.isMaxProperties(3)),
  labels: Schema.ReadonlyMap(Schema.Int, Schema.String.check(Schema.isMaxLength(6))),
  flags: Schema.HashMap(Schema.String, Schema.Boolean),
  sums: Schema.ReadonlyMap(Schema.Date, Schema.BigInt),
  times: Schema.Record(Schema.String, Schema.Duration),
  kinds: Schema.Record(Schema.String, Schema.Literals(["a", "b"])),
  docs: Schema.HashMap(Point, Doc),
  board: Model.sortedSet(Schema.String),
  podium: Model.sortedSet(Schema.Int).check(Schema.isMinLength(2), Schema.isMaxLength(3)),
  inner: Schema.Struct({
    tags: Schema.ReadonlySet(Schema.String),
    seen: Schema.Record(Schema.String, Schema.Boolean),
    top: Model.sortedSet(Pair),
    log: Schema.Array(Schema.String),
    deep: Schema.Struct({ ids: Schema.HashSet(Schema.BigInt) })
  })
}

const writeLives = 10 * 86_400_000
const accessLives = 5 * 86_400_000

export const Guild = Model.make("Guild", fields, { key: "id", timeToLive: { duration: writeLives } })

/** The same, but for what renews it. */
const Realm = Model.make("Realm", fields, { key: "id", timeToLive: { duration: accessLives, refresh: "access" } })

const few = integer(-10, 10)
const small = integer(-3, 3)
const pair: Gen<readonly [string, number]> = (random) =>
  random.wild() ? foreign(random) : [random.pick(["a", "é", "__proto__"]), random.int(0, 2)]
const pairs = mapped(listOf(pair, 0, 4), HashSet.fromIterable)
const odd: Gen<ReadonlySet<number>> = (random) => random.pick([new Set([1]), new Set([3, 2, 1])])
const count = integer(-50, 50)
const score = float(-5, 5)
const label = text(0, 6)
const flags = mapped(mapOf(name, boolean), (entries) => HashMap.fromIterable(entries))
const day: Gen<Date> = (random) => new Date(random.wild() ? NaN : random.int(0, 2) * 86_400_000)
// dates that are equal are not one in a Map
const sums: Gen<ReadonlyMap<Date, bigint>> = (random) =>
  new Map([0, 1, 2].filter(() => random.chance(0.5)).map((i) => [new Date(i * 86_400_000), bigint()(random)]))
const kind = oneOf<"a" | "b">("a", "b")
const point: Gen<{ readonly x: number }> = (random) => random.wild() ? foreign(random) : { x: random.int(0, 2) }
const doc: Gen<{ readonly title: string; readonly tags: ReadonlyArray<string> }> = (random) =>
  random.wild() ? foreign(random) : { title: random.pick(tame), tags: random.array(0, 2, () => random.pick(tame)) }
const docs: Gen<any> = (random) =>
  HashMap.fromIterable([0, 1, 2].filter(() => random.chance(0.5)).map((x) => [{ x }, doc(random)] as const))
const ids = mapped(setOf(bigint(-3n, 3n)), (members) => HashSet.fromIterable(members))
/** Equal tuples are different members of a Set. */
const top: Gen<ReadonlyArray<{ readonly member: readonly [string, number]; readonly score: number }>> = (random) =>
  ["a", "é", "\uffff"].filter(() => random.chance(0.5)).map((member) => ({
    member: [member, random.int(0, 1)],
    score: Collection.score(random)
  }))
const topMember: Gen<readonly [string, number]> = (random) =>
  random.wild() ? foreign(random) : [random.pick(["a", "é", "\uffff"]), random.int(0, 1)]

const deep = { ids }
const inner = {
  tags: setOf(name),
  seen: recordOf(name, boolean),
  top,
  log: listOf(text())
}

const guildFields = {
  members: setOf(name),
  few: setOf(few, 2, 4),
  pairs,
  odd,
  counts: recordOf(name, count),
  capped: recordOf(name, score, 2, 3),
  labels: mapOf(small, label),
  flags,
  sums,
  times: recordOf(name, duration),
  kinds: recordOf(name, kind),
  docs,
  board: scoredOf(name, Collection.score),
  podium: scoredOf(small, Collection.score, 2, 3),
  inner: build({ ...inner, deep: build(deep) })
}

const guild = fieldsOf<Model.Ref<typeof Guild>>()

const pairTexts = texts.jsonMembers("[\"a\",0]", "[\"a\",1]", "[\"é\",2]", "[\"__proto__\",0]")

const cases: ModelCase["fields"] = [
  guild.set("members", (ref) => ref.members, Collection.set(name, guildFields.members), texts.name),
  guild.set("few", (ref) => ref.few, Collection.set(few, guildFields.few), texts.members(-10, 10)),
  guild.set("pairs", (ref) => ref.pairs, Collection.set(pair, pairs as Gen<any>), pairTexts),
  refusing(guild.set("odd", (ref) => ref.odd, Collection.set(small, odd), texts.members(-3, 3))),
  guild.map(
    "counts",
    "integer",
    (ref) => ref.counts,
    Collection.map(name, count, guildFields.counts),
    name,
    Op.numberEntry(count, true),
    texts.name,
    texts.integer(-50, 50)
  ),
  guild.map(
    "capped",
    "number",
    (ref) => ref.capped,
    Collection.map(name, score, guildFields.capped),
    name,
    Op.numberEntry(score, false),
    texts.name,
    texts.number(-5, 5)
  ),
  guild.map(
    "labels",
    "text",
    (ref) => ref.labels,
    Collection.map(small, label, guildFields.labels),
    small,
    Op.textEntry(label),
    texts.members(-3, 3),
    texts.text
  ),
  guild.map(
    "flags",
    "boolean",
    (ref) => ref.flags,
    Collection.map(name, boolean, flags as Gen<any>),
    name,
    Op.boolEntry,
    texts.name,
    texts.boolean
  ),
  guild.map(
    "sums",
    "bigint",
    (ref) => ref.sums,
    Collection.map(day, bigint(), sums),
    day,
    Op.bigintEntry(bigint()),
    { good: (random) => String(random.int(0, 2) * 86_400_000), bad: texts.members(0, 2).bad },
    texts.bigint
  ),
  guild.map(
    "times",
    "time",
    (ref) => ref.times,
    Collection.map(name, duration, guildFields.times),
    name,
    Op.timeEntry(duration),
    texts.name,
    texts.duration
  ),
  guild.map(
    "kinds",
    "literal",
    (ref) => ref.kinds,
    Collection.map(name, kind, guildFields.kinds),
    name,
    Op.entry(kind),
    texts.name,
    texts.word("a", "b")
  ),
  guild.map(
    "docs",
    "json",
    (ref) => ref.docs,
    Collection.map(point, doc, docs),
    point,
    Op.entry(doc),
    texts.jsonMembers("{\"x\":0}", "{\"x\":1}", "{\"x\":2}"),
    texts.jsonMembers("{\"tags\":[],\"title\":\"a\"}", "{\"tags\":[\"x\"],\"title\":\"\"}")
  ),
  guild.sortedSet("board", (ref) => ref.board, Collection.sortedSet(name, guildFields.board), name, texts.name),
  guild.sortedSet(
    "podium",
    (ref) => ref.podium,
    Collection.sortedSet(small, guildFields.podium),
    small,
    texts.members(-3, 3)
  ),
  guild.whole("inner", (ref) => ref.inner.$, Op.whole<any>(guildFields.inner)),
  guild.set("inner.tags", (ref) => ref.inner.tags, Collection.set(name, inner.tags), texts.name),
  guild.map(
    "inner.seen",
    "boolean",
    (ref) => ref.inner.seen,
    Collection.map(name, boolean, inner.seen),
    name,
    Op.boolEntry,
    texts.name,
    texts.boolean
  ),
  guild.sortedSet("inner.top", (ref) => ref.inner.top, Collection.sortedSet(topMember, top), topMember, pairTexts),
  guild.list(
    "inner.log",
    "text",
    (ref) => ref.inner.log,
    Collection.list(text(), inner.log),
    Op.text(text()),
    texts.text
  ),
  guild.set(
    "inner.deep.ids",
    (ref) => ref.inner.deep.ids,
    Collection.set(bigint(-3n, 3n), ids as Gen<any>),
    texts.members(-3, 3)
  )
]

const caseOf = (name: string, model: Model.Any, lives: number): ModelCase => ({
  name,
  model,
  ids: (world) => [[`w${world}`, `${name}:{w${world}}`], [`w${world}*`, `${name}:{w${world}%2A}`]],
  entity: (random, id) => ({ id, ...build(guildFields)(random) }),
  patch: patchOf({ ...guildFields, inner: patchOf({ ...inner, deep: patchOf(deep) }) }),
  fields: cases,
  lives
})

export const guildCase = caseOf("Guild", Guild as Model.Any, writeLives)
export const realmCase = caseOf("Realm", Realm as Model.Any, accessLives)
