/**
 * A process that closes its layer in the middle of something, and says what is left. It ends by itself, or not at all: nothing
 * ends it.
 */
import { Deferred, Effect, Exit, Fiber, Layer, Schema, Scope, Stream } from "effect"
import { queryObjects } from "node:v8"
import { Model, RedisService, Topic } from "redlayer"

const Thing = Model.make("faults/Thing", { id: Schema.String, n: Schema.Int.pipe(Model.withDefault(0)) }, { key: "id" })
const News = Topic.make("faults/news", Schema.String)

/** The report of a process about itself. */
export interface Left {
  /** what was in use besides before, such as sockets and timers */
  readonly resources: ReadonlyArray<string>
  /** fibers that are still held by something, besides those before */
  readonly fibers: number
  /** the outcomes of the programs that were in flight */
  readonly exits: ReadonlyArray<string>
  /** how long closing took, in milliseconds */
  readonly millis: number
}

const [url = "", deadline = ""] = process.argv.slice(2)

const turns = Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 20)))

const waitFor = (text: string) =>
  Effect.callback<void>((resume) => {
    const listener = (message: unknown) => {
      if (message !== text) return
      process.off("message", listener)
      resume(Effect.void)
    }
    process.on("message", listener)
  })

const tell = (message: unknown) =>
  Effect.callback<void>((resume) => {
    process.send!(message, () => resume(Effect.void))
  })

const describe = (exit: Exit.Exit<unknown, unknown>): string => {
  if (Exit.isSuccess(exit)) return "Success"
  const error: any = exit.cause.reasons[0] !== undefined && "error" in exit.cause.reasons[0]
    ? exit.cause.reasons[0].error
    : exit.cause
  return error.reason?._tag ?? error._tag ?? "Defect"
}

/** Programs in flight, others that are about to go, and a subscription: the layer closes beneath all of them. */
const round = Effect.gen(function*() {
  const scope = yield* Scope.make()
  const services = yield* Layer.build(RedisService.layer({ url, deadline: Number(deadline) })).pipe(
    Scope.provide(scope)
  )
  const run = <A, E>(self: Effect.Effect<A, E, RedisService.RedisService>) => Effect.provide(self, services)
  yield* run(Thing.put({ id: "a" }))
  const { n } = Thing.ref("a")
  const subscribed = yield* Deferred.make<void>()
  const hearing = yield* Effect.gen(function*() {
    const events = yield* News.subscribe()
    yield* Deferred.succeed(subscribed, undefined)
    yield* Stream.runDrain(events)
  }).pipe(Effect.scoped, run, Effect.forkDetach)
  yield* Deferred.await(subscribed)
  yield* tell("ready")
  yield* waitFor("fault")
  const start = { startImmediately: true } as const
  const sent = yield* Effect.forEach(Array.from({ length: 20 }), () => Effect.forkDetach(run(n.increment()), start))
  const reads = yield* Effect.forEach(Array.from({ length: 20 }), () => Effect.forkDetach(run(n.get()), start))
  yield* turns
  const about = yield* Effect.forkDetach(run(n.increment()), start)
  const begin = performance.now()
  yield* Scope.close(scope, Exit.void)
  const millis = performance.now() - begin
  const fibers: ReadonlyArray<Fiber.Fiber<unknown, unknown>> = [...sent, ...reads, about, hearing]
  const exits = yield* Effect.forEach(fibers, (fiber) => Fiber.await(fiber))
  return { millis, exits: exits.map(describe) }
})

const main = Effect.gen(function*() {
  const self: any = yield* Effect.fiber
  const count = () => Number(queryObjects(self.constructor, { format: "count" }))
  const resources = () => process.getActiveResourcesInfo()
  yield* turns
  const before = resources()
  const fibers = count()
  const { exits, millis } = yield* round
  let left: ReadonlyArray<string> = []
  // sockets end in turns of their own
  for (let i = 0; i < 25; i++) {
    const rest = [...before]
    left = resources().filter((name) => {
      const at = rest.indexOf(name)
      if (at >= 0) rest.splice(at, 1)
      return at < 0
    })
    if (left.length === 0) break
    yield* turns
  }
  yield* tell({ resources: left, fibers: count() - fibers, exits, millis } satisfies Left)
})

if (url !== "") {
  Effect.runPromise(main).then(
    () => process.disconnect(),
    (error) => {
      console.error(error)
      process.exit(1)
    }
  )
}
