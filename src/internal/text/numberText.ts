/**
 * The stored form of numbers.
 */

/**
 * A stored text that may be read as a number. Everything else is refused, because `Number` and Lua's `tonumber` accept texts
 * such as `0x10`, ` 1 ` and the empty one.
 *
 * @internal
 */
export const numeric = /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/
