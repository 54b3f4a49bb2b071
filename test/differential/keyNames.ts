/**
 * Ids, and the names of the keys that they become.
 */
import { Effect, Schema } from "effect"
import { Model, RedisService } from "redlayer"
import { forEachKey } from "../../src/internal/instruction/keys.ts"
import type { Instruction } from "../../src/internal/instruction/program.ts"
import { serviceOf } from "./storedState.ts"

export const partitions = 7

const fields = { list: Schema.Array(Schema.String), "odd.name{}": Schema.Array(Schema.String), text: Schema.String }

const text = Model.make("Text", { id: Schema.String, ...fields }, { key: "id" })
const spread = Model.make("Spread", { id: Schema.String, ...fields }, { key: "id", slot: { partitions } })
const names = { a: Schema.String, b: Schema.String, ...fields }
const pair = Model.make("Pair", names, { key: ["a", "b"] })
const first = Model.make("Pair:{a}", names, { key: ["a", "b"], slot: "a" })
const second = Model.make("Pair:b", names, { key: ["a", "b"], slot: "b" })

/** An entity, and what its slot must be made of. */
interface Case {
  readonly name: string
  readonly program: Program
  readonly slot: { readonly tag: ReadonlyArray<string> } | { readonly partitionOf: string }
}

/** The entities that have two texts as ids, in each form of a key and of a slot. */
export const cases = (a: string, b: string): ReadonlyArray<Case> => [
  { name: JSON.stringify(["Text", a]), program: text.get(a), slot: { tag: [a] } },
  { name: JSON.stringify(["Spread", a]), program: spread.get(a), slot: { partitionOf: a } },
  { name: JSON.stringify(["Pair", a, b]), program: pair.get([a, b]), slot: { tag: [a, b] } },
  { name: JSON.stringify(["Pair:{a}", a, b]), program: first.get([a, b]), slot: { tag: [a] } },
  { name: JSON.stringify(["Pair:b", a, b]), program: second.get([a, b]), slot: { tag: [b] } }
]

/** All texts of one to `length` of these parts. */
export const texts = (parts: ReadonlyArray<string>, length: number): ReadonlyArray<string> =>
  length === 0 ? [] : [...parts, ...texts(parts, length - 1).flatMap((rest) => parts.map((part) => part + rest))]

type Program = Effect.Effect<unknown, unknown, RedisService.RedisService>

/** The instructions of a program, without running it. */
export const instructionsOf = Effect.fnUntraced(function*(program: Program) {
  let instructions: ReadonlyArray<Instruction> = []
  const capture = serviceOf((compiled, read) => {
    instructions = compiled.instructions
    return read({ _tag: "failed", failure: { _tag: "missing", step: 0 } })
  })
  yield* Effect.exit(Effect.provideService(program, RedisService.RedisService, capture))
  return instructions
})

/** All keys that a program names. */
export const keysOf = Effect.fnUntraced(function*(program: Program) {
  const keys = new Set<string>()
  for (const instruction of yield* instructionsOf(program)) forEachKey(instruction, (key) => keys.add(key))
  return [...keys]
})

/** The id as it was, from its escaped form. */
export const unescape = (escaped: string): string =>
  escaped.replaceAll(/%([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))

/** The tag of a key, as Redis finds it. */
export const tagOf = (key: string): string => /^[^{]*\{([^}]+)\}/.exec(key)![1]!
