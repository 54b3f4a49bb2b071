/**
 * The sweeps of a layer: every so often it removes the index entries of expired entities, of models that nobody may read or write.
 *
 * A leaf beside the service's tag, for the rooms that make a service.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import { RedisService, type SweepOptions } from "./service.ts"

/**
 * Sweeps until the scope closes.
 *
 * @internal
 */
export const sweeping = (
  service: RedisService["Service"],
  options: SweepOptions | undefined
): Effect.Effect<void, never, Scope.Scope> => {
  if (options === undefined) return Effect.void
  const every = Duration.toMillis(Duration.fromInputUnsafe(options.every))
  const sweep = Effect.forEach(options.models, (model) =>
    Effect.suspend(() => model.sweep()).pipe(
      Effect.catch((error) => failed(model, error)),
      Effect.catchDefect((defect) => failed(model, defect))
    ), { discard: true })
  const wait = (least: number, most: number) =>
    Effect.flatMap(Random.nextBetween(every * least, every * most), (millis) => Effect.sleep(millis))
  // processes that start together do not sweep together
  return wait(0, 1).pipe(
    Effect.andThen(Effect.forever(Effect.andThen(sweep, wait(0.9, 1.1)))),
    Effect.provideService(RedisService, service),
    Effect.forkScoped,
    Effect.asVoid
  )
}

const failed = (model: object, error: unknown): Effect.Effect<void> =>
  Effect.logWarning("The index entries of expired entities could not be removed", error).pipe(
    Effect.annotateLogs({ model: "name" in model ? String(model.name) : "" })
  )
