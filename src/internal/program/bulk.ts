/**
 * Programs over many entities: a bounded number at a time, their results in the order of what was asked.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { RedisService } from "../../RedisService.ts"
import { RedisServiceError } from "../../RedisServiceError.ts"
import { type AtomicNode, commitAll } from "./atomic.ts"

/** @internal */
export interface BulkOptions {
  readonly concurrency?: number | undefined
  readonly onProgress?: ((done: number) => Effect.Effect<void>) | undefined
}

/** @internal */
export type Source<A> = Iterable<A> | Stream.Stream<A, any, any>

const defaultConcurrency = 1024

/** What became of a program in its domain; that the server can't be reached is no result of one. */
const outcomes = (
  exits: ReadonlyArray<Exit.Exit<unknown, unknown>>
): Effect.Effect<ReadonlyArray<Result.Result<unknown, unknown>>, RedisServiceError> => {
  const results: Array<Result.Result<unknown, unknown>> = []
  for (const exit of exits) {
    if (Exit.isSuccess(exit)) {
      results.push(Result.succeed(exit.value))
    } else {
      const error = Cause.findErrorOption(exit.cause)
      if (Option.isNone(error) || error.value instanceof RedisServiceError) {
        return exit as Exit.Exit<never, RedisServiceError>
      }
      results.push(Result.fail(error.value))
    }
  }
  return Effect.succeed(results)
}

/** @internal */
export const stream = <A>(
  source: Source<A>,
  program: (item: A) => AtomicNode,
  options: BulkOptions | undefined
): Stream.Stream<Result.Result<unknown, unknown>, any, any> => {
  const { concurrency = defaultConcurrency, onProgress } = options ?? {}
  // two halves in flight: one is sent while the other is waited for
  const size = Math.max(1, Math.floor(concurrency / 2))
  return (Stream.isStream(source) ? source : Stream.fromIterable(source)).pipe(
    Stream.grouped(size),
    Stream.mapEffect(
      (items) =>
        Effect.flatMap(RedisService, (service) => Effect.flatMap(commitAll(items.map(program), service), outcomes)),
      {
        concurrency: concurrency > 1 ? 2 : 1
      }
    ),
    onProgress === undefined
      ? (self) => self
      // each run counts for itself
      : (self) =>
        Stream.unwrap(Effect.sync(() => {
          let done = 0
          return Stream.tap(self, (results) => onProgress(done += results.length))
        })),
    Stream.flattenIterable
  )
}

/** @internal */
export const all = <A>(
  items: Iterable<A>,
  program: (item: A) => AtomicNode,
  options: BulkOptions | undefined
): Effect.Effect<ReadonlyArray<Result.Result<unknown, unknown>>, any, any> =>
  Stream.runCollect(stream(items, program, options))
