/**
 * One of several processes that write to models with indexes, at random, while their connections break.
 */
import { Cause, Effect, Exit, Option } from "effect"
import { RedisService } from "redlayer"
import { isRedisServiceError } from "redlayer/RedisServiceError"
import { randomWrite } from "../faults/indexedModels.ts"
import { random } from "../faults/proxiedService.ts"

/** How many writes had which outcome. */
export interface Written {
  readonly outcomes: Readonly<Record<string, number>>
  readonly writes: Readonly<Record<string, number>>
}

const [url = "", seed = "", count = "", exactlyOnce = ""] = process.argv.slice(2)

const outcomeOf = (exit: Exit.Exit<unknown, unknown>): string => {
  if (Exit.isSuccess(exit)) return "Success"
  const error: any = Option.getOrUndefined(Cause.findErrorOption(exit.cause))
  if (error === "stop") return error
  return isRedisServiceError(error) ? error.reason._tag : error?._tag ?? Cause.pretty(exit.cause)
}

const main = Effect.gen(function*() {
  const next = random(Number(seed))
  const outcomes: Record<string, number> = {}
  const writes: Record<string, number> = {}
  const add = (counts: Record<string, number>, name: string): void => {
    counts[name] = (counts[name] ?? 0) + 1
  }
  yield* randomWrite(next)[1].pipe(Effect.exit)
  yield* Effect.callback<void>((resume) => {
    process.once("message", () => resume(Effect.void))
    process.send!("connected")
  })
  let left = Number(count)
  const write = Effect.suspend(() => {
    left--
    const [name, program] = randomWrite(next)
    add(writes, name)
    return Effect.map(Effect.exit(program), (exit) => add(outcomes, outcomeOf(exit)))
  })
  yield* Effect.forEach(
    Array.from({ length: 16 }),
    () => Effect.whileLoop({ while: () => left > 0, body: () => write, step: () => {} }),
    { concurrency: "unbounded", discard: true }
  )
  yield* Effect.callback<void>((resume) => {
    process.send!({ outcomes, writes } satisfies Written, () => resume(Effect.void))
  })
})

if (url !== "") {
  const layer = RedisService.layer({ url, deadline: "10 seconds", exactlyOnce: exactlyOnce === "true" })
  Effect.runPromise(Effect.provide(main, layer)).then(
    () => process.disconnect(),
    (error) => {
      console.error(error)
      process.exit(1)
    }
  )
}
