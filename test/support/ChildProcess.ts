/**
 * Processes of their own: a file that says what it has to say by messages.
 */
import { Cause, Data, Deferred, Effect, Exit, Queue } from "effect"
import { type ChildProcess, fork } from "node:child_process"
import { join } from "node:path"
import { inject } from "vitest"

export class ChildFailed extends Data.TaggedError("ChildFailed")<{ readonly message: string }> {}

export interface Child {
  readonly send: (message: string) => Effect.Effect<void>
  readonly signal: (signal: "SIGKILL" | "SIGSTOP" | "SIGCONT") => Effect.Effect<void>
  /** the next message; fails when the process has ended without one */
  readonly next: Effect.Effect<any, ChildFailed>
  readonly ended: Effect.Effect<void, ChildFailed>
  /** in the middle of whatever it does */
  readonly kill: Effect.Effect<void>
}

const killed = (child: ChildProcess): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
    child.once("exit", () => resume(Effect.void))
    child.kill("SIGKILL")
  })

/** Starts a file of test/workers, and kills it when the scope closes. */
export const start = Effect.fnUntraced(function*(
  file: string,
  args: ReadonlyArray<string>,
  flags: ReadonlyArray<string> = []
) {
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      fork(join(inject("workers"), file.replace(/ts$/, "mjs")), [...args], {
        execArgv: [...flags],
        stdio: ["ignore", "ignore", "pipe", "ipc"]
      })
    ),
    killed
  )
  const messages = yield* Queue.unbounded<unknown, ChildFailed>()
  const ended = Deferred.makeUnsafe<void, ChildFailed>()
  let stderr = ""
  child.stderr!.setEncoding("utf8").on("data", (text: string) => {
    stderr += text
  })
  child.on("message", (message) => Queue.offerUnsafe(messages, message))
  child.once("close", (status, signal) => {
    const failed = new ChildFailed({ message: `${file} ended with ${signal ?? status}: ${stderr}` })
    Queue.failCauseUnsafe(messages, Cause.fail(failed))
    Deferred.doneUnsafe(ended, status === 0 ? Exit.void : Exit.fail(failed))
  })
  const self: Child = {
    send: (message) => Effect.sync(() => child.send(message)),
    signal: (signal) => Effect.sync(() => child.kill(signal)),
    next: Queue.take(messages),
    ended: Deferred.await(ended),
    kill: killed(child)
  }
  return self
})
