/**
 * Where a call goes on a cluster.
 */
import type { Program } from "../instruction/program.ts"
import { slotOfProgram } from "../instruction/slot.ts"

/**
 * Where the keys of a call are: in one slot, or in the slots of a node, which is a text. Undefined: there is one server.
 *
 * @internal
 */
export type Place = number | string | undefined

/**
 * The node that a call is for as a whole.
 *
 * @internal
 */
export const nodeOf = (place: Place): string | undefined => typeof place === "string" ? place : undefined

/**
 * Groups programs of one slot each.
 *
 * @internal
 */
export const bySlot = <P extends { readonly program: Program }>(programs: ReadonlyArray<P>): Map<number, Array<P>> =>
  Map.groupBy(programs, ({ program }) => slotOfProgram(program) as number)
