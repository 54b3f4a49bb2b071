/**
 * A job that must not run twice at a time: one process holds the lock, and the others skip the job. If the process loses the
 * lock, the job is interrupted, and it can no longer write.
 *
 * `test/docs/examples.test.ts` runs it.
 */
import { Effect, Option, Schema } from "effect"
import { Atomic, Lock, Model } from "redlayer"

export class Report extends Model.Class<Report>("Report")({
  name: Schema.String,
  content: Schema.String.pipe(Model.withDefault("")),
  runs: Schema.Int.pipe(Model.withDefault(0))
}, { key: "name" }) {}

/**
 * Builds a report with `build`, unless another process is building it. Returns whether this process built it. Fails with
 * `LockLost` if the lock was lost meanwhile, and then writes nothing.
 */
export const rebuild = Effect.fn("rebuild")(function*<E, R>(name: string, build: Effect.Effect<string, E, R>) {
  const report = Report.ref(name)
  const lock = yield* Lock.tryAcquire("rebuild", { on: report, lease: "30 seconds" })
  if (Option.isNone(lock)) return false
  const content = yield* lock.value.protect(build)
  // the server checks the lock in the same program as the writes
  yield* lock.value.guard.pipe(
    Atomic.andThen(report.content.set(content)),
    Atomic.andThen(report.runs.increment())
  )
  return true
}, Effect.scoped)
