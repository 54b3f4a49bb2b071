/**
 * Programs that fail, and must leave nothing behind.
 */
import { Effect, Exit } from "effect"
import { isDeepStrictEqual } from "node:util"
import { type Access, Op } from "../../src/internal/instruction/ops.ts"
import { accessOf, type Instruction, type Program as Compiled } from "../../src/internal/instruction/program.ts"
import { isEntitySpec } from "../../src/internal/instruction/spec.ts"
import * as Attempts from "./attempts.ts"
import type { Program } from "./calls/scalarCalls.ts"
import {
  type Failing,
  failingOf,
  failNow,
  inserted,
  type Instructions,
  instructionsOf,
  isTimeless,
  placesOf,
  rehearse
} from "./failingPrograms.ts"
import { Guild } from "./models/guild.ts"
import { Note } from "./models/note.ts"
import * as Plan from "./programShape.ts"
import { Random, seed } from "./random.ts"
import {
  makeNarrowWorld,
  makeWholeWorld,
  makeWorld,
  operations,
  randomStep,
  type Step,
  type World
} from "./randomProgram.ts"
import * as State from "./storedState.ts"

/** of a random program */
const steps = 8

export interface Counts {
  programs: number
  wrote: number
  readonly causes: Map<string, number>
  readonly accesses: Map<Access, number>
  /** how often each of the eight steps was the one that failed */
  readonly positions: Array<number>
  /** what ran before a failure */
  readonly operations: Set<string>
  /** parts of programs that were undone */
  attempts: number
}

const noCounts = (): Counts => ({
  programs: 0,
  wrote: 0,
  causes: new Map(),
  accesses: new Map(),
  positions: Array.from({ length: steps }, () => 0),
  operations: new Set(),
  attempts: 0
})

const increment = <K>(counts: Map<K, number>, key: K): void => {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

const count = (counts: Counts, failing: Failing): void => {
  counts.programs++
  if (failing.wrote) counts.wrote++
  increment(counts.causes, failing.cause)
  increment(counts.accesses, failing.program.access)
}

const describe = ({ instructions }: Compiled): string =>
  instructions.map(({ args, key, op, spec }) => `  ${JSON.stringify({ op, key, spec, args })}`).join("\n")

/** Runs programs that must leave nothing, all at once, and gives what was wrong, for people. */
const run = Effect.fnUntraced(function*(
  target: State.Target,
  programs: ReadonlyArray<Pick<Failing, "program" | "expected">>,
  before: State.State
) {
  const replies = yield* Effect.forEach(
    programs,
    ({ program }) => Effect.orDie(target.service.execute(program, Exit.succeed)),
    {
      concurrency: "unbounded"
    }
  )
  for (const [i, { expected, program }] of programs.entries()) {
    if (!isDeepStrictEqual(replies[i], expected)) {
      return `gave ${JSON.stringify(replies[i])}, not ${JSON.stringify(expected)}\n${describe(program)}`
    }
  }
  const changed = State.change(before, yield* target.read)
  if (changed === undefined) return undefined
  // again, one by one, to name the program
  for (const { program } of programs) {
    yield* target.reset(before)
    yield* Effect.orDie(target.service.execute(program, Exit.succeed))
    const guilty = State.change(before, yield* target.read)
    if (guilty !== undefined) return `${guilty}, after\n${describe(program)}`
  }
  return changed
})

/**
 * More entities: a key of another type is in place of one's hash, and of others' collections; one can't be written, and one
 * has nothing but a version.
 */
/** An expiry that is renewed by what succeeds. */
const soon = Date.now() + 5 * 3_600_000

const broken = (world: number): State.State =>
  new Map([
    [`Note:{w${world}-none}`, { type: "list", expiry: -1, values: ["x"] }],
    [`Note:{w${world}-half}`, { type: "hash", expiry: 4_102_444_800_123, values: ["body", "b", "views", "1"] }],
    [`Note:{w${world}-half}:marks`, { type: "list", expiry: 4_102_444_800_456, values: ["1", "2"] }],
    [`Note:{w${world}-half}:visits`, { type: "hash", expiry: 4_102_444_800_789, values: ["a", "b"] }],
    [`Note:{w${world}-odd}`, { type: "hash", expiry: -1, values: ["$v", "odd", "body", "b"] }],
    [`Note:{w${world}-odd}:marks`, { type: "list", expiry: 4_102_444_800_321, values: ["1", "2"] }],
    [`Note:{w${world}-bare}`, { type: "hash", expiry: 4_102_444_800_654, values: ["$v", "0"] }],
    [`Guild:{w${world}-half}`, { type: "hash", expiry: soon, values: ["$v", "9"] }],
    [`Guild:{w${world}-half}:members`, { type: "zset", expiry: soon + 1, values: ["a", "1"] }],
    [`Guild:{w${world}-half}:counts`, { type: "set", expiry: soon + 2, values: ["a", "b"] }],
    [`Guild:{w${world}-half}:board`, { type: "hash", expiry: soon + 3, values: ["a", "1"] }],
    [`Guild:{w${world}-half}:odd`, { type: "list", expiry: -1, values: ["1"] }],
    [`Guild:{w${world}-half}:few`, { type: "set", expiry: soon + 4, values: ["1"] }],
    [`Guild:{w${world}-half}:capped`, { type: "hash", expiry: -1, values: ["a", "1", "b", "2", "c", "3"] }],
    [`Guild:{w${world}-half}:podium`, { type: "zset", expiry: -1, values: ["1", "1", "2", "Infinity", "3", "2"] }]
  ])

const withBroken = (world: number, made: World): World => ({
  ...made,
  initial: new Map([...made.initial, ...broken(world)])
})

/** Programs of one instruction that fail on these, or where there is nothing. */
const stopsOf = (world: number) => {
  const half = Note.ref(`w${world}-half`) as any
  const guild = Guild.ref(`w${world}-half`)
  const stops: ReadonlyArray<Program> = [
    Note.get(`w${world}-none`),
    Note.insert({ id: `w${world}-none`, body: "", marks: [1, 2], visits: [] }),
    Note.insert({ id: `w${world}-half`, body: "", marks: [1, 2], visits: [] }),
    Note.delete(`w${world}-none`),
    Note.get(`w${world}-nowhere`),
    half.body.append("too long"),
    half.marks.pop(),
    half.views.divide(0),
    half.views.increment(1, { atMost: 1 }),
    half.marks.at(3).set(1),
    half.visits.append(1),
    // this has begun to write when it fails
    Note.put({ id: `w${world}-half`, body: "new", marks: [4, 5, 6, 7], visits: [1] }),
    // these when everything else has been done, and some of it written
    (Note.ref(`w${world}-odd`) as any).marks.append([3, 4]),
    Note.put({ id: `w${world}-odd`, body: "new", marks: [4, 5, 6, 7], visits: [1] }),
    Guild.duplicate(`w${world}-half`, `w${world}-new`),
    Guild.duplicate(`w${world}-nowhere`, `w${world}-new`),
    guild.members.add("b"),
    guild.counts.at("a").increment(),
    guild.board.popMin(),
    guild.few.pop(),
    guild.few.add([2, 3, 4, 5]),
    guild.few.union(Guild.ref(`w${world}-nowhere`).few),
    guild.few.difference(guild.odd),
    guild.capped.at("d").setIfAbsent(1),
    guild.podium.addAll([{ member: 1, score: 5 }, { member: 4, score: 5 }])
  ]
  return Effect.forEach(stops, (program) => Effect.map(instructionsOf(program), (found) => found!))
}

/**
 * A collection of which any one was taken is another on each side: whether what comes after it there, or in a copy, fails
 * cannot be seen.
 */
const isCertain = (before: Instructions, added: Instructions): boolean => {
  const taken = before.filter(({ op }) => op === Op.popAny)
  return !added.some((self) =>
    taken.some(({ key, spec }) =>
      self.op === Op.duplicate ||
      self.key === key && !isEntitySpec(self.spec) && !isEntitySpec(spec) && self.spec.field === spec.field
    )
  )
}

/** A step that succeeds after others. */
const succeeding = Effect.fnUntraced(function*(
  world: World,
  before: Instructions,
  make: () => Step,
  allowed: (added: Instructions) => boolean = () => true
) {
  for (let attempt = 0; attempt < 200; attempt++) {
    const step = make()
    const added = yield* instructionsOf(step.program)
    if (added === undefined || added.length === 0 || !allowed(added) || !isCertain(before, added)) continue
    const all = [...before, ...added]
    const reply = rehearse(world.initial, all)
    if (reply._tag === "done" && isTimeless(world.initial, all, reply)) {
      return { operation: step.operation, instructions: added }
    }
  }
  return undefined
})

/** A program of eight steps, each of which is equally likely to be the one that fails. */
const randomFailing = Effect.fnUntraced(function*(
  world: World,
  stops: ReadonlyArray<Instructions>,
  random: Random,
  counts: Counts
) {
  // programs that only give memory back are another class of calls
  const onlyFree = random.chance(0.15)
  const fits = (added: Instructions) => !onlyFree || accessOf(added) !== "write"
  const allowed = (added: Instructions) => fits(added) && (accessOf(added) !== "read" || random.chance(0.2))
  const make = () => randomStep(world, random)
  const instructions: Array<Instruction> = []
  let position = random.int(0, steps - 1)
  random.wildness = 0
  for (let i = 0; i < position; i++) {
    const step = yield* succeeding(world, instructions, make, allowed)
    if (step === undefined) {
      position = i
      break
    }
    instructions.push(...step.instructions)
    counts.operations.add(step.operation)
  }
  let failing = random.chance(0.5) ? [failNow] : random.pick(stops.filter(fits))
  random.wildness = 0.1
  for (let attempt = random.chance(0.4) ? 100 : 0; attempt < 100; attempt++) {
    const added = (yield* instructionsOf(make().program)) ?? []
    if (!fits(added) || !isCertain(instructions, added)) continue
    const reply = rehearse(world.initial, [...instructions, ...added])
    if (reply._tag === "done") continue
    // where there is no entity, or no item, most operations fail: more of the other ways
    const { _tag } = reply.failure
    if ((_tag === "missing" || _tag === "index") && random.chance(0.9)) continue
    failing = added
    break
  }
  instructions.push(...failing)
  random.wildness = 0
  for (let i = position + 1; i < steps; i++) {
    const added = yield* instructionsOf(make().program)
    if (added !== undefined && fits(added)) instructions.push(...added)
  }
  counts.positions[position]!++
  // a unique value that is taken when the program stops may be free when it goes on
  return failingOf(world.initial, instructions)
})

export interface Result {
  readonly counts: Counts
  readonly mismatch: string | undefined
}

/** Random programs that fail at random steps, several times over for each state. */
export const random = Effect.fnUntraced(function*(
  target: State.Target,
  options: { readonly name: string; readonly programs: number }
): Effect.fn.Return<Result> {
  const { name, programs: total } = options
  const counts = noCounts()
  for (let epoch = 0; counts.programs < total; epoch++) {
    const random = new Random(`${name}/${epoch}`)
    // one world at a time: those of models with indexes of one home would share these
    const world = withBroken(0, random.chance(0.4) ? makeNarrowWorld(0, random, "good") : makeWholeWorld(0, random))
    const stops = yield* stopsOf(0)
    yield* target.reset(world.initial)
    const programs: Array<Failing> = []
    for (let i = 0; i < 4; i++) {
      const failing = yield* randomFailing(world, stops, random, counts)
      if (failing !== undefined) programs.push(failing)
    }
    for (const failing of programs) count(counts, failing)
    const wrong = yield* run(target, programs, yield* target.read)
    if (wrong !== undefined) return { counts, mismatch: `${name}, REDLAYER_SEED=${seed}: ${wrong}` }
  }
  return { counts, mismatch: undefined }
})

/**
 * Random programs of any structure, stopped at each of their instructions that they come to outside of what is caught: they
 * leave nothing behind.
 */
export const structured = Effect.fnUntraced(function*(
  target: State.Target,
  options: { readonly name: string; readonly programs: number }
): Effect.fn.Return<Result> {
  const { name, programs: total } = options
  const counts = noCounts()
  for (let epoch = 0; counts.programs < total; epoch++) {
    const random = new Random(`${name}/${epoch}`)
    const worlds = Array.from({ length: 10 }, (_, i) => makeWorld(i, random))
    const initial = State.joined(worlds.map(({ initial }) => initial))
    const programs: Array<Failing> = []
    for (const world of worlds) {
      for (let attempt = 0; attempt < 20; attempt++) {
        const plan = Plan.randomPlan(world, random, () => 0)
        const instructions = yield* instructionsOf(Plan.programOf(plan))
        // which of a collection is taken decides what comes after it
        if (instructions === undefined || instructions.some(({ op }) => op === Op.popAny)) continue
        for (let at = 0; at <= instructions.length; at++) {
          const failing = failingOf(initial, inserted(instructions, at, failNow))
          if (failing?.cause !== "fail" || failing.step !== at) continue
          programs.push(failing)
          count(counts, failing)
        }
      }
    }
    yield* target.reset(initial)
    const wrong = yield* run(target, programs, yield* target.read)
    if (wrong !== undefined) return { counts, mismatch: `${name}, REDLAYER_SEED=${seed}: ${wrong}` }
  }
  return { counts, mismatch: undefined }
})

/** Every operation in a program of six, and each of these stopped at each of its instructions, in several ways. */
export const everywhere = Effect.fnUntraced(function*(target: State.Target, name: string): Effect.fn.Return<Result> {
  const counts = noCounts()
  const random = new Random(name)
  const stops = yield* stopsOf(0)
  const bare = yield* instructionsOf((Note.ref("w0-bare") as any).views.increment())
  const remaining = [...operations]
  for (let stuck = 0; remaining.length > 0; stuck++) {
    if (stuck > 20) return { counts, mismatch: `${name}: no program in which ${remaining[0]} succeeds` }
    const world = withBroken(0, makeWholeWorld(0, random))
    const instructions = [...bare!]
    for (let i = 0; i < 6 && remaining.length > 0; i++) {
      const operation = remaining[0]!
      const makers = world.makers.get(operation)!
      const step = yield* succeeding(world, instructions, () => random.pick(makers)(random))
      // this world, or what the program has done so far, may not allow it: then another does
      if (step === undefined) break
      remaining.shift()
      stuck = 0
      counts.operations.add(operation)
      instructions.push(...step.instructions)
    }
    yield* target.reset(world.initial)
    const before = yield* target.read
    const programs: Array<Failing> = []
    for (const at of placesOf(instructions).reached) {
      for (const stop of [[failNow], ...Array.from({ length: 9 }, () => random.pick(stops))]) {
        const failing = failingOf(world.initial, [...instructions.slice(0, at), ...stop, ...instructions.slice(at)])
        if (failing?.step !== at) {
          return { counts, mismatch: `${name}: a program should fail at ${at}, and does at ${String(failing?.step)}` }
        }
        programs.push(failing)
        count(counts, failing)
      }
    }
    const caught = Attempts.caught(world.initial, instructions, stops, random)
    const parts = Attempts.partly(world.initial, instructions, random)
    counts.attempts += caught.length + parts.length
    const wrong = (yield* run(target, programs, before)) ?? (yield* run(target, caught, before)) ??
      (yield* Attempts.run(target, parts, before))
    if (wrong !== undefined) return { counts, mismatch: `${name}, REDLAYER_SEED=${seed}: ${wrong}` }
  }
  return { counts, mismatch: undefined }
})
