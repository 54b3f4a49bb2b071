/**
 * A silent server is one that sends nothing, and not a client that has no time to read.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Schema } from "effect"
import { Model, RedisService } from "redlayer"
import { describeOwnServer } from "../support/Backends.ts"
import * as RedisServer from "../support/RedisServer.ts"

const Counter = Model.make("silence/Counter", { id: Schema.String, n: Schema.Int.pipe(Model.withDefault(0)) }, {
  key: "id"
})

/** Keeps this process from reading its sockets. */
const block = (millis: number): void => {
  const end = performance.now() + millis
  while (performance.now() < end);
}

describeOwnServer("a busy client", () => {
  it.live("a client that cannot read for longer than a server may be silent keeps its connection", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.start()
      yield* Effect.gen(function*() {
        yield* Counter.insert({ id: "a" })
        for (const millis of [1200, 2500]) {
          const fiber = yield* Effect.forkChild(Counter.ref("a").n.increment(), { startImmediately: true })
          // its batch leaves at the end of this turn; then this process is busy
          yield* Effect.callback<void>((resume) => {
            setImmediate(() => {
              block(millis)
              resume(Effect.void)
            })
          })
          const exit = yield* Fiber.await(fiber)
          assert.isTrue(Exit.isSuccess(exit), String(exit))
        }
        assert.strictEqual(yield* Counter.ref("a").n.get(), 2)
      }).pipe(Effect.provide(RedisService.layer({ url: server.url })))
    }))
})
