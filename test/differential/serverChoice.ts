/**
 * `take` removes any one of a set, or any one entry of a map: which one is the server's choice. So the server runs first, and
 * the interpreter in memory is made to take the same, which must have been there.
 */
import { isDeepStrictEqual } from "node:util"
import { forEachKey } from "../../src/internal/instruction/keys.ts"
import { Op } from "../../src/internal/instruction/ops.ts"
import type { Instruction, Program as Compiled } from "../../src/internal/instruction/program.ts"
import type { Reply, Result } from "../../src/internal/instruction/reply.ts"
import { isEntitySpec } from "../../src/internal/instruction/spec.ts"
import { interpret } from "../../src/internal/memory/interpreter.ts"
import * as State from "./storedState.ts"

const isPopAny = ({ op }: Instruction): boolean => op === Op.popAny

const isMap = ({ spec }: Instruction): boolean => !isEntitySpec(spec) && spec.kind === "map"

/** The instruction that takes this and nothing else. */
const withName = (self: Instruction, name: string): Instruction => ({
  ...self,
  op: isMap(self) ? Op.popEntry : Op.remove,
  args: [name]
})

/** The result of `popAny` for this member. Undefined if the member is missing. */
const taken = (self: Instruction, name: string, result: Result): Result | undefined =>
  isMap(self) ? result === false ? undefined : [name, result as string] : result === 1 ? name : undefined

const nameOf = (result: Result): string | undefined =>
  typeof result === "string" ? result : Array.isArray(result) ? result[0] as string : undefined

const choose = (program: Compiled, names: ReadonlyArray<string | undefined>): Compiled => ({
  ...program,
  instructions: program.instructions.map((self, i) => names[i] === undefined ? self : withName(self, names[i]))
})

/** All that a set or map of the program may hold. */
const candidates = (
  state: State.State,
  { instructions }: Compiled,
  { key, spec }: Instruction
): ReadonlyArray<string> => [
  ...new Set([
    ...state.get(`${key}:${isEntitySpec(spec) ? "" : spec.field}`)?.values ?? [],
    ...instructions.flatMap(({ args }) => args.filter((arg) => typeof arg === "string"))
  ])
]

/** The reply with the observed collections of a guard sorted, because they have no order. */
const comparable = (reply: Reply): unknown =>
  reply._tag === "failed" && "observed" in reply.failure ? { ...reply.failure, observed: [] } : reply

/**
 * Whether some choice of members in memory leads to the same failure as on the server. The reply of a failure does not say
 * which members were popped before it.
 */
const leadsTo = (
  failed: Extract<Reply, { readonly _tag: "failed" }>,
  program: Compiled,
  state: () => State.State,
  run: (state: State.State, program: Compiled) => Reply
): boolean => {
  const { step } = failed.failure
  const keys = new Set<string>()
  for (const instruction of program.instructions) forEachKey(instruction, (key) => keys.add(key))
  const before = new Map([...state()].filter(([key]) => keys.has(key)))
  const prefix = (end: number): Compiled => ({ ...program, instructions: program.instructions.slice(0, end) })
  const search = (at: number, names: ReadonlyArray<string | undefined>): boolean => {
    const next = program.instructions.findIndex((self, i) => i >= at && i < step && isPopAny(self))
    if (next < 0) return isDeepStrictEqual(comparable(run(before, choose(program, names))), comparable(failed))
    return [...candidates(before, program, program.instructions[next]!), undefined].some((name) => {
      const chosen = [...names]
      chosen[next] = name
      const reply = run(before, choose(prefix(next + 1), chosen))
      if (reply._tag === "failed") return false
      const result = reply.results[next]!
      const isPossible = name === undefined
        ? result === false
        : taken(program.instructions[next]!, name, result) !== undefined
      return isPossible && search(next + 1, chosen)
    })
  }
  return search(0, [])
}

/** The reply of memory to a program that the server answered with `redis`: `run` runs it on `state`. */
export const follow = (
  program: Compiled,
  redis: Reply | undefined,
  state: () => State.State,
  run: (program: Compiled) => Reply
): Reply => {
  const { instructions } = program
  if (redis === undefined || !instructions.some(isPopAny)) return run(program)
  if (redis._tag === "failed") {
    const { step } = redis.failure
    if (!instructions.some((self, i) => i < step && isPopAny(self))) return run(program)
    const isSame = leadsTo(
      redis,
      program,
      state,
      (state, program) => interpret(State.storeOf(state), program, Date.now() * 1000)
    )
    return isSame ? redis : run(program)
  }
  const names = instructions.map((self, i) => isPopAny(self) ? nameOf(redis.results[i]!) : undefined)
  const reply = run(choose(program, names))
  if (reply._tag === "failed") return reply
  return {
    ...reply,
    // what wasn't there is shown as what it is not: the results then differ
    results: reply.results.map((result, i) =>
      names[i] === undefined ? result : taken(instructions[i]!, names[i], result) ?? `${names[i]} was not there`
    )
  }
}
