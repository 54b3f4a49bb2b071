/**
 * One of several processes that move coins from account to account, and count each move, while their connections are killed.
 */
import { Cause, Effect, Exit, Option, Schema } from "effect"
import { Atomic, Model, RedisService } from "redlayer"
import { isRedisServiceError } from "redlayer/RedisServiceError"

export const accounts = ["a", "b", "c", "d"]

export const Account = Model.make("faults/Account", { id: Schema.String, coins: Schema.Int }, { key: "id" })

export const Moves = Model.make("faults/Moves", {
  id: Schema.String,
  count: Schema.Int.pipe(Model.withDefault(0)),
  last: Schema.Array(Schema.String).pipe(Model.withDefault([]))
}, { key: "id" })

/** What a process has heard. */
export interface Heard {
  readonly acknowledged: number
  readonly unknown: number
  /** what the acknowledged moves saw of the count: no two may see the same */
  readonly distinct: boolean
  readonly slowest: number
  readonly unexpected: ReadonlyArray<string>
}

const [url = "", me = ""] = process.argv.slice(2)

const main = Effect.gen(function*() {
  let acknowledged = 0
  let unknown = 0
  let slowest = 0
  let isOver = false
  let number = 0
  const unexpected: Array<string> = []
  const seen = new Set<number>()
  const moves = Moves.ref("all")
  const move = Effect.gen(function*() {
    const i = ++number
    const from = accounts[i % 4]!
    const to = accounts[(i + 1 + i % 3) % 4]!
    const begin = performance.now()
    const exit = yield* Effect.exit(Atomic.all({
      from: Account.ref(from).coins.decrement(1),
      to: Account.ref(to).coins.increment(1),
      count: moves.count.increment(),
      last: moves.last.append(`${me}:${i}`),
      trim: moves.last.trim(-100)
    }))
    slowest = Math.max(slowest, performance.now() - begin)
    if (Exit.isSuccess(exit)) {
      acknowledged++
      seen.add(exit.value.count)
      return
    }
    const error = Option.getOrUndefined(Cause.findErrorOption(exit.cause))
    if (isRedisServiceError(error) && error.reason._tag === "OutcomeUnknown") unknown++
    else unexpected.push(String(error))
  })
  yield* move
  process.on("message", () => {
    isOver = true
  })
  process.send!("connected")
  yield* Effect.forEach(
    Array.from({ length: 8 }),
    () => Effect.whileLoop({ while: () => !isOver, body: () => move, step: () => {} }),
    { concurrency: "unbounded", discard: true }
  )
  yield* Effect.callback<void>((resume) => {
    const heard: Heard = { acknowledged, unknown, distinct: seen.size === acknowledged, slowest, unexpected }
    process.send!(heard, () => resume(Effect.void))
  })
})

if (url !== "") {
  Effect.runPromise(Effect.provide(main, RedisService.layer({ url }))).then(
    () => process.disconnect(),
    (error) => {
      console.error(error)
      process.exit(1)
    }
  )
}
