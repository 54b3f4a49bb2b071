/**
 * The memory layer: a service that runs programs on a store in this process. A program runs synchronously, so programs
 * never interleave.
 *
 * May import: text, instruction, service, the errors.
 * Must not know: schemas, nodes, handles, models, Redis commands.
 * Invariant: a program leaves the same keys, texts and reply as the Lua script does. The differential tests compare them.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { ConnectionUnavailable, OutcomeUnknown, RedisServiceError } from "../../RedisServiceError.ts"
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
  /** The scope of the layer: when it closes, subscriptions end, and programs are refused. Default: none. */
  readonly scope?: Scope.Scope
}

const encoder = new TextEncoder()

const closed = Exit.fail(new RedisServiceError({ reason: new ConnectionUnavailable({ code: "CLOSED" }) }))

/** @internal */
export const make = (
  store = new Store(),
  { limits = limitsOf(), refusesCrossSlot = false, scope }: Options = {}
): RedisService["Service"] => {
  // a child, because what is added to the scope later ends before it, and may still use the service
  const own = scope === undefined ? Scope.makeUnsafe() : Scope.forkUnsafe(scope)

  /** Runs a program, unless a program with its idempotency key has run. Then returns the results of the first one. */
  const runOnce = (program: Program, millis: number): Reply | OutcomeUnknown => {
    const { idempotency } = program
    if (idempotency === undefined) return interpret(store, program, millis * 1000, limits.valueBytes)
    const key = recordKeyOf(program, idempotency.key)
    const record = store.get(key, millis)
    if (record?._tag === "hash") {
      if (record.fields.get("$d") !== idempotency.identity) {
        return { _tag: "failed", failure: { _tag: "conflict", step: 0 } }
      }
      const text = record.fields.get("$r")!
      return text === "applied" ? new OutcomeUnknown({ applied: true }) : { _tag: "done", results: JSON.parse(text) }
    }
    const reply = interpret(store, program, millis * 1000, limits.valueBytes)
    if (reply._tag === "done") {
      const text = JSON.stringify(reply.results)
      const isKept = encoder.encode(text).length <= maximumResultBytes
      store.values.set(key, {
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
    if (own.state._tag === "Closed") return closed
    const slot = refusesCrossSlot ? slotOfProgram(program) : 0
    if (typeof slot !== "number") return Exit.fail(new RedisServiceError({ reason: slot }))
    const failure = tooLarge(program, sizeOf(program), limits)
    const reply: Reply | OutcomeUnknown = failure === undefined
      ? runOnce(program, clock.currentTimeMillisUnsafe())
      : { _tag: "failed", failure }
    return reply._tag === "OutcomeUnknown" ? Exit.fail(new RedisServiceError({ reason: reply })) : read(reply)
  }

  /** In groups, as the pages of a server. The iterator of a map sees each key once, whatever is written meanwhile. */
  const keysFrom = function*(start: string, now: () => number): Iterable<ReadonlyArray<string>> {
    let page: Array<string> = []
    let seen = 0
    for (const key of store.values.keys()) {
      if (key.startsWith(start) && store.get(key, now()) !== undefined) page.push(key)
      if (++seen % 1000 > 0) continue
      yield page
      page = []
    }
    yield page
  }

  return {
    scan: (start) =>
      Stream.unwrap(Clock.clockWith((clock) =>
        own.state._tag === "Closed"
          ? closed
          : Effect.succeed(
            Stream.fromIterable(keysFrom(start, () => clock.currentTimeMillisUnsafe()), { chunkSize: 1 })
          )
      )),
    execute: (program, read) => Clock.clockWith((clock) => run(program, clock, read)),
    executeAll: (programs, read) =>
      Clock.clockWith((clock) =>
        Effect.succeed(programs.map((program, i) => run(program, clock, (reply) => read(reply, i))))
      ),
    subscribe: (channel, listener) =>
      Effect.suspend(() => {
        if (own.state._tag === "Closed") return closed
        const subscription = Scope.forkUnsafe(own)
        const notify = (text: string): void => listener({ _tag: "Message", text })
        const end = Effect.sync(() => {
          const listeners = store.listeners.get(channel)
          if (listeners?.delete(notify) === true && listeners.size === 0) store.listeners.delete(channel)
          listener({ _tag: "Ended", error: undefined })
        })
        const begin = Effect.suspend(() => {
          const listeners = store.listeners.get(channel)
          if (listeners === undefined) store.listeners.set(channel, new Set([notify]))
          else listeners.add(notify)
          return Scope.addFinalizer(subscription, end)
        })
        return Effect.acquireRelease(begin, () => Scope.close(subscription, Exit.void))
      })
  }
}
