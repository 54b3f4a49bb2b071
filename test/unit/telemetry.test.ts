/**
 * The spans and metrics of programs, and of the calls that carry them.
 */
import { assert, layer } from "@effect/vitest"
import { Context, Effect, Exit, Fiber, Layer, Metric, Tracer } from "effect"
import { Atomic, RedisService } from "redlayer"
import * as Testing from "redlayer/testing"
import { Telemetry } from "../../src/internal/redis/telemetry.ts"
import { range, reasonIs, until } from "../live/liveService.ts"
import { describeMemory, describeOwnServer } from "../support/Backends.ts"
import * as RedisServer from "../support/RedisServer.ts"
import {
  areEnded,
  attributesOf,
  count,
  Counter,
  countOf,
  each,
  exitOf,
  log,
  only,
  outcomes,
  parentOf,
  recorder,
  seriesOf,
  Server,
  setup,
  Short,
  start,
  Tolerant
} from "./telemetrySetup.ts"

describeOwnServer("a span of a call", () => {
  layer(Server.layer, { excludeTestServices: true, timeout: 20_000 })((it) => {
    it.effect("the span of a call has the attributes of OpenTelemetry, and those of redlayer", () =>
      Effect.gen(function*() {
        const { port } = yield* Server
        const { calls, run } = yield* setup()
        yield* run(count.increment())
        const write = only(calls())
        assert.strictEqual(write.name, "EVALSHA")
        assert.strictEqual(write.kind, "client")
        const { "redlayer.bytes": bytes, ...attributes } = attributesOf(write)
        assert.deepStrictEqual(attributes, {
          "db.system.name": "redis",
          "db.namespace": "0",
          "server.address": "127.0.0.1",
          "server.port": port,
          "db.operation.name": "EVALSHA",
          "redlayer.attempts": 1
        })
        assert.isAbove(bytes as number, 20)
        assert.isTrue(Exit.isSuccess(exitOf(write)))
        yield* run(count.get())
        assert.strictEqual(calls()[1]?.name, "EVALSHA_RO")
        assert.strictEqual(attributesOf(calls()[1])["db.operation.name"], "EVALSHA_RO")
      }))

    it.effect("one span covers the programs of a turn, and says how many they are", () =>
      Effect.gen(function*() {
        const { calls, run } = yield* setup()
        yield* run(each(3))
        assert.strictEqual(attributesOf(only(calls()))["db.operation.batch.size"], 3)
      }))

    it.effect("the span of a call lasts as long as the call, and ends before its callers resume", () =>
      Effect.gen(function*() {
        const self = yield* setup()
        yield* self.run(Effect.gen(function*() {
          yield* Effect.withSpan(count.increment(), "request")
          areEnded(self)
          yield* self.usePlan(Testing.sequence([Testing.loseRequest]))
          yield* Effect.exit(count.increment())
          areEnded(self)
          yield* self.usePlan(Testing.sequence([Testing.answer("OOM full")]))
          yield* Effect.exit(count.increment())
          areEnded(self)
        }))
        const [call, request] = [self.calls()[0]!, self.spans.find(({ name }) => name === "request")!]
        if (call.status._tag !== "Ended" || request.status._tag !== "Ended") return assert.fail()
        assert.isTrue(call.status.startTime >= request.status.startTime)
        assert.isTrue(call.status.endTime > call.status.startTime)
        assert.isTrue(call.status.endTime <= request.status.endTime)
      }))

    it.effect("the span of a call is a child of the span around all of its programs", () =>
      Effect.gen(function*() {
        const { calls, clear, run, spans } = yield* setup()
        const bodies: ReadonlyArray<Effect.Effect<unknown, unknown, RedisService.RedisService>> = [
          count.increment(),
          Effect.all([count.increment(), countOf(1).increment()], { concurrency: "unbounded" }),
          Counter.deleteMany(range(5).map((i) => `none${i}`))
        ]
        for (const program of bodies) {
          clear()
          yield* run(Effect.withSpan(program, "request"))
          const call = only(calls())
          assert.strictEqual(parentOf(call)?.spanId, spans.find(({ name }) => name === "request")?.spanId)
          assert.deepStrictEqual(call.links, [])
        }
        // a span without propagation is skipped: the parent is the span around it
        clear()
        const hidden = Effect.withSpan(count.increment(), "hidden", {
          annotations: Context.make(Tracer.DisablePropagation, true)
        })
        yield* run(Effect.withSpan(hidden, "request"))
        assert.strictEqual(parentOf(only(calls())), spans.find(({ name }) => name === "request"))
      }))

    it.effect("the span of a call with several parents is a root with at most 32 links", () =>
      Effect.gen(function*() {
        const { calls, clear, run, spans } = yield* setup()
        for (const [programs, links] of [[3, 3], [40, 32]] as const) {
          clear()
          yield* run(each(programs))
          const call = only(calls())
          assert.isUndefined(parentOf(call))
          const requests = spans.filter(({ name }) => name.startsWith("request"))
          assert.lengthOf(requests, programs)
          assert.deepStrictEqual(
            call.links.map(({ span }) => span.spanId),
            requests.slice(0, links).map(({ spanId }) => spanId)
          )
          for (const request of requests) assert.deepStrictEqual(request.links, [])
        }
        clear()
        yield* run(Effect.all([count.increment(), Effect.withSpan(countOf(1).increment(), "request")], {
          concurrency: "unbounded"
        }))
        assert.isUndefined(parentOf(only(calls())))
        assert.lengthOf(only(calls()).links, 1)
      }))

    it.effect("the span of a call is sampled if one of the spans around it is", () =>
      Effect.gen(function*() {
        const { calls, clear, run } = yield* setup()
        const request = (i: number, sampled: boolean) => Effect.withSpan(countOf(i).increment(), "request", { sampled })
        const samples: ReadonlyArray<readonly [ReadonlyArray<boolean>, boolean]> = [
          [[true], true],
          [[false], false],
          [[false, false], false],
          [[false, true], true]
        ]
        for (const [around, expected] of samples) {
          clear()
          yield* run(
            Effect.forEach(around, (sampled, i) => request(i, sampled), { concurrency: "unbounded" })
          )
          assert.strictEqual(only(calls()).sampled, expected, String(around))
        }
      }))

    it.effect("the span of a call exists if the fiber or the layer has a tracer, and tracing is on", () =>
      Effect.gen(function*() {
        const own = recorder()
        const { calls, run, untraced } = yield* setup({ layerTracer: own.tracer })
        assert.isAbove(own.calls().length, 0)
        own.clear()
        yield* untraced(count.increment())
        assert.isUndefined(parentOf(only(own.calls())))
        yield* run(count.increment())
        only(calls())
        only(own.calls())
        yield* Effect.withTracerEnabled(untraced(count.increment()), false)
        yield* Effect.withTracer(untraced(count.increment()), Tracer.nativeTracer)
        only(own.calls())
        areEnded(own)
        const other = yield* setup()
        yield* other.untraced(count.increment())
        yield* other.run(Effect.withTracerEnabled(count.increment(), false))
        assert.deepStrictEqual(other.spans, [])
      }))

    it.effect("the span of a call counts its attempts", () =>
      Effect.gen(function*() {
        const { calls, clear, usePlan, run } = yield* setup()
        for (
          const [faults, attempts] of [
            [[Testing.answer("BUSY Redis is busy"), Testing.answer("LOADING"), undefined], 3],
            // requests that were not sent are not attempts
            [[Testing.notSent, Testing.notSent, undefined], 1],
            [[Testing.answer("NOSCRIPT No matching script"), undefined], 1],
            [[Testing.notSent, Testing.answer("TRYAGAIN"), Testing.notSent, undefined], 2]
          ] as const
        ) {
          clear()
          yield* usePlan(Testing.sequence(faults))
          yield* run(count.increment())
          const call = only(calls())
          assert.strictEqual(attributesOf(call)["redlayer.attempts"], attempts)
          assert.isTrue(Exit.isSuccess(exitOf(call)))
          assert.notProperty(attributesOf(call), "error.type")
        }
        clear()
        // a read is sent again, because it cannot be applied twice
        yield* usePlan(Testing.sequence([Testing.loseReply, Testing.loseRequest, undefined]))
        yield* run(count.get())
        assert.strictEqual(attributesOf(only(calls()))["redlayer.attempts"], 3)
      }))

    it.effect("the span of a call succeeds if a program is found to have happened", () =>
      Effect.gen(function*() {
        const { calls, usePlan, registry, run } = yield* setup({ exactlyOnce: true })
        yield* usePlan(Testing.sequence([Testing.loseReply]))
        assert.strictEqual(yield* run(count.increment()), 1)
        const call = only(calls())
        assert.strictEqual(attributesOf(call)["redlayer.attempts"], 2)
        assert.isTrue(Exit.isSuccess(exitOf(call)))
        assert.deepStrictEqual(outcomes(registry), { done: 1 })
      }))

    it.effect("the span of a failed call has the reason and the server's error code", () =>
      Effect.gen(function*() {
        const { calls, clear, usePlan, registry, run } = yield* setup({ retry: false, deadline: "300 millis" })
        const failures = [
          [Testing.loseRequest, "OutcomeUnknown", undefined, 1],
          [Testing.loseReply, "OutcomeUnknown", undefined, 1],
          [Testing.delay("1 minute"), "OutcomeUnknown", undefined, 1],
          [Testing.answer("BUSY Redis is busy"), "ServerUnavailable", "BUSY", 1],
          [Testing.answer("OOM command not allowed"), "OutOfMemory", "OOM", 1],
          [Testing.answer("NOPERM this user has no permissions"), "AccessDenied", "NOPERM", 1],
          [Testing.answer("CROSSSLOT Keys in request don't hash to the same slot"), "CrossSlot", "CROSSSLOT", 1],
          [Testing.answer("ERR unknown command"), "Unsupported", undefined, 1],
          [Testing.answer("WHATEVER it is"), "ScriptFailed", "WHATEVER", 1],
          [Testing.notSent, "ConnectionUnavailable", undefined, 0]
        ] as const
        for (const [fault, reason, code, attempts] of failures) {
          clear()
          yield* usePlan(() => fault)
          reasonIs(yield* Effect.exit(run(Effect.withSpan(count.increment(), "request"))), reason)
          const call = only(calls())
          assert.deepStrictEqual(exitOf(call), Exit.fail(reason))
          const attributes = attributesOf(call)
          assert.strictEqual(attributes["error.type"], reason)
          assert.strictEqual(attributes["db.response.status_code"], code)
          assert.strictEqual(attributes["redlayer.attempts"], attempts)
        }
        const expected: Record<string, number> = {}
        for (const [, reason] of failures) expected[reason] = (expected[reason] ?? 0) + 1
        assert.deepStrictEqual(seriesOf(registry, "db.client.operation.duration", "error.type"), expected)
        assert.deepStrictEqual(outcomes(registry), expected)
      }))

    it.effect("the span of a failed call has the reason even if every caller was interrupted", () =>
      Effect.gen(function*() {
        const { calls, clear, usePlan, registry, run } = yield* setup({ deadline: "300 millis" })
        /** Interrupts the caller once `sent` holds: in flight, or between two attempts. Returns the error of the call. */
        const interruptOnce = (self: Effect.Effect<unknown, unknown, RedisService.RedisService>, sent: () => boolean) =>
          Effect.gen(function*() {
            clear()
            const fiber = yield* Effect.forkChild(run(self), start)
            yield* until("it was sent", sent)
            yield* Fiber.interrupt(fiber)
            yield* until("its call has ended", () => calls()[0]?.status._tag === "Ended")
            assert.isTrue(Exit.isFailure(exitOf(only(calls()))))
            return attributesOf(calls()[0])["error.type"]
          })
        const isSent = () => attributesOf(calls()[0])["redlayer.bytes"] !== undefined
        // no reply arrives before the deadline
        yield* usePlan(() => Testing.delay("1 minute"))
        assert.strictEqual(yield* interruptOnce(count.increment(), isSent), "OutcomeUnknown")
        assert.strictEqual(yield* interruptOnce(count.get(), isSent), "OutcomeUnknown")
        // every attempt is refused
        let refusals = 0
        yield* usePlan(() => {
          refusals++
          return Testing.answer("BUSY Redis is busy")
        })
        assert.strictEqual(yield* interruptOnce(count.increment(), () => refusals > 1), "ServerUnavailable")
        assert.deepStrictEqual(outcomes(registry), { interrupted: 3 })
      }))

    it.effect("the span of a call succeeds if a program fails with its own error", () =>
      Effect.gen(function*() {
        const { calls, run } = yield* setup()
        yield* run(Effect.flip(Counter.ref("nobody").count.increment()))
        assert.isTrue(Exit.isSuccess(exitOf(only(calls()))))
      }))

    it.effect("a call that is divided has a failed span, and each part has one", () =>
      Effect.gen(function*() {
        const { calls, usePlan, run } = yield* setup()
        yield* usePlan(
          Testing.sequence([Testing.answer("NOPERM this user has no permissions to access one of the keys")])
        )
        yield* run(each(2))
        assert.deepStrictEqual(
          calls().map((call) => [attributesOf(call)["db.operation.batch.size"], attributesOf(call)["error.type"]]),
          [[2, "AccessDenied"], [undefined, undefined], [undefined, undefined]]
        )
      }))

    it.effect("the span of a call has the slot on a cluster, and nothing of the keys", () =>
      Effect.gen(function*() {
        const { url } = yield* RedisServer.startCluster()
        const recorded = recorder()
        yield* Effect.all([Counter.insert({ name: "a" }), Counter.insert({ name: "b" })], {
          concurrency: "unbounded"
        }).pipe(
          Effect.provide(RedisService.layer({ url })),
          Effect.withTracer(recorded.tracer)
        )
        // the results of CLUSTER KEYSLOT for `a` and `b`
        assert.deepStrictEqual(
          recorded.calls().map((call) => attributesOf(call)["redlayer.slot"]),
          [15495, 3300]
        )
      }))

    it.effect("spans: none makes no spans, and keeps the metrics", () =>
      Effect.gen(function*() {
        const { registry, run, spans } = yield* setup({ spans: "none" })
        yield* run(count.increment())
        assert.deepStrictEqual(spans, [])
        assert.deepStrictEqual(outcomes(registry), { done: 1 })
      }))
  })
})

describeOwnServer("a span of a program", () => {
  layer(Server.layer, { excludeTestServices: true, timeout: 20_000 })((it) => {
    it.effect("the span of a program is in the trace of its fiber, around its call", () =>
      Effect.gen(function*() {
        const { calls, programs, run, spans } = yield* setup({ spans: "program" })
        yield* run(Effect.withSpan(Atomic.all([count.increment(), log.append("x")]), "request"))
        const program = only(programs())
        assert.strictEqual(program.kind, "client")
        assert.deepInclude(attributesOf(program), {
          "db.system.name": "redis",
          "redlayer.access": "write",
          "redlayer.instructions": 2
        })
        assert.strictEqual(parentOf(program), spans.find(({ name }) => name === "request"))
        assert.strictEqual(parentOf(only(calls())), program)
        assert.deepStrictEqual(program.links, [])
        assert.isTrue(Exit.isSuccess(exitOf(program)))
      }))

    it.effect("the spans of a program and of a shared call are linked, both ways", () =>
      Effect.gen(function*() {
        const { calls, clear, programs, run, spans } = yield* setup({ spans: "program" })
        const bodies: ReadonlyArray<Effect.Effect<unknown, unknown, RedisService.RedisService>> = [
          each(3),
          Effect.withSpan(Counter.getMany(["a", "a1", "a2"]), "request 0")
        ]
        for (const body of bodies) {
          clear()
          yield* run(body)
          const call = only(calls())
          assert.isUndefined(parentOf(call))
          assert.lengthOf(programs(), 3)
          assert.sameMembers(call.links.map(({ span }) => span), programs())
          for (const program of programs()) {
            assert.isTrue(spans.includes(parentOf(program) as Tracer.NativeSpan))
            assert.deepStrictEqual(program.links.map(({ span }) => span), [call])
          }
        }
      }))

    it.effect("the span of a program contains its outcome, by its tag alone", () =>
      Effect.gen(function*() {
        const { clear, usePlan, programs, run } = yield* setup({ spans: "program", retry: false })
        const failsWith = Effect.fnUntraced(function*<E>(
          tag: string,
          self: Effect.Effect<unknown, E, RedisService.RedisService>
        ) {
          clear()
          assert.isTrue(Exit.isFailure(yield* Effect.exit(run(self))))
          const program = only(programs())
          assert.strictEqual(attributesOf(program)["error.type"], tag)
          assert.deepStrictEqual(exitOf(program), Exit.fail(tag))
        })
        yield* failsWith("EntityNotFound", Counter.ref("nobody").count.increment())
        yield* failsWith("Short", Atomic.guard(count.gte(5), () => new Short({ secret: "x" })))
        yield* failsWith("_OTHER", Atomic.guard(count.gte(5), () => "a text"))
        yield* failsWith(
          "Defect",
          Atomic.map(count.get(), () => {
            throw new Error("x")
          })
        )
        yield* usePlan(Testing.sequence([Testing.loseRequest]))
        yield* failsWith("OutcomeUnknown", count.increment())
      }))

    it.effect("the span of a program ends when its caller is interrupted", () =>
      Effect.gen(function*() {
        const self = yield* setup({ spans: "program", deadline: "400 millis" })
        yield* self.usePlan(() => Testing.delay("1 minute"))
        const fiber = yield* Effect.forkChild(self.run(count.increment()), start)
        yield* until("it was sent", () => self.calls().length === 1)
        yield* Fiber.interrupt(fiber)
        assert.isTrue(Exit.hasInterrupts(exitOf(only(self.programs()))))
        assert.deepStrictEqual(outcomes(self.registry), { interrupted: 1 })
        yield* self.close
        areEnded(self)
      }))
  })
})

describeOwnServer("no span is left open", () => {
  layer(Server.layer, { excludeTestServices: true, timeout: 20_000 })((it) => {
    it.effect("no span is left open when the service is closed", () =>
      Effect.gen(function*() {
        const self = yield* setup({ spans: "program", deadline: "400 millis" })
        yield* self.usePlan(({ index }) =>
          [Testing.delay("1 minute"), Testing.notSent, Testing.loseRequest, Testing.deliverLate(), undefined][index % 5]
        )
        const fibers = yield* Effect.forEach(range(30), (i) =>
          Effect.forkChild(self.run(i % 2 === 0 ? countOf(i).increment() : countOf(i).get()), start))
        yield* until("one was sent", () =>
          self.calls().length > 0)
        yield* Effect.forEach(range(5), (i) => Fiber.interrupt(fibers[i * 3]!))
        const late = yield* Effect.forkChild(self.run(count.increment()), start)
        yield* self.close
        for (const fiber of [...fibers, late]) yield* Fiber.await(fiber)
        assert.lengthOf(self.programs(), 31)
        areEnded(self)
        // every program is counted once
        assert.strictEqual(Object.values(outcomes(self.registry)).reduce((sum, n) => sum + n, 0), 31)
        const durations = seriesOf(self.registry, "db.client.operation.duration", "db.operation.name")
        // the turn has writes, so its reads travel with them
        assert.deepStrictEqual(Object.keys(durations), ["EVALSHA"])
      }))
  })
})

describeOwnServer("metrics", () => {
  layer(Server.layer, { excludeTestServices: true, timeout: 20_000 })((it) => {
    it.effect("the metrics count every program by its outcome, before its caller resumes", () =>
      Effect.gen(function*() {
        const { usePlan, registry, untraced: run } = yield* setup({ maximumProgramBytes: 1000 })
        yield* run(Effect.gen(function*() {
          yield* count.increment()
          assert.deepStrictEqual(outcomes(registry), { done: 1 })
          // the first caller that resumes finds all programs of its call counted
          const seen = yield* Effect.forEach(
            range(10),
            (i) => Effect.map(countOf(i).increment(), () => outcomes(registry).done),
            { concurrency: "unbounded" }
          )
          assert.deepStrictEqual(seen, range(10).map(() => 11))
          yield* Effect.exit(Counter.ref("nobody").count.increment())
          yield* Counter.getMany(["a", "none", "a1"])
          assert.deepStrictEqual(outcomes(registry), { done: 13, failed: 2 })
          yield* Effect.exit(Atomic.map(count.get(), () => {
            throw new Error("x")
          }))
          // a program that is too large is refused before it is sent
          yield* Effect.exit(log.append("x".repeat(2000)))
          yield* usePlan(Testing.sequence([Testing.answer("OOM full"), Testing.answer("BUSY"), undefined]))
          yield* Effect.exit(Effect.all([count.increment(), countOf(1).increment()], {
            concurrency: "unbounded",
            mode: "result"
          }))
          yield* count.increment()
          yield* Effect.timeoutOption(count.increment(), 0)
          yield* Effect.flip(Tolerant.get("none"))
        }))
        assert.deepStrictEqual(outcomes(registry), {
          done: 14,
          failed: 4,
          died: 1,
          OutOfMemory: 2,
          interrupted: 1
        })
      }))

    it.effect("the metrics have the duration of every call, by its operation and its error", () =>
      Effect.gen(function*() {
        const { usePlan, registry, untraced: run } = yield* setup()
        yield* run(Effect.all([count.increment(), countOf(1).increment(), countOf(2).get()], {
          concurrency: "unbounded"
        }))
        yield* run(count.get())
        yield* usePlan(Testing.sequence([Testing.answer("OOM full")]))
        yield* Effect.exit(run(count.increment()))
        const series = Metric.snapshotUnsafe(Context.make(Metric.MetricRegistry, registry))
          .filter(({ id }) => id === "db.client.operation.duration")
        assert.deepStrictEqual(
          series.map(({ attributes, state }) => [
            attributes,
            (state as Metric.HistogramState).count
          ]),
          [
            [{ unit: "s", "db.system.name": "redis", "db.operation.name": "EVALSHA" }, 1],
            [{ unit: "s", "db.system.name": "redis", "db.operation.name": "EVALSHA_RO" }, 1],
            [{ unit: "s", "db.system.name": "redis", "db.operation.name": "EVALSHA", "error.type": "OutOfMemory" }, 1]
          ]
        )
        for (const { state } of series) {
          const { max, min } = state as Metric.HistogramState
          assert.isAbove(min, 0)
          assert.isBelow(max, 5)
        }
      }))

    it.effect("the metrics count programs that are refused because there is no room, or the service is closed", () =>
      Effect.gen(function*() {
        const self = yield* setup({ maximumWaiting: 2 })
        yield* self.untraced(Effect.forEach(range(5), (i) => Effect.exit(countOf(i).increment()), {
          concurrency: "unbounded"
        }))
        assert.deepStrictEqual(outcomes(self.registry), { done: 2, ConnectionUnavailable: 3 })
        yield* self.close
        yield* Effect.exit(self.untraced(count.increment()))
        assert.deepStrictEqual(outcomes(self.registry), { done: 2, ConnectionUnavailable: 4 })
      }))
  })
})

describeMemory("without a tracer", () => {
  layer(Layer.empty)((it) => {
    it.effect("without a tracer nothing is noted of the caller", () =>
      Effect.sync(() => {
        for (const spans of ["call", "program"] as const) {
          const telemetry = new Telemetry({ context: Context.empty(), server: undefined, spans })
          assert.isUndefined(telemetry.committer({ instructions: [], access: "read" }))
        }
      }))

    it.effect("a transport may leave out where its server is", () =>
      Effect.gen(function*() {
        const recorded = recorder()
        const telemetry = new Telemetry({ context: Context.empty(), server: undefined, spans: "program" })
        yield* Effect.withTracer(
          Effect.sync(() =>
            telemetry.committer({ instructions: [], access: "read" })?.program?.end(undefined, Exit.void)
          ),
          recorded.tracer
        )
        assert.deepStrictEqual(attributesOf(only(recorded.spans)), {
          "db.system.name": "redis",
          "redlayer.access": "read",
          "redlayer.instructions": 0
        })
      }))
  })
})
