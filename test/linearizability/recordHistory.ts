/**
 * Many fibers, on several services, that use one object at once: the request, the times and the result of each call.
 */
import { Effect, Fiber } from "effect"
import type { RedisService } from "redlayer"
import type { Call, History } from "./checker.ts"
import type { Thing } from "./sharedObjects.ts"

export interface Load {
  readonly services: ReadonlyArray<RedisService.RedisService["Service"]>
  readonly provide: <A, E>(
    self: Effect.Effect<A, E, RedisService.RedisService>,
    service: RedisService.RedisService["Service"]
  ) => Effect.Effect<A, E>
  /** for each service */
  readonly fibers: number
  /** for each fiber */
  readonly calls: number
  readonly random: () => number
  /** whether some calls are interrupted while they wait: their outcome is unknown */
  readonly interrupts: boolean
}

/** No two events of a history happen at the same time. */
const clock = () => {
  let now = 0
  return () => ++now
}

/** The history of one thing. */
export const record = Effect.fnUntraced(function*<State, Op, Result>(
  thing: Pick<Thing<State, Op, Result>, "choose" | "create">,
  call: (id: string, op: Op) => Effect.Effect<Result, any, RedisService.RedisService>,
  id: string,
  { calls, fibers, interrupts, provide, random, services }: Load
): Effect.fn.Return<History<Op, Result>, any> {
  const tick = clock()
  const history: Array<Call<Op, Result>> = []
  yield* provide(thing.create(id), services[0]!)
  const one = Effect.fnUntraced(function*(service: RedisService.RedisService["Service"]) {
    for (let i = 0; i < calls; i++) {
      yield* random() < 0.3 ? Effect.sleep(random() * 2) : Effect.yieldNow
      const op = thing.choose(random)
      const start = tick()
      const running = Effect.map(provide(call(id, op), service), (result) => ({ at: tick(), result }))
      if (interrupts && random() < 0.05) {
        const fiber = yield* Effect.forkChild(running, { startImmediately: true })
        if (random() < 0.5) yield* Effect.yieldNow
        yield* Fiber.interrupt(fiber)
        history.push({ op, start })
      } else history.push({ op, start, end: yield* running })
    }
  })
  yield* Effect.all(
    services.flatMap((service) => Array.from({ length: fibers }, () => one(service))),
    { concurrency: "unbounded", discard: true }
  )
  return history
})
