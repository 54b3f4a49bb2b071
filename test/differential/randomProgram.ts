/**
 * Random programs: calls of random operations on a few entities, put together in random ways.
 */
import { Atomic } from "redlayer"
import { reading } from "./calls/entityCalls.ts"
import type { Program } from "./calls/scalarCalls.ts"
import { addEntries, randomEntity } from "./initialState.ts"
import type { FieldCase, ModelCase, Observable } from "./modelDescription.ts"
import { entityCalls, indexedCases, modelCases } from "./models.ts"
import { Guild } from "./models/guild.ts"
import { kindOf, type Operand, times } from "./operands.ts"
import { type Gen, Random } from "./random.ts"
import type { Entry } from "./storedState.ts"
import { hardTexts } from "./storedTexts.ts"

/** One call of one operation. */
export interface Step {
  readonly operation: string
  /** for people: where it works */
  readonly place: string
  readonly program: Program
}

type Make = Gen<Step>

/** A few entities, and all that can be done to them. */
export interface World {
  readonly initial: ReadonlyMap<string, Entry>
  readonly makers: ReadonlyMap<string, ReadonlyArray<Make>>
  /** what operands are made of, by their kind */
  readonly sources: ReadonlyMap<string, ReadonlyArray<Gen<Operand>>>
  /** what a guard may show */
  readonly observables: ReadonlyArray<Observable>
  /** the share of programs on whole entities, which are a few among many operations */
  readonly whole: number
  /** operations that are picked more often than others */
  readonly favoured?: ReadonlyArray<string>
}

const makersOf = (
  self: ModelCase,
  id: unknown,
  others: ReadonlyArray<unknown>,
  only?: FieldCase
): Array<readonly [operation: string, make: Make, weight: number]> => {
  const place = `${self.name}(${JSON.stringify(id)})`
  const { model } = self
  return [
    ...entityCalls(self).map(([operation, call]) =>
      [
        operation,
        (random: Random) => ({
          operation,
          place,
          program: call({ id, model }, random, { id: random.pick(others), model })
        }),
        1
      ] as const
    ),
    ...(self.calls ?? []).map(([operation, call]) =>
      [
        operation,
        (random: Random) => ({ operation, place, program: call({ id, model }, random, { id, model }) }),
        1
      ] as const
    ),
    ...(only === undefined ? self.fields : [only]).flatMap(({ calls, name, refuses }) =>
      calls.map(([operation, call]) =>
        [operation, (random: Random) => ({
          operation,
          place: `${place}.${name}`,
          program: call(
            model.ref(id as never, reading(random)),
            random,
            model.ref(random.pick(others) as never, reading(random))
          )
        }), refuses === true ? 1 : 4] as const
      )
    )
  ]
}

/** Every operation that a generator must reach. */
export const operations: ReadonlyArray<string> = [
  ...new Set(modelCases.flatMap((self) => makersOf(self, self.ids(0)[0]![0], []).map(([operation]) => operation)))
].sort()

interface Place {
  readonly self: ModelCase
  readonly id: unknown
  readonly key: string
  /** the ids that it may be put together with */
  readonly others: ReadonlyArray<unknown>
}

const placesOf = (world: number): ReadonlyArray<Place> =>
  modelCases.flatMap((self) => {
    const ids = self.ids(world)
    return ids.map(([id, key]) => ({ self, id, key, others: ids.map(([other]) => other) }))
  })

const kinds = new Map<FieldCase["operands"][number], string>()

/** The kind of an operand, whatever its entity. */
const sourceKind = (make: FieldCase["operands"][number], ref: unknown): string => {
  let kind = kinds.get(make)
  if (kind === undefined) {
    kind = kindOf(make(ref, new Random("kinds")))
    kinds.set(make, kind)
  }
  return kind
}

const worldOf = (
  places: Iterable<Place>,
  entity: (place: Place) => ReadonlyMap<string, Entry>,
  whole: number,
  only?: FieldCase,
  hasTime = true
): World => {
  const initial = new Map<string, Entry>()
  const makers = new Map<string, Array<Make>>()
  const sources = new Map<string, Array<Gen<Operand>>>()
  if (hasTime) { for (const [kind, make] of times) sources.set(kind, [make]) }
  const observables: Array<Observable> = []
  const indexed = new Map<ModelCase, Array<string>>()
  for (const place of places) {
    for (const [key, entry] of entity(place)) initial.set(key, entry)
    indexed.set(place.self, [...indexed.get(place.self) ?? [], place.key])
    const ref = place.self.model.ref(place.id as never)
    for (const { observe, operands } of place.self.fields) {
      observables.push(observe(ref))
      for (const make of operands) {
        const kind = sourceKind(make, ref)
        const known = sources.get(kind) ?? []
        known.push((random) => make(ref, random))
        sources.set(kind, known)
      }
    }
    for (const [operation, make, weight] of makersOf(place.self, place.id, place.others, only)) {
      const known = makers.get(operation) ?? []
      for (let i = 0; i < weight; i++) known.push(make)
      makers.set(operation, known)
    }
  }
  for (const [{ spec }, keys] of indexed) if (spec !== undefined) addEntries(initial, spec, keys)
  return { initial, makers, sources, observables, whole }
}

/** A world of all entities of one model. */
export const makeModelWorld = (self: ModelCase, world: number, whole: number): World => {
  const ids = self.ids(world)
  const others = ids.map(([id]) => id)
  return worldOf(ids.map(([id, key]) => ({ self, id, key, others })), () => new Map(), whole, undefined, false)
}

/**
 * A world of one to three entities; its number keeps its keys apart from those of others.
 *
 * @param choice decides which entities. Worlds of the same choice are twins: they differ in ids and in what is stored.
 * @param indexed whether they are of models with indexes. Default: some are.
 */
export const makeWorld = (world: number, random: Random, choice = random, indexed?: boolean): World => {
  const places = indexed === undefined && choice.chance(0.25)
    ? placesOf(world)
    : placesOf(world).filter(({ self }) => indexedCases.includes(self) === (indexed ?? false))
  return worldOf(
    new Set([choice.pick(places), choice.pick(places), choice.pick(places)]),
    ({ key, self }) => randomEntity(self, key, random),
    0.15,
    undefined,
    // a program that fails does not tell which time it saw, and one of many twins would show it
    choice === random
  )
}

/** A world with a good entity of every model, and one that is not there. Its programs leave the same at any time. */
export const makeWholeWorld = (world: number, random: Random): World =>
  worldOf(
    placesOf(world),
    ({ key, self }) => randomEntity(self, key, random, key === self.ids(world)[0]![1] ? "good" : "none"),
    0.15,
    undefined,
    false
  )

/** A world of one collection and its entity: a few operations that meet each other more often. */
export const makeNarrowWorld = (world: number, random: Random, kind?: string): World => {
  const place = random.pick(placesOf(world))
  const collections = place.self.fields.filter(({ stored }) => stored !== undefined && stored.kind !== "leaf")
  const both = placesOf(world).filter(({ self }) => self === place.self)
  return worldOf(
    random.chance(0.5) ? both : [place],
    ({ key, self }) => randomEntity(self, key, random, kind),
    random.pick([0.2, 0.7]),
    random.pick(collections)
  )
}

/** Nothing renews the time to live of their entities. */
const unrenewed = new Set(["Hero", "Note"])

/**
 * A world of one field of good entities, most often an integer, and of few operations: its programs are often of the shapes that
 * have a path of their own.
 */
export const makeLeafWorld = (world: number, random: Random, choice: Random): World => {
  const isUsual = choice.chance(0.8)
  const all = placesOf(world)
  const place = choice.pick(isUsual ? all.filter(({ self }) => unrenewed.has(self.name)) : all)
  const leaves = place.self.fields.filter(({ stored }) => stored?.kind === "leaf")
  const integers = leaves.filter(({ calls }) => calls.some(([operation]) => operation === "integer.increment"))
  const found = worldOf(
    choice.chance(0.5) ? all.filter(({ self }) => self === place.self) : [place],
    ({ key, self }) => randomEntity(self, key, random, random.chance(0.9) ? "good" : undefined),
    0.1,
    choice.pick(isUsual && choice.chance(0.6) && integers.length > 0 ? integers : leaves),
    false
  )
  const names = [...found.makers.keys()]
  const kept = new Set([
    choice.pick(names),
    choice.pick(names.filter(isTest)),
    ...names.filter((name) => /\.(increment|get|set|find|ensure|exists)$/.test(name))
  ])
  return { ...found, makers: new Map([...found.makers].filter(([name]) => kept.has(name))) }
}

/** How often an operation was in a program that succeeded: now and then the rarest one of a few is picked. */
export type Rarity = (operation: string) => number

const collections = ["list.", "set.", "map.", "sorted set."]

const testNames = new Set([
  "eq",
  "neq",
  "lt",
  "lte",
  "gt",
  "gte",
  "in",
  "isSet",
  "contains",
  "has",
  "exists",
  "atVersion",
  "existsBy"
])

/** Whether an operation is a condition. */
export const isTest = (operation: string): boolean => testNames.has(operation.slice(operation.indexOf(".") + 1))

/** Whether an operation removes a member that the server chooses. */
export const isChoice = (operation: string): boolean => operation === "set.pop" || operation === "map.popAny"

/** Collections have a few operations among many, and weigh more. */
export const randomStep = (
  world: World,
  random: Random,
  rarity: Rarity = () => 0,
  allowed: (operation: string) => boolean = () => true
): Step => {
  const names = [...world.makers.keys()].filter(allowed)
  const family = (prefix: string) => {
    const some = names.filter((name) => name.startsWith(prefix))
    return random.pick(some.length > 0 ? some : names)
  }
  const pick = () =>
    random.chance(world.whole)
      ? family("model.")
      : random.chance(0.2)
      ? family(random.pick(collections))
      : random.pick(names)
  const favoured = world.favoured?.filter(allowed) ?? []
  const few = favoured.length > 0 && random.chance(0.3)
    ? [random.pick(favoured)]
    : Array.from({ length: random.pick([1, 1, 1, 2, 2, 16]) }, pick)
  const [rarest] = few.map((name) => [rarity(name), name] as const).sort(([a], [b]) => a - b)
  random.sources = world.sources
  return random.pick(world.makers.get(rarest![1])!)(random)
}

/** Steps that are programs of their own, each on another entity. */
export interface Cases {
  readonly before: ReadonlyMap<string, Entry>
  readonly steps: ReadonlyArray<Step>
}

const computing: ReadonlyArray<readonly [model: string, fields: ReadonlyArray<string>]> = [
  ["Hero", ["coins", "score", "alive", "marks"]],
  ["Vault", ["big", "at", "span", "none.int", "bigs"]],
  ["Guild", ["counts", "sums", "flags"]]
]

/** Each operation of each kind of field that computes, on an entity for each text that may be stored there. */
export const storedTexts = (random: Random): ReadonlyArray<Cases> =>
  computing.flatMap(([model, names]) => {
    const self = modelCases.find(({ name }) => name === model)!
    return names.flatMap((field) => {
      const { calls, stored } = self.fields.find(({ name }) => name === field)!
      const { kind, name, names } = stored!
      return calls.filter(([operation]) => !/^(list|map)\./.test(operation)).map(([operation, call]): Cases => {
        const before = new Map<string, Entry>()
        const steps = hardTexts.map((text, world) => {
          const [id, key] = self.ids(world)[0]!
          before.set(key, { type: "hash", expiry: -1, values: [kind === "leaf" ? name : "of another time", text] })
          if (kind === "list") before.set(`${key}:${name}`, { type: "list", expiry: -1, values: [text, text] })
          if (kind === "map") {
            const entries = new Map(random.array(5, 10, (random) => [names!.good(random), text] as const))
            before.set(`${key}:${name}`, { type: "hash", expiry: -1, values: [...entries].flat() })
          }
          const ref = self.model.ref(id)
          return { operation, place: `${JSON.stringify(text)} in ${field}`, program: call(ref, random, ref) }
        })
        return { before, steps }
      })
    })
  })

/** Programs of which it depends on what the server takes of a set or a map whether they fail. */
export const popPrograms = (random: Random): Cases => {
  const before = new Map<string, Entry>()
  const steps = Array.from({ length: 400 }, (_, world): Step => {
    const key = `Guild:{w${world}}`
    const names = ["1", "2", "3"]
    const entries = names.flatMap((name) => [name, String(random.int(1, 60))])
    before.set(key, { type: "hash", expiry: -1, values: ["$v", "1"] })
    before.set(`${key}:few`, { type: "set", expiry: -1, values: names })
    before.set(`${key}:capped`, { type: "hash", expiry: -1, values: entries })
    before.set(`${key}:counts`, { type: "hash", expiry: -1, values: entries })
    const { capped, counts, few } = Guild.ref(`w${world}`)
    const member = random.int(1, 3)
    const name = String(member)
    const programs: ReadonlyArray<Program> = random.pick([
      [few.pop(), few.remove(member), few.get()],
      [few.pop(), few.removeAll([1, 2])],
      [few.pop(1), few.remove(member), few.get()],
      [capped.popAny(1), capped.at(name).clear(), capped.get()],
      [counts.popAny(2), counts.at(name).increment(20), counts.keys()],
      [counts.popAny(2), Atomic.orElse(counts.at(name).increment(20), counts.popAny(2)), counts.popAny(5)],
      [few.pop(), few.add([member, 4]), few.add(5)],
      [capped.popAny(), capped.at(name).clear(), capped.get()],
      [capped.popAny(), capped.remove(name)],
      [capped.popAny(), capped.at(name).increment(1), capped.put("4", 4)],
      [counts.popAny(), counts.at(name).increment(20), counts.keys()],
      [few.pop(), Atomic.orElse(few.removeAll([member, 1, 2]), few.add(member)), few.get()],
      [counts.popAny(), Atomic.when(counts.at(name).increment(20), counts.has(name)), counts.get()],
      [counts.popAny(), counts.popAny(), counts.at(name).increment(20, { initial: 40 })]
    ])
    return { operation: "afterPop", place: key, program: Atomic.all(programs) }
  })
  return { before, steps }
}
