/**
 * Helpers for the suites of this directory.
 */
import { assert } from "@effect/vitest"
import { Cause, Clock, Effect, Exit, Option, Schedule } from "effect"
import { inspect } from "node:util"
import { isRedisServiceError, type RedisServiceErrorReason } from "redlayer/RedisServiceError"

export const range = (length: number): ReadonlyArray<number> => Array.from({ length }, (_, i) => i)

/** Tries until the effect succeeds, for five seconds at most. */
export const eventually = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.retry(self, { schedule: Schedule.spaced("5 millis"), times: 1000 })

/** Waits until the condition holds, for five seconds at most. */
export const until = (what: string, condition: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => condition() ? Effect.void : Effect.fail(`not within five seconds: ${what}`)).pipe(
    eventually,
    Effect.orDie
  )

/** The result, and the milliseconds that it took. */
export const timed = <A, E, R>(
  self: Effect.Effect<A, E, R>
): Effect.Effect<readonly [Exit.Exit<A, E>, number], never, R> =>
  Effect.gen(function*() {
    const start = yield* Clock.currentTimeMillis
    const exit = yield* Effect.exit(self)
    return [exit, (yield* Clock.currentTimeMillis) - start]
  })

export const within = (millis: number, low: number, high: number): void => {
  assert.isAtLeast(millis, low)
  assert.isAtMost(millis, high)
}

export const errorOf = (exit: Exit.Exit<unknown, unknown>): unknown =>
  Exit.isFailure(exit) ? Option.getOrUndefined(Cause.findErrorOption(exit.cause)) : undefined

/** Asserts that the exit is a `RedisServiceError` of this reason. */
export const reasonIs = <Tag extends RedisServiceErrorReason["_tag"]>(
  exit: Exit.Exit<unknown, unknown>,
  tag: Tag
): Extract<RedisServiceErrorReason, { readonly _tag: Tag }> => {
  const error = errorOf(exit)
  if (!isRedisServiceError(error) || error.reason._tag !== tag) {
    return assert.fail(`expected ${tag}, got ${inspect(exit, { depth: 10 })}`)
  }
  return error.reason as Extract<RedisServiceErrorReason, { readonly _tag: Tag }>
}

const methods = ["debug", "error", "info", "log", "trace", "warn"] as const

/** Collects console output and process warnings, until the scope closes. */
export const captureOutput = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => {
      const lines: Array<string> = []
      const show = (arg: unknown) =>
        typeof arg === "string" ? arg : arg instanceof Error ? String(arg.stack) : inspect(arg, { depth: 10 })
      const write = (...args: Array<unknown>) => {
        lines.push(args.map(show).join(" "))
      }
      const originals = methods.map((method) => console[method])
      for (const method of methods) console[method] = write
      process.on("warning", write)
      process.on("unhandledRejection", write)
      return { lines, originals, write }
    }),
    ({ originals, write }) =>
      Effect.sync(() => {
        methods.forEach((method, i) => {
          console[method] = originals[i]
        })
        process.off("warning", write)
        process.off("unhandledRejection", write)
      })
  ),
  ({ lines }): ReadonlyArray<string> => lines
)
