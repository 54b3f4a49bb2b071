/**
 * The flow of a program: jumps, attempts that are undone if they fail, and the operand queue. The twin of flow.lua and
 * operand.lua.
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
  /** Ranges of results that an undone attempt left behind: where a range begins, by where it ends. */
  private readonly undone = new Map<number, number>()
  /** The operand queue, the oldest first. */
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

  /** Replaces the operand placeholders of an instruction with values from the queue. */
  prepare(instruction: Instruction): Instruction {
    return this.operands.length === 0 ? instruction : withOperands(instruction, this.operands)
  }

  /** Keeps what a result means for later instructions: the flag of a test, a new operand. Returns the result. */
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

  /**
   * Clears the results of an undone attempt. Ranges that were cleared already are skipped, because attempts may be
   * nested in great number.
   */
  private clear(step: number, end: number): void {
    const { results, run, undone } = this
    for (let i = run.step; i > step; i--) {
      const from = undone.get(i)
      if (from === undefined) results[i] = false
      else i = from
    }
    undone.set(end, step + 1)
  }

  /** Whether an attempt catches a failure. If one does, everything is restored to the state before that attempt. */
  recover({ _tag }: StopReason): boolean {
    // no alternative can repair a stored text of another kind, or a text that is too long
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
