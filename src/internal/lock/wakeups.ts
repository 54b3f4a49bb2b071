/**
 * Wakes waiters: one channel for all locks of a service, subscribed while someone waits.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import type { RedisServiceError } from "../../RedisServiceError.ts"
import type { RedisService, SubscriptionEvent } from "../service.ts"

type Service = RedisService["Service"]

/** Milliseconds for which the subscription stays after the last waiter, because the next one may come soon. */
const idleMillis = 5000

interface Subscription {
  readonly scope: Scope.Closeable
  readonly fiber: Fiber.Fiber<void, RedisServiceError>
}

/**
 * One waiter. It is woken at once if that happened before it waits.
 *
 * @internal
 */
export class Waiter {
  private isWoken = false
  private resume: (() => void) | undefined

  wake(): void {
    this.isWoken = true
    this.resume?.()
  }

  /** Expects the next wake-up. */
  listen(): void {
    this.isWoken = false
  }

  /** Waits until it is woken, or for so many milliseconds. */
  wait(millis: number): Effect.Effect<void> {
    const woken = Effect.callback<void>((resume) => {
      if (this.isWoken) return resume(Effect.void)
      // in another turn, because the caller that wakes it may be in the middle of a program
      this.resume = () => resume(Effect.yieldNow)
      return Effect.sync(() => {
        this.resume = undefined
      })
    })
    return Effect.raceFirst(woken, Effect.sleep(millis))
  }
}

/** @internal */
export class WakeupChannel {
  readonly channel: string
  private readonly service: Service
  private readonly waiters = new Map<string, Waiter>()
  private users = 0
  private subscription: Subscription | undefined
  private idle: ReturnType<typeof setTimeout> | undefined

  constructor(service: Service, name: string) {
    this.service = service
    this.channel = `$wake:${name}`
  }

  /** A waiter that is woken for its owner, until the scope closes. */
  readonly join = (owner: string): Effect.Effect<Waiter, RedisServiceError, Scope.Scope> =>
    Effect.flatMap(
      Effect.acquireRelease(
        Effect.sync(() => {
          const { fiber } = this.enter()
          const waiter = new Waiter()
          this.waiters.set(owner, waiter)
          return { fiber, waiter }
        }),
        () =>
          Effect.sync(() => {
            this.waiters.delete(owner)
            this.leave()
          })
      ),
      ({ fiber, waiter }) => Effect.as(Fiber.join(fiber), waiter)
    )

  private enter(): Subscription {
    this.users++
    clearTimeout(this.idle)
    if (this.subscription !== undefined) return this.subscription
    const scope = Scope.makeUnsafe()
    const hear = (event: SubscriptionEvent) => this.hear(event, scope)
    const fiber = Effect.runFork(Scope.provide(this.service.subscribe(this.channel, hear), scope))
    const subscription = { scope, fiber }
    this.subscription = subscription
    fiber.addObserver((exit) => {
      if (Exit.isFailure(exit)) this.end(scope)
    })
    return subscription
  }

  private leave(): void {
    this.users--
    if (this.users > 0 || this.subscription === undefined) return
    const { scope } = this.subscription
    this.idle = setTimeout(() => this.end(scope), idleMillis) // it keeps no process alive
    ;(this.idle as { unref?: () => void }).unref?.()
  }

  private end(scope: Scope.Closeable): void {
    const { subscription } = this
    if (subscription?.scope !== scope) return
    clearTimeout(this.idle)
    this.subscription = undefined
    subscription.fiber.interruptUnsafe()
    Effect.runFork(Scope.close(scope, Exit.void))
  }

  private hear(event: SubscriptionEvent, scope: Scope.Closeable): void {
    if (event._tag === "Message") {
      this.waiters.get(event.text)?.wake()
      return
    }
    if (event._tag === "Ended") this.end(scope)
    // all waiters check for themselves: wake-ups may have been lost, and after the end of the service waiting is
    // pointless
    for (const waiter of this.waiters.values()) waiter.wake()
  }
}
