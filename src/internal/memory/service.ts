import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { OutcomeUnknown, RedisServiceError } from "../../RedisServiceError.ts"
import { maximumResultBytes, recordKeyOf } from "../instruction/dedup.ts"
import { type Limits, limitsOf, sizeOf, tooLarge } from "../instruction/limits.ts"
import type { Program } from "../instruction/program.ts"
import type { Reply } from "../instruction/reply.ts"
import { slotOfProgram } from "../instruction/slot.ts"
import type { RedisService } from "../service.ts"
import { interpret } from "./interpreter.ts"
import { Store } from "./store.ts"

interface Options {
  readonly limits?: Limits
  /** Whether programs of several slots fail, as on a cluster. */
  readonly refusesCrossSlot?: boolean
  /** The scope of the layer: subscriptions end with it. */
  readonly scope?: Scope.Scope
}

const encoder = new TextEncoder()

/** @internal */
export const make = (
  store = new Store(),
  { limits = limitsOf(), refusesCrossSlot = false, scope }: Options = {}
): RedisService["Service"] => {
  /** Runs one program. With an idempotency key it runs only the first time, and later commits get the first result. */
  const perform = (program: Program, millis: number): Reply | OutcomeUnknown => {
    const { idempotency } = program
    if (idempotency === undefined) return interpret(store, program, millis * 1000)
    const key = recordKeyOf(program, idempotency.key)
    const found = store.get(key, millis)
    if (found?._tag === "hash") {
      if (found.fields.get("$d") !== idempotency.identity) {
        return { _tag: "failed", failure: { _tag: "conflict", step: 0 } }
      }
      const text = found.fields.get("$r")!
      return text === "applied" ? new OutcomeUnknown({ applied: true }) : { _tag: "done", results: JSON.parse(text) }
    }
    const reply = interpret(store, program, millis * 1000)
    if (reply._tag === "done") {
      const text = JSON.stringify(reply.results)
      const isKept = encoder.encode(text).length <= maximumResultBytes
      store.entries.set(key, {
        _tag: "hash",
        fields: new Map([["$r", isKept ? text : "applied"], ["$d", idempotency.identity]]),
        expiresAt: millis + idempotency.keepFor
      })
    }
    return reply
  }

  const run = <A, E>(
    program: Program,
    clock: Clock.Clock,
    read: (reply: Reply) => Exit.Exit<A, E>
  ): Exit.Exit<A, E | RedisServiceError> => {
    const slot = refusesCrossSlot ? slotOfProgram(program) : 0
    if (typeof slot !== "number") return Exit.fail(new RedisServiceError({ reason: slot }))
    const failure = tooLarge(program, sizeOf(program), limits)
    const reply: Reply | OutcomeUnknown = failure === undefined
      ? perform(program, clock.currentTimeMillisUnsafe())
      : { _tag: "failed", failure }
    return reply._tag === "OutcomeUnknown" ? Exit.fail(new RedisServiceError({ reason: reply })) : read(reply)
  }

  return {
    execute: (program, read) => Clock.clockWith((clock) => run(program, clock, read)),
    executeAll: (programs, read) =>
      Clock.clockWith((clock) =>
        Effect.succeed(programs.map((program, i) => run(program, clock, (reply) => read(reply, i))))
      ),
    subscribe: (channel, listener) =>
      Effect.suspend(() => {
        const own = scope === undefined ? Scope.makeUnsafe() : Scope.forkUnsafe(scope)
        const hear = (text: string): void => listener({ _tag: "Message", text })
        const end = Effect.sync(() => {
          const listeners = store.listeners.get(channel)
          if (listeners?.delete(hear) === true && listeners.size === 0) store.listeners.delete(channel)
          listener({ _tag: "Ended", error: undefined })
        })
        const begin = Effect.suspend(() => {
          const listeners = store.listeners.get(channel)
          if (listeners === undefined) store.listeners.set(channel, new Set([hear]))
          else listeners.add(hear)
          return Scope.addFinalizer(own, end)
        })
        return Effect.acquireRelease(begin, () => Scope.close(own, Exit.void))
      })
  }
}
