/**
 * Random values that a seed repeats.
 *
 * - `REDLAYER_SEED` is the seed of a run; each run prints its own, and makes one up when none is given.
 * - `REDLAYER_RUNS` raises the number of random programs.
 */
import { createHash, randomBytes } from "node:crypto"
import type { Field } from "redlayer"

export const seed: string = process.env.REDLAYER_SEED || randomBytes(4).toString("hex")

/** How many random programs to run: `usual`, or more where the environment says so. */
export const runs = (usual: number): number => {
  const given = process.env.REDLAYER_RUNS
  if (given === undefined || given === "") return usual
  if (!/^[1-9]\d*$/.test(given)) throw new Error(`REDLAYER_RUNS is not a positive integer: ${given}`)
  return Math.max(usual, Number(given))
}

/** Whether the environment asks for more than the suite has. */
export const isRaised: boolean = runs(1) > 1

/** Counts what random steps show, and names what they must show. */
export class Coverage {
  readonly wanted: ReadonlyArray<string>
  readonly #seen = new Map<string, number>()

  constructor(wanted: ReadonlyArray<string>) {
    this.wanted = wanted
  }

  readonly count = (what: string): void => {
    this.#seen.set(what, this.of(what) + 1)
  }

  of(what: string): number {
    return this.#seen.get(what) ?? 0
  }

  /** Those of `wanted` that have not occurred. */
  get missing(): ReadonlyArray<string> {
    return this.wanted.filter((what) => this.of(what) === 0)
  }

  /** Yields 0, 1, and so on: as many turns as were asked for, and up to ten times as many while something is missing. */
  *turns(asked: number): Generator<number> {
    for (let turn = 0; turn < asked || turn < 10 * asked && this.missing.length > 0; turn++) yield turn
  }

  toString(): string {
    return [...this.#seen].map(([what, times]) => `${what} ${times}`).join(", ")
  }
}

/** Milliseconds for a test of so many programs, or of more where the environment says so. */
export const limit = (millis: number, usual: number): number => millis * runs(usual) / usual

export class Random {
  #a: number
  #b: number
  #c: number
  #d: number
  /** The chance that a value is meant to be refused, or extreme. */
  wildness = 0
  /** The sources of operands, by kind. */
  sources: ReadonlyMap<string, ReadonlyArray<Gen<Field.Operand<any, any>>>> = new Map()

  constructor(name: string) {
    const digest = createHash("sha1").update(`${seed}/${name}`).digest()
    this.#a = digest.readInt32LE(0)
    this.#b = digest.readInt32LE(4)
    this.#c = digest.readInt32LE(8)
    this.#d = 1
    for (let i = 0; i < 12; i++) this.bits()
  }

  /** 32 random bits, as an unsigned integer. The generator is sfc32. */
  bits(): number {
    const sum = (this.#a + this.#b + this.#d) | 0
    this.#d = (this.#d + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return sum >>> 0
  }

  /** From `low` to `high`, both included. */
  int(low: number, high: number): number {
    return low + Math.floor((this.bits() / 2 ** 32) * (high - low + 1))
  }

  chance(probability: number): boolean {
    return this.bits() < probability * 2 ** 32
  }

  wild(): boolean {
    return this.chance(this.wildness)
  }

  pick<A>(items: ReadonlyArray<A>): A {
    return items[this.int(0, items.length - 1)]!
  }

  array<A>(low: number, high: number, make: (random: Random) => A): Array<A> {
    return Array.from({ length: this.int(low, high) }, () => make(this))
  }

  /** Any double: all bit patterns are equally likely, NaN and infinities among them. */
  double(): number {
    const view = new DataView(new ArrayBuffer(8))
    view.setUint32(0, this.bits())
    view.setUint32(4, this.bits())
    return view.getFloat64(0)
  }

  /** Any well-formed text: from all planes, and often from where an escape may go wrong. */
  unicode(low: number, high: number): string {
    return this.array(low, high, () => {
      switch (this.int(0, 4)) {
        case 0:
          return String.fromCharCode(this.int(0, 0x7f))
        case 1:
          return this.pick([..."%{}:*?[]\\^$\"'`. \n\r\t\0", "%25", "%7B", "%0", "%G1", "$v"])
        case 2:
          return String.fromCodePoint(this.int(0x80, 0xd7ff))
        case 3:
          return String.fromCodePoint(this.int(0xe000, 0xffff))
        default:
          return String.fromCodePoint(this.int(0x10000, 0x10ffff))
      }
    }).join("")
  }
}

export type Gen<A> = (random: Random) => A
