/**
 * Random programs on a model with random indexes. After each, what the indexes give is compared with what plain TypeScript computes
 * from the entities that are stored, and the stored entries with the entities.
 */
import { Duration, Effect, Option } from "effect"
import { Atomic, Query, RedisService } from "redlayer"
import { placeOf } from "../../src/internal/instruction/indexes.ts"
import type { Program } from "./calls/scalarCalls.ts"
import { type Outcome, outcomeOf } from "./compareLayers.ts"
import * as Queries from "./indexQueries.ts"
import { type IndexCase, type IndexedCase, type Key, keyInput, kindsOf, randomKey } from "./models/indexed.ts"
import { amountOf } from "./models/indexKinds.ts"
import { hasNoPlace, naive, naiveSum, violated, withDefaults } from "./naiveIndexes.ts"
import * as Plan from "./programShape.ts"
import { Random, seed } from "./random.ts"
import { makeModelWorld } from "./randomProgram.ts"
import { alike } from "./sameResult.ts"
import { show } from "./sameValue.ts"
import type * as State from "./storedState.ts"

type Service = RedisService.RedisService["Service"]

export interface Counts {
  readonly steps: Map<string, number>
  readonly operations: Map<string, number>
  readonly reads: Map<string, number>
  readonly indexes: Map<string, number>
  readonly errors: Map<string, number>
  /** of queries */
  readonly ways: Map<string, number>
}

export const noCounts = (): Counts => ({
  steps: new Map(),
  operations: new Map(),
  reads: new Map(),
  indexes: new Map(),
  errors: new Map(),
  ways: new Map()
})

const add = (counts: Map<string, number>, name: string): void => void counts.set(name, (counts.get(name) ?? 0) + 1)

/** A read of an index, and what it must give. */
interface Read {
  readonly name: string
  readonly index: Pick<IndexCase, "name">
  readonly input: unknown
  readonly program: any
  readonly expected: (stored: ReadonlyArray<any>) => unknown
}

const operations = ["rank", "top", "around", "countBetween", "findBy", "getBy", "existsBy"] as const
type Operation = typeof operations[number]

/** Every read, in each direction, that must occur. */
export const allReads: ReadonlyArray<string> = [
  ...["rank", "top", "around"].flatMap((name) => [`${name} asc`, `${name} desc`]),
  "countBetween",
  "findBy",
  "getBy",
  "existsBy",
  ...["rank", "around", "findBy", "getBy"].flatMap((name) => [`${name} found`, `${name} not found`]),
  "existsBy true",
  "existsBy false",
  "a range by gt",
  "a range by gte",
  "a range by lt",
  "a range by lte",
  "a range by prefix",
  "a range by equality",
  "an absent value",
  "counted",
  "summed",
  "a sum of numbers",
  "a sum of bigints",
  "a sum of durations",
  "a sum of nothing",
  "a group of absent values",
  "in one program with the entities",
  "by itself"
]

const randomSum = (
  self: IndexedCase,
  stored: ReadonlyArray<any>,
  random: Random,
  note: (what: string) => void
): Read => {
  const { slotField } = self
  const aggregate = random.pick(self.aggregates)
  const { fields, method, name, of } = aggregate
  const key = randomKey(self, aggregate, stored, random, fields.length)
  const own = key.equal.find(([field]) => field === slotField)
  const home = own === undefined ?
    random.pick(self.ids(0) as ReadonlyArray<readonly [[string, number], string]>)[0][0]
    : own[1]
  const input = keyInput(key, slotField === undefined ? {} : { [slotField.name]: home })
  if (key.equal.some(([, value]) => value === null)) note("a group of absent values")
  return {
    name: method,
    index: { name },
    input,
    program: (self.model as any)[method](name, input),
    expected: (entities) => {
      const sum = naiveSum(self, aggregate, entities, key, home)
      if (of !== undefined) {
        note(`a sum of ${Duration.isDuration(sum) ? "durations" : typeof sum === "bigint" ? "bigints" : "numbers"}`)
      }
      if (amountOf(sum) === 0n) note("a sum of nothing")
      return sum
    }
  }
}

const randomRead = (
  self: IndexedCase,
  stored: ReadonlyArray<any>,
  random: Random,
  note: (what: string) => void
): Read | undefined => {
  if (self.aggregates.length > 0 && random.chance(0.25)) return randomSum(self, stored, random, note)
  const { model: typed, slotField } = self
  const model = typed as any
  const operation: Operation = random.pick(operations)
  const isUnique = operation.endsWith("By")
  const index = random.pick(self.indexes)
  if (isUnique && !index.isUnique) return undefined
  const [id] = random.pick(self.ids(0)) as readonly [[string, number], string]
  const one = { of: id[0], n: id[1] }
  const isAbout = operation === "rank" || operation === "around"
  // a range that the entity itself is in, more often than not
  const near = isAbout && random.chance(0.7) ? stored.filter(({ n, of }) => of === one.of && n === one.n) : stored
  let key: Key = randomKey(self, index, near, random, isUnique ? index.fields.length : 0)
  let home: unknown
  const hasSlot = slotField !== undefined && index.fields.includes(slotField)
  if (slotField !== undefined) {
    // the entity's own home, or the one that the key names
    home = isAbout
      ? one.of
      : hasSlot
      ? key.equal.find(([field]) => field === slotField)![1]
      : one.of
    if (hasSlot) {
      key = { ...key, equal: key.equal.map(([field, value]) => [field, field === slotField ? home : value] as const) }
    }
  }
  const input = keyInput(key, slotField !== undefined && !hasSlot ? { of: home } : {})
  const { bounds, equal } = key
  if (bounds !== undefined) {
    for (const name of Object.keys(bounds)) if (name !== "field") note(`a range by ${name}`)
  }
  if (equal.length > 0) note("a range by equality")
  if (equal.some(([, value]) => value === null)) note("an absent value")
  const direction = random.pick([undefined, "asc", "desc"] as const)
  const isReverse = direction !== "asc"
  const answers = (entities: ReadonlyArray<any>) => naive(self, index, entities, home)
  const options = { within: input, direction }
  const base = { index, name: operation, input: [id, options] }
  const directed = `${operation} ${isReverse ? "desc" : "asc"}`
  const count = random.int(0, 4)
  switch (operation) {
    case "rank":
      return {
        ...base,
        name: directed,
        program: model.rank(id, index.name, options),
        expected: (entities) => {
          const rank = answers(entities).rank(one, key, isReverse)
          note(rank === undefined ? "rank not found" : "rank found")
          return Option.fromUndefinedOr(rank)
        }
      }
    case "top":
      return {
        ...base,
        name: directed,
        input: [count, options],
        program: model.top(index.name, count, options),
        expected: (entities) => answers(entities).top(count, key, isReverse)
      }
    case "around":
      return {
        ...base,
        name: directed,
        input: [id, count, options],
        program: model.around(id, index.name, count, options),
        expected: (entities) => {
          const found = answers(entities).around(one, count, key, isReverse)
          note(found.length === 0 ? "around not found" : "around found")
          return found
        }
      }
    case "countBetween":
      return {
        ...base,
        input,
        program: model.countBetween(index.name, input),
        expected: (entities) => answers(entities).count(key)
      }
    default: {
      // the value of a key of one field stands for it
      const given = index.fields.length === 1 && Object.keys(input).length === 1 && equal[0]![0].kind.name !== "json" &&
          random.chance(0.3)
        ? equal[0]![1]
        : input
      const found = (entities: ReadonlyArray<any>) => answers(entities).top(1, key, false)[0]
      const noted = (entities: ReadonlyArray<any>) => {
        const one = found(entities)
        note(`${operation} ${one === undefined ? "not found" : "found"}`)
        return one
      }
      if (operation === "findBy") {
        const program = model.findBy(index.name, given)
        return { ...base, input: given, program, expected: (entities) => Option.fromUndefinedOr(noted(entities)) }
      }
      if (operation === "getBy") {
        const program = Atomic.orElse(
          Atomic.map(model.getBy(index.name, given), (entity) => ({ entity })),
          Atomic.succeed("none")
        )
        return {
          ...base,
          input: given,
          program,
          expected: (entities) => {
            const entity = noted(entities)
            return entity === undefined ? "none" : { entity }
          }
        }
      }
      return {
        ...base,
        input: given,
        program: model.existsBy(index.name, given),
        expected: (entities) => {
          const exists = found(entities) !== undefined
          note(`existsBy ${exists}`)
          return exists
        }
      }
    }
  }
}

export interface Options {
  readonly self: IndexedCase
  readonly name: string
  readonly steps: number
  readonly counts: Counts
  /** lets time pass */
  readonly pass: (random: Random) => Effect.Effect<void>
  /** short and long times to live, in milliseconds */
  readonly lives: readonly [low: number, high: number]
  /** the state of the store, where its entries are compared with the entities */
  readonly read: Effect.Effect<State.State>
  readonly now: Effect.Effect<number>
  /** writes a field of a stored hash, or removes it, past the library; no hash comes of it */
  readonly write: (key: string, field: string, text: string | undefined) => Effect.Effect<void>
}

const expectedErrors =
  /^(EntityNotFound|EntityExists|UniqueViolation|InvalidValue|OutOfBounds .*|ArithmeticError .*|Refused|WrongType|Conflict)$/

/** Runs steps until one is wrong. Returns a description of it, for people. */
export const run = Effect.fnUntraced(function*(service: Service, options: Options) {
  const { counts, lives, name, now, pass, read, self, steps, write } = options
  const random = new Random(name)
  const model = self.model as any
  const world = makeModelWorld(self, 0, 0.35)
  const ids = self.ids(0).map(([id]) => id) as ReadonlyArray<[string, number]>
  const history: Array<string> = []
  const wrong = (text: string): string =>
    [
      `${name}, REDLAYER_SEED=${seed}, slot ${self.slot}, refresh ${self.refresh}: ${text}`,
      `  indexes: ${
        self.indexes.map(({ fields, isUnique, keepsAbsent, name, where }) =>
          `${name}[${fields.map((field) => `${field.name}:${field.kind.name}`).join()}]${isUnique ? " unique" : ""}${
            keepsAbsent ? " absent" : ""
          }${where.map(([field, value]) => ` where ${field.name}=${show(value)}`).join("")}`
        ).join("; ")
      }`,
      `  aggregates: ${
        self.aggregates.map(({ fields, keepsAbsent, method, name, of, where }) =>
          `${method} ${name}[${fields.map((field) => `${field.name}:${field.kind.name}`).join()}]${
            of === undefined ? "" : ` of ${of.name}:${of.kind.name}`
          }${keepsAbsent ? " absent" : ""}${
            where.map(([field, value]) => ` where ${field.name}=${show(value)}`).join("")
          }`
        ).join("; ")
      }`,
      ...history.slice(-3)
    ].join("\n")
  const commit = (program: Program): Effect.Effect<Outcome> =>
    Effect.map(
      Effect.exit(Effect.provideService(program as Effect.Effect<any, any, any>, RedisService.RedisService, service)),
      outcomeOf
    ) as Effect.Effect<Outcome>
  const readEntities = Atomic.all(ids.map((id) => model.find(id, { renew: false }))) as unknown as Program
  const entitiesOf = (found: ReadonlyArray<Option.Option<any>>): ReadonlyArray<any> =>
    found.flatMap((entity) => Option.isSome(entity) ? [entity.value] : [])
  const currentEntities = Effect.gen(function*() {
    const outcome = yield* commit(readEntities)
    return "value" in outcome
      ? entitiesOf(outcome.value as any)
      : yield* Effect.die(wrong(`find gave ${show(outcome)}`))
  })
  const entity = (): unknown => self.entity(random, random.pick(ids))

  /** Runs a random query with each runner. */
  const query = Effect.fnUntraced(function*() {
    for (let attempt = 0; attempt < 50; attempt++) {
      const stored = yield* currentEntities
      const notes: Array<string> = []
      const note = (what: string) => void notes.push(what)
      const found = Queries.randomQuery(self, stored, random, note)
      const limit = random.int(1, 4)
      const outcome = yield* commit(Queries.runners(found.query, limit) as unknown as Program)
      if (!alike(stored, yield* currentEntities)) continue
      if ("label" in outcome) {
        const isRefused = outcome.label === "InvalidValue" && found.text.startsWith("query")
        if (!isRefused) return `${found.text} gave ${show(outcome)}`
        add(counts.ways, "refused, because no index serves it")
        return undefined
      }
      const answers = outcome.value as any
      const wrong = Queries.problem(found, answers, stored, limit)
      if (wrong !== undefined) return `${found.text}: ${wrong}\n  stored: ${show(stored)}`
      Queries.noteWay(answers, note)
      for (const what of notes) add(counts.ways, what)
      if (random.chance(0.9)) return undefined
      const ends = random.chance(0.5)
      add(counts.ways, ends ? "deleteAll" : "updateAll")
      const done = yield* commit(
        (ends ? Query.deleteAll(found.query) : Query.updateAll(found.query, {}) as any) as unknown as Program
      )
      const expected = found.expected(stored)
      if ("label" in done) return `${found.text} gave ${show(done)}`
      const left = found.expected(yield* currentEntities)
      // what had expired meanwhile is not changed
      if ((done.value as number) > expected.length || ends && left.length > 0) {
        return `${found.text}: ${ends ? "deleted" : "updated"} ${done.value} of ${expected.length}, and left ${
          show(left)
        }`
      }
      return undefined
    }
    return "entities never rest"
  })

  for (const index of self.indexes) for (const kind of kindsOf(index)) add(counts.indexes, kind)

  /** One random program, with what must come of it where that is known. */
  const randomStep = (
    isSparse: boolean
  ): { readonly label: string; readonly program: Program; readonly isCheckable?: any } => {
    random.sources = world.sources
    random.wildness = 0
    const life = random.int(...lives)
    // what no program writes is rare otherwise
    switch (isSparse ? 0 : random.chance(0.1) ? 7 : random.int(0, 12)) {
      case 0:
      case 1: {
        const input: any = entity()
        return { label: `put ${show(input)}`, program: model.put(input), isCheckable: input }
      }
      case 2: {
        const input: any = entity()
        return {
          label: `insert ${show(input)} for ${life}`,
          program: Atomic.orElse(model.insert(input, { timeToLive: life }), model.update(ids[0], {}))
        }
      }
      case 3:
        return {
          label: `expire in ${life}`,
          program: Atomic.ignoreMissing(model.expire(random.pick(ids), life)) as any
        }
      case 4: {
        const input: any = entity()
        return {
          label: `orElse put ${show(input)}`,
          program: Atomic.orElse(Atomic.all([model.put(input), Atomic.succeed(1)]), Atomic.succeed("refused")) as any
        }
      }
      case 5: {
        const [a, b] = [random.pick(ids), random.pick(ids)]
        return {
          label: `modify ${show(a)}`,
          program: (random.chance(0.5)
            ? model.modify(a, (found: any) => ({ ...found, ...(self.entity(random, a) as any) }))
            : model.withLock(
              a,
              (found: any) =>
                Effect.as(Effect.ignore(model.put(self.entity(random, b))), {
                  ...found,
                  ...(self.entity(random, a) as any)
                })
            )) as any
        }
      }
      case 7: {
        // as if it had been stored before the model had the field, or an index of it
        const [a, b] = [random.pick(self.ids(0)), random.pick(ids)]
        const isNaN = random.chance(0.5)
        const fields = self.indexFields.filter((field) =>
          isNaN ? field.kind.name === "number" && !field.isPart : field.default !== undefined
        )
        if (fields.length === 0) return { label: "nothing", program: Atomic.succeed(1) as any }
        const { name } = random.pick(fields)
        add(counts.steps, isNaN ? "a NaN from before its index" : "a field from before its default")
        return {
          label: `copy of ${show(a[0])} with ${isNaN ? "NaN in" : "no"} ${name}`,
          program: Effect.gen(function*() {
            yield* write(a[1], name, isNaN ? "NaN" : undefined)
            if (!alike(a[0], b)) yield* model.delete(b) as Effect.Effect<void, unknown, RedisService.RedisService>
            yield* Effect.ignore(model.duplicate(a[0], b) as Effect.Effect<void, unknown, RedisService.RedisService>)
            yield* model.delete(a[0]) as Effect.Effect<void, unknown, RedisService.RedisService>
          }) as any
        }
      }
      case 6:
        return { label: "delete", program: model.delete(random.pick(ids)) }
      default: {
        const plan = Plan.randomPlan(world, random, (operation) => counts.operations.get(operation) ?? 0)
        for (const { operation } of Plan.stepsOf(plan)) add(counts.operations, operation)
        return { label: Plan.describe(plan, "    "), program: Plan.programOf(plan) }
      }
    }
  }

  for (let i = 0; i < steps; i++) {
    if (random.chance(0.15)) {
      yield* pass(random)
      history.push("  time passes")
    }
    const before = yield* currentEntities
    const { isCheckable, label, program } = randomStep(before.length < ids.length / 2 && random.chance(0.7))
    random.wildness = 0
    const canBeOne = self.slot !== "partitions"
    const notes: Array<string> = []
    const note = (what: string) => void notes.push(what)
    const reads = random.array(2, 5, () => randomRead(self, before, random, note)).filter((one) => one !== undefined)
    const withReads = canBeOne && Atomic.isAtomic(program) && random.chance(0.4)
    let outcome: Outcome | undefined
    let answers: { readonly stored: ReadonlyArray<any>; readonly given: ReadonlyArray<unknown> } | undefined
    history.push(`  ${label}`)
    const together = (more: ReadonlyArray<unknown>): Program =>
      Atomic.all([Atomic.all(more as any), readEntities, Atomic.all(reads.map(({ program }) => program))] as any) as any
    if (withReads) {
      outcome = yield* commit(together([program]))
      if ("value" in outcome) {
        const [, found, given] = outcome.value as any
        answers = { stored: entitiesOf(found), given }
        note("in one program with the entities")
        add(counts.steps, "reads beside writes")
      }
    } else {
      outcome = yield* commit(program)
    }
    if ("label" in outcome) {
      add(counts.errors, outcome.label)
      if (!outcome.isDefect && !expectedErrors.test(outcome.label) || outcome.label === "defect") {
        return wrong(`gave ${show(outcome)}`)
      }
    }
    add(counts.steps, "label" in outcome ? "failed" : "succeeded")
    if (isCheckable !== undefined && !withReads) {
      const made = withDefaults(self, isCheckable)
      const isNowhere = hasNoPlace(self, made)
      if (isNowhere !== ("label" in outcome && outcome.label === "InvalidValue")) {
        return wrong(`a value ${isNowhere ? "without" : "with"} a place in each index: ${show(outcome)}`)
      }
      if (isNowhere) add(counts.steps, "refused, because a value has no place in an index")
      const forbidding = isNowhere ? undefined : violated(self, made, before)
      const isRefused = "label" in outcome && outcome.label === "UniqueViolation"
      if ((forbidding !== undefined) !== isRefused) {
        // what forbade it may have expired meanwhile
        const later = yield* currentEntities
        if (violated(self, made, later) !== undefined || forbidding === undefined) {
          return wrong(`unique ${forbidding?.name}: ${show(outcome)} of ${show(before)}`)
        }
      }
      if (isRefused) add(counts.steps, "refused by a unique index")
    }
    for (let attempt = 0; answers === undefined; attempt++) {
      if (attempt > 50) return wrong("entities never rest")
      if (canBeOne && random.chance(0.6)) {
        const all = yield* commit(together([]))
        if ("label" in all) return wrong(`reads gave ${show(all)}`)
        const [, found, given] = all.value as any
        answers = { stored: entitiesOf(found), given }
        note("in one program with the entities")
      } else {
        const stored = yield* currentEntities
        const given = yield* Effect.forEach(reads, ({ program }) => commit(program))
        const after = yield* currentEntities
        if (!alike(stored, after)) continue
        const failed = given.findIndex((one) => "label" in one)
        if (failed >= 0) return wrong(`${reads[failed]!.name} gave ${show(given[failed])}`)
        answers = { stored, given: given.map((one) => (one as any).value) }
        note("by itself")
      }
    }
    const { given, stored } = answers
    for (const [at, one] of reads.entries()) {
      add(counts.reads, one.name)
      const expected = one.expected(stored)
      if (!alike(expected, given[at])) {
        return wrong(
          `${one.name} of ${one.index.name} by ${show(one.input)} gave\n    ${show(given[at])}, not\n    ${
            show(expected)
          }\n  stored: ${show(stored)}`
        )
      }
    }
    for (const what of notes) add(counts.reads, what)
    for (const index of self.indexes) {
      if (!index.isUnique) continue
      for (const one of stored) {
        const other = violated({ ...self, indexes: [index] }, one, stored)
        if (other !== undefined) return wrong(`two entities are equal in ${index.name}: ${show(stored)}`)
      }
    }
    if (random.chance(0.3)) {
      const problem = yield* query()
      if (problem !== undefined) return wrong(problem)
    }
    const found = entryProblem(self, yield* read, yield* now)
    if (found !== undefined) return wrong(found)
  }
  return undefined
})

const pairsOf = (values: ReadonlyArray<string>): ReadonlyArray<readonly [string, string]> =>
  Array.from({ length: values.length / 2 }, (_, i) => [values[2 * i]!, values[2 * i + 1]!])

/** Says how the stored entries of a model differ from its entities, as far as the stored keys tell. */
const entryProblem = (self: IndexedCase, state: State.State, now: number): string | undefined => {
  const homes = new Map<string, Set<string>>()
  const hasOneHome = self.slot === "id"
  for (const [, key] of self.ids(0)) {
    const { home, id } = placeOf({ hasOneHome, values: [], list: [], plan: "" }, key)
    const ids = homes.get(home) ?? new Set()
    homes.set(home, ids.add(id))
    const expiry = state.get(key)?.expiry ?? -1
    const due = state.get(`${home}:$exp`)?.values ?? []
    const at = due.indexOf(id)
    const noted = at < 0 ? -1 : Number(due[at + 1])
    if (state.has(key) ? noted !== expiry : noted > now + 1) {
      return `the expiry of ${key} is ${expiry}, and noted as ${noted}`
    }
  }
  for (const [key, { expiry, values }] of state) {
    const [, home, kind, name] = /^(.*):\$(ix|of|exp)(?::(.*))?$/.exec(key) ?? []
    if (home === undefined) continue
    if (expiry >= 0) return `${key} expires`
    if (values.length === 0) return `${key} is empty`
    const evens = values.filter((_, i) => i % 2 === 0)
    const odds = values.filter((_, i) => i % 2 === 1)
    const isAggregate = /^(?:counted|summed):/.test(name ?? "")
    if (isAggregate && kind === "ix" && !state.has(key.replace(":$ix:", ":$of:"))) {
      return `${key} has sums of no entities`
    }
    if (isAggregate && kind === "of") {
      const sums = new Map<string, bigint>()
      for (const contribution of odds) {
        const [, amount, group] = /^(-?[1-9]\d*) (.*)$/s.exec(contribution) ?? []
        if (amount === undefined) return `${key} has ${show(contribution)}`
        sums.set(group!, (sums.get(group!) ?? 0n) + BigInt(amount))
      }
      const expected = [...sums].filter(([, sum]) => sum !== 0n).map(([group, sum]) => [group, String(sum)])
      const stored = new Map(pairsOf(state.get(`${home}:$ix:${name}`)?.values ?? []))
      if (stored.size !== expected.length || expected.some(([group, sum]) => stored.get(group!) !== sum)) {
        return `the entities add ${show(odds)}, but the sums are ${show([...stored])}`
      }
      if (evens.some((id) => !homes.get(home)?.has(id))) return `${key} has an unknown id`
      continue
    }
    if (kind === "of") {
      const entries = (state.get(`${home}:$ix:${name}`)?.values ?? []).filter((_, i) => i % 2 === 0)
      if (JSON.stringify([...odds].sort()) !== JSON.stringify([...entries].sort())) {
        return `${key} has ${show(odds)}, but the entries are ${show(entries)}`
      }
      if (evens.some((id) => !homes.get(home)?.has(id))) return `${key} has an unknown id`
    }
  }
  return undefined
}
