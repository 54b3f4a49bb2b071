/**
 * Sends the clicks from several worker processes. Each has a separate connection, and all start at the same time.
 */
import { Data, Deferred, Effect, Exit } from "effect"
import { type ChildProcess, fork } from "node:child_process"
import type { Message } from "./worker.ts"

export class WorkerFailed extends Data.TaggedError("WorkerFailed")<{ readonly message: string }> {}

/** Kills a process and waits until it has exited. */
const stop = (child: ChildProcess) =>
  Effect.callback<void>((resume) => {
    if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
    child.once("exit", () => resume(Effect.void))
    child.kill()
  })

const spawnWorker = Effect.fnUntraced(function*(code: string, share: number, advance: (count: number) => void) {
  const child = yield* Effect.acquireRelease(
    // `fork` passes on the Node.js flags of this process
    Effect.sync(() => fork(new URL("worker.ts", import.meta.url), [code, String(share)])),
    stop
  )
  const connected = Deferred.makeUnsafe<void, WorkerFailed>()
  const ended = Deferred.makeUnsafe<void, WorkerFailed>()
  child.on("message", (message: Message) => {
    if (message._tag === "Connected") Deferred.doneUnsafe(connected, Exit.void)
    else advance(message.count)
  })
  child.once("exit", (status, signal) => {
    const failed = Exit.fail(new WorkerFailed({ message: `A process ended with ${signal ?? `exit code ${status}`}` }))
    Deferred.doneUnsafe(connected, failed)
    Deferred.doneUnsafe(ended, status === 0 ? Exit.void : failed)
  })
  yield* Deferred.await(connected)
  return Effect.andThen(Effect.sync(() => child.send("start")), Deferred.await(ended))
})

const sharesOf = (total: number, parts: number): Array<number> =>
  Array.from({ length: parts }, (_, i) => Math.floor(total * (i + 1) / parts) - Math.floor(total * i / parts))

/** Starts the processes and waits until all are connected. Returns the effect that sends the clicks. */
export const connectProcesses = (code: string, total: number, processes: number, advance: (count: number) => void) =>
  Effect.forEach(sharesOf(total, processes), (share) => spawnWorker(code, share, advance), {
    concurrency: "unbounded"
  }).pipe(
    Effect.map((workers) => Effect.all(workers, { concurrency: "unbounded", discard: true }))
  )
