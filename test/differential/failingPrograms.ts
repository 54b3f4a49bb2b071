/**
 * Programs of bare instructions, and how they would fail.
 */
import { Effect } from "effect"
import { isDeepStrictEqual } from "node:util"
import { infoOf, Op } from "../../src/internal/instruction/ops.ts"
import { accessOf, type Instruction, type Program as Compiled } from "../../src/internal/instruction/program.ts"
import type { Reply } from "../../src/internal/instruction/reply.ts"
import { noSpec } from "../../src/internal/instruction/spec.ts"
import { interpret } from "../../src/internal/memory/interpreter.ts"
import type { Program } from "./calls/scalarCalls.ts"
import { compile } from "./compareLayers.ts"
import * as State from "./storedState.ts"

export type Instructions = ReadonlyArray<Instruction>

/** The instructions of a program, or undefined where it is refused before it is sent. */
export const instructionsOf = (program: Program): Effect.Effect<Instructions | undefined> =>
  Effect.map(compile(program), (compiled) => compiled?.instructions)

export const programOf = (instructions: Instructions): Compiled => ({ instructions, access: accessOf(instructions) })

const now = Date.now() * 1000

/** The reply that a program would get on `state`. */
export const rehearse = (state: State.State, instructions: Instructions, at = now): Reply =>
  interpret(State.storeOf(state), programOf(instructions), at)

/** Whether a program ends in the same way in any millisecond: a tenth of the time is not always whole. */
export const isTimeless = (state: State.State, instructions: Instructions, expected: Reply): boolean =>
  !instructions.some(({ op }) => op === Op.now) ||
  Array.from({ length: 12 }, (_, i) => rehearse(state, instructions, now + i * 1000)).every((reply) =>
    expected._tag === "done" ? reply._tag === "done" : isDeepStrictEqual(reply, expected)
  )

const wouldWrite = (state: State.State, instructions: Instructions): boolean => {
  const store = State.storeOf(state)
  const before = State.readStore(store)
  return interpret(store, programOf(instructions), now)._tag === "done" &&
    State.change(before, State.readStore(store)) !== undefined
}

export interface Failing {
  readonly program: Compiled
  readonly expected: Reply
  readonly cause: string
  /** the instruction at which it stops */
  readonly step: number
  /** whether it has changed something by then */
  readonly wrote: boolean
}

export const failingOf = (state: State.State, instructions: Instructions): Failing | undefined => {
  const expected = rehearse(state, instructions)
  if (expected._tag === "done" || !isTimeless(state, instructions, expected)) return undefined
  const { failure } = expected
  return {
    program: programOf(instructions),
    expected,
    cause: "bound" in failure ? failure.bound : "reason" in failure ? failure.reason : failure._tag,
    step: failure.step,
    wrote: wouldWrite(state, instructions.slice(0, failure.step))
  }
}

export const failNow: Instruction = { op: Op.fail, key: "", spec: noSpec, args: [7, 0] }

const queued = ({ args, op }: Instruction): number =>
  infoOf(op).putsOperand === true
    ? 1 - args.filter((arg) => arg === true).length
    : op === Op.combine
    ? -1
    : -args.filter((arg) => arg === true).length

/**
 * Where a program can be cut: `reached` are the places that no jump passes over, from the first to the one after the last
 * instruction; `free` those of them where no operand waits, and no result for an instruction that takes it.
 */
export const placesOf = (
  instructions: Instructions
): { reached: ReadonlyArray<number>; free: ReadonlyArray<number> } => {
  const reached: Array<number> = []
  const free: Array<number> = []
  let passed = 0
  let waiting = 0
  const taken = new Set(instructions.flatMap(({ args, op }, i) =>
    op === Op.loadResult || op === Op.compareResult
      ? Array.from({ length: args[0] as number }, (_, back) => i - back)
      : []
  ))
  for (let at = 0; at <= instructions.length; at++) {
    if (at >= passed) {
      reached.push(at)
      if (waiting === 0 && !taken.has(at)) free.push(at)
    }
    const self = instructions[at]
    if (self === undefined) break
    waiting += queued(self)
    if (self.op === Op.jump || self.op === Op.jumpIf || self.op === Op.jumpUnless) {
      passed = Math.max(passed, at + 1 + (self.args[0] as number))
    }
  }
  return { reached, free }
}

const jumps: ReadonlySet<Op> = new Set([Op.jump, Op.jumpIf, Op.jumpUnless, Op.attempt, Op.endAttempt])

/** One more instruction at a place: jumps over it go one further. */
export const inserted = (instructions: Instructions, at: number, added: Instruction): Instructions => {
  const moved = instructions.map((self, i) => {
    const [distance, ...rest] = self.args
    return jumps.has(self.op) && i < at && at < i + 1 + (distance as number)
      ? { ...self, args: [(distance as number) + 1, ...rest] }
      : self
  })
  return [...moved.slice(0, at), added, ...moved.slice(at)]
}
