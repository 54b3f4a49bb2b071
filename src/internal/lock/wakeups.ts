/**
 * The channel on which the server wakes waiters: one for all locks of a service. It is subscribed while someone waits.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import type { RedisServiceError } from "../../RedisServiceError.ts"
import type { RedisService, SubscriptionEvent } from "../service.ts"

type Service = RedisService["Service"]

/** Milliseconds for which the subscription outlasts its last waiter, because another waiter may come soon. */
const idleMillis = 5000

interface Subscription {
  readonly scope: Scope.Closeable
  readonly fiber: Fiber.Fiber<void, RedisServiceError>
}

/**
 * One waiter. A wake-up that comes between `listen` and `wait` is not lost.
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

  /** Forgets earlier wake-ups. */
  listen(): void {
    this.isWoken = false
  }

  /** Waits until the next wake-up, but at most this number of milliseconds. */
  wait(millis: number): Effect.Effect<void> {
    const woken = Effect.callback<void>((resume) => {
      if (this.isWoken) return resume(Effect.void)
      // resumed after a yield, because the code that calls `wake` may be in the middle of a program
      this.resume = () => resume(Effect.yieldNow)
      return Effect.sync(() => {
        this.resume = undefined
      })
    })
    return Effect.raceFirst(woken, Effect.sleep(millis))
  }
}

/**
 * The subscription to the channel, and its waiters.
 *
 * @internal
 */
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

  /** Returns a waiter that messages with this owner id wake, until the scope closes. */
  readonly join = (owner: string): Effect.Effect<Waiter, RedisServiceError, Scope.Scope> =>
    Effect.flatMap(
      Effect.acquireRelease(
        Effect.sync(() => {
          const { fiber } = this.addUser()
          const waiter = new Waiter()
          this.waiters.set(owner, waiter)
          return { fiber, waiter }
        }),
        () =>
          Effect.sync(() => {
            this.waiters.delete(owner)
            this.removeUser()
          })
      ),
      ({ fiber, waiter }) => Effect.as(Fiber.join(fiber), waiter)
    )

  private addUser(): Subscription {
    this.users++
    clearTimeout(this.idle)
    if (this.subscription !== undefined) return this.subscription
    const scope = Scope.makeUnsafe()
    const hear = (event: SubscriptionEvent) => this.onEvent(event, scope)
    const fiber = Effect.runFork(Scope.provide(this.service.subscribe(this.channel, hear), scope))
    const subscription = { scope, fiber }
    this.subscription = subscription
    fiber.addObserver((exit) => {
      if (Exit.isFailure(exit)) this.unsubscribe(scope)
    })
    return subscription
  }

  private removeUser(): void {
    this.users--
    if (this.users > 0 || this.subscription === undefined) return
    const { scope } = this.subscription
    const idle = setTimeout(() => this.unsubscribe(scope), idleMillis) // a process may end before the subscription does
    ;(idle as { unref?: () => void }).unref?.()
    this.idle = idle
  }

  private unsubscribe(scope: Scope.Closeable): void {
    const { subscription } = this
    if (subscription?.scope !== scope) return
    clearTimeout(this.idle)
    this.subscription = undefined
    subscription.fiber.interruptUnsafe()
    Effect.runFork(Scope.close(scope, Exit.void))
  }

  private onEvent(event: SubscriptionEvent, scope: Scope.Closeable): void {
    if (event._tag === "Message") {
      this.waiters.get(event.text)?.wake()
      return
    }
    if (event._tag === "Ended") this.unsubscribe(scope)
    // all waiters ask again, because wake-ups may have been lost, or the service has ended
    for (const waiter of this.waiters.values()) waiter.wake()
  }
}
