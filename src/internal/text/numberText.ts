/**
 * The pattern of stored numbers, which the codecs and the memory layer share.
 */

/**
 * Matches a text that is decoded as a number. All others are refused, because `Number` and Lua's `tonumber` also accept
 * texts such as `0x10`, ` 1 ` and the empty text.
 *
 * @internal
 */
export const numeric = /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/
