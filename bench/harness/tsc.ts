/**
 * The compiler, as the build of the package uses it.
 */
import { Effect } from "effect"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as Doctest from "../../test/support/doctest.ts"
import { BenchError } from "./row.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))

export const tsc = Effect.fnUntraced(function*(args: ReadonlyArray<string>) {
  const outcome = yield* Doctest.command(process.execPath, [join(root, "node_modules/.bin/tsc"), ...args], {
    cwd: root
  })
  return outcome.status === 0 ? outcome.output : yield* new BenchError({ message: outcome.output.slice(0, 4000) })
})

/** Compiles the package with further arguments. */
export const compilePackage = (args: ReadonlyArray<string>): Effect.Effect<string, BenchError> =>
  tsc(["-p", join(root, "tsconfig.build.json"), ...args])
