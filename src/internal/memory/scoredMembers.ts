/**
 * The members of a sorted set, ascending by score, and by the bytes of the member if scores are equal.
 */
import { compareBytes } from "../text/textOrder.ts"

/** The most changes that are made one by one, each of which moves the members after it. More changes sort all members once. */
const maximumOneByOne = 16

/** @internal */
export class ScoredMembers {
  readonly scores = new Map<string, number>()
  /** All members, in order. */
  ranked: Array<string> = []

  constructor(entries: Iterable<readonly [member: string, score: number]> = []) {
    this.assign(new Map(entries))
  }

  get size(): number {
    return this.ranked.length
  }

  private compare(a: string, b: string): number {
    const x = this.scores.get(a)!
    const y = this.scores.get(b)!
    return x < y ? -1 : x > y ? 1 : compareBytes(a, b)
  }

  /** Returns the number of members at the front for which `isBefore` holds. */
  countWhile(isBefore: (member: string) => boolean): number {
    let low = 0
    let high = this.ranked.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (isBefore(this.ranked[middle]!)) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Returns the rank of an existing member. */
  rank(member: string): number {
    return this.countWhile((other) => this.compare(other, member) < 0)
  }

  /** Returns the number of members with a lower score. */
  below(score: number): number {
    return this.countWhile((member) => this.scores.get(member)! < score)
  }

  /** Returns the number of members with this score or a lower one. */
  upTo(score: number): number {
    return this.countWhile((member) => this.scores.get(member)! <= score)
  }

  /** Returns members and scores in turn. */
  range(from: number, to: number, reverse = false): Array<string> {
    const members = this.ranked.slice(from, to)
    if (reverse) members.reverse()
    return members.flatMap((member) => [member, String(this.scores.get(member))])
  }

  /** Sets the score of each member, or removes it. Returns the changes that undo this. */
  assign(changes: ReadonlyMap<string, number | undefined>): Map<string, number | undefined> {
    const inverse = new Map<string, number | undefined>()
    const oneByOne = changes.size <= maximumOneByOne
    if (!oneByOne) this.ranked = this.ranked.filter((member) => !changes.has(member))
    for (const [member, score] of changes) {
      const before = this.scores.get(member)
      inverse.set(member, before)
      if (oneByOne && before !== undefined) this.ranked.splice(this.rank(member), 1)
      if (score === undefined) {
        this.scores.delete(member)
      } else {
        // -0 is stored as 0
        this.scores.set(member, score + 0)
        if (oneByOne) this.ranked.splice(this.rank(member), 0, member)
        else this.ranked.push(member)
      }
    }
    if (!oneByOne) this.ranked.sort((a, b) => this.compare(a, b))
    return inverse
  }
}
