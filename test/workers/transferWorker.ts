/**
 * One of several processes that move coins from account to account, and count each move, while their connections break. It
 * takes its work as messages, and can be made wrong on purpose.
 */
import { Cause, Effect, Exit, Option, Schema } from "effect"
import { Atomic, Model, RedisService } from "redlayer"
import { isRedisServiceError } from "redlayer/RedisServiceError"
import { mutate, type Mutation } from "../faults/plantedMutations.ts"

export const accounts = ["a", "b", "c", "d"]

export const Account = Model.make("faults/Account", { id: Schema.String, coins: Schema.Int }, { key: "id" })

export const Moves = Model.make("faults/Moves", {
  id: Schema.String,
  count: Schema.Int.pipe(Model.withDefault(0)),
  last: Schema.Array(Schema.String).pipe(Model.withDefault([]))
}, { key: "id" })

/** The work of a process, until it receives the signal to stop. */
export interface Job {
  readonly url: string
  readonly me: string
  readonly exactlyOnce: boolean
  readonly mutation?: Mutation | undefined
}

/** The outcomes that a process has seen. */
export interface Heard {
  readonly acknowledged: number
  readonly unknown: number
  /** what the acknowledged moves saw of the count: no two may see the same */
  readonly distinct: boolean
  readonly slowest: number
  readonly unexpected: ReadonlyArray<string>
}

const work = Effect.fnUntraced(function*(me: string, isOver: () => boolean) {
  let acknowledged = 0
  let unknown = 0
  let slowest = 0
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
  process.send!("connected")
  yield* Effect.forEach(
    Array.from({ length: 8 }),
    () => Effect.whileLoop({ while: () => !isOver(), body: () => move, step: () => {} }),
    { concurrency: "unbounded", discard: true }
  )
  const heard: Heard = { acknowledged, unknown, distinct: seen.size === acknowledged, slowest, unexpected }
  return heard
})

let stop = () => {}

const take = (job: Job): void => {
  let isOver = false
  stop = () => {
    isOver = true
  }
  const restore = mutate(job.mutation)
  const worked = Effect.provide(
    work(job.me, () => isOver),
    RedisService.layer({ url: job.url, exactlyOnce: job.exactlyOnce })
  )
  Effect.runPromise(worked).finally(restore).then(
    (heard) => process.send!(heard),
    (error) => {
      console.error(error)
      process.exit(1)
    }
  )
}

if (process.send !== undefined && process.argv[2] === "worker") {
  process.on("message", (message: string) => message === "stop" ? stop() : take(JSON.parse(message)))
}
