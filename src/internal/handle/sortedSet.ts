/**
 * The handle of a sorted set.
 */
import * as Option from "effect/Option"
import { Op } from "../instruction/ops.ts"
import type { Argument } from "../instruction/program.ts"
import type { Result } from "../instruction/reply.ts"
import type { AtomicNode } from "../program/node.ts"
import { score, type Scored } from "../schema/collection.ts"
import { Problem } from "../text/problem.ts"
import { CollectionHandle, count, fieldOf, maximumPosition, position } from "./collection.ts"
import { isOne, named, nameRefusals, same } from "./entityRef.ts"
import { Measure } from "./measure.ts"
import { Operand } from "./operand.ts"

interface ScoreRange {
  readonly min?: number | Operand | undefined
  readonly max?: number | Operand | undefined
}

/** Encodes a score. An operand is pushed to `operands`. */
const scoreOrOperand = (value: number | Operand, operands: Array<Operand>): Argument | Problem => {
  if (!(value instanceof Operand)) return score.encode(value)
  if (value.kind !== "integer" && value.kind !== "number") return new Problem("Expected an operand that is a number")
  operands.push(value)
  return true
}

const reverseFlag = (options: { readonly reverse?: boolean | undefined } | undefined): number =>
  options?.reverse === true ? 1 : 0

/** @internal */
export class SortedSetHandle extends CollectionHandle {
  readonly scoreOf = (result: Result): unknown => score.decode(result as string)

  readonly optionalEntry = (row: Result): unknown => {
    if (!Array.isArray(row)) return Option.none()
    const entries = this.collection.decode(row)
    return entries instanceof Problem ? entries : Option.some((entries as ReadonlyArray<Scored>)[0])
  }

  /** Encodes the bounds of a range of scores. */
  withRange(
    { max = Infinity, min = -Infinity }: ScoreRange,
    f: (range: ReadonlyArray<Argument>, operands: ReadonlyArray<Operand>) => AtomicNode
  ): AtomicNode {
    const operands: Array<Operand> = []
    const [low, high] = [scoreOrOperand(min, operands), scoreOrOperand(max, operands)]
    return low instanceof Problem
      ? this.refuse(low)
      : high instanceof Problem
      ? this.refuse(high)
      : f([low, high], operands)
  }

  has(member: unknown): AtomicNode {
    return this.withName(member, (text) => this.op(Op.has, [text], isOne))
  }
  add(member: unknown, by: number | Operand): AtomicNode {
    if (!(by instanceof Operand)) return this.scored([{ member, score: by }], isOne)
    const operands: Array<Operand> = []
    const arg = scoreOrOperand(by, operands)
    return arg instanceof Problem
      ? this.refuse(arg)
      : this.withName(member, (text) => this.change(Op.addScores, [text, arg], isOne, operands))
  }
  addAll(entries: ReadonlyArray<Scored>): AtomicNode {
    return named("addAll", this.scored(entries, same))
  }
  scored(entries: ReadonlyArray<Scored>, decode: (result: any) => unknown): AtomicNode {
    const encoded = this.collection.encodeSome(entries)
    return encoded instanceof Problem ? this.refuse(encoded) : this.change(Op.addScores, encoded, decode)
  }
  increment(member: unknown, by = 1): AtomicNode {
    if (!Number.isFinite(by)) return this.refuse(new Problem("Expected a finite amount"))
    return this.withName(member, (text) => this.change(Op.incrementScore, [text, String(by)], this.scoreOf))
  }
  remove(member: unknown): AtomicNode {
    return this.withName(member, (text) => this.change(Op.remove, [text], isOne))
  }
  removeAll(members: ReadonlyArray<unknown>): AtomicNode {
    return this.withNames(members, (texts) => named("removeAll", this.change(Op.remove, texts, same)))
  }
  score(member: unknown): Measure {
    const reading = this.withName(member, (text) =>
      this.op(Op.score, [text], (result: Result) => {
        if (result === false) return Option.none()
        const value = this.scoreOf(result)
        return value instanceof Problem ? value : Option.some(value)
      }))
    return new Measure(this, this.collection.field, "score", reading, true)
  }
  rank(member: unknown, options?: { readonly reverse?: boolean | undefined }): Measure {
    const reading = this.withName(member, (text) =>
      this.op(
        Op.rank,
        [text, reverseFlag(options)],
        (result: Result) => result === false ? Option.none() : Option.some(result)
      ))
    return new Measure(this, this.collection.field, "rank", reading, true)
  }
  range(start = 0, end = maximumPosition, options?: { readonly reverse?: boolean | undefined }): AtomicNode {
    return this.withNumbers(
      [position(start), position(end)],
      (range) => this.op(Op.rangeByRank, [...range, reverseFlag(options)], this.whole)
    )
  }
  rangeByScore(
    given?: ScoreRange & { readonly reverse?: boolean | undefined; readonly limit?: number | undefined } | null
  ): AtomicNode {
    const options = given ?? {}
    const limit = options.limit === undefined ? -1 : count("limit", options.limit, 0)
    return this.withNumbers([limit], (numbers) =>
      this.withRange(
        options,
        (range, operands) =>
          this.op(Op.rangeByScore, [...range, reverseFlag(options), ...numbers], this.whole, undefined, operands)
      ))
  }
  count(options?: ScoreRange | null): Measure {
    const reading = this.withRange(
      options ?? {},
      (range, operands) => this.op(Op.countByScore, range, same, undefined, operands)
    )
    return new Measure(this, this.collection.field, "count", reading, false)
  }
  removeRangeByRank(
    start: number,
    end = maximumPosition,
    options?: { readonly reverse?: boolean | undefined }
  ): AtomicNode {
    return this.withNumbers(
      [position(start), position(end)],
      (range) => this.change(Op.removeByRank, [...range, reverseFlag(options)], same)
    )
  }
  removeRangeByScore(range: ScoreRange): AtomicNode {
    return range?.min === undefined && range?.max === undefined
      ? this.refuse(new Problem("Expected min or max; use clear to remove all members"))
      : this.withRange(range, (bounds, operands) => this.change(Op.removeByScore, bounds, same, operands))
  }
  popMin(wanted?: number): AtomicNode {
    return this.take(Op.popMin, wanted, this.optionalEntry, this.whole)
  }
  popMax(wanted?: number): AtomicNode {
    return this.take(Op.popMax, wanted, this.optionalEntry, this.whole)
  }
}

nameRefusals(SortedSetHandle, fieldOf, ["withRange", "scored"])
