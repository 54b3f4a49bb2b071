/**
 * Where a program goes on: jumps, parts that are undone where they fail, and what instructions leave for those after them.
 */
import { Op } from "../instruction/ops.ts"
import type { Argument, Instruction } from "../instruction/program.ts"
import type { Result, StopReason } from "../instruction/reply.ts"
import { combine, type Operand, withOperands } from "./operand.ts"
import { stop } from "./stop.ts"
import type { Transaction } from "./transaction.ts"

interface Attempt {
  readonly step: number
  readonly distance: number
  readonly catchesAll: boolean
  readonly mark: number
  readonly flag: boolean
}

/** @internal */
export class Flow {
  readonly run: Transaction
  readonly results: Array<Result>
  private flag = false
  private readonly attempts: Array<Attempt> = []
  /** where the results that are none begin, by where they end */
  private readonly undone = new Map<number, number>()
  /** the oldest first */
  private readonly operands: Array<Operand> = []

  constructor(run: Transaction, size: number) {
    this.run = run
    this.results = new Array<Result>(size).fill(false)
  }

  control(op: Op, args: ReadonlyArray<Argument>): Result {
    const { operands, results, run: { journal, step } } = this
    const distance = args[0] as number
    switch (op) {
      case Op.fail:
        return stop({
          _tag: "fail",
          index: args[0] as number,
          observed: results.slice(step - (args[1] as number), step)
        })
      case Op.not:
        this.flag = !this.flag
        return Number(this.flag)
      case Op.flag:
        return Number(this.flag)
      case Op.jump:
        return this.jump(distance)
      case Op.jumpIf:
        return this.flag ? this.jump(distance) : 0
      case Op.jumpUnless:
        return this.flag ? 0 : this.jump(distance)
      case Op.attempt:
        this.attempts.push({ step, distance, catchesAll: args[1] === 1, mark: journal.length, flag: this.flag })
        return 0
      case Op.endAttempt:
        this.attempts.pop()
        return this.jump(distance)
      case Op.constant:
        operands.push(args[0] as Operand)
        return 1
      default:
        combine(operands, args)
        return 1
    }
  }

  private jump(distance: number): 1 {
    this.run.step += distance
    return 1
  }

  /** Gives an instruction what it takes of those before it. */
  prepare(instruction: Instruction): Instruction {
    return this.operands.length === 0 ? instruction : withOperands(instruction, this.operands)
  }

  /** Keeps what an instruction leaves for those after it, and gives what its result is. */
  keep(op: Op, result: Result): Result {
    switch (op) {
      case Op.compare:
      case Op.oneOf:
      case Op.isSet:
      case Op.compareSize:
      case Op.contains:
      case Op.has:
      case Op.exists:
        this.flag = result === 1
        return result
      case Op.load:
      case Op.loadSize:
        this.operands.push(result as Operand)
        return 1
      default:
        return result
    }
  }

  /** What an attempt within it has left is not gone over again, since there may be many, each within the next. */
  private clear(step: number, end: number): void {
    const { results, run, undone } = this
    for (let i = run.step; i > step; i--) {
      const from = undone.get(i)
      if (from === undefined) results[i] = false
      else i = from
    }
    undone.set(end, step + 1)
  }

  /** Whether the program goes on in spite of a failure: all is as it was before the attempt that caught it. */
  recover({ _tag }: StopReason): boolean {
    // no program can do anything about what is stored, nor about a value that is none
    if (_tag === "type" || _tag === "tooLong") return false
    for (let attempt = this.attempts.pop(); attempt !== undefined; attempt = this.attempts.pop()) {
      const { catchesAll, distance, flag, mark, step } = attempt
      if (!catchesAll && _tag !== "missing") continue
      this.run.undo(mark)
      this.clear(step, step + distance)
      this.results[step] = 1
      this.operands.length = 0
      this.flag = flag
      this.run.step = step + distance
      return true
    }
    return false
  }
}
