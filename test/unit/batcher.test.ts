/**
 * The batcher and the sender over a scripted transport: the failure of one call does not affect other calls.
 */
import { assert, it } from "@effect/vitest"
import { Context, Effect, Exit, Schema } from "effect"
import { Atomic, Model } from "redlayer"
import { limitsOf, weightOf } from "../../src/internal/instruction/limits.ts"
import { Op } from "../../src/internal/instruction/ops.ts"
import type { Program } from "../../src/internal/instruction/program.ts"
import { noSpec } from "../../src/internal/instruction/spec.ts"
import { prepare } from "../../src/internal/program/commit.ts"
import * as Batcher from "../../src/internal/redis/batcher.ts"
import * as Sender from "../../src/internal/redis/call.ts"
import { Telemetry } from "../../src/internal/redis/telemetry.ts"
import { type RedisTransport, TransportError } from "../../src/RedisTransport.ts"
import { describeMemory } from "../support/Backends.ts"

const telemetry = new Telemetry({ context: Context.empty(), spans: "call", server: undefined })

type Evaluate = RedisTransport["Service"]["evaluate"]

/** Answers calls of programs with one instruction each, whose result is 1. */
const answersOne: Evaluate = ({ keys }) =>
  Effect.succeed({ _tag: "Text", text: JSON.stringify(keys.flatMap(() => [true, 1])) })

const batcher = (
  options: {
    readonly evaluate?: Evaluate
    readonly isCluster?: boolean
    readonly deadline?: number
    readonly programs?: number
  } = {}
) =>
  Batcher.make({
    telemetry,
    waitsForReplicas: false,
    sender: Sender.make({
      transport: {
        evaluate: options.evaluate ?? answersOne,
        ready: Effect.never,
        subscribe: () => Effect.never
      } as RedisTransport["Service"],
      keyPrefix: "",
      deadline: options.deadline ?? 1000,
      runFork: Effect.runFork,
      telemetry,
      readOnlyCommands: true,
      keyOfKeyless: undefined,
      onCrossSlot: () => {}
    }),
    publishes: true,
    isCluster: options.isCluster ?? false,
    refusesCrossSlot: false,
    batch: { ...Batcher.defaultBatch, programs: options.programs ?? 2 },
    limits: limitsOf()
  })

const program = (access: Program["access"], key: string, arg: unknown): Program => ({
  access,
  instructions: [{ op: Op.get, key, spec: noSpec, args: [arg as number] }]
})

/** Returns how each program ended. */
const run = ({ executeAll }: Batcher.Batcher, programs: ReadonlyArray<Program>) =>
  Effect.map(
    executeAll(programs, (reply) => Exit.succeed(reply._tag)),
    (exits) => exits.map((exit) => Exit.isSuccess(exit) ? exit.value : Exit.hasDies(exit) ? "died" : "failed")
  )

describeMemory("a call that cannot be sent", () => {
  it.live("a call whose encoding throws fails alone, with what was thrown", () =>
    Effect.gen(function*() {
      const programs = [
        ...["a", "b"].map((key) => program("read", key, 1)),
        program("read", "c", 1),
        // JSON cannot encode a bigint
        program("read", "d", 1n),
        ...["e", "f"].map((key) => program("read", key, 1)),
        program("write", "g", 1)
      ]
      const self = batcher()
      assert.deepEqual(yield* run(self, programs), ["done", "done", "died", "died", "done", "done", "done"])
      assert.isTrue(Exit.hasDies(yield* Effect.exit(self.execute(programs[3]!, () => Exit.void))))
      yield* self.close
    }))

  it.live("a call whose transport throws fails alone", () =>
    Effect.gen(function*() {
      const evaluate: Evaluate = (call) => {
        if (call.keys.includes("c")) throw new Error("thrown")
        return answersOne(call)
      }
      const self = batcher({ evaluate })
      const programs = ["a", "b", "c", "d", "e"].map((key) => program("allowOom", key, 1))
      assert.deepEqual(yield* run(self, programs), ["done", "done", "died", "died", "done"])
      yield* self.close
    }))

  it.live("a call whose connection is refused for an unknown reason fails alone", () =>
    Effect.gen(function*() {
      const refused = new TransportError({ outcome: "NotSent", refusal: "NEWCODE canary" })
      const self = batcher({ evaluate: () => Effect.fail(refused), deadline: 20 })
      const error = yield* Effect.flip(self.execute(program("write", "a", 1), () => Exit.void))
      assert.deepInclude({ ...error.reason }, { _tag: "ServerUnavailable", code: "NEWCODE" })
      assert.strictEqual(error.reason.applied, false)
      yield* self.close
    }))

  it.live("a program that cannot be encoded does not affect the others", () =>
    Effect.gen(function*() {
      const unencodable = { access: "read", instructions: undefined } as unknown as Program
      for (const isCluster of [false, true]) {
        const self = batcher({ isCluster })
        assert.deepEqual(yield* run(self, [unencodable, program("write", "a", 1)]), ["died", "done"])
        yield* self.close
      }
    }))
})

describeMemory("the weight of a program", () => {
  const Weighed = Model.make("unit/Weighed", {
    id: Schema.String,
    own: Schema.Int.pipe(Model.indexed),
    kind: Schema.String,
    n: Schema.Int,
    text: Schema.String
  }, { key: "id", indexes: { kind: ["kind", "n"] } })
  const ref = Weighed.ref("a")
  const entity = { id: "a", own: 1, kind: "k", n: 1, text: "t" }

  it("counts the upkeep of indexes, and the entries that are read", () => {
    const weights: ReadonlyArray<readonly [weight: number, program: Atomic.Any]> = [
      [1, ref.text.set("u")],
      [1, ref.own.get()],
      [1 + 1, ref.own.increment()],
      [1 + 5 + 25, ref.n.increment()],
      [1 + 5 + 25, Weighed.insert(entity)],
      [1 + 5 + 25, Weighed.delete("a")],
      [1, Weighed.get("a")],
      [1, Weighed.rank("a", "own")],
      [1 + 2000, Weighed.top("own", 1000)],
      [1 + 4 * 400, Weighed.around("a", "own", 400)],
      [3 * 31, Atomic.all([Weighed.insert(entity), Weighed.delete("a"), Weighed.put(entity)])]
    ]
    for (const [weight, program] of weights) {
      const compiled = Effect.runSync(prepare(program as never)).program
      assert.strictEqual(weightOf(compiled), weight)
    }
  })

  it.live("bounds a call", () =>
    Effect.gen(function*() {
      const sizes: Array<number> = []
      const self = batcher({
        programs: 1000,
        evaluate: (call) => {
          sizes.push(call.keys.length)
          return answersOne(call)
        }
      })
      const programs = Array.from({ length: 300 }, (_, i) =>
        Effect.runSync(prepare(Weighed.ref(`${i}`).n.increment() as never)).program)
      yield* run(self, programs)
      assert.deepStrictEqual(sizes.length, Math.ceil(300 / Math.floor(2048 / 31)))
      yield* self.close
    }))
})
