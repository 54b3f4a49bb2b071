import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { RedisService } from "../../RedisService.ts"
import { RedisServiceError } from "../../RedisServiceError.ts"
import type { Program, Reply } from "../program/instruction.ts"
import { type Limits, limitsOf, sizeOf, tooLarge } from "../program/limits.ts"
import { slotOfProgram } from "../program/slot.ts"
import { interpret } from "./interpreter.ts"
import { Store } from "./store.ts"

interface Options {
  readonly limits?: Limits
  /** as on a cluster */
  readonly refusesCrossSlot?: boolean
  /** the layer's: subscriptions end with it */
  readonly scope?: Scope.Scope
}

/** @internal */
export const make = (
  store = new Store(),
  { limits = limitsOf(), refusesCrossSlot = false, scope }: Options = {}
): RedisService["Service"] => {
  const run = <A, E>(
    program: Program,
    clock: Clock.Clock,
    read: (reply: Reply) => Exit.Exit<A, E>
  ): Exit.Exit<A, E | RedisServiceError> => {
    const slot = refusesCrossSlot ? slotOfProgram(program) : 0
    if (typeof slot !== "number") return Exit.fail(new RedisServiceError({ reason: slot }))
    const failure = tooLarge(program, sizeOf(program), limits)
    return read(
      failure === undefined
        ? interpret(store, program, clock.currentTimeMillisUnsafe() * 1000)
        : { _tag: "failed", failure }
    )
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
