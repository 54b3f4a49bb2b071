/**
 * Random programs: calls of random operations on a few entities, put together in random ways.
 */
import { Atomic } from "redlayer"
import { entityCalls, type FieldCase, hardTexts, type ModelCase, modelCases } from "./models.ts"
import type { Program } from "./operations.ts"
import type { Random } from "./random.ts"
import { type Entry, randomEntity } from "./state.ts"

/** One call of one operation. */
export interface Step {
  readonly operation: string
  /** for people: where it works */
  readonly place: string
  readonly program: Program
}

type Make = (random: Random) => Step

/** A few entities, and all that can be done to them. */
export interface World {
  readonly initial: ReadonlyMap<string, Entry>
  readonly makers: ReadonlyMap<string, ReadonlyArray<Make>>
  /** the share of programs on whole entities, which are a few among many operations */
  readonly whole: number
}

const makersOf = (
  self: ModelCase,
  id: unknown,
  only?: FieldCase
): Array<readonly [operation: string, make: Make, weight: number]> => {
  const place = `${self.name}(${JSON.stringify(id)})`
  const { model } = self
  return [
    ...entityCalls(self).map(([operation, call]) =>
      [operation, (random: Random) => ({ operation, place, program: call({ id, model }, random) }), 1] as const
    ),
    ...(only === undefined ? self.fields : [only]).flatMap(({ calls, name, refuses }) =>
      calls.map(([operation, call]) =>
        [operation, (random: Random) => ({
          operation,
          place: `${place}.${name}`,
          program: call(model.ref(id as never), random)
        }), refuses === true ? 1 : 4] as const
      )
    )
  ]
}

/** Every operation that a generator must reach. */
export const operations: ReadonlyArray<string> = [
  ...new Set(modelCases.flatMap((self) => makersOf(self, self.ids(0)[0]![0]).map(([operation]) => operation)))
].sort()

interface Place {
  readonly self: ModelCase
  readonly id: unknown
  readonly key: string
}

const placesOf = (world: number): ReadonlyArray<Place> =>
  modelCases.flatMap((self) => self.ids(world).map(([id, key]) => ({ self, id, key })))

const worldOf = (
  places: Iterable<Place>,
  entity: (place: Place) => ReadonlyMap<string, Entry>,
  whole: number,
  only?: FieldCase
): World => {
  const initial = new Map<string, Entry>()
  const makers = new Map<string, Array<Make>>()
  for (const place of places) {
    for (const [key, entry] of entity(place)) initial.set(key, entry)
    for (const [operation, make, weight] of makersOf(place.self, place.id, only)) {
      const known = makers.get(operation) ?? []
      for (let i = 0; i < weight; i++) known.push(make)
      makers.set(operation, known)
    }
  }
  return { initial, makers, whole }
}

/** A world of one to three entities; its number keeps its keys apart from those of others. */
export const makeWorld = (world: number, random: Random): World => {
  const places = placesOf(world)
  return worldOf(
    new Set([random.pick(places), random.pick(places), random.pick(places)]),
    ({ key, self }) => randomEntity(self, key, random),
    0.15
  )
}

/** A world with a good entity of every model, and one that is not there. */
export const makeWholeWorld = (world: number, random: Random): World =>
  worldOf(
    placesOf(world),
    ({ key, self }) => randomEntity(self, key, random, key === self.ids(world)[0]![1] ? "good" : "none"),
    0.15
  )

/** A world of one list and its entity: a few operations that meet each other more often. */
export const makeNarrowWorld = (world: number, random: Random, kind?: string): World => {
  const place = random.pick(placesOf(world))
  const lists = place.self.fields.filter(({ stored }) => stored?.isList === true)
  return worldOf(
    [place],
    ({ key, self }) => randomEntity(self, key, random, kind),
    random.pick([0.2, 0.7]),
    random.pick(lists)
  )
}

/** How often an operation was in a program that succeeded: now and then the rarer one of two is picked. */
export type Rarity = (operation: string) => number

/** Lists have a few operations among many, and weigh more. */
export const randomStep = (world: World, random: Random, rarity: Rarity = () => 0): Step => {
  const names = [...world.makers.keys()]
  const family = (prefix: string) => random.pick(names.filter((name) => name.startsWith(prefix)))
  const pick = () =>
    random.chance(world.whole) ? family("model.") : random.chance(0.1) ? family("list.") : random.pick(names)
  const a = pick()
  const b = random.chance(0.4) ? pick() : a
  return random.pick(world.makers.get(rarity(a) <= rarity(b) ? a : b)!)(random)
}

/** Of the results of a record. */
const labels = ["a", "b", "é", "constructor", "__proto__", "a.b", "", "toString"]

const record = (programs: ReadonlyArray<Program>): Program => {
  const entries = programs.map((program, i) => [labels[i]!, program] as const)
  return Atomic.all(Object.fromEntries(entries) as { readonly [name: string]: Program })
}

/** Puts steps together, in their order, in one of many ways. */
export const compose = (steps: ReadonlyArray<Step>, random: Random): Program => {
  if (steps.length === 1) {
    const [{ program }] = steps as [Step]
    switch (random.int(0, 5)) {
      case 0:
        return Atomic.map(program, (value) => ({ mapped: value }))
      case 1:
        return Atomic.as(program, "replaced")
      case 2:
        return Atomic.all([Atomic.succeed(1), program])
      default:
        return program
    }
  }
  const cut = random.int(1, steps.length - 1)
  switch (random.int(0, 4)) {
    case 0:
      return Atomic.all(steps.map((step) => step.program))
    case 1:
      return record(steps.map((step) => step.program))
    case 2:
      return Atomic.andThen(compose(steps.slice(0, cut), random), compose(steps.slice(cut), random))
    case 3:
      return Atomic.all([compose(steps.slice(0, cut), random), compose(steps.slice(cut), random)])
    default:
      return Atomic.map(record([compose(steps.slice(0, cut), random), compose(steps.slice(cut), random)]), (value) => [
        value
      ])
  }
}

export const randomSteps = (world: World, random: Random, rarity: Rarity): ReadonlyArray<Step> => {
  random.wildness = random.chance(0.15) ? 0.25 : 0
  const most = random.pick([1, 1, 2, 3, 3, 4, 8])
  return random.array(1, most, () => randomStep(world, random, rarity))
}

interface Texts {
  readonly before: ReadonlyMap<string, Entry>
  readonly steps: ReadonlyArray<Step>
}

/** Each operation of each kind of field that computes, on an entity for each text that may be stored there. */
export const storedTexts = (random: Random): ReadonlyArray<Texts> => {
  const self = modelCases.find(({ name }) => name === "Hero")!
  return ["coins", "score", "alive", "marks"].flatMap((field) => {
    const { calls, stored } = self.fields.find(({ name }) => name === field)!
    return calls.filter(([operation]) => !operation.startsWith("list.")).map(([operation, call]): Texts => {
      const before = new Map<string, Entry>()
      const steps = hardTexts.map((text, world) => {
        const [id, key] = self.ids(world)[0]!
        const values = [stored!.isList ? "of another time" : stored!.name, text]
        before.set(key, { type: "hash", expiry: -1, values })
        if (stored!.isList) before.set(`${key}:${stored!.name}`, { type: "list", expiry: -1, values: [text, text] })
        return { operation, place: `${JSON.stringify(text)} in ${field}`, program: call(self.model.ref(id), random) }
      })
      return { before, steps }
    })
  })
}
