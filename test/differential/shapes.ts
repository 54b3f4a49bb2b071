/**
 * Programs of one shape, committed at once, on entities of which most are usual and some are not: they travel as runs, and an unusual
 * one in the middle leaves the fast paths of the script.
 */
import { Schema } from "effect"
import { Atomic, Condition, Model } from "redlayer"
import type { Program } from "./calls/scalarCalls.ts"
import { Hero } from "./models/hero.ts"
import type { Random } from "./random.ts"
import type { Cases } from "./randomProgram.ts"
import type { Entry } from "./storedState.ts"

type Ref = ReturnType<typeof Hero.ref>

const rankedFields = {
  id: Schema.String,
  coins: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 60 })).pipe(Model.indexed),
  level: Schema.Int,
  ratio: Schema.Finite
}

/** Their scores are written beside the fields: an index for each model, or for each tag. */
const Ranked = Model.make("RankedInRuns", rankedFields, { key: "id", slot: "id" })
const Together = Model.make("TogetherInRuns", rankedFields, { key: "id" })
/** A program writes both of its indexed fields, because entries that are missing at first appear with the first write by another path. */
const Twice = Model.make("TwiceInRuns", { ...rankedFields, ratio: rankedFields.ratio.pipe(Model.indexed) }, {
  key: "id",
  slot: "id"
})

type RankedRef = ReturnType<typeof Ranked.ref> | ReturnType<typeof Together.ref>
type TwiceRef = ReturnType<typeof Twice.ref>

class Refused {
  readonly _tag = "Refused"
}

const keyOf = (id: string) => `Hero:{${id}}`

const oddTexts = [
  "abc",
  "",
  " 5",
  "5 ",
  "0x10",
  "1e1",
  "007",
  "-0",
  "1.5",
  "NaN",
  "9007199254740993",
  "99999999999999999999"
]
const oddVersions = [undefined, "", "abc", "007", "1.5", "9223372036854775807"]

/** The stored form of an entity: 4 of 5 are usual. */
const entry = (random: Random): Entry | undefined => {
  const isOdd = random.chance(0.2)
  const oddity = isOdd ? random.int(0, 5) : -1
  if (oddity === 0) return undefined
  if (oddity === 1) return { type: "list", expiry: -1, values: ["x"] }
  const version = oddity === 2 ? random.pick(oddVersions) : String(random.int(1, 2_000_000_000))
  const coins = oddity === 3 ? random.pick(oddTexts) : String(random.int(0, 60))
  const values = [
    "name",
    random.pick(["a", "é", "😀"]),
    "level",
    String(random.int(1, 20)),
    "stats.wins",
    String(random.int(-9, 9))
  ]
  if (version !== undefined) values.push("$v", version)
  if (oddity !== 4) values.push("coins", coins)
  return { type: "hash", expiry: -1, values }
}

const entityOf = (id: string) => ({
  id,
  name: "new",
  coins: 7,
  score: 1,
  alive: true,
  role: "mage" as const,
  bag: {},
  tags: ["x"],
  marks: [],
  stats: { wins: 0, ratio: 0.5, deep: { seen: false, log: [] } }
})

/** Each takes two entities, two amounts and the id of the second entity. */
const shapes: ReadonlyArray<(a: Ref, b: Ref, x: number, y: number, other: string) => Program> = [
  (a) => a.coins.increment(1),
  (a, _, x) => a.coins.increment(x),
  (a) => a.stats.wins.increment(1),
  (a) => a.stats.wins.decrement(3),
  (a) => a.coins.get(),
  (a) => a.name.set("b"),
  (a, _, x) => a.coins.set(Math.abs(x)),
  (a, b) => Atomic.all([a.coins.decrement(1), b.coins.increment(1)]),
  (a, b) => Atomic.all([a.stats.wins.increment(2), b.stats.wins.decrement(2)]),
  (a, b) => Atomic.all([b.level.increment(1), a.stats.wins.increment(1)]),
  (a, b, x) => Atomic.all([a.coins.decrement(x), b.coins.increment(x)]),
  (a, b, x, y) => Atomic.all([a.stats.wins.increment(x), b.stats.wins.increment(y), a.coins.increment(1)]),
  (a, _, x) => Atomic.all([a.coins.increment(x), a.level.increment(1), a.name.set("c"), a.coins.get()]),
  (a, b, x) =>
    Atomic.andThen(
      Atomic.guard(a.coins.gte(x), () => new Refused()),
      Atomic.all([a.coins.decrement(x), b.coins.increment(x)])
    ),
  (a, b, x) => Atomic.when(a.coins.increment(x), Condition.and([a.level.gt(9), b.stats.wins.lt(3)])),
  (a, _, __, ___, other) => Atomic.all([Hero.exists(other), a.stats.wins.increment(1), Hero.timeToLive(other)]),
  (_, b, x, __, other) => Atomic.andThen(Hero.ensure(entityOf(other)), b.coins.increment(x))
]

const rankedShapes: ReadonlyArray<(a: RankedRef, b: RankedRef, x: number, y: number) => Program> = [
  (a) => a.coins.increment(1),
  (a, _, x) => a.coins.increment(x),
  (a, _, x) => a.coins.set(Math.abs(x)),
  (a) => a.coins.multiply(2),
  (a, _, x) => Atomic.all([a.coins.increment(x), a.level.increment(1), a.coins.get()]),
  (a, b, x) => Atomic.all([a.coins.decrement(x), b.coins.increment(x)]),
  (a, b, x) => Atomic.andThen(Atomic.guard(a.level.gt(9), () => new Refused()), b.coins.increment(x))
]

const twiceShapes: ReadonlyArray<(a: TwiceRef, b: TwiceRef, x: number, y: number) => Program> = [
  (a, _, x) => Atomic.all([a.coins.increment(x), a.ratio.increment(x / 4)]),
  (a, _, x, y) => Atomic.all([a.ratio.set(y / 2), a.coins.set(Math.abs(x)), a.ratio.increment(1)])
]

const rankedEntry = (random: Random): Entry | undefined => {
  const stored = entry(random)
  return stored?.type === "hash" ? { ...stored, values: [...stored.values as Array<string>, "ratio", "0.5"] } : stored
}

/** Each shape on many pairs of entities, sometimes on one pair again and again. */
export const runsOfOneShape = (random: Random): ReadonlyArray<Cases> => [
  ...runsOf(random, "r", shapes, (id) => Hero.ref(id), keyOf, entry),
  ...runsOf(random, "i", rankedShapes, (id) => Ranked.ref(id), (id) => `RankedInRuns:{${id}}`, rankedEntry),
  ...runsOf(random, "t", rankedShapes, (id) => Together.ref(id), (id) => `{TogetherInRuns}:${id}`, rankedEntry),
  ...runsOf(random, "d", twiceShapes, (id) => Twice.ref(id), (id) => `TwiceInRuns:{${id}}`, rankedEntry)
]

const runsOf = <A>(
  random: Random,
  name: string,
  shapes: ReadonlyArray<(a: A, b: A, x: number, y: number, other: string) => Program>,
  refOf: (id: string) => A,
  keyOf: (id: string) => string,
  entry: (random: Random) => Entry | undefined
): ReadonlyArray<Cases> =>
  shapes.flatMap((shape, index) =>
    [false, true].map((isHot): Cases => {
      const before = new Map<string, Entry>()
      const put = (id: string) => {
        const stored = entry(random)
        if (stored !== undefined) before.set(keyOf(id), stored)
      }
      const steps = Array.from({ length: isHot ? 30 : 60 }, (_, i) => {
        const at = isHot ? 0 : i
        const ids = [`${name}${index}a${at}`, `${name}${index}b${at}`] as const
        if (!isHot || i === 0) ids.forEach(put)
        const [a, b] = ids.map((id) => refOf(id))
        return {
          operation: `shape ${name}${index}`,
          place: ids.join(" and "),
          program: shape(a!, b!, random.int(-9, 9), random.int(-9, 9), ids[1])
        }
      })
      return { before, steps }
    })
  )
