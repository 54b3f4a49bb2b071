/**
 * Effect's `Reactivity` for several processes: the service of one process, whose invalidations the others hear, and which hears
 * theirs, and the hints of live models.
 */
import * as Context from "effect/Context"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { flow } from "effect/Function"
import * as Hash from "effect/Hash"
import * as Latch from "effect/Latch"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { RedisServiceError } from "../../RedisServiceError.ts"
import { channelOfKey } from "../instruction/indexes.ts"
import { duration, invalidOf, millisOf } from "../options.ts"
import { RedisService } from "../service.ts"
import {
  channel as invalidations,
  Gathered,
  hashesOf,
  type KeyHash,
  type Keys,
  messagesOf,
  publishing,
  read,
  shortened
} from "./invalidation.ts"

/**
 * `EffectReactivity.Options` documents the options.
 *
 * @internal
 */
export interface Options {
  readonly debounce?: Duration.Input | undefined
  readonly refresh?: Duration.Input | undefined
}

const checks = { debounce: duration(0), refresh: duration(1) }

/** A key that everything is registered under, for a moment after which any key may be invalid. */
const everything = "~redlayer/everything"

/** How long it waits before it tries to publish, or to subscribe, again. */
const pause = "1 second"

/** A key whose hash is known. Effect's service has no method that takes a hash. */
class Hashed implements Hash.Hash {
  readonly #hash: number
  constructor(hash: number) {
    this.#hash = hash
  }
  [Hash.symbol](): number {
    return this.#hash
  }
}

const keyOf = (hash: KeyHash): unknown => typeof hash === "number" ? new Hashed(hash) : hash

/** The keys that a handler is registered under in this process. */
const registeredKeys = (hashes: ReadonlyArray<KeyHash>): ReadonlyArray<unknown> => {
  const keys: Array<unknown> = [everything]
  for (const hash of hashes) {
    keys.push(keyOf(hash))
    const short = shortened(hash)
    if (short !== undefined) keys.push(keyOf(short))
  }
  return keys
}

/** The keys that a batch invalidates at its end. Effect's own set of them is private. */
class Batch extends Context.Service<Batch, Set<KeyHash>>()("~redlayer/EffectReactivity/Batch") {}

/** A channel of hints that a registered key needs. */
interface Listening {
  users: number
  /** Done when it is subscribed, or has failed for now. */
  readonly ready: Deferred.Deferred<void>
  /** Whether hints may have been lost that someone waits for. */
  isLate: boolean
  fiber: Fiber.Fiber<void, RedisServiceError> | undefined
}

const retried = <A>(
  self: Effect.Effect<A, RedisServiceError>,
  failed: string
): Effect.Effect<A, RedisServiceError> => {
  let isLogged = false
  return self.pipe(
    Effect.tapError((error) =>
      Effect.suspend(() => {
        if (isLogged) return Effect.void
        isLogged = true
        return Effect.logWarning(failed, error)
      })
    ),
    Effect.retry(Schedule.spaced(pause))
  )
}

/** @internal */
export const make = Effect.fnUntraced(function*(
  options: Options
): Effect.fn.Return<Reactivity.Reactivity, RedisServiceError, RedisService | Scope.Scope> {
  const invalid = invalidOf(options, checks)
  if (invalid !== undefined) return yield* invalid
  const debounce = millisOf(options.debounce ?? 50)!
  const refresh = millisOf(options.refresh ?? Infinity)!
  const service = yield* RedisService
  const own = yield* Reactivity.make
  const scope = yield* Effect.scope
  const runFork = flow(Effect.runForkWith(yield* Effect.context<never>()), Fiber.runIn(scope))
  const sender = Base64Url.encode(SecureRandom.randomBytesUnsafe(9))

  // what is heard: gathered, so that many messages run a handler once
  const isHeard = Latch.makeUnsafe(false)
  const heard = new Gathered(() => isHeard.openUnsafe())
  const runHeard = Effect.gen(function*() {
    if (refresh === Infinity) yield* isHeard.await
    else if ((yield* Effect.timeoutOption(isHeard.await, refresh))._tag === "None") heard.add(undefined)
    if (debounce > 0) yield* Effect.sleep(debounce)
    isHeard.closeUnsafe()
    const keys = heard.take()
    own.invalidateUnsafe(keys === undefined ? [everything] : Array.from(keys, keyOf))
  }).pipe(Effect.catchDefect((defect) => Effect.logError("A handler of invalidations has thrown", defect)))

  /** Subscribes, and returns the effect that waits for the end of the subscription. */
  const subscribe = Effect.fnUntraced(function*(
    channel: string,
    hear: (text: string) => void,
    miss: () => void
  ): Effect.fn.Return<Effect.Effect<void, RedisServiceError>, RedisServiceError, Scope.Scope> {
    const end = Deferred.makeUnsafe<void, RedisServiceError>()
    yield* service.subscribe(channel, (event) => {
      switch (event._tag) {
        case "Message":
          return hear(event.text)
        case "Missed":
          return miss()
        case "Ended":
          Deferred.doneUnsafe(end, event.error === undefined ? Exit.void : Exit.fail(event.error))
      }
    })
    return Deferred.await(end)
  })

  // the invalidations of other processes, and of programs
  const hear = (text: string): void => {
    const { keys, sender: from } = read(text)
    if (from !== sender) heard.add(keys)
  }
  const missed = (): void => heard.add(undefined)
  const ended = yield* subscribe(invalidations, hear, missed)
  const again = Effect.scoped(
    Effect.flatMap(subscribe(invalidations, hear, missed), (ended) => {
      missed()
      return ended
    })
  )
  const notHeard = "Invalidations of other processes are not heard for now"
  yield* Effect.forkScoped(
    Effect.catch(
      ended,
      (error) => Effect.andThen(Effect.logWarning(notHeard, error), Effect.delay(retried(again, notHeard), pause))
    )
  )
  yield* Effect.forkScoped(Effect.forever(runHeard))

  // what is published
  const isPublishing = Latch.makeUnsafe(false)
  const published = new Gathered(() => isPublishing.openUnsafe())
  const send = (keys: ReadonlySet<KeyHash> | undefined): Effect.Effect<void, any> =>
    Effect.provideService(
      publishing(messagesOf(sender, keys)) as unknown as Effect.Effect<void, any, RedisService>,
      RedisService,
      service
    )
  const publish = Effect.suspend(() => {
    isPublishing.closeUnsafe()
    const keys = published.take()
    return send(keys).pipe(
      // the service takes only shorter messages
      Effect.catchTag("InvalidValue", () => send(undefined)),
      // a repetition costs time and nothing else
      Effect.onExit((exit) => Effect.sync(() => Exit.isSuccess(exit) || published.add(keys)))
    )
  })
  yield* Effect.addFinalizer(() =>
    published.isEmpty
      ? Effect.void
      : Effect.ignore(Effect.interruptible(Effect.timeout(publish, "5 seconds")))
  )
  yield* Effect.forkScoped(
    Effect.forever(
      Effect.andThen(
        isPublishing.await,
        Effect.suspend(() => retried(publish, "Invalidations are not published for now, and kept"))
      )
    )
  )

  // the hints of live models
  const listened = new Map<string, Listening>()
  const listen = (key: string): Listening => {
    const known = listened.get(key)
    if (known !== undefined) {
      known.users++
      return known
    }
    const hint = (): void => heard.add([key])
    const self: Listening = { users: 1, ready: Deferred.makeUnsafe(), isLate: false, fiber: undefined }
    const isReady = Effect.sync(() => Deferred.doneUnsafe(self.ready, Exit.void))
    const subscribed = Effect.scoped(
      Effect.flatMap(subscribe(channelOfKey(key)!, hint, hint), (end) => {
        if (self.isLate) hint()
        return Effect.andThen(isReady, end)
      })
    )
    const failed = Effect.suspend(() => {
      self.isLate = true
      return isReady
    })
    self.fiber = runFork(
      retried(Effect.tapError(subscribed, () => failed), "Hints of a live model are not heard for now").pipe(
        Effect.ensuring(isReady)
      )
    )
    listened.set(key, self)
    return self
  }
  const leave = (key: string): void => {
    const self = listened.get(key)!
    if (--self.users > 0) return
    listened.delete(key)
    self.fiber!.interruptUnsafe()
  }
  const liveKeys = (hashes: ReadonlyArray<KeyHash>): ReadonlyArray<string> =>
    [...new Set(hashes)].filter((key) => channelOfKey(key) !== undefined) as ReadonlyArray<string>

  const invalidateUnsafe = (keys: Keys): void => {
    const hashes = hashesOf(keys)
    own.invalidateUnsafe(hashes.map(keyOf))
    published.add(hashes)
  }
  const invalidate = (keys: Keys): Effect.Effect<void> =>
    Effect.contextWith((context: Context.Context<never>) => {
      const batch = Context.getOrUndefined(context, Batch)
      if (batch === undefined) {
        invalidateUnsafe(keys)
        return Effect.void
      }
      const hashes = hashesOf(keys)
      for (const hash of hashes) batch.add(hash)
      return own.invalidate(hashes.map(keyOf))
    })
  const query: Reactivity.Reactivity["query"] = (keys, effect) =>
    Effect.suspend(() => {
      const hashes = hashesOf(keys)
      const listening = Effect.forEach(
        liveKeys(hashes),
        (key) => Effect.acquireRelease(Effect.sync(() => listen(key)), () => Effect.sync(() => leave(key)))
      )
      // a hint from before the first result is not needed
      return Effect.flatMap(listening, (channels) =>
        Effect.andThen(
          Effect.forEach(channels, ({ ready }) => Deferred.await(ready), { discard: true }),
          own.query(registeredKeys(hashes), effect)
        ))
    })

  return Reactivity.Reactivity.of({
    [Reactivity.TypeId]: Reactivity.TypeId,
    invalidateUnsafe,
    invalidate,
    mutation: (keys, effect) => Effect.tap(effect, invalidate(keys)),
    registerUnsafe: (keys, handler) => {
      const hashes = hashesOf(keys)
      const live = liveKeys(hashes)
      const cancel = own.registerUnsafe(registeredKeys(hashes), handler)
      for (const key of live) {
        const channel = listen(key)
        // the caller may read before it is subscribed
        if (!Deferred.isDoneUnsafe(channel.ready)) channel.isLate = true
      }
      let isCancelled = false
      return () => {
        if (isCancelled) return
        isCancelled = true
        cancel()
        for (const key of live) leave(key)
      }
    },
    query,
    stream: (keys, effect) => Stream.unwrap(Effect.map(query(keys, effect), Stream.fromQueue)),
    withBatch: (effect) =>
      Effect.suspend(() => {
        const batch = new Set<KeyHash>()
        return Effect.onExit(
          own.withBatch(Effect.provideService(effect, Batch, batch)),
          () => Effect.sync(() => published.add(batch))
        )
      })
  })
})
