/**
 * One of several processes that claim due jobs and finish them, until it is killed or no job is left. A claim and an end are noted in
 * the job, by the program that makes them.
 */
import { Effect, Schema } from "effect"
import { Atomic, Condition, Model, Query, RedisService } from "redlayer"

export const Job = Model.make("faults/Job", {
  id: Schema.String,
  state: Schema.Literals(["waiting", "done"]).pipe(Model.withDefault("waiting")),
  runAt: Schema.Date,
  /** `claimed <worker> <from> <to>` and `finished <worker> <at>` */
  log: Schema.Array(Schema.String).pipe(Model.withDefault([]))
}, { key: "id", indexes: { due: { fields: ["runAt"], where: { state: "waiting" } } } })

/** The work of a process. */
export interface Worked {
  readonly claimed: number
  readonly finished: number
  /** whose time was over, so that another worker has it */
  readonly late: number
}

const [url = "", me = "", limit = "", lease = ""] = process.argv.slice(2)

const claim = Effect.suspend(() => {
  const now = Date.now()
  const until = now + Number(lease)
  return Query.updateAll(
    Job.by.due({ runAt: { lte: new Date(now) } }),
    ({ log, runAt }) => Atomic.all([runAt.set(new Date(until)), log.append(`claimed ${me} ${now} ${until}`)]),
    { limit: Number(limit) }
  )
})

/** Marks a job as done if it is still this worker's. Returns whether it was. */
const finish = ({ id, runAt: until }: typeof Job.Type) => {
  const { log, runAt, state } = Job.ref(id)
  return Atomic.if(Condition.and(state.eq("waiting"), runAt.eq(until)), {
    onTrue: Atomic.as(Atomic.all([state.set("done"), log.append(`finished ${me} ${Date.now()}`)]), true),
    onFalse: Atomic.succeed(false)
  })
}

const tell = (message: unknown) =>
  Effect.callback<void>((resume) => {
    process.send!(message, () => resume(Effect.void))
  })

const main = Effect.gen(function*() {
  const waiting = Query.exists(Job.by.due())
  yield* waiting
  yield* tell("connected")
  yield* Effect.callback<void>((resume) => {
    process.once("message", () => resume(Effect.void))
  })
  let claimed = 0
  let finished = 0
  let late = 0
  while (yield* waiting) {
    const jobs = yield* claim
    claimed += jobs.length
    for (const job of jobs) {
      // the work itself
      yield* Effect.sleep("2 millis")
      if (yield* finish(job)) finished++
      else late++
    }
    if (jobs.length === 0) yield* Effect.sleep("20 millis")
  }
  yield* tell({ claimed, finished, late } satisfies Worked)
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
