/**
 * Which instructions of the flow, tests and operands programs have had, and how they came out.
 */
import { Comparison, infoOf, Op } from "../../src/internal/instruction/ops.ts"
import type { Instruction } from "../../src/internal/instruction/program.ts"
import type { Result } from "../../src/internal/instruction/reply.ts"
import {
  type CollectionKind,
  type FieldSpec,
  isEntitySpec,
  type ScalarKind
} from "../../src/internal/instruction/spec.ts"
import type { Note } from "./programShape.ts"

const comparisons = Object.keys(Comparison)

const kindOf = ({ spec }: Instruction): FieldSpec["kind"] | "entity" => isEntitySpec(spec) ? "entity" : spec.kind

/** The class of kinds that compare alike. */
const classOf = (kind: FieldSpec["kind"] | "entity"): string => {
  switch (kind) {
    case "integer":
    case "number":
    case "date":
      return "numbers"
    case "int64":
    case "duration":
      return "exact integers"
    default:
      return "texts"
  }
}

const testOf = (self: Instruction): string | undefined => {
  switch (self.op) {
    case Op.compare: {
      const at = !isEntitySpec(self.spec) && self.spec.itemOf !== undefined ? 1 : 0
      return `compare ${kindOf(self)} ${comparisons[self.args[at] as number]}`
    }
    case Op.compareSize:
      return `compareSize ${comparisons[self.args[0] as number]}`
    case Op.compareResult:
      return `compareResult ${comparisons[self.args[1] as number]}`
    case Op.oneOf:
      return `oneOf ${classOf(kindOf(self))}`
    case Op.has:
      return `${infoOf(self.op).name} ${kindOf(self)}`
    case Op.isSet:
    case Op.contains:
    case Op.exists:
    case Op.atVersion:
      return infoOf(self.op).name
    default:
      return undefined
  }
}

/** Notes the instructions of a program. An instruction that a jump skipped has no result. */
export const note = (instructions: ReadonlyArray<Instruction>, results: ReadonlyArray<Result>, note: Note): void => {
  for (const [i, self] of instructions.entries()) {
    const result = results[i]
    if (result === false) continue
    const test = testOf(self)
    if (test !== undefined) note(`${test} is ${result}`)
    if (self.args.includes(true)) note(`operand of ${infoOf(self.op).name}`)
    switch (self.op) {
      case Op.load:
        note(`load ${kindOf(self)}`)
        break
      case Op.loadSize:
      case Op.compareSize:
        note(`${infoOf(self.op).name} of ${kindOf(self)}`)
        break
      case Op.constant:
      case Op.now:
      case Op.loadResult:
      case Op.encode:
        note(infoOf(self.op).name)
        break
      case Op.combine:
        note(`combine ${self.args.join(" ")}`)
        break
      case Op.attempt:
        note(`attempt ${self.args[1]} gives ${result}`)
        break
      case Op.jumpIf:
      case Op.jumpUnless:
        note(`${infoOf(self.op).name} gives ${result}`)
        break
    }
  }
}

/** Whether running them may give one of the notes. */
export const mayShow = (instructions: ReadonlyArray<Instruction>, notes: ReadonlyArray<string>): boolean =>
  instructions.some((self) => {
    const test = testOf(self)
    return notes.some((note) =>
      test !== undefined && note.startsWith(`${test} is `) ||
      self.args.includes(true) && note === `operand of ${infoOf(self.op).name}`
    )
  })

const ordered: ReadonlyArray<ScalarKind> = ["text", "integer", "number", "int64", "date", "duration"]
const equality: ReadonlyArray<ScalarKind> = ["boolean", "value"]
const collections: ReadonlyArray<CollectionKind> = ["list", "set", "map", "sortedSet"]
const both = (test: string): ReadonlyArray<string> => [`${test} is 0`, `${test} is 1`]
const all = (test: string, names: ReadonlyArray<string>) => names.flatMap((name) => both(`${test} ${name}`))

const combinations = [Op.increment, -1, Op.multiply, Op.quotient, Op.modulo, Op.min, Op.max]

/** The notes that a run must contain. */
export const expected: ReadonlyArray<string> = [
  ...ordered.flatMap((kind) => all(`compare ${kind}`, comparisons)),
  ...equality.flatMap((kind) => all(`compare ${kind}`, ["eq", "neq"])),
  ...all("compareSize", comparisons),
  ...all("compareResult", comparisons),
  ...collections.flatMap((kind) => [`loadSize of ${kind}`, `compareSize of ${kind}`]),
  ...all("oneOf", ["numbers", "exact integers", "texts"]),
  ...all("has", collections.filter((kind) => kind !== "list")),
  ...["isSet", "contains", "exists", "atVersion"].flatMap(both),
  ..."increment multiply divide quotient modulo min max clamp assign appendText compare compareSize compareResult append prepend insertItems addScores rangeByScore countByScore removeByScore"
    .split(" ")
    .map((name) => `operand of ${name}`),
  ...[...ordered, ...equality].map((kind) => `load ${kind}`),
  "constant",
  "now",
  "loadResult",
  "encode",
  ...combinations.flatMap((op) => [`combine ${op} 0`, `combine ${op} 1`]),
  `combine ${Op.divide} 0`,
  ...["attempt 0", "attempt 1", "jumpIf", "jumpUnless"].flatMap((name) => [`${name} gives 0`, `${name} gives 1`])
]
