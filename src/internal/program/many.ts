/**
 * The arguments that are several: ids, entities, items of `forEach`.
 */
import * as Effect from "effect/Effect"

/**
 * Several values: an array, a set, a generator, any iterable but a text. A text is iterable too, so a single id in place of
 * several would be taken apart into its characters.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Many<out A> extends Iterable<A> {
  /** Texts alone have this method, so a text is refused. */
  readonly charAt?: "a text is a single value: put it into an array"
}

/**
 * Returns the values. Throws a TypeError if they are no iterable, or a text.
 *
 * @internal
 */
export const many = <A>(values: Iterable<A>): Iterable<A> => {
  // an Effect is iterable for `yield*` alone
  if (typeof values?.[Symbol.iterator] === "function" && typeof values !== "string" && !Effect.isEffect(values)) {
    return values
  }
  throw new TypeError("Expected several values, such as an array; a text is a single value: put it into an array")
}
