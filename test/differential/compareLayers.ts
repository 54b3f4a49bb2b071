/**
 * Runs random programs on a server and in memory, and compares what they give and what they leave.
 */
import { Effect, Exit, Predicate, Result, Stream } from "effect"
import { RedisService } from "redlayer"
import { RedisServiceError } from "redlayer/RedisServiceError"
import { homeOf } from "../../src/internal/instruction/keys.ts"
import { type Access, infoOf, Op } from "../../src/internal/instruction/ops.ts"
import type { Instruction, Program as Compiled } from "../../src/internal/instruction/program.ts"
import type { Reply, Result as InstructionResult } from "../../src/internal/instruction/reply.ts"
import { slotOfProgram } from "../../src/internal/instruction/slot.ts"
import type { Compiled as Tree } from "../../src/internal/program/compile.ts"
import type { Program } from "./calls/scalarCalls.ts"
import * as Coverage from "./coverage.ts"
import type { ModelCase } from "./modelDescription.ts"
import { modelCases } from "./models.ts"
import * as Plan from "./programShape.ts"
import { Random, seed } from "./random.ts"
import { type Cases, makeLeafWorld, makeNarrowWorld, makeWorld, type World } from "./randomProgram.ts"
import { alike } from "./sameResult.ts"
import * as Choice from "./serverChoice.ts"
import * as State from "./storedState.ts"

type Service = State.Target["service"]

/** The outcome of a program, in a form that can be compared. */
export type Outcome =
  | { readonly value: unknown }
  | { readonly error: unknown; readonly label: string; readonly isDefect: boolean }

const labelOf = (error: any): string => {
  switch (error?._tag) {
    case "OutOfBounds":
      return `OutOfBounds ${error.bound}`
    case "ArithmeticError":
      return `ArithmeticError ${error.reason}`
    case "RedisServiceError":
      return error.reason._tag
    default:
      return String(error?._tag)
  }
}

/** The tag, the message and all fields. */
const plain = (error: any): unknown =>
  error instanceof Error
    ? {
      name: error.constructor.name,
      message: error.message,
      ...Object.fromEntries(Object.entries(error).map(([name, value]) => [name, plain(value)]))
    }
    : error

export const outcomeOf = (exit: Exit.Exit<unknown, unknown>): Outcome => {
  if (Exit.isSuccess(exit)) return { value: exit.value }
  const [reason, ...others] = exit.cause.reasons
  const error = reason?._tag === "Fail" ? reason.error : reason?._tag === "Die" ? reason.defect : undefined
  if (!Predicate.hasProperty(error, "_tag") || others.length > 0) {
    return { error: String(exit.cause), label: "defect", isDefect: true }
  }
  return { error: plain(error), label: labelOf(error), isDefect: reason?._tag === "Die" }
}

export const commit = (program: Program, service: Service): Effect.Effect<Outcome> =>
  Effect.map(Effect.exit(Effect.provideService(program, RedisService.RedisService, service)), outcomeOf)

export interface Counts {
  programs: number
  /** of each operation: how often in a program, and in one that succeeded */
  readonly operations: Map<string, { all: number; done: number }>
  readonly errors: Map<string, number>
  /** of the calls that they travelled in */
  readonly accesses: Map<Access | "refused", number>
  /** of ways that programs went */
  readonly ways: Map<string, number>
}

export interface Result {
  readonly counts: Counts
  /** what differed, for people; the programs after it were not run */
  readonly mismatch: string | undefined
}

interface Case {
  readonly plan: Plan.Plan
  readonly program: Program
  /** undefined where it is refused before it is sent */
  compiled: Compiled | undefined
  /** of the server */
  reply: Reply | undefined
  memory: Outcome | undefined
  redis: Outcome | undefined
}

const caseOf = (plan: Plan.Plan, note?: Plan.Note): Case => ({
  plan,
  program: Plan.programOf(plan, note),
  compiled: undefined,
  reply: undefined,
  memory: undefined,
  redis: undefined
})

const show = (value: unknown): string =>
  JSON.stringify(value, (_, part) => typeof part === "bigint" ? `${part}n` : part === undefined ? "undefined" : part)

const describe = (self: Case): string =>
  [
    Plan.describe(self.plan, "    "),
    ...(self.compiled?.instructions ?? []).map(({ args, key, op, spec }) =>
      `      ${show({ op, key, spec, args }).slice(0, 1000)}`
    )
  ].join("\n")

export interface Options {
  readonly name: string
  readonly programs: number
  /** what they have not had when they end, for people; with something left, there are up to ten times as many */
  readonly missing?: (counts: Counts) => ReadonlyArray<string>
  /** worlds that are committed at once; each is independent of the others */
  readonly worlds?: number
  /** programs of one world before it is made anew */
  readonly rounds?: number
  /** How often many worlds have the same program. Default: 0.3. */
  readonly twinChance?: number
  readonly fault?: Fault
  /** Milliseconds by which an expiry may change although nothing was written. Default: 0. */
  readonly drift?: number
  /** Whether memory refuses programs of several slots, as a cluster does. */
  readonly refusesCrossSlot?: boolean
}

/** A planted fault between programs and the memory interpreter. The comparison must find it. */
export interface Fault {
  /** the instruction that it is of, if of one: its operations are picked more often */
  readonly op?: Op
  /** Whether it is of indexes. Default: false, and no model with indexes takes part. */
  readonly isOfIndexes?: boolean
  readonly instruction?: (self: Instruction) => Instruction
  readonly result?: (result: InstructionResult, self: Instruction) => InstructionResult
  readonly reply?: (reply: Reply) => Reply
  /** of the memory's program, after the server has run it */
  readonly compiled?: (self: Tree) => Tree
  /** one page of a scan */
  readonly keys?: (keys: ReadonlyArray<string>) => ReadonlyArray<string>
  /** around the interpreter */
  readonly around?: <A>(run: () => A) => A
}

/** The program as it is sent, without sending it; undefined where it is refused. */
export const compile = Effect.fnUntraced(function*(program: Program) {
  let compiled: Compiled | undefined
  const capture = State.serviceOf((program, read) => {
    compiled = program
    return read({ _tag: "failed", failure: { _tag: "fail", step: 0, index: 0, observed: [] } })
  })
  yield* commit(program, capture)
  return compiled
})

/** The time that a program saw on the server, as the results of its instructions say. */
const timeOf = ({ instructions }: Compiled, reply: Reply | undefined): number | undefined => {
  if (reply?._tag !== "done") return undefined
  const at = instructions.findIndex(({ op }, i) => op === Op.now && reply.results[i] !== false)
  return at < 0 ? undefined : reply.results[at] as number
}

/** A server and the memory, side by side. The server runs first: what it may choose, memory must follow. */
const makePair = (redis: State.Target, fault: Fault = {}, refusesCrossSlot = false) => {
  const { around = (run) => run(), instruction = (self) => self, reply: changed = (reply) => reply } = fault
  const { keys = (found) => found, result = (found) => found } = fault
  const time: State.ServerTime = { millis: undefined }
  const ours = State.memory(time)
  const run = (program: Compiled): Reply => {
    const instructions = program.instructions.map(instruction)
    const execute = ours.service.execute({ ...program, instructions }, Exit.succeed)
    const reply = changed(around(() => Effect.runSync(Effect.orDie(execute))))
    return reply._tag === "failed"
      ? reply
      : { ...reply, results: reply.results.map((found, i) => result(found, program.instructions[i]!)) }
  }
  const read = Effect.all([redis.read, ours.read])
  const { scan } = ours.service
  const scanned: Service = { ...ours.service, scan: (start) => Stream.map(scan!(start), keys) }
  return {
    read,
    /** Compares the entities that the two find of each model, and their number with the keys. Returns a difference for people. */
    scan: Effect.fnUntraced(function*([state]: readonly [State.State, State.State]) {
      for (const self of modelCases) {
        const there = yield* allOf(self, redis.service)
        const here = yield* allOf(self, scanned)
        const stored = Array.from(state.keys()).filter((key) => isOfEntity(self, key)).length
        for (const { count } of [there, here]) {
          if (count !== stored) return `${self.name}.count() is ${count}, but ${stored} are stored`
        }
        for (const i of Array(Math.max(there.found.length, here.found.length)).keys()) {
          if (alike(there.found[i], here.found[i])) continue
          return `${self.name}.stream()\n  on redis  ${show(there.found[i])}\n  in memory ${show(here.found[i])}`
        }
      }
    }),
    reset: (state: State.State) => ours.reset(state).pipe(Effect.andThen(redis.reset(state)), Effect.andThen(read)),
    runInMemory: Effect.fnUntraced(function*(self: Case) {
      const node = self.program as { compiled?: Tree }
      if (fault.compiled !== undefined && node.compiled !== undefined) node.compiled = fault.compiled(node.compiled)
      const memory = State.serviceOf((program, read) =>
        Effect.suspend((): Effect.Effect<any, any> => {
          const slot = refusesCrossSlot ? slotOfProgram(program) : 0
          if (typeof slot !== "number") return Effect.fail(new RedisServiceError({ reason: slot }))
          time.millis = timeOf(program, self.reply)
          return read(Choice.follow(program, self.reply, () => Effect.runSync(ours.read), run))
        })
      )
      // a program that fails does not tell which time it saw, and it leaves nothing
      const hasUnknownTime = self.reply?._tag === "failed" &&
        self.compiled?.instructions.some(({ op }) => op === Op.now)
      self.memory = hasUnknownTime ? self.redis! : yield* commit(self.program, memory)
    }),
    runOnRedis: Effect.fnUntraced(function*(self: Case) {
      const service = State.serviceOf((program, read) =>
        redis.service.execute(program, (reply) => {
          self.compiled = program
          self.reply = reply
          return read(reply)
        })
      )
      self.redis = yield* commit(self.program, service)
    })
  }
}

/** Whether a key is that of an entity's hash, and not of a collection. */
const isOfEntity = ({ fields, ids }: ModelCase, key: string): boolean => {
  const start = ids(0)[0]![1].split("{", 1)[0]!
  const last = key.slice(key.lastIndexOf(":") + 1)
  const isCollection = fields.some(({ stored }) =>
    stored !== undefined && stored.kind !== "leaf" && stored.name === last
  )
  return key.startsWith(start) && !isCollection && !key.includes(":$")
}

/** The fields of the keys of the models. */
const keyFields = ["id", "user", "number", "date", "of", "n"]

/** All entities of a model, in one order, and their number. */
const allOf = ({ model }: ModelCase, service: Service) =>
  Effect.gen(function*() {
    const results = yield* Stream.runCollect(model.stream())
    const found = results.map((result): readonly [order: string, result: unknown] =>
      Result.isSuccess(result)
        ? [show(keyFields.map((name) => (result.success as any)[name])), result.success]
        : [`failure ${show(plain(result.failure))}`, plain(result.failure)]
    )
    found.sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0)
    return { found, count: yield* model.count() }
  }).pipe(Effect.provideService(RedisService.RedisService, service), Effect.orDie)

/** Whether an error became a defect, or didn't, against what the program says. */
const diesWrongly = ({ plan, redis }: Case): boolean => {
  if (!("label" in redis!)) return false
  const { always, perhaps } = Plan.fatalTags(plan)
  const [tag] = redis.label.split(" ") as [string]
  return redis.isDefect ? !perhaps.has(tag) : always.has(tag)
}

const wrong = (self: Case): string | undefined => {
  const { memory, redis } = self
  return diesWrongly(self) || !alike(memory, redis)
    ? `on redis  ${show(redis)}\n  in memory ${show(memory)}`
    : undefined
}

const methodOf = (op: Op): string =>
  infoOf(op).method ?? Object.keys(Op).find((name) => Op[name as keyof typeof Op] === op)!

const favouredOf = ({ makers }: World, method: string): ReadonlyArray<string> =>
  [...makers.keys()].filter((operation) => operation.includes(`.${method}`))

/** Whether programs, each on an entity of its own, are the same on both. */
export const separate = Effect.fnUntraced(function*(redis: State.Target, name: string, all: Iterable<Cases>) {
  const { read, reset, runInMemory, runOnRedis } = makePair(redis)
  let programs = 0
  let failed = 0
  for (const { before, steps } of all) {
    const states = yield* reset(before)
    const cases = steps.map((step) => caseOf(Plan.stepPlan(step)))
    yield* Effect.forEach(cases, runOnRedis, { concurrency: "unbounded", discard: true })
    yield* Effect.forEach(cases, runInMemory, { discard: true })
    programs += cases.length
    failed += cases.filter(({ redis }) => "label" in redis!).length
    const different = cases.find((self) => wrong(self) !== undefined)
    const found = different === undefined
      ? State.difference(yield* read, states)?.text
      : `${describe(different)}\n  ${wrong(different)}`
    if (found !== undefined) return { programs, failed, mismatch: `${name}, REDLAYER_SEED=${seed}: ${found}` }
  }
  return { programs, failed, mismatch: undefined }
})

export const run = Effect.fnUntraced(function*(redis: State.Target, options: Options): Effect.fn.Return<Result> {
  const {
    drift,
    fault,
    missing = () => [],
    name,
    programs,
    rounds = 4,
    twinChance = 0.3,
    worlds: width = 100
  } = options
  const { read, reset, runInMemory, runOnRedis, scan } = makePair(redis, fault, options.refusesCrossSlot)
  const counts: Counts = {
    programs: 0,
    operations: new Map(),
    errors: new Map(),
    accesses: new Map(),
    ways: new Map()
  }
  const note = (way: string): void => {
    counts.ways.set(way, (counts.ways.get(way) ?? 0) + 1)
  }

  const favoured = fault?.op === undefined ? undefined : methodOf(fault.op)
  /** Whether worlds are of models with indexes. Undefined: some are. */
  const among = () =>
    fault !== undefined
      ? fault.isOfIndexes === true
      : counts.programs >= programs && missing(counts).includes("UniqueViolation") || undefined
  /** A world for a fault has an operation that it is of, if a few attempts find one. */
  const suited = (make: () => World): World => {
    let world = make()
    if (favoured === undefined) return world
    for (let attempt = 0; attempt < 8 && favouredOf(world, favoured).length === 0; attempt++) world = make()
    return { ...world, favoured: favouredOf(world, favoured) }
  }

  const rarity = (operation: string) => counts.operations.get(operation)?.done ?? 0

  const count = (self: Case): void => {
    counts.programs++
    const { compiled, memory } = self
    const access = compiled?.access ?? "refused"
    counts.accesses.set(access, (counts.accesses.get(access) ?? 0) + 1)
    if ("label" in memory!) {
      counts.errors.set(memory.label, (counts.errors.get(memory.label) ?? 0) + 1)
      if (memory.isDefect) note("orDie died")
    }
    if (compiled !== undefined && self.reply?._tag === "done") {
      Coverage.note(compiled.instructions, self.reply.results, note)
    }
    for (const { operation } of Plan.stepsOf(self.plan)) {
      const known = counts.operations.get(operation) ?? { all: 0, done: 0 }
      known.all++
      if (!("label" in memory!)) known.done++
      counts.operations.set(operation, known)
    }
  }

  /** The smallest programs found that still differ. */
  const shrink = Effect.fnUntraced(function*(before: State.State, cases: ReadonlyArray<Case>) {
    let kept = cases.map((self) => self.plan)
    let smallest: string | undefined
    let attempts = 0
    const attempt = Effect.fnUntraced(function*(candidate: ReadonlyArray<Plan.Plan>) {
      attempts++
      let states = yield* reset(before)
      for (const plan of candidate) {
        const self = caseOf(plan)
        yield* runOnRedis(self)
        yield* runInMemory(self)
        const after = yield* read
        const found = wrong(self) ?? State.difference(after, states)?.text
        if (found !== undefined) {
          smallest = `${candidate.length} programs, the last of which is\n${describe(self)}\n  ${found}`
          return true
        }
        states = after
      }
      return false
    })
    const candidates = () => [
      ...kept.length > 1 ? kept.map((_, i) => kept.filter((_, j) => j !== i)) : [],
      ...kept.flatMap((plan, i) => Plan.smaller(plan).map((found) => kept.map((other, j) => i === j ? found : other)))
    ]
    if (!(yield* attempt(kept))) return "it doesn't happen when run again alone"
    for (let found = true; found;) {
      found = false
      for (const candidate of candidates()) {
        if (attempts > 1000 || !(yield* attempt(candidate))) continue
        kept = candidate
        found = true
        break
      }
    }
    return smallest!
  })

  const report = Effect.fnUntraced(function*(title: string, before: State.State, cases: ReadonlyArray<Case>) {
    const keys = new Set(cases.flatMap((self) => self.compiled?.instructions.map(({ key }) => key) ?? []))
    const relevant = new Map(
      [...before].filter(([key]) =>
        [...keys].some((one) => key === one || key.startsWith(`${one}:`)) || key.includes(":$")
      )
    )
    return [
      `${name}, REDLAYER_SEED=${seed}: ${title}`,
      ...cases.map((self) => `  program\n${describe(self)}`),
      "  stored before:",
      ...Array.from(relevant, ([key, entry]) => `    ${key} ${show(entry)}`),
      ...fault === undefined ? [`  shrunk: ${yield* shrink(relevant, cases)}`] : []
    ].join("\n")
  })

  const goesOn = () => counts.programs < programs || counts.programs < 10 * programs && missing(counts).length > 0

  /** After the last program that was asked for, a plan that may show what is missing yet, because it may be rare. */
  const wanted = Effect.fnUntraced(function*(make: () => Plan.Plan, attempts: number) {
    let plan = make()
    for (let i = 1; i < attempts && counts.programs >= programs; i++) {
      const compiled = yield* compile(caseOf(plan).program)
      const names = missing(counts)
      if (
        compiled === undefined || Plan.stepsOf(plan).some(({ operation }) => names.includes(operation)) ||
        Coverage.mayShow(compiled.instructions, names)
      ) break
      plan = make()
    }
    return plan
  })

  for (let epoch = 0; goesOn(); epoch++) {
    const random = new Random(`${name}/${epoch}`)
    // the same program on each of many twins: programs of one shape, which travel as a run
    const twins = random.chance(twinChance)
    const isNarrow = twins && random.chance(0.6)
    const worlds: Array<World> = Array.from(
      { length: width },
      (_, i) =>
        isNarrow
          ? makeLeafWorld(i, random, new Random(`${name}/${epoch}/twins`))
          : twins
          ? makeWorld(i, random, new Random(`${name}/${epoch}/twins`))
          : suited(() =>
            random.chance(0.25) && among() !== true
              ? makeNarrowWorld(i, random)
              : makeWorld(i, random, random, among())
          )
    )
    let before = yield* reset(State.joined(worlds.map(({ initial }) => initial)))
    for (let round = 0; round < rounds && goesOn(); round++) {
      // programs of one world that are committed at once run in their order as long as they travel in calls of one access
      const bursts: Array<ReadonlyArray<Case>> = []
      const first: Array<Case> = []
      const then: Array<Case> = []
      for (const world of worlds) {
        const burst: Array<Case> = []
        const length = twins ? 1 : random.int(1, 3)
        const chance = twins ? new Random(`${name}/${epoch}/${round}`) : random
        let access: Access | undefined
        let wave = first
        while (burst.length < length && wave === first) {
          const self = caseOf(yield* wanted(() => Plan.randomPlan(world, chance, rarity), twins ? 1 : 10), note)
          self.compiled = yield* compile(self.program)
          access ??= self.compiled?.access
          if (self.compiled !== undefined && self.compiled.access !== access) wave = then
          wave.push(self)
          burst.push(self)
        }
        bursts.push(burst)
      }
      for (const wave of [first, then]) {
        yield* Effect.forEach(wave, runOnRedis, { concurrency: "unbounded", discard: true })
      }
      for (const burst of bursts) {
        for (const self of burst) {
          yield* runInMemory(self)
          count(self)
          const found = wrong(self)
          if (found !== undefined) {
            return { counts, mismatch: yield* report(`results\n  ${found}`, before[0], burst) }
          }
        }
      }
      const after = yield* read
      const found = State.difference(after, before, drift)
      if (found !== undefined) {
        const guilty = bursts.filter((burst) =>
          burst.some((self) =>
            self.compiled?.instructions.some((self) =>
              [self.key, homeOf(self)].some((key) => found.key === key || found.key.startsWith(`${key}:`))
            )
          )
        )
        return { counts, mismatch: yield* report(`state of ${found.key}: ${found.text}`, before[0], guilty.flat()) }
      }
      before = after
    }
    const different = yield* scan(before)
    if (different !== undefined) return { counts, mismatch: `${name}, REDLAYER_SEED=${seed}: ${different}` }
  }
  return { counts, mismatch: undefined }
})
