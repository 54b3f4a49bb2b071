/**
 * Operands: in place of a value, what another field of the same world holds, and what is computed of it.
 */
import { Duration } from "effect"
import { Atomic, type Field } from "redlayer"
import { Operand as Internal } from "../../src/internal/handle/operand.ts"
import { isSameCodec } from "../../src/internal/schema/codecOf.ts"
import type { Gen, Random } from "./random.ts"

export type Operand = Field.Operand<any, any>

const languages: Array<Internal["codecIdentity"]> = []

const nameOf = (codecIdentity: Internal["codecIdentity"]): string => {
  const known = languages.findIndex((other) => isSameCodec(codecIdentity, other))
  return String(known >= 0 ? known : languages.push(codecIdentity) - 1)
}

/** The kind of an operand: operands of one kind are interchangeable. */
export const kindOf = (operand: unknown): string => {
  if (!(operand instanceof Internal)) throw new Error("Expected an operand")
  return operand.kind === "integer" || operand.kind === "number"
    ? "number"
    : `${operand.kind} ${nameOf(operand.codecIdentity)}`
}

const constants = [1, 2, 3, -1, 0, 10, 0.5, -2, 7]
const wildConstants: ReadonlyArray<any> = [NaN, Infinity, -0, 1e308, 2 ** 53, 5e-324, "1", null]
const bigConstants = [1n, 2n, -1n, 0n, 10n, 2n ** 63n, -7n, 10n ** 30n]
const wildBigConstants: ReadonlyArray<any> = [1, "1", undefined]

type Methods = { readonly [name: string]: (that: unknown) => Operand }

const numberMethods = ["plus", "minus", "times", "dividedBy", "quotient", "modulo", "min", "max", "plus", "minus"]
const bigMethods = numberMethods.filter((name) => name !== "dividedBy")

const isBig = (kind: string) => kind.startsWith("int64")

const durations: ReadonlyArray<Duration.Input> = ["1 hour", "1 millis", Duration.days(-3), 0]
const wildDurations: ReadonlyArray<any> = [Duration.infinity, 0.5, 2 ** 53, "soon", null, Duration.millis(2 ** 52)]

const moved = (operand: Operand, random: Random): Operand => {
  let result = operand
  while (random.chance(0.4)) {
    const method = random.pick(["plus", "minus"])
    result = (result as unknown as Methods)[method]!(random.pick(random.wild() ? wildDurations : durations))
  }
  return result
}

/** The server's time, as a date and as a number. */
export const times: ReadonlyArray<readonly [kind: string, make: Gen<Operand>]> = [
  [kindOf(Atomic.now), () => Atomic.now],
  [kindOf(Atomic.now.epochMillis), (random) => (moved(Atomic.now, random) as Field.TimeOperand).epochMillis]
]

/** It, or what is computed of it: of numbers, bigints and dates only. */
export const computed = (operand: Operand, random: Random): Operand => {
  const kind = kindOf(operand)
  if (kind === kindOf(Atomic.now)) return moved(operand, random)
  if (kind !== "number" && !isBig(kind)) return operand
  let result = operand
  while (random.chance(0.5)) {
    const other = random.chance(0.6) ? sourceOf(kind, random) : undefined
    const [usual, wild] = isBig(kind) ? [bigConstants, wildBigConstants] : [constants, wildConstants]
    const method = random.pick(isBig(kind) ? bigMethods : numberMethods)
    result = (result as unknown as Methods)[method]!(other ?? random.pick<unknown>(random.wild() ? wild : usual))
  }
  return result
}

/** An operand from a field of the kind, or sometimes of another kind, which must be refused. */
const sourceOf = (kind: string, random: Random): Operand | undefined => {
  const { sources } = random
  const found = random.wild() && sources.size > 0 ? random.pick([...sources.values()]) : sources.get(kind)
  return found === undefined ? undefined : random.pick(found)(random)
}

const valueOf = (handle: unknown, ifMissing?: unknown): Operand =>
  (handle as { value(options: unknown): Operand }).value({ default: ifMissing })

/** For an argument of one of the operations of a handle. */
export const operandFor = (handle: unknown, random: Random): Operand | undefined => {
  const source = sourceOf(kindOf(valueOf(handle)), random)
  return source === undefined ? undefined : computed(source, random)
}

/** A value of the type `A`, where a handle takes an operand too. */
export const orOperand = <A>(handle: unknown, make: Gen<A>): Gen<any> => (random) =>
  random.chance(0.25) ? operandFor(handle, random) ?? make(random) : make(random)

/** A value to compare with, which is sometimes equal. */
export const orItself = <A>(handle: unknown, make: Gen<A>): Gen<any> => (random) =>
  random.chance(0.2) ? valueOf(handle, make(random)) : orOperand(handle, make)(random)
