/**
 * Where a call goes on a cluster.
 */

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
