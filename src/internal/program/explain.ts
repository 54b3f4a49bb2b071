/**
 * Describes a program without running it.
 */
import * as Effect from "effect/Effect"
import type { InvalidValue } from "../../DomainError.ts"
import { forEachKey } from "../instruction/keys.ts"
import { prepare } from "./commit.ts"
import type { AtomicNode } from "./node.ts"

/** @internal */
export const explain = (self: AtomicNode): Effect.Effect<unknown, InvalidValue> =>
  Effect.map(prepare(self), (compiled) => {
    const keys = new Set<string>()
    for (const step of compiled.steps) forEachKey(step, (key) => keys.add(key))
    return {
      roundTrips: compiled.steps.length === 0 ? 0 : 1,
      access: compiled.program.access,
      keys: [...keys],
      instructions: compiled.steps.map(({ field, method, place: { id, model } }) => ({
        operation: method,
        model,
        id,
        field
      }))
    }
  })
