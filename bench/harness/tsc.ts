/**
 * The compiler, as the build of the package uses it.
 */
import { Effect } from "effect"
import { readFileSync, writeFileSync } from "node:fs"
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

/** Compiles the package with further arguments into a project, whose imports with a `#` lead to what was compiled. Returns the directory. */
export const compilePackage = Effect.fnUntraced(function*(project: string, args: ReadonlyArray<string>) {
  const { imports, type } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
  writeFileSync(join(project, "package.json"), JSON.stringify({ type, imports }))
  const directory = join(project, "dist")
  // the compiler finds the target of such an import in the source, because the package is not built
  const toSource = ["--customConditions", "redlayer-source"]
  yield* tsc(["-p", join(root, "tsconfig.build.json"), ...toSource, "--outDir", directory, ...args])
  return directory
})
