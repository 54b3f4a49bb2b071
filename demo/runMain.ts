/**
 * Runs a program as a process. The message of its failure is printed on stderr. Ctrl-C interrupts it, so its finalizers run.
 */
import { Cause, Effect, Exit, Option, Runtime } from "effect"

export const runMain = (main: Effect.Effect<void, { readonly message: string }>): void => {
  const fiber = Effect.runFork(main)
  const interrupt = () => fiber.interruptUnsafe()
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt)
  fiber.addObserver((exit) => {
    if (Exit.isFailure(exit) && !Cause.hasInterruptsOnly(exit.cause)) {
      const error = Cause.findErrorOption(exit.cause)
      console.error(Option.isSome(error) ? error.value.message : Cause.pretty(exit.cause))
    }
    Runtime.defaultTeardown(exit, (code) => {
      process.exitCode = code
    })
  })
}
