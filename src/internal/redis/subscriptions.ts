/**
 * Subscriptions of the service, over those of the transport: it adds the deadline, the meaning of a refusal, and the events `Missed`
 * and `Ended`.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import {
  ConnectionUnavailable,
  RedisServiceError,
  type RedisServiceErrorReason,
  Unsupported
} from "../../RedisServiceError.ts"
import type { ChannelEvent, RedisTransport } from "../../RedisTransport.ts"
import type { RedisService, SubscriptionEvent } from "../service.ts"
import { channelName } from "./channel.ts"
import { aboutChannel, addressText, classify, isFinal } from "./classify.ts"

/** @internal */
export interface SubscriptionsOptions {
  readonly transport: RedisTransport["Service"]
  readonly keyPrefix: string
  /** Milliseconds until a subscription must be confirmed. */
  readonly deadline: number
  /** The scope of the service. Every subscription ends with it. */
  readonly scope: Scope.Scope
  readonly runFork: <A, E>(effect: Effect.Effect<A, E>) => Fiber.Fiber<A, E>
}

const missed: SubscriptionEvent = { _tag: "Missed" }

/** @internal */
export const make = (options: SubscriptionsOptions): RedisService["Service"]["subscribe"] => {
  const { deadline, keyPrefix, runFork, transport } = options
  const subscribe = transport.subscribe
  if (subscribe === undefined) {
    const reason = new Unsupported({ requirement: "a transport that can subscribe" })
    return () => Effect.fail(new RedisServiceError({ reason }))
  }
  const silent = new ConnectionUnavailable({
    ...(transport.server === undefined ? undefined : { address: addressText(transport.server) }),
    code: "ETIMEDOUT"
  })
  return (channel, listener) =>
    Effect.uninterruptibleMask(Effect.fnUntraced(function*(restore) {
      const caller = yield* Scope.fork(yield* Effect.scope)
      const scope = Scope.forkUnsafe(options.scope)
      const established = Deferred.makeUnsafe<void, RedisServiceError>()
      let isLive = false
      let hasEnded = false
      let refusal: RedisServiceErrorReason | undefined

      const unavailable = () => new RedisServiceError({ reason: refusal ?? silent })
      const end = (error: RedisServiceError | undefined): void => {
        if (hasEnded) return
        hasEnded = true
        if (isLive) listener({ _tag: "Ended", error })
        else Deferred.doneUnsafe(established, Exit.fail(error ?? unavailable()))
      }
      const onEvent = (event: ChannelEvent): void => {
        if (hasEnded) return
        switch (event._tag) {
          case "Subscribed":
            if (isLive) return listener(missed)
            isLive = true
            Deferred.doneUnsafe(established, Exit.void)
            break
          case "Message":
            // before the confirmation, a message belongs to an earlier subscription that is ending: the next ones may be lost
            if (isLive) listener(event)
            break
          case "Refused":
            refusal = aboutChannel(classify(event.message, [], true), event.message, keyPrefix + channel)
            if (!isFinal(refusal)) return
            end(unavailable())
            runFork(Scope.close(scope, Exit.void))
        }
      }

      yield* Scope.addFinalizer(caller, Scope.close(scope, Exit.void))
      yield* Scope.addFinalizer(scope, Effect.sync(() => end(undefined)))
      yield* Scope.provide(
        subscribe(channelName({ keyPrefix, database: transport.server?.database }, channel), onEvent),
        scope
      )
      const wait = Effect.timeoutOrElse(Deferred.await(established), {
        duration: deadline,
        orElse: () => Effect.fail(unavailable())
      })
      // a subscription that failed ends now, not when the caller's scope closes
      yield* Effect.onError(restore(wait), () => Scope.close(caller, Exit.void))
    }))
}
