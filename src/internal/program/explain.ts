/**
 * Describes a program without running it.
 */
import * as Effect from "effect/Effect"
import type { InvalidValue } from "../../DomainError.ts"
import { forEachKey } from "../instruction/keys.ts"
import { methodOf } from "../instruction/ops.ts"
import { prepare } from "./commit.ts"
import type { AtomicNode } from "./node.ts"

/**
 * A description of a program, for people and logs. It contains no values. The limits of a layer are checked at the
 * commit, not by `explain`.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface Explanation {
  /** 0 if nothing has to be sent. */
  readonly roundTrips: 0 | 1
  /** `read` writes nothing. `allowOom` is accepted by a server that is out of memory. `write` is everything else. */
  readonly access: "read" | "allowOom" | "write"
  /** The keys that the program touches, without the prefix of the layer. */
  readonly keys: ReadonlyArray<string>
  /** The operations in order, each with the name of its method. The field is empty for an operation on an entity. */
  readonly instructions: ReadonlyArray<{
    readonly operation: string
    readonly model: string
    readonly id: string
    readonly field: string
  }>
}

/** @internal */
export const explain = (self: AtomicNode): Effect.Effect<Explanation, InvalidValue> =>
  Effect.map(prepare(self), ({ program, steps }) => {
    const keys = new Set<string>()
    for (const step of steps) forEachKey(step, (key) => keys.add(key))
    return {
      roundTrips: steps.length === 0 ? 0 : 1,
      access: program.access,
      keys: [...keys],
      instructions: steps.map(({ field, method, op, ref: { id, model } }) => ({
        operation: method ?? methodOf(op),
        model,
        id,
        field
      }))
    }
  })
