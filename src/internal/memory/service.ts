import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { RedisService } from "../../RedisService.ts"
import type { Program, Reply } from "../program/instruction.ts"
import { defaultLimits, type Limits, tooLarge } from "../program/limits.ts"
import { interpret } from "./interpreter.ts"
import { Store } from "./store.ts"

/**
 * @param scope the layer's: subscriptions end with it
 * @internal
 */
export const make = (
  store = new Store(),
  limits: Limits = defaultLimits,
  scope?: Scope.Scope
): RedisService["Service"] => {
  const run = (program: Program, clock: Clock.Clock): Reply => {
    const failure = tooLarge(program, limits)
    return failure === undefined
      ? interpret(store, program, clock.currentTimeMillisUnsafe() * 1000)
      : { _tag: "failed", failure }
  }

  return {
    execute: (program, read) => Clock.clockWith((clock) => read(run(program, clock))),
    executeAll: (programs, read) =>
      Clock.clockWith((clock) => Effect.succeed(programs.map((program, i) => read(run(program, clock), i)))),
    subscribe: (channel, listener) =>
      Effect.suspend(() => {
        const own = scope === undefined ? Scope.makeUnsafe() : Scope.forkUnsafe(scope)
        const hear = (of: string, text: string): void => {
          if (of === channel) listener({ _tag: "Message", text })
        }
        const end = Effect.sync(() => {
          store.listeners.delete(hear)
          listener({ _tag: "Ended", error: undefined })
        })
        const begin = Effect.suspend(() => {
          store.listeners.add(hear)
          return Scope.addFinalizer(own, end)
        })
        return Effect.acquireRelease(begin, () => Scope.close(own, Exit.void))
      })
  }
}
