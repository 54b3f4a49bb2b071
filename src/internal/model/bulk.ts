/**
 * Programs on many entities: a limited number in flight at a time, with results in the order of the input. Each entity has
 * its own program, so they do not succeed or fail together.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { RedisServiceError } from "../../RedisServiceError.ts"
import { integer, invalidOption } from "../options.ts"
import { commitAll } from "../program/commit.ts"
import { type Many, many } from "../program/many.ts"
import type { AtomicNode } from "../program/node.ts"
import { RedisService } from "../service.ts"

/**
 * Options of operations on many entities.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface BulkOptions {
  /** The greatest number of entities in flight at a time, a positive integer. Default: 1,024. */
  readonly concurrency?: number | undefined
  /**
   * The greatest number of UTF-16 units of keys and texts that are sent and have no answer, a positive integer. A program
   * that alone is larger is sent alone. Default: 4,000,000.
   */
  readonly bytes?: number | undefined
  /**
   * Receives the number of finished entities after each group, which is at most half of `concurrency`. Its effect runs
   * before the results of the group are returned.
   */
  readonly onProgress?: ((done: number) => Effect.Effect<void>) | undefined
}

/**
 * A result for each entity. The failure of one item may be a `RedisServiceError` that concerns this item alone:
 * `WrongType`, `CrossSlot`, or a `ScriptFailed` that was undone. An error with any other reason fails the whole effect,
 * because it concerns the server.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Bulk<A, E> = Effect.Effect<
  ReadonlyArray<Result.Result<A, E | RedisServiceError>>,
  RedisServiceError,
  RedisService
>

/**
 * A stream of a result for each entity. Items are sent as soon as the source has them, without waiting for a full group.
 * Failures are those of `Bulk`.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type BulkStream<A, E, E2, R> = Stream.Stream<
  Result.Result<A, E | RedisServiceError>,
  RedisServiceError | E2,
  RedisService | R
>

/**
 * The ids or entities of a bulk operation: an iterable or a stream, but no text.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Source<A, E, R> = Many<A> | Stream.Stream<A, E, R>

const defaultConcurrency = 1024
/** A line of 1 MB/s carries this within the default deadline. */
const defaultBytes = 4_000_000

const isCount = integer(1)

/** Whether an error concerns one program alone, and not the server or the connection. */
const concernsOneProgram = ({ reason }: RedisServiceError): boolean =>
  reason._tag === "WrongType" || reason._tag === "CrossSlot" ||
  reason._tag === "ScriptFailed" && reason.applied === false

/** Whether an exit fails the whole effect. */
const failsAll = (exit: Exit.Exit<unknown, unknown>): exit is Exit.Failure<never, RedisServiceError> => {
  if (Exit.isSuccess(exit)) return false
  const error = Cause.findErrorOption(exit.cause)
  return Option.isNone(error) || error.value instanceof RedisServiceError && !concernsOneProgram(error.value)
}

/** Returns the result of each program. An error that concerns the server fails the whole effect. */
const outcomes = (
  exits: ReadonlyArray<Exit.Exit<unknown, unknown>>
): Effect.Effect<ReadonlyArray<Result.Result<unknown, unknown>>, RedisServiceError> => {
  const results: Array<Result.Result<unknown, unknown>> = []
  for (const exit of exits) {
    if (failsAll(exit)) return exit
    results.push(
      Exit.isSuccess(exit)
        ? Result.succeed(exit.value)
        : Result.fail(Option.getOrThrow(Cause.findErrorOption(exit.cause)))
    )
  }
  return Effect.succeed(results)
}

/** Returns the available items in groups of at most `size`, without waiting until a group is full. */
const groups = <A>(source: Source<A, any, any>, size: number): Stream.Stream<ReadonlyArray<A>, any, any> =>
  Stream.chunks(
    Stream.isStream(source)
      ? Stream.buffer(source, { capacity: size })
      : Stream.suspend(() => Stream.fromIterable(many(source), { chunkSize: size }))
  )

/**
 * Runs a program for each item of the source.
 *
 * @internal
 */
export const stream = <A>(
  source: Source<A, any, any>,
  program: (item: A) => AtomicNode,
  options: BulkOptions | undefined
): Stream.Stream<Result.Result<unknown, unknown>, any, any> => {
  const { bytes = defaultBytes, concurrency = defaultConcurrency, onProgress } = options ?? {}
  const refusal = isCount(concurrency, "concurrency") ?? isCount(bytes, "bytes")
  if (refusal !== undefined) return Stream.fail(invalidOption(refusal))
  // two groups are in flight: one is sent while the other waits for its reply
  const parallel = concurrency > 1 ? 2 : 1
  const size = Math.max(1, Math.floor(concurrency / 2))
  const flow = { bytes: bytes / parallel, endsAt: failsAll }
  return groups(source, size).pipe(
    Stream.mapEffect(
      (items) =>
        Effect.flatMap(
          RedisService,
          (service) => Effect.flatMap(commitAll(items.map(program), service, flow), outcomes)
        ),
      { concurrency: parallel }
    ),
    onProgress === undefined
      ? (self) => self
      // each run counts its own progress
      : (self) =>
        Stream.unwrap(Effect.sync(() => {
          let done = 0
          return Stream.tap(self, (results) => onProgress(done += results.length))
        })),
    Stream.flattenIterable
  )
}

/**
 * Runs a program for each item, and collects the results.
 *
 * @internal
 */
export const all = <A>(
  items: Iterable<A>,
  program: (item: A) => AtomicNode,
  options: BulkOptions | undefined
): Effect.Effect<ReadonlyArray<Result.Result<unknown, unknown>>, any, any> =>
  Stream.runCollect(stream(items, program, options))

/**
 * Returns an iterable of programs, which are the same in every run. It takes each item from the source once, when a run first
 * reaches it.
 *
 * @internal
 */
export const once = <A>(items: Iterable<A>, program: (item: A) => AtomicNode): Iterable<AtomicNode> => {
  const taken: Array<AtomicNode> = []
  let iterator: Iterator<A> | undefined
  const take = (): boolean => {
    try {
      iterator ??= many(items)[Symbol.iterator]()
      const { done, value } = iterator.next()
      if (!done) taken.push(program(value))
      return !done
    } catch (defect) {
      // a later run throws, too: a generator that has thrown would only report its end
      iterator = {
        next: () => {
          throw defect
        }
      }
      throw defect
    }
  }
  return {
    *[Symbol.iterator]() {
      for (let i = 0; i < taken.length || take(); i++) yield taken[i]!
    }
  }
}
