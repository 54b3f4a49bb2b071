// Rate limit: three calls a second, in a window that begins with the first call.
import { Console, Data, Effect, Schema } from "effect"
import { Atomic, Model, RedisService } from "redlayer"

const limit = 3

// it expires a second after its first call, exactly
const Window = Model.make("Window", { caller: Schema.String, calls: Schema.Int }, {
  key: "caller",
  timeToLive: { duration: "1 second", refresh: "never" }
})

class TooManyCalls extends Data.TaggedError("TooManyCalls") {}

const call = (caller: string) => {
  const { calls } = Window.ref(caller)
  return Window.ensure({ caller, calls: 0 }).pipe(
    Atomic.andThen(Atomic.guard(calls.lt(limit), () => new TooManyCalls())),
    Atomic.andThen(calls.increment())
  )
}

const program = Effect.gen(function*() {
  const attempt = call("alice").pipe(
    Effect.map((calls) => `call ${calls}`),
    Effect.catchTag("TooManyCalls", () => Effect.succeed("too many calls"))
  )
  for (let i = 0; i < 4; i++) yield* Console.log(yield* attempt)
  yield* Effect.sleep("1.1 seconds")
  yield* Console.log("a second later:", yield* attempt)
})

await Effect.runPromise(program.pipe(Effect.provide(RedisService.layerMemory)))
