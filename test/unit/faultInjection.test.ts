/**
 * Fault injection of `redlayer/testing`: the effect of each fault on the caller and on the server, and the log.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Schema, Scope } from "effect"
import { TestClock } from "effect/testing"
import { Atomic, EffectRedis, IoRedis, Model, RedisService } from "redlayer"
import { RedisTransport, TransportError } from "redlayer/RedisTransport"
import * as Testing from "redlayer/testing"
import { errorOf, eventually, range, reasonIs } from "../live/liveService.ts"
import { describeMemory, describeRedis, redis, uniquePrefix } from "../support/Backends.ts"

const { answer, delay, deliverLate, sequence, loseReply, loseRequest, notSent } = Testing

/** A transport that returns the argument of each call, with faults around it, and the arguments that it received. */
const echo = () => {
  const received: Array<string> = []
  const below = Layer.succeed(RedisTransport, {
    ready: Effect.void,
    evaluate: ({ argument }) =>
      Effect.sync(() => {
        received.push(argument)
        return { _tag: "Text", text: argument }
      })
  })
  return { received, layer: Testing.layerTransport().pipe(Layer.provide(below)) }
}

const send = (argument: string, command: "EVAL" | "EVAL_RO" = "EVAL") =>
  RedisTransport.use(({ evaluate }) => evaluate({ command, script: "", keys: ["k"], argument })).pipe(
    Effect.match({
      onFailure: ({ outcome }) => outcome as string,
      onSuccess: (reply) => reply._tag === "Text" ? reply.text : reply.message
    })
  )

const usePlan = (plan: Testing.Plan) => Testing.Faults.use((faults) => faults.usePlan(plan))
const log = Testing.Faults.use((faults) => faults.log)
const release = Testing.Faults.use((faults) => faults.release)
const states = Effect.map(log, (entries) => entries.map((entry) => entry.state))

const Counter = Model.make("faults/Counter", { id: Schema.String, n: Schema.Int }, { key: "id" })
const { n } = Counter.ref("a")

describeMemory("faults around a transport", () => {
  it.effect("each fault happens in turn", () => {
    const { layer, received } = echo()
    return Effect.gen(function*() {
      yield* usePlan(sequence([undefined, notSent, loseRequest, loseReply, answer("BUSY x"), delay(10)]))
      assert.strictEqual(yield* send("a"), "a")
      assert.strictEqual(yield* send("b"), "NotSent")
      assert.strictEqual(yield* send("c"), "Unknown")
      assert.strictEqual(yield* send("d"), "Unknown")
      assert.strictEqual(yield* send("e", "EVAL_RO"), "BUSY x")
      const delayed = yield* Effect.forkChild(send("f"), { startImmediately: true })
      yield* TestClock.adjust(9)
      assert.deepStrictEqual(received, ["a", "d"])
      assert.deepStrictEqual((yield* states).at(-1), "Waiting")
      yield* TestClock.adjust(1)
      assert.strictEqual(yield* Fiber.join(delayed), "f")
      // requests after the last fault pass
      assert.strictEqual(yield* send("g"), "g")
      assert.deepStrictEqual(received, ["a", "d", "f", "g"])
      const entries = yield* log
      assert.deepStrictEqual(entries.map((entry) => entry.index), range(7))
      assert.deepStrictEqual(entries.map((entry) => entry.readOnly), range(7).map((i) => i === 4))
      assert.deepStrictEqual(entries[3], {
        index: 3,
        keys: ["k"],
        readOnly: false,
        fault: loseReply,
        state: "Answered"
      })
      assert.deepStrictEqual(
        entries.map((entry) => entry.state),
        ["Answered", "Withheld", "Withheld", "Answered", "Withheld", "Answered", "Answered"]
      )
      // a new plan begins with its first fault, and with an empty log
      yield* usePlan(sequence([loseRequest]))
      assert.deepStrictEqual(yield* log, [])
      assert.strictEqual(yield* send("h"), "Unknown")
    }).pipe(Effect.provide(layer))
  })

  it.effect("a late request is delivered after a time, or when it is released, in order", () => {
    const { layer, received } = echo()
    return Effect.gen(function*() {
      yield* usePlan(sequence([deliverLate(), deliverLate("1 second"), deliverLate()]))
      for (const argument of ["a", "b", "c"]) assert.strictEqual(yield* send(argument), "Unknown")
      assert.strictEqual(yield* send("d"), "d")
      assert.deepStrictEqual(yield* states, ["Waiting", "Waiting", "Waiting", "Answered"])
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(received, ["d", "b"])
      yield* release
      assert.deepStrictEqual(received, ["d", "b", "a", "c"])
      assert.deepStrictEqual(yield* states, range(4).map(() => "Answered"))
      yield* release
      assert.lengthOf(received, 4)
    }).pipe(Effect.provide(layer))
  })

  it.effect("a delayed request is never sent if its caller or the layer ends", () => {
    const { layer, received } = echo()
    return Effect.gen(function*() {
      const scope = yield* Scope.make()
      const services = yield* Scope.provide(Layer.build(layer), scope)
      yield* Effect.gen(function*() {
        yield* usePlan(sequence([delay("1 second"), deliverLate("1 second"), deliverLate()]))
        const fiber = yield* Effect.forkChild(send("a"), { startImmediately: true })
        yield* Fiber.interrupt(fiber)
        assert.deepStrictEqual(yield* states, ["Withheld"])
        yield* send("b")
        yield* send("c")
      }).pipe(Effect.provide(services))
      yield* Scope.close(scope, Exit.void)
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(received, [])
    })
  })

  it.effect("random faults are as frequent as asked, and the same again with the same seed", () => {
    const plan = (seed: number) => Testing.random(seed, [[0.2, notSent], [0.1, loseRequest], [0.05, loseReply]])
    const tags = (seed: number) =>
      range(10_000).map((index) => plan(seed)({ index, keys: [], readOnly: false })?._tag ?? "None")
    const share = (all: ReadonlyArray<string>, tag: string) => all.filter((found) => found === tag).length / all.length
    for (const seed of [0, 1, 2, -1, 123_456_789]) {
      const all = tags(seed)
      assert.deepStrictEqual(all, tags(seed))
      assert.approximately(share(all, "NotSent"), 0.2, 0.02)
      assert.approximately(share(all, "LoseRequest"), 0.1, 0.02)
      assert.approximately(share(all, "LoseReply"), 0.05, 0.01)
      assert.approximately(share(all, "None"), 0.65, 0.03)
    }
    assert.notDeepEqual(tags(1), tags(2))
    return Effect.void
  })

  it.effect("a plan may look at the request", () => {
    const { layer } = echo()
    return Effect.gen(function*() {
      yield* usePlan(({ keys, readOnly }) => readOnly && keys.includes("k") ? loseRequest : undefined)
      assert.strictEqual(yield* send("a"), "a")
      assert.strictEqual(yield* send("b", "EVAL_RO"), "Unknown")
    }).pipe(Effect.provide(layer))
  })
})

describeMemory("faults around a service", () => {
  const layer = Testing.layerService().pipe(Layer.provide(RedisService.layerMemory))

  it.effect("each fault is the error of its program, and reports the real outcome", () =>
    Effect.gen(function*() {
      yield* Counter.insert({ id: "a", n: 0 })
      const increment = Effect.exit(n.increment())
      yield* usePlan(sequence([notSent, loseRequest, loseReply, deliverLate(), answer("OOM x"), answer("LOADING x")]))
      assert.strictEqual(reasonIs(yield* increment, "ConnectionUnavailable").applied, false)
      reasonIs(yield* increment, "OutcomeUnknown")
      reasonIs(yield* increment, "OutcomeUnknown")
      reasonIs(yield* increment, "OutcomeUnknown")
      reasonIs(yield* increment, "OutOfMemory")
      assert.strictEqual(reasonIs(yield* increment, "ServerUnavailable").code, "LOADING")
      assert.strictEqual(yield* n.get(), 1)
      yield* release
      assert.strictEqual(yield* n.get(), 2)
      const entries = yield* log
      assert.isTrue(entries[6]?.readOnly)
      assert.deepStrictEqual(entries[0]?.keys, ["faults/Counter:{a}"])
    }).pipe(Effect.provide(layer)))

  it.effect("one of several programs fails alone, and a lost reply may be of a failure", () =>
    Effect.gen(function*() {
      yield* Counter.insert({ id: "a", n: 0 })
      yield* usePlan(sequence([undefined, loseReply, notSent, loseReply]))
      const exits = yield* Atomic.pipeline([n.increment(), n.increment(), n.increment()])
      assert.deepStrictEqual(exits[0], Exit.succeed(1))
      reasonIs(exits[1]!, "OutcomeUnknown")
      reasonIs(exits[2]!, "ConnectionUnavailable")
      assert.deepStrictEqual(yield* states, ["Answered", "Answered", "Withheld"])
      reasonIs(yield* Effect.exit(Counter.ref("none").n.increment()), "OutcomeUnknown")
      assert.strictEqual(yield* n.get(), 2)
    }).pipe(Effect.provide(layer)))
})

describeRedis("faults between a service and a server", () => {
  const live = Effect.suspend(() =>
    redis.url === undefined ? Effect.die("This run has no Redis") : Effect.succeed(redis.url)
  )
  /** A service over a transport with faults, under a prefix that no other test uses. */
  const layer = (deadline = 1000, options: RedisService.ServiceOptions = {}) =>
    Layer.unwrap(Effect.map(live, (url) => {
      const keyPrefix = uniquePrefix("faults")
      return RedisService.layerTransport({ ...options, deadline, keyPrefix }).pipe(
        Layer.provideMerge(Testing.layerTransport()),
        Layer.provide(IoRedis.layerTransport),
        Layer.provide(RedisService.layer({ url, keyPrefix }))
      )
    }))

  describe("over the transport of a live layer", () => {
    it.live("a request that was not sent is sent again, and an unknown one is not", () =>
      Effect.gen(function*() {
        yield* Counter.insert({ id: "a", n: 0 })
        yield* usePlan(sequence([notSent, notSent]))
        assert.strictEqual(yield* n.increment(), 1)
        assert.deepStrictEqual(yield* states, ["Withheld", "Withheld", "Answered"])
        yield* usePlan(sequence([loseRequest, loseReply, deliverLate()]))
        for (const _ of range(3)) reasonIs(yield* Effect.exit(n.increment()), "OutcomeUnknown")
        assert.strictEqual(yield* n.get(), 2)
        yield* release
        assert.strictEqual(yield* n.get(), 3)
        yield* Counter.delete("a")
      }).pipe(Effect.provide(layer())))

    it.live("a server that is away for good, or silent, is reported at the deadline", () =>
      Effect.gen(function*() {
        yield* Counter.insert({ id: "a", n: 0 })
        yield* usePlan(() => notSent)
        reasonIs(yield* Effect.exit(n.increment()), "ConnectionUnavailable")
        // the program waits for a connection between its attempts
        assert.isBelow((yield* log).length, 500)
        yield* usePlan(sequence([delay("1 hour")]))
        reasonIs(yield* Effect.exit(n.increment()), "OutcomeUnknown")
        // the caller has the error before the delayed request is interrupted
        yield* eventually(Effect.filterOrFail(states, ([state]) => state === "Withheld"))
        yield* usePlan(Testing.none)
        assert.strictEqual(yield* n.get(), 0)
        yield* Counter.delete("a")
      }).pipe(Effect.provide(layer(300))))

    it.live("random faults: acknowledged <= count <= acknowledged + unknown", () =>
      Effect.gen(function*() {
        yield* Counter.insert({ id: "a", n: 0 })
        yield* usePlan(Testing.random(7, [
          [0.1, notSent],
          [0.1, loseRequest],
          [0.1, loseReply],
          [0.1, deliverLate("5 millis")],
          [0.1, delay("2 millis")],
          [0.05, answer("ERR max number of clients reached")]
        ]))
        const exits = yield* Effect.forEach(
          range(8),
          () => Effect.forEach(range(50), () => Effect.exit(n.increment())),
          { concurrency: "unbounded" }
        )
        const all = exits.flat()
        const acknowledged = all.filter(Exit.isSuccess).length
        const unknown = all.filter((exit) => String(JSON.stringify(exit)).includes("OutcomeUnknown")).length
        yield* Effect.sleep("50 millis")
        yield* usePlan(Testing.none)
        const count = yield* n.get()
        assert.isAbove(unknown, 0)
        assert.isAtLeast(count, acknowledged)
        assert.isAtMost(count, acknowledged + unknown)
        yield* Counter.delete("a")
      }).pipe(Effect.provide(layer())))
  })

  it.live("random faults with exactlyOnce: every program has its answer, and the count is exact", () =>
    Effect.gen(function*() {
      yield* Counter.insert({ id: "a", n: 0 })
      yield* usePlan(Testing.random(11, [
        [0.1, notSent],
        [0.1, loseRequest],
        [0.1, loseReply],
        [0.1, deliverLate("5 millis")],
        [0.1, delay("2 millis")],
        [0.05, answer("LOADING Redis is loading the dataset in memory")]
      ]))
      const results = yield* Effect.forEach(
        range(8),
        () => Effect.forEach(range(50), () => n.increment()),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(results.flat().toSorted((a, b) => a - b), range(400).map((i) => i + 1))
      yield* Effect.sleep("50 millis")
      yield* usePlan(Testing.none)
      assert.strictEqual(yield* n.get(), 400)
      yield* Counter.delete("a")
    }).pipe(Effect.provide(layer(5000, { exactlyOnce: true }))))

  describe("the checks of a transport", () => {
    const transport = Layer.unwrap(
      Effect.map(live, (url) => IoRedis.layerTransport.pipe(Layer.provide(RedisService.layer({ url }))))
    )
    const overEffectRedis = Layer.unwrap(
      Effect.map(live, (url) =>
        EffectRedis.layerTransport({ subscriptions: "unmarked" }).pipe(
          Layer.provide(EffectRedis.layer()),
          Layer.provide(RedisService.layer({ url }))
        ))
    )

    describe.each([["over ioredis", transport], ["over Effect's service", overEffectRedis]] as const)(
      "%s",
      (name, layer) => {
        it.live.each(Testing.transportChecks(uniquePrefix(`checks-${name}`)))(
          "$name",
          ({ run }) => Effect.provide(run, layer)
        )
      }
    )

    type Transport = RedisTransport["Service"]
    const faulty: ReadonlyArray<readonly [what: string, change: (self: Transport) => Partial<Transport>]> = [
      ["is never ready", () => ({ ready: Effect.fail(new TransportError({ outcome: "NotSent" })) })],
      [
        "trims arguments",
        ({ evaluate }) => ({ evaluate: (call) => evaluate({ ...call, argument: call.argument.trim() }) })
      ],
      ["loses a key", ({ evaluate }) => ({ evaluate: (call) => evaluate({ ...call, keys: call.keys.slice(1) }) })],
      ["hides the errors of the server", ({ evaluate }) => ({
        evaluate: (call) =>
          Effect.flatMap(
            evaluate(call),
            (reply) =>
              reply._tag === "Error" ? Effect.fail(new TransportError({ outcome: "Unknown" })) : Effect.succeed(reply)
          )
      })],
      [
        "sends each call twice",
        ({ evaluate }) => ({ evaluate: (call) => Effect.andThen(evaluate(call), evaluate(call)) })
      ],
      ["accepts a write of a read-only call", ({ evaluate }) => ({
        evaluate: (call) => evaluate({ ...call, command: call.command === "EVAL_RO" ? "EVAL" : call.command })
      })],
      ["delivers each message twice", ({ subscribe }) => ({
        subscribe: (channel, listener) =>
          subscribe!(channel, (event) => {
            listener(event)
            listener(event)
          })
      })]
    ]

    it.live.each(faulty)("a transport that %s fails a check", ([, change]) =>
      Effect.gen(function*() {
        const self = yield* RedisTransport
        const failed = yield* Effect.forEach(
          Testing.transportChecks(uniquePrefix("checks")),
          ({ run }) => Effect.exit(Effect.provideService(run, RedisTransport, { ...self, ...change(self) }))
        )
        assert.isAbove(failed.filter(Exit.isFailure).length, 0)
        assert.isTrue(failed.every((exit) => Exit.isSuccess(exit) || errorOf(exit) instanceof Testing.CheckFailed))
      }).pipe(Effect.provide(transport)))
  })
})
