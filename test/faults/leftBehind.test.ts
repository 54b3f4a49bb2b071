/**
 * A layer that is closed in the middle of a fault leaves no socket, no timer and no fiber, and its process ends by itself.
 */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { describeOwnServer } from "../support/Backends.ts"
import * as Child from "../support/ChildProcess.ts"
import type { Left } from "../workers/closingWorker.ts"
import { server } from "./proxiedService.ts"

type On = Effect.Success<ReturnType<typeof server>>

const deadline = 600

const faults: Readonly<Record<string, (on: On) => Effect.Effect<unknown, unknown>>> = {
  "normal work": () => Effect.void,
  "a connection that was cut": ({ proxy }) => proxy.cut(),
  "a connection that was reset": ({ proxy }) => proxy.reset(),
  "no connection": ({ proxy }) => Effect.andThen(proxy.refuse(true), proxy.cut()),
  "lost requests": ({ proxy }) => proxy.swallowRequests(true),
  "lost replies": ({ proxy }) => proxy.swallowReplies(true),
  "held requests": ({ proxy }) => proxy.holdRequests(),
  "a network that stalls": ({ proxy }) => proxy.stall(true),
  "a network of single bytes": ({ proxy }) => proxy.slice(true),
  "a server that was killed": ({ kill }) => kill("SIGKILL"),
  "a server that is frozen": ({ kill }) => kill("SIGSTOP"),
  "a server that pauses": ({ call }) => call("CLIENT", "PAUSE", "5000", "ALL"),
  "a server that refuses for now": ({ call }) => call("REPLICAOF", "127.0.0.1", "1"),
  "a server that is full": ({ call }) => call("CONFIG", "SET", "maxmemory", "1"),
  "a server that denies": ({ call }) =>
    Effect.andThen(call("CONFIG", "SET", "requirepass", "another"), call("CLIENT", "KILL", "TYPE", "normal"))
}

const known = ["Success", "OutcomeUnknown", "ConnectionUnavailable", "ServerUnavailable", "OutOfMemory", "AccessDenied"]

describeOwnServer("closing a layer during a fault", () => {
  it.live.each(Object.entries(faults))(
    "a layer that closes during %s leaves nothing behind",
    ([, fault]) =>
      Effect.gen(function*() {
        const on = yield* server()
        const child = yield* Child.start("closingWorker.ts", [on.proxy.url, String(deadline)])
        assert.strictEqual(yield* child.next, "ready")
        yield* fault(on)
        yield* child.send("fault")
        const left: Left = yield* child.next
        assert.deepStrictEqual(left.resources, [])
        assert.strictEqual(left.fibers, 0)
        assert.isAtMost(left.millis, deadline + 100)
        for (const exit of left.exits) assert.include(known, exit)
        // the stream ends with its layer
        assert.strictEqual(left.exits.length, 42)
        // nothing holds the process
        yield* child.ended
        yield* on.kill("SIGCONT")
      })
  )
})
