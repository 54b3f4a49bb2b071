/**
 * Describes a program without running it.
 */
import * as Effect from "effect/Effect"
import type { InvalidValue } from "../../DomainError.ts"
import { forEachKey } from "../instruction/keys.ts"
import { methodOf } from "../instruction/ops.ts"
import { prepare } from "./commit.ts"
import type { AtomicNode } from "./node.ts"

/** @internal */
export const explain = (self: AtomicNode): Effect.Effect<unknown, InvalidValue> =>
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
