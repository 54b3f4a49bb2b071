/**
 * A network that cuts, resets, loses, delays and slices, under load: what was said is what was done.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { range, reasonIs, timed, within } from "../live/liveService.ts"
import { describeOwnServer } from "../support/Backends.ts"
import type { TcpProxy } from "../support/TcpProxy.ts"
import { lateness, Ledger, ledger, server, service, underLoad } from "./proxiedService.ts"

const deadline = 800

/** One round of a fault: it ends with the network as it was. */
type Fault = (proxy: TcpProxy) => Effect.Effect<unknown, unknown>

/** Under load something passes soon. */
const requests = (proxy: TcpProxy, count = 1) =>
  Effect.flatMap(proxy.stats, (before) => proxy.waitUntil((now) => now.requestBytes >= before.requestBytes + count))

const replies = (proxy: TcpProxy) =>
  Effect.flatMap(proxy.stats, (before) => proxy.waitUntil((now) => now.replyBytes > before.replyBytes))

const faults: ReadonlyArray<readonly [name: string, rounds: number, fault: Fault]> = [
  ["cuts before the server has the request", 40, (proxy) => Effect.andThen(proxy.cutOnNext("request"), replies(proxy))],
  [
    "cuts when the server has done it, before the reply",
    40,
    (proxy) => Effect.andThen(proxy.cutOnNext("reply"), replies(proxy))
  ],
  ["cuts anywhere", 40, (proxy) => Effect.andThen(requests(proxy), proxy.cut())],
  ["resets", 40, (proxy) => Effect.andThen(requests(proxy), proxy.reset())],
  ["refuses for a while", 10, (proxy) =>
    Effect.gen(function*() {
      yield* proxy.refuse(true)
      yield* proxy.cut()
      yield* proxy.waitUntil(({ connections }) => connections === 0)
      yield* proxy.refuse(false)
    })],
  ["swallows replies, and is cut", 20, (proxy) =>
    Effect.gen(function*() {
      yield* proxy.swallowReplies(true)
      yield* replies(proxy)
      yield* proxy.swallowReplies(false)
      yield* proxy.cut()
    })],
  ["swallows requests, and is cut", 20, (proxy) =>
    Effect.gen(function*() {
      yield* proxy.swallowRequests(true)
      yield* requests(proxy)
      yield* proxy.swallowRequests(false)
      yield* proxy.cut()
    })],
  ["delivers late, after the callers have given up", 2, (proxy) =>
    Effect.gen(function*() {
      yield* proxy.holdRequests()
      yield* proxy.waitUntil(({ heldBytes }) => heldBytes > 0)
      yield* Effect.sleep(deadline + 50)
      yield* proxy.release()
    })],
  ["slices to single bytes", 4, (proxy) =>
    Effect.gen(function*() {
      yield* proxy.slice(true)
      yield* replies(proxy)
      yield* Effect.sleep("50 millis")
      yield* proxy.slice(false)
    })],
  ["slices to single bytes, and is cut in the middle", 20, (proxy) =>
    Effect.gen(function*() {
      yield* proxy.slice(true)
      yield* requests(proxy, 64)
      yield* proxy.cut()
      yield* proxy.slice(false)
    })],
  ["stalls, and goes on", 5, (proxy) =>
    Effect.gen(function*() {
      yield* proxy.stall(true)
      yield* Effect.sleep("100 millis")
      yield* proxy.stall(false)
    })],
  ["stalls for longer than the deadline", 1, (proxy) =>
    Effect.gen(function*() {
      yield* proxy.stall(true)
      yield* Effect.sleep(deadline + 300)
      yield* proxy.stall(false)
    })]
]

describeOwnServer("a network", () => {
  it.live.each(faults)("that %s", ([, rounds, fault]) =>
    Effect.gen(function*() {
      const on = yield* server()
      const { acknowledged } = yield* underLoad({
        on,
        layer: { deadline },
        allowed: ["OutcomeUnknown", "ConnectionUnavailable"],
        rounds,
        round: fault(on.proxy)
      })
      assert.isAbove(acknowledged.length, 0)
    }))

  it.live("replies in single bytes change no result", () =>
    Effect.gen(function*() {
      const { proxy } = yield* server()
      yield* proxy.slice(true)
      // a byte at a time, on a machine that has other things to do
      const { run } = yield* service({ url: proxy.url, deadline: 20_000 })
      const text = "é🙂\r\n$3\r\n\u0000\u2028"
      yield* run(Ledger.insert({ id: text, count: -7, entries: new Set([text, "\r\n", ""]) }))
      const results = yield* Effect.all(
        range(20).map((i) => i % 2 === 0 ? run(Ledger.ref(text).count.increment()) : run(Ledger.get(text))),
        { concurrency: "unbounded" }
      )
      const last = results.at(-1)!
      assert.deepStrictEqual(results.filter((_, i) => i % 2 === 0), range(10).map((i) => i - 6))
      assert.isTrue(typeof last === "object" && last.entries.has(text) && last.entries.size === 3)
    }))

  it.live("a network that never drains leaves no caller waiting, and unwritten programs are not applied later", () =>
    Effect.gen(function*() {
      const { call, proxy } = yield* server()
      const { close, run } = yield* service({ url: proxy.url, deadline: "400 millis" })
      const { check, heard, make, write } = ledger()
      yield* run(make)
      yield* proxy.stall(true)
      const wide = Ledger.insert({ id: "wide", entries: new Set(range(8).map((i) => `${i}${"x".repeat(900_000)}`)) })
      const late = yield* lateness
      // more than the buffers of both kernels hold
      const [[exit, millis]] = yield* Effect.all([
        timed(run(wide)),
        Effect.forEach(range(50), () => run(write(["OutcomeUnknown", "ConnectionUnavailable"])), {
          concurrency: "unbounded"
        })
      ], { concurrency: "unbounded" })
      reasonIs(exit, "OutcomeUnknown")
      // the connection is given up half a deadline after its last byte has gone out, if that is before the deadline
      within(millis, 190, 500 + late())
      assert.strictEqual(heard.acknowledged.length, 0)
      yield* close
      yield* proxy.cut()
      yield* proxy.stall(false)
      yield* proxy.waitUntil(({ connections }) => connections === 0)
      yield* check(call)
    }))

  it.live("a cut before the request and a cut after it differ on the server, and look alike to the caller", () =>
    Effect.gen(function*() {
      const { call, proxy } = yield* server()
      const { run, up } = yield* service({ url: proxy.url })
      yield* run(Ledger.insert({ id: "a" }))
      const increment = run(Ledger.ref("a").count.increment())
      let expected = 0
      for (const what of range(40).map((i) => i % 2 === 0 ? "request" as const : "reply" as const)) {
        yield* proxy.cutOnNext(what)
        const exit = yield* Effect.exit(increment)
        const { isRetryable } = reasonIs(exit, "OutcomeUnknown")
        assert.isFalse(isRetryable)
        if (what === "reply") expected++
        yield* up
        assert.strictEqual(Number(yield* call("HGET", "faults/Ledger:{a}", "count")), expected)
      }
      assert.deepStrictEqual(yield* Effect.exit(increment), Exit.succeed(expected + 1))
    }))
})
