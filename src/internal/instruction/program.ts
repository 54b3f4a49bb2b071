/**
 * Programs: lists of instructions with their arguments, and what decides how they may be sent. A program is flat; the tree
 * that it is compiled from is in `program/`.
 */
import { type Access, infoOf, type Op } from "./ops.ts"
import type { Spec } from "./spec.ts"

/** `true` stands for an operand: the oldest value of the queue that the instructions before this one have filled. */
export type Argument = string | number | boolean

/**
 * One step of a program, on one entity. It has one result.
 *
 * The `content` of an entity, in arguments: for each field its text or false; then for each collection the number of its
 * texts, and the texts. The `row` of an entity, in results: the version; for each field its text or false; for each collection
 * a row. The row of a list or set holds items; of a map, names and values alternately; of a sorted set, members and scores
 * alternately.
 */
export interface Instruction {
  readonly op: Op
  /** The key of the entity's hash. */
  readonly key: string
  readonly spec: Spec
  readonly args: ReadonlyArray<Argument>
  /** The second set of a set operation, or the entity that `duplicate` creates. */
  readonly other?: { readonly key: string; readonly spec: Spec } | undefined
}

export interface Program {
  readonly instructions: ReadonlyArray<Instruction>
  readonly access: Access
  readonly idempotency?: Idempotency | undefined
  /** The replicas that must have a copy before the program succeeds. Unset: what the layer says. */
  readonly replication?: Replication | undefined
}

/** How many replicas must have a copy of what was written, and for how many milliseconds to wait for them. */
export interface Replication {
  readonly count: number
  readonly timeout: number
}

/** The caller's own key. A program with it runs once; repetitions return the first result. */
export interface Idempotency {
  readonly key: string
  /** Milliseconds for which the first result is kept. */
  readonly keepFor: number
  /** A text that differs between programs, so that the same key with another program is a conflict. */
  readonly identity: string
}

/**
 * The access of a program: the most that one of its instructions needs.
 *
 * @param renews whether the renewal of a time to live by a read counts. Default: true.
 */
export const accessOf = (instructions: ReadonlyArray<Instruction>, renews = true): Access => {
  let access: Access = "read"
  for (const { op, other, spec } of instructions) {
    const info = infoOf(op)
    if (info.access === "write" || info.writesNull === true && "nullable" in spec) return "write"
    const isRenewed = renews && (spec.expiry?.onRead === true || other?.spec.expiry?.onRead === true)
    if (info.access === "allowOom" || isRenewed) access = "allowOom"
  }
  return access
}

/**
 * Whether a program may run any number of times, at any time: it writes nothing but the time to live that it renews, or it
 * renews or releases a lock that its owner holds. `acquire` is not repeatable, because a late repetition would take the lock
 * after its release.
 */
export const isRepeatable = ({ access, instructions }: Program): boolean =>
  access === "read" || instructions.length === 1 && infoOf(instructions[0]!.op).isRepeatable === true ||
  access === "allowOom" && accessOf(instructions, false) === "read"
