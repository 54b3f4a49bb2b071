/**
 * Programs of one shape in a row: the same instructions on other entities, maybe with other arguments. The code holds the first
 * of them, and of the others only the arguments, if these differ. So a call is shorter, and the script looks at the shape once.
 */
import { ownScoreOf } from "../instruction/indexes.ts"
import { infoOf, Op } from "../instruction/ops.ts"
import type { Argument, Instruction } from "../instruction/program.ts"
import { type FieldSpec, isEntitySpec, type Spec } from "../instruction/spec.ts"

/**
 * Joins programs into runs while the code of a batch is made. `-3, programs, stride, arguments` stands before the first program
 * of a run. The keys of each program are `stride` positions after those of the one before it. `arguments` is how many arguments
 * each further program has; they follow the first program, in order. 0: all have those of the first one.
 *
 * @internal
 */
export class RunEncoder {
  readonly #code: Array<Argument>
  #first: ReadonlyArray<Instruction> | undefined = undefined
  /** The positions of the first program's keys. */
  #keys: ReadonlyArray<number> = []
  /** Where the first program, or the header before it, begins in the code. */
  #at = 0
  #programs = 0
  #stride = 0
  /** Whether arguments are listed for each program. */
  #isListed = false
  /** Whether they must be, because the script replaces those of the first program by operands. */
  #mustList = false

  constructor(code: Array<Argument>) {
    this.#code = code
  }

  /** Ends the run: what follows is not part of it. */
  end(): void {
    this.#first = undefined
  }

  /** A program has been encoded from the position `at` on. Others may join it. */
  begin(instructions: ReadonlyArray<Instruction>, keys: ReadonlyArray<number>, at: number): void {
    this.#first = undefined
    this.#mustList = false
    for (const { args, op, other } of instructions) {
      if (other !== undefined || op === Op.publish || infoOf(op).usesQueue === true) return
      if (op === Op.encode || args.includes(true)) this.#mustList = true
    }
    this.#first = instructions
    this.#keys = keys
    this.#at = at
    this.#programs = 1
    this.#isListed = false
  }

  /** Adds a program to the run. Returns false if it has another shape, and is to be encoded by itself. */
  join(instructions: ReadonlyArray<Instruction>, keys: ReadonlyArray<number>): boolean {
    const first = this.#first
    if (first === undefined || first.length !== instructions.length) return false
    const stride = this.#programs === 1 ? this.#strideTo(keys) : this.#stride
    const distance = this.#programs * stride
    let isEqual = true
    for (let i = 0; i < first.length; i++) {
      const a = first[i]!
      const b = instructions[i]!
      if (a.op !== b.op || a.spec !== b.spec || a.args.length !== b.args.length || b.other !== undefined) return false
      const key = this.#keys[i]!
      if (keys[i] !== (key === 0 ? 0 : key + distance)) return false
      if (isEqual && a.args !== b.args) isEqual = a.args.every((argument, j) => argument === b.args[j])
    }
    const code = this.#code
    if (this.#programs === 1) {
      this.#stride = stride
      code.splice(this.#at, 0, -3, 1, stride, 0)
    }
    if (!this.#isListed && (this.#mustList || !isEqual)) {
      this.#isListed = true
      code[this.#at + 3] = first.reduce((total, { args }) => total + args.length, 0)
      for (let program = 1; program < this.#programs; program++) pushArguments(code, first)
    }
    if (this.#isListed) pushArguments(code, instructions)
    code[this.#at + 1] = ++this.#programs
    return true
  }

  /**
   * The line that stands before the code, if one run of increments by the same amount is all of it, each on another key or all on
   * one: `+amount, lowest, highest, the number of programs if they have one key, index, and field`, with a space between them. The
   * script then decodes nothing else. Otherwise empty. The index is empty, or `o` if the model has one home, else `t`; then the number of keys behind
   * those of the programs, a colon, and its stored name.
   */
  line(programs: number, keys: number, keysBehind: number): string {
    const first = this.#first
    if (first?.length !== 1 || this.#isListed || this.#at !== 0 || this.#programs !== programs) return ""
    const isHot = keys === 1 && programs > 1
    if (!isHot && keys !== programs) return ""
    const { args: [amount], args: { length }, op, spec } = first[0]!
    if (op !== Op.increment || length !== 1 || typeof amount !== "number" || !isPlainInteger(spec)) return ""
    const { exclusiveMaximum, exclusiveMinimum, field, indexes, maximum, minimum } = spec
    if (
      Math.abs(amount) >= 1e15 || field.includes("\n") || exclusiveMinimum !== undefined ||
      exclusiveMaximum !== undefined
    ) return ""
    const score = indexes && ownScoreOf(indexes, field)
    if (indexes !== undefined && score === undefined) return ""
    const index = score === undefined ? "" : `${indexes?.hasOneHome === true ? "o" : "t"}${keysBehind}:${score}`
    return `+${amount} ${minimum ?? ""} ${maximum ?? ""} ${isHot ? programs : ""} ${index} ${field}\n`
  }

  #strideTo(keys: ReadonlyArray<number>): number {
    const at = this.#keys.findIndex((key) => key !== 0)
    return at < 0 ? 0 : keys[at]! - this.#keys[at]!
  }
}

const isPlainInteger = (spec: Spec): spec is FieldSpec =>
  !isEntitySpec(spec) && spec.kind === "integer" && spec.expiry === undefined && spec.itemOf === undefined

const pushArguments = (code: Array<Argument>, instructions: ReadonlyArray<Instruction>): void => {
  for (const { args } of instructions) for (const argument of args) code.push(argument)
}
