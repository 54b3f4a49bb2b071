import * as Clock from "effect/Clock"
import type { RedisService } from "../../RedisService.ts"
import { defaultLimits, type Limits, tooLarge } from "../program/limits.ts"
import { interpret } from "./interpreter.ts"
import { Store } from "./store.ts"

/** @internal */
export const make = (store = new Store(), limits: Limits = defaultLimits): RedisService["Service"] => ({
  execute: (program, read) =>
    Clock.clockWith((clock) => {
      const failure = tooLarge(program, limits)
      return read(
        failure === undefined
          ? interpret(store, program, clock.currentTimeMillisUnsafe() * 1000)
          : { _tag: "failed", failure }
      )
    })
})
