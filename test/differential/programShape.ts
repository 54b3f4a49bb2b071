/**
 * How the steps of a random program are put together: a tree of combinators, and of conditions.
 */
import { Option } from "effect"
import { Atomic, Condition } from "redlayer"
import type { Program } from "./calls/scalarCalls.ts"
import type { Observable } from "./modelDescription.ts"
import type { Random } from "./random.ts"
import { isChoice, isTest, randomStep, type Rarity, type Step, type World } from "./randomProgram.ts"

type Several = "all" | "record" | "forEach" | "and" | "or"
type Two = "andThen" | "tap" | "orElse"
type One = "map" | "as" | "succeed" | "ignoreMissing" | "not"

/** Where one has a condition, that is its first part; a guard has no other. */
export type Plan =
  | { readonly tag: "step"; readonly parts: readonly []; readonly step: Step }
  | { readonly tag: Several | Two | One | "when" | "if"; readonly parts: ReadonlyArray<Plan> }
  | { readonly tag: "guard"; readonly parts: ReadonlyArray<Plan>; readonly observe: ReadonlyArray<Observable> }
  | { readonly tag: "orDie"; readonly parts: ReadonlyArray<Plan>; readonly tags: ReadonlyArray<string> }

export const stepsOf = (plan: Plan): ReadonlyArray<Step> =>
  plan.tag === "step" ? [plan.step] : plan.parts.flatMap(stepsOf)

/** For people. */
export const describe = (plan: Plan, indentation = ""): string =>
  plan.tag === "step"
    ? `${indentation}${plan.step.place} ${plan.step.operation}`
    : [
      `${indentation}${plan.tag}${plan.tag === "orDie" ? ` ${plan.tags.join()}` : ""}`,
      ...plan.parts.map((part) => describe(part, `${indentation}  `))
    ].join("\n")

export const stepPlan = (step: Step): Plan => ({ tag: "step", parts: [], step })

// programs

/** Fails a program, with what it saw. */
export class Refused extends Error {
  readonly _tag = "Refused"
  readonly observed: unknown
  constructor(observed: unknown) {
    super("refused")
    this.observed = observed
  }
}

/** Which way a program went, and what it is made of. */
export type Note = (what: string) => void

/** Labels for the results of a record. */
const labels = ["a", "b", "é", "constructor", "__proto__", "a.b", "", "toString"]

const record = <A>(items: ReadonlyArray<A>): { readonly [name: string]: A } =>
  Object.fromEntries(items.map((item, i) => [labels[i] ?? `x${i}`, item]))

type AnyCondition = Condition.Condition<unknown>
type Conditions = readonly [AnyCondition, ...Array<AnyCondition>]

/** A random condition. Its decisions are noted by the plan that it is a part of. */
const conditionOf = (plan: Plan): AnyCondition => {
  switch (plan.tag) {
    case "and":
      return Condition.and(...plan.parts.map(conditionOf) as unknown as Conditions)
    case "or":
      return Condition.or(...plan.parts.map(conditionOf) as unknown as Conditions)
    case "not":
      return Condition.not(conditionOf(plan.parts[0]!))
    default: {
      const { program } = (plan as Extract<Plan, { readonly tag: "step" }>).step
      if (!Condition.isCondition(program)) throw new Error(`Expected a condition: ${describe(plan)}`)
      return program
    }
  }
}

export const programOf = (plan: Plan, note: Note = () => undefined): Program => {
  const of = (part: Plan) => programOf(part, note)
  const noted = (part: Plan, what: string): Program =>
    Atomic.map(of(part), (value) => {
      note(what)
      return value
    })
  const decided = (condition: Plan, found: boolean): void => {
    if (condition.tag !== "step") note(`${condition.tag} ${found}`)
  }
  const [a, b, c] = plan.parts as [Plan, Plan, Plan]
  note(plan.tag)
  switch (plan.tag) {
    case "step":
      return plan.step.program
    case "all":
      return Atomic.all(plan.parts.map(of))
    case "record":
      return Atomic.all(record(plan.parts.map(of)))
    case "forEach":
      return Atomic.forEach(plan.parts, of)
    case "andThen":
      return Atomic.andThen(of(a), of(b))
    case "tap":
      return Atomic.tap(of(a), of(b))
    case "map":
      return Atomic.map(of(a), (value) => ({ mapped: value }))
    case "as":
      return Atomic.as(of(a), "replaced")
    case "succeed":
      return Atomic.all([Atomic.succeed(1), of(a)])
    case "orElse":
      return Atomic.orElse(noted(a, "orElse not caught"), noted(b, "orElse caught"))
    case "orDie":
      return Atomic.orDie(of(a), ...plan.tags as unknown as readonly [never])
    case "ignoreMissing":
      return Atomic.map(Atomic.ignoreMissing(of(a)), (found) => {
        note(`ignoreMissing ${Option.isSome(found) ? "not caught" : "caught"}`)
        return found
      })
    case "when":
      return Atomic.map(Atomic.when(of(b), conditionOf(a)), (found) => {
        decided(a, Option.isSome(found))
        note(`when ${Option.isSome(found) ? "taken" : "not taken"}`)
        return found
      })
    case "if":
      return Atomic.if(conditionOf(a), {
        onTrue: Atomic.map(noted(b, "if taken"), (value) => {
          decided(a, true)
          return value
        }),
        onFalse: Atomic.map(noted(c, "if not taken"), (value) => {
          decided(a, false)
          return value
        })
      })
    case "guard": {
      const condition = conditionOf(a)
      const refuse = (observed: unknown) => {
        decided(a, false)
        note("guard refused")
        if (plan.observe.length > 0) note("guard observed")
        return new Refused(observed)
      }
      const guard: Program = plan.observe.length === 0
        ? Atomic.guard(condition, () => refuse(undefined))
        : Atomic.guard(condition, { observe: record(plan.observe) }, refuse)
      return Atomic.map(guard, (value) => {
        decided(a, true)
        note("guard passed")
        return value
      })
    }
    default:
      return Atomic.map(conditionOf(plan), (found) => {
        decided(plan, found)
        return found
      })
  }
}

/** The combinators that programs must contain, and the branches that they must take. */
export const ways: ReadonlyArray<string> = [
  ..."all record forEach andThen tap map as succeed orElse ignoreMissing orDie when if guard and or not".split(" "),
  "orDie died",
  ...["and", "or", "not"].flatMap((tag) => [`${tag} true`, `${tag} false`]),
  ...["when", "if"].flatMap((tag) => [`${tag} taken`, `${tag} not taken`]),
  ...["orElse", "ignoreMissing"].flatMap((tag) => [`${tag} caught`, `${tag} not caught`]),
  "guard passed",
  "guard refused",
  "guard observed"
]

/** The tags that must turn an error of the whole program into a defect, and those that may. */
export const fatalTags = (plan: Plan): Record<"always" | "perhaps", ReadonlySet<string>> => {
  const all = (part: Plan): ReadonlyArray<string> => [
    ...part.tag === "orDie" ? part.tags : [],
    ...part.parts.flatMap(all)
  ]
  const outer = (part: Plan): ReadonlyArray<string> =>
    part.tag === "orDie"
      ? [...part.tags, ...outer(part.parts[0]!)]
      : part.tag === "map" || part.tag === "as"
      ? outer(part.parts[0]!)
      : []
  return { always: new Set(outer(plan)), perhaps: new Set(all(plan)) }
}

// random ones

/** The errors that random programs have. */
const tags =
  "EntityNotFound EntityExists UniqueViolation EntityCorrupted IndexOutOfRange InvalidValue OutOfBounds ArithmeticError Refused"
    .split(" ")

interface Context {
  readonly world: World
  readonly random: Random
  readonly rarity: Rarity
  /** for parts that are undone: the server's choice of a member is not reported there */
  readonly guarded: boolean
}

const step = ({ guarded, random, rarity, world }: Context): Plan =>
  stepPlan(randomStep(world, random, rarity, guarded ? (operation) => !isChoice(operation) : undefined))

const condition = (context: Context, depth: number): Plan => {
  const { random, rarity, world } = context
  const inner = () => condition(context, depth - 1)
  switch (depth === 0 ? 9 : random.int(0, 9)) {
    case 0:
    case 1:
      return { tag: "and", parts: random.array(1, 3, inner) }
    case 2:
    case 3:
      return { tag: "or", parts: random.array(1, 3, inner) }
    case 4:
    case 5:
      return { tag: "not", parts: [inner()] }
    default:
      return stepPlan(randomStep(world, random, rarity, isTest))
  }
}

const guard = (context: Context): Plan => {
  const { random, world } = context
  return {
    tag: "guard",
    parts: [condition(context, 2)],
    observe: random.array(0, 3, () => random.pick(world.observables))
  }
}

const orDie = (random: Random, part: Plan): Plan => ({
  tag: "orDie",
  parts: [part],
  tags: random.array(1, 4, () => random.pick(tags))
})

const plain: ReadonlyArray<Plan["tag"]> = ["all", "record", "forEach", "andThen", "tap"]
const structured: ReadonlyArray<Plan["tag"]> = [
  ...plain,
  "when",
  "if",
  "if",
  "orElse",
  "orElse",
  "orElse",
  "ignoreMissing",
  "orDie",
  "guard",
  "not"
]

const plan = (context: Context, size: number, depth: number, shapes: ReadonlyArray<Plan["tag"]>): Plan => {
  const { random } = context
  if (depth === 0) {
    return size === 1 ? step(context) : { tag: "all", parts: Array.from({ length: size }, () => step(context)) }
  }
  const part = (size: number, inner = context) => plan(inner, size, depth - 1, shapes)
  const undone = { ...context, guarded: true }
  if (size === 1 && random.chance(0.4)) {
    return random.chance(0.5)
      ? step(context)
      : random.chance(0.3)
      ? orDie(random, part(1))
      : { tag: random.pick(["map", "as", "succeed"] as const), parts: [part(1)] }
  }
  const cut = size === 1 ? 1 : random.int(1, size - 1)
  const rest = Math.max(1, size - cut)
  const tag = size === 1 && shapes === plain ? "step" : random.pick(shapes)
  switch (tag) {
    case "all":
    case "record":
    case "forEach":
      return random.chance(0.5)
        ? { tag, parts: Array.from({ length: size }, () => step(context)) }
        : { tag, parts: [part(cut), part(rest)] }
    case "andThen":
    case "tap":
      return { tag, parts: [part(cut), part(rest)] }
    case "when":
      return { tag, parts: [condition(context, 2), part(size)] }
    case "if":
      return { tag, parts: [condition(context, 2), part(cut), part(rest)] }
    case "orElse":
      return { tag, parts: [part(cut, undone), part(rest)] }
    case "ignoreMissing":
      return { tag, parts: [part(size, undone)] }
    case "orDie":
      return orDie(random, part(size))
    case "guard": {
      const parts = [guard(context), part(size)]
      return { tag: random.pick(["andThen", "tap", "all"]), parts: random.chance(0.7) ? parts : parts.reverse() }
    }
    case "not":
      return { tag: "all", parts: [condition(context, 3), part(size)] }
    default:
      return step(context)
  }
}

export const randomPlan = (world: World, random: Random, rarity: Rarity): Plan => {
  random.wildness = random.chance(0.15) ? 0.25 : 0
  const size = random.int(1, random.pick([1, 1, 2, 3, 3, 4, 8]))
  const context: Context = { world, random, rarity, guarded: false }
  return plan(context, size, random.int(1, 4), random.chance(0.3) ? plain : structured)
}

// smaller ones

const severals: ReadonlySet<string> = new Set<Several>(["all", "record", "forEach", "and", "or"])

/** Each of those that are one thing smaller. */
export const smaller = (plan: Plan): ReadonlyArray<Plan> => {
  if (plan.tag === "step") return []
  const { parts } = plan
  const fewer = severals.has(plan.tag) && parts.length > 1
    ? parts.map((_, i) => ({ ...plan, parts: parts.filter((_, j) => j !== i) }))
    : []
  const within = parts.flatMap((part, i) =>
    smaller(part).map((found) => ({ ...plan, parts: parts.map((other, j) => i === j ? found : other) }))
  )
  return [...parts, ...fewer, ...within]
}
