/**
 * Programs that go on after a part of them has failed: of that part, nothing remains.
 */
import { Effect, Exit } from "effect"
import { isDeepStrictEqual } from "node:util"
import { Op } from "../../src/internal/instruction/ops.ts"
import type { Instruction, Program as Compiled } from "../../src/internal/instruction/program.ts"
import type { Reply, Result } from "../../src/internal/instruction/reply.ts"
import { isEntitySpec, noSpec } from "../../src/internal/instruction/spec.ts"
import { type Failing, failNow, type Instructions, placesOf, programOf, rehearse } from "./failingPrograms.ts"
import type { Random } from "./random.ts"
import * as State from "./storedState.ts"

const flow = (op: Op, ...args: ReadonlyArray<number>): Instruction => ({ op, key: "", spec: noSpec, args })

/** An attempt: if it fails, its writes are undone and the program continues. Mode 0 catches only a missing entity. */
const attempt = (part: Instructions, mode = 1): Instructions => [
  flow(Op.attempt, part.length + 1, mode),
  ...part,
  flow(Op.endAttempt, 0)
]

const nothing = (instructions: Instructions): Reply => ({
  _tag: "done",
  results: instructions.map((_, i) => i === 0 && 1)
})

/** All of the program is caught, after each of its instructions: alone, from within another such part, and twice. */
export const caught = (
  state: State.State,
  all: Instructions,
  stops: ReadonlyArray<Instructions>,
  random: Random
): ReadonlyArray<Pick<Failing, "program" | "expected">> => {
  const { free, reached } = placesOf(all)
  return reached.flatMap((at) => {
    const cut = random.pick(free.filter((place) => place <= at))
    const [first, second, rest] = [all.slice(0, cut), all.slice(cut, at), all.slice(at)]
    return [
      attempt([...first, ...second, failNow, ...rest]),
      // the inner one doesn't catch it
      attempt([...first, ...attempt([...second, failNow, ...rest], 0)]),
      attempt([...first, ...attempt([...second, failNow]), ...all.slice(cut), ...random.pick(stops), failNow]),
      attempt([...attempt([...all.slice(0, cut), ...attempt(all.slice(cut)), failNow]), ...all, failNow])
    ].map((instructions) => {
      const reply = rehearse(state, instructions)
      // what can't be caught must leave nothing either
      const expected = reply._tag === "failed" && reply.failure._tag === "type" ? reply : nothing(instructions)
      return { program: programOf(instructions), expected }
    })
  })
}

/** A program, and the same without the part that is undone. */
interface Pair {
  readonly whole: Compiled
  readonly plain: Compiled
  /** where the part is */
  readonly from: number
  readonly to: number
}

/** Programs with an undone part: instructions before it keep their effect, and those after it see nothing of it. */
export const partly = (state: State.State, all: Instructions, random: Random): ReadonlyArray<Pair> => {
  const popped = all.findIndex(({ op }) => op === Op.popAny)
  const { free } = placesOf(all)
  return Array.from({ length: 5 }, () => {
    const at = random.pick(free)
    // what is taken of a collection is another each time
    const cut = random.pick(free.filter((place) => place <= at && (popped < 0 || place <= popped)))
    const [before, inner] = [all.slice(0, cut), all.slice(cut, at)]
    const after = popped < 0 || popped >= at ? random.pick([[], inner]) : []
    const part = random.chance(0.5)
      ? attempt([...inner, failNow])
      : attempt([...attempt([...inner, failNow]), ...inner, ...attempt(inner), failNow])
    return {
      whole: programOf([...before, ...part, ...after]),
      plain: programOf([...before, ...after]),
      from: before.length,
      to: before.length + part.length
    }
  }).filter(({ plain }) => rehearse(state, plain.instructions)._tag === "done")
}

/** Without the order of what has none, and without times. */
const normal = (result: Result, self: Instruction): unknown =>
  [Op.timeToLive, Op.version, Op.now].includes(self.op as any)
    ? result !== false
    : !Array.isArray(result)
    ? result
    : (isEntitySpec(self.spec) ? result.slice(1) : result).map((part) => Array.isArray(part) ? [...part].sort() : part)
      .sort()

const results = (reply: Reply, program: Compiled): unknown =>
  reply._tag === "done" ? reply.results.map((result, i) => normal(result, program.instructions[i]!)) : reply

const describe = ({ instructions }: Compiled): string =>
  instructions.map(({ args, key, op, spec }) => `  ${JSON.stringify({ op, key, spec, args }).slice(0, 500)}`).join("\n")

/** Whether both of each pair give and leave the same; what was wrong, for people. */
export const run = Effect.fnUntraced(function*(
  target: State.Target,
  pairs: ReadonlyArray<Pair>,
  before: State.State
) {
  const execute = Effect.fnUntraced(function*(program: Compiled) {
    yield* target.reset(before)
    const reply = yield* Effect.orDie(target.service.execute(program, Exit.succeed))
    return [reply, yield* target.read] as const
  })
  for (const { from, plain, to, whole } of pairs) {
    const [expected, stateWithout] = yield* execute(plain)
    const [found, state] = yield* execute(whole)
    const given = results(found, whole)
    const shown = Array.isArray(given) ? [...given.slice(0, from), ...given.slice(to)] : given
    const without = results(expected, plain)
    if (!isDeepStrictEqual(shown, without)) {
      return `gave ${JSON.stringify(shown)}, not ${JSON.stringify(without)}\n${describe(whole)}`
    }
    const difference = State.difference([state, stateWithout], [before, before])
    if (difference !== undefined) {
      return `${difference.key} with (redis) and without (memory) an undone part: ${difference.text}\n${
        describe(whole)
      }`
    }
  }
  yield* target.reset(before)
  return undefined
})
