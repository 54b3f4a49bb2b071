/**
 * The buffer of a subscription frees the room of messages that were read.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Schema, Stream } from "effect"
import { codecOf } from "../../src/internal/schema/codecOf.ts"
import { SubscriptionBuffer } from "../../src/internal/topic/subscriptionBuffer.ts"
import { describeMemory } from "../support/Backends.ts"

describeMemory("the buffer of a subscription", () => {
  it.effect.each([1, 2, 7, 4096, Infinity])(
    "a buffer with capacity %d keeps no room for messages that were read",
    (capacity) =>
      Effect.gen(function*() {
        const buffer = new SubscriptionBuffer(codecOf(Schema.Int), capacity)
        const room = () => buffer["items"].length
        let published = 0
        const add = () => buffer.add({ _tag: "Message", text: String(published++) })
        add()
        // one message stays unread, so that the buffer is never empty
        for (let i = 0; i < 1000; i++) {
          add()
          const [event] = yield* Stream.runCollect(Stream.take(buffer.stream, 1))
          if (capacity > 1) assert.deepEqual(event, { _tag: "Message", value: i })
          assert.isAtMost(room(), 8)
        }
      })
  )
})
