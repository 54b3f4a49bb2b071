/**
 * Programs: lists of instructions with their arguments, and how they may be sent.
 */
import { type Access, infoOf, type Op } from "./ops.ts"
import type { Spec } from "./spec.ts"

/** `true` stands for an operand: the oldest of the queue that the instructions before it have filled. */
export type Argument = string | number | boolean

/**
 * One step of a program, on one entity. It gives one result.
 *
 * The content of an entity, in arguments: a text or false for each field; then for each collection how many texts, and these.
 * A row, in results: the version, a text or false for each field, and for each collection a row. The texts of a map are names
 * and values in turn, those of a sorted set members and scores.
 */
export interface Instruction {
  readonly op: Op
  /** the key of the entity's hash */
  readonly key: string
  readonly spec: Spec
  readonly args: ReadonlyArray<Argument>
  /** the second set, or the entity to be made */
  readonly other?: { readonly key: string; readonly spec: Spec } | undefined
}

export interface Program {
  readonly instructions: ReadonlyArray<Instruction>
  readonly access: Access
  readonly idempotency?: Idempotency | undefined
}

/** The caller's own key: under it a program happens once, and gives its first result again for so long. */
export interface Idempotency {
  readonly key: string
  /** in milliseconds */
  readonly keepFor: number
  /** what tells this program from others */
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
 * Whether a program may run any number of times, at any time: it writes nothing but the time to live that it renews; or it
 * keeps or gives up a lock that its owner holds. An `acquire` is not repeatable, because a late one would come back after
 * the release.
 */
export const isRepeatable = ({ access, instructions }: Program): boolean =>
  access === "read" || instructions.length === 1 && infoOf(instructions[0]!.op).isRepeatable === true ||
  access === "allowOom" && accessOf(instructions, false) === "read"
