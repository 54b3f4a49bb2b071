/**
 * What waits for a reader, however many may.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Schema, Stream } from "effect"
import { codecOf } from "../../src/internal/schema/codecOf.ts"
import { Inbox } from "../../src/internal/topic/publish.ts"
import { describeMemory } from "../support/Backends.ts"

describeMemory("an inbox", () => {
  it.effect.each([1, 2, 7, 4096, Infinity])(
    "of %d keeps no room for what was read",
    (capacity) =>
      Effect.gen(function*() {
        const inbox = new Inbox(codecOf(Schema.Int), capacity)
        const room = () => (Object(inbox) as { readonly items: ReadonlyArray<unknown> }).items.length
        let heard = 0
        const hear = () => inbox.hear({ _tag: "Message", text: String(heard++) })
        hear()
        // it is never empty
        for (let i = 0; i < 1000; i++) {
          hear()
          const [event] = yield* Stream.runCollect(Stream.take(inbox.stream, 1))
          if (capacity > 1) assert.deepEqual(event, { _tag: "Message", value: i })
          assert.isAtMost(room(), 8)
        }
      })
  )
})
