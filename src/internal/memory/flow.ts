/**
 * The flow of a program: jumps, attempts that are undone if they fail, and the operand queue. The twin of flow.lua.
 */
import { infoOf, Op } from "../instruction/ops.ts"
import type { Argument, Instruction } from "../instruction/program.ts"
import type { Result, StopReason } from "../instruction/reply.ts"
import type { FieldSpec, Spec } from "../instruction/spec.ts"
import { compareNumbers } from "./comparison.ts"
import { flushIndexes } from "./indexes.ts"
import { assignedText, combine, fillArguments, fillOperands, type Operand } from "./operand.ts"
import { fail, failArithmetic, failEntity } from "./stop.ts"
import type { Transaction } from "./transaction.ts"

/** An open attempt: what its failure restores. */
interface Attempt {
  readonly step: number
  /** The number of instructions of the attempt, which a failure skips. */
  readonly distance: number
  /** Whether it catches any failure. Otherwise it catches only that an entity is missing. */
  readonly catchesAll: boolean
  readonly journalLength: number
  readonly flag: boolean
}

/** The failures that no attempt catches, because no alternative can repair them. */
const uncaught: ReadonlySet<StopReason["_tag"]> = new Set(["type", "indexKey", "tooLong", "tooMuch", "due", "plan"])

/** @internal */
export class Flow {
  readonly transaction: Transaction
  readonly results: Array<Result>
  /** The result of the last test. */
  private flag = false
  private readonly attempts: Array<Attempt> = []
  /** Ranges of results that are false since an attempt failed: the first step by the last one. */
  private readonly undoneFrom = new Map<number, number>()
  /** The operand queue, the oldest first. */
  private readonly operands: Array<Operand> = []

  constructor(transaction: Transaction, size: number) {
    this.transaction = transaction
    this.results = new Array<Result>(size).fill(false)
  }

  /** Runs an instruction of the flow itself. */
  control(op: Op, args: ReadonlyArray<Argument>, spec: Spec): Result {
    const { operands, results, transaction: { journal, step } } = this
    const distance = args[0] as number
    switch (op) {
      case Op.fail:
        return fail({
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
        // a value of before that a unique index refuses is no failure of the attempt
        flushIndexes(this.transaction)
        this.attempts.push({
          step,
          distance,
          catchesAll: args[1] === 1,
          journalLength: journal.length,
          flag: this.flag
        })
        return 0
      case Op.endAttempt:
        // what the attempt has written may be refused by a unique index
        flushIndexes(this.transaction)
        this.attempts.pop()
        return this.jump(distance)
      case Op.constant:
        operands.push(args[0] as Operand)
        return 1
      case Op.now:
        operands.push(this.transaction.millis)
        return this.transaction.millis
      case Op.encode:
        operands.push(assignedText(operands.pop()!, spec as FieldSpec))
        return 1
      case Op.loadResult:
        operands.push(this.numberBack(distance) ?? args[1] as number | undefined ?? failEntity("type"))
        return 1
      case Op.compareResult: {
        const result = compareNumbers(this.numberBack(distance, true) ?? NaN, fillArguments(args.slice(1), operands))
        this.flag = result === 1
        return result
      }
      default:
        combine(operands, args)
        return 1
    }
  }

  /** The number that an earlier instruction gave: a score is a text. Undefined if it gave none. */
  private numberBack(distance: number, mayBeInfinite = false): number | undefined {
    const result = this.results[this.transaction.step - distance]!
    if (result === false) return undefined
    const number = Number(result)
    return mayBeInfinite || Number.isFinite(number) ? number : failArithmetic("notFinite")
  }

  private jump(distance: number): 1 {
    this.transaction.step += distance
    return 1
  }

  /** Replaces the placeholders of an instruction with operands from the queue. */
  fill(instruction: Instruction): Instruction {
    return this.operands.length === 0 ? instruction : fillOperands(instruction, this.operands)
  }

  /** Sets the flag by the result of a test, and queues the result of a load. Returns the result of the instruction. */
  observe(op: Op, result: Result): Result {
    const { isTest, putsOperand } = infoOf(op)
    if (isTest === true) this.flag = result === 1
    if (putsOperand !== true) return result
    this.operands.push(result as Operand)
    return 1
  }

  /**
   * Makes the results of an undone attempt false. Results that an inner attempt has made false are skipped, because
   * attempts may be nested deeply.
   */
  private clearResults(step: number, end: number): void {
    const { results, transaction, undoneFrom } = this
    for (let i = transaction.step; i > step; i--) {
      const from = undoneFrom.get(i)
      if (from === undefined) results[i] = false
      else i = from
    }
    undoneFrom.set(end, step + 1)
  }

  /** Returns whether an attempt catches the failure. If one does, the state before that attempt is restored. */
  catchFailure({ _tag }: StopReason): boolean {
    if (uncaught.has(_tag)) return false
    for (let attempt = this.attempts.pop(); attempt !== undefined; attempt = this.attempts.pop()) {
      const { catchesAll, distance, flag, journalLength, step } = attempt
      if (!catchesAll && _tag !== "missing") continue
      this.transaction.undo(journalLength)
      this.clearResults(step, step + distance)
      this.results[step] = 1
      this.operands.length = 0
      this.flag = flag
      this.transaction.step = step + distance
      return true
    }
    return false
  }
}
