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

/** Whether it takes as many as its count says, and not one. */
const takesSeveral = ({ args }: Instruction): boolean => args.length > 0

/** The instruction that takes these and nothing else. */
const withNames = (self: Instruction, names: ReadonlyArray<string>): Instruction => ({
  ...self,
  op: isMap(self) && !takesSeveral(self) ? Op.popEntry : Op.remove,
  args: names
})

/**
 * The result of `popAny` for these members. Undefined if one of them is missing.
 *
 * @param row what the collection holds before
 */
const taken = (
  self: Instruction,
  names: ReadonlyArray<string>,
  result: Result,
  row: ReadonlyArray<string>
): Result | undefined => {
  if (takesSeveral(self)) {
    if (result !== names.length) return undefined
    const at = (name: string) => row.findIndex((other, i) => i % 2 === 0 && other === name)
    return isMap(self) ? names.flatMap((name) => [name, row[at(name) + 1]!]) : names
  }
  return isMap(self)
    ? result === false ? undefined : [names[0]!, result as string]
    : result === 1
    ? names[0]
    : undefined
}

/** The names in a row. Those of a map alternate with its values. */
const namesIn = (self: Instruction, row: ReadonlyArray<string>): ReadonlyArray<string> =>
  isMap(self) ? row.filter((_, i) => i % 2 === 0) : row

/** The names that were taken. Undefined if there were none. */
const namesOf = (self: Instruction, result: Result): ReadonlyArray<string> | undefined =>
  typeof result === "string"
    ? [result]
    : Array.isArray(result) && result.length > 0
    ? namesIn(self, result as ReadonlyArray<string>)
    : undefined

type Names = ReadonlyArray<ReadonlyArray<string> | undefined>

const choose = (program: Compiled, names: Names): Compiled => ({
  ...program,
  instructions: program.instructions.map((self, i) => names[i] === undefined ? self : withNames(self, names[i]))
})

const prefix = (program: Compiled, end: number): Compiled => ({
  ...program,
  instructions: program.instructions.slice(0, end)
})

/** The content of the collection of the instruction `at` before it runs. Undefined if it does not run. */
const rowBefore = (
  program: Compiled,
  names: Names,
  at: number,
  run: (program: Compiled) => Reply
): ReadonlyArray<string> | undefined => {
  const before = choose(prefix(program, at), names)
  const self = program.instructions[at]!
  const reply = run({ ...before, instructions: [...before.instructions, { ...self, op: Op.values, args: [] }] })
  const row = reply._tag === "done" ? reply.results[at]! : false
  return Array.isArray(row) ? row as ReadonlyArray<string> : undefined
}

/** All subsets of a size. */
function* subsets(names: ReadonlyArray<string>, size: number): Generator<ReadonlyArray<string>> {
  if (size === 0) return yield []
  for (let i = 0; i <= names.length - size; i++) {
    for (const rest of subsets(names.slice(i + 1), size - 1)) yield [names[i]!, ...rest]
  }
}

/** The reply with the observed collections of a guard sorted, because they have no order. */
const comparable = (reply: Reply): unknown =>
  reply._tag === "failed" && "observed" in reply.failure ? { ...reply.failure, observed: [] } : reply

/** More choices than anybody can try. */
const tooMany = 5000

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
  let tries = 0
  const search = (at: number, names: Names): boolean => {
    if (++tries > tooMany) return true
    const next = program.instructions.findIndex((self, i) => i >= at && i < step && isPopAny(self))
    if (next < 0) return isDeepStrictEqual(comparable(run(before, choose(program, names))), comparable(failed))
    const self = program.instructions[next]!
    const row = rowBefore(program, names, next, (program) => run(before, program))
    const found = row === undefined ? [] : namesIn(self, row)
    const size = Math.min(found.length, self.args.length === 0 ? 1 : Number(self.args[0]))
    if (size === 0) return search(next + 1, names)
    for (const some of subsets(found, size)) {
      const chosen = [...names]
      chosen[next] = some
      if (search(next + 1, chosen)) return true
    }
    return false
  }
  return search(0, [])
}

const rehearse = (state: State.State, program: Compiled): Reply =>
  interpret(State.storeOf(state), program, Date.now() * 1000)

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
    return leadsTo(redis, program, state, rehearse) ? redis : run(program)
  }
  const names = instructions.map((self, i) => isPopAny(self) ? namesOf(self, redis.results[i]!) : undefined)
  const before = names.some((some, i) => some !== undefined && takesSeveral(instructions[i]!)) ? state() : new Map()
  const rows = names.map((some, i) =>
    some !== undefined && takesSeveral(instructions[i]!) && isMap(instructions[i]!)
      ? rowBefore(program, names, i, (program) => rehearse(before, program)) ?? []
      : []
  )
  const reply = run(choose(program, names))
  if (reply._tag === "failed") return reply
  return {
    ...reply,
    // what wasn't there is shown as what it is not: the results then differ
    results: reply.results.map((result, i) =>
      names[i] === undefined
        ? result
        : taken(instructions[i]!, names[i], result, rows[i]!) ?? `${names[i].join()} was not there`
    )
  }
}
