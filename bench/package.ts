/**
 * The cost of the package before any call: the size of a bundle, and the time to import it. Both use the compiled JavaScript, as
 * it is published.
 */
import { Effect } from "effect"
import { build } from "esbuild"
import { globSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import * as Doctest from "../test/support/doctest.ts"
import { once } from "./harness/once.ts"
import { BenchError, median } from "./harness/row.ts"
import { compilePackage } from "./harness/tsc.ts"

const root = fileURLToPath(new URL("..", import.meta.url))

/** Compiles the package into a directory that lasts as long as `use`. */
const withPackage = <A>(use: (directory: string) => Promise<A>): Promise<A> =>
  Effect.gen(function*() {
    const project = yield* Doctest.temporaryProject(root, {})
    const directory = yield* compilePackage(project, [
      "--declaration",
      "false",
      "--declarationMap",
      "false",
      "--sourceMap",
      "false"
    ])
    return yield* Effect.promise(() => use(directory))
  }).pipe(Effect.scoped, Effect.runPromise)

/** The modules that an application with a live layer needs. */
const bundled = `
export * as Model from "./Model.js"
export * as Field from "./Field.js"
export * as Atomic from "./Atomic.js"
export * as Condition from "./Condition.js"
export { layer } from "./RedisService.js"`

const bundleSize = (directory: string): Promise<number> =>
  build({
    stdin: { contents: bundled, resolveDir: directory },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "node",
    external: ["effect", "effect/*", "ioredis"],
    write: false
  }).then(({ outputFiles }) => gzipSync(outputFiles[0]!.contents, { level: 9 }).length)

const importRounds = 20

/** The time of a process to import modules, in milliseconds. */
const timeOf = async (file: string): Promise<number> => {
  const { output, status } = await Effect.runPromise(Doctest.command(process.execPath, [file], { cwd: root }))
  if (status !== 0) throw new BenchError({ message: output })
  return Number(output)
}

const importing = (file: string, modules: ReadonlyArray<string>): string => {
  const imports = modules.map((module) => `await import(${JSON.stringify(module)})`)
  writeFileSync(
    file,
    ["const start = performance.now()", ...imports, "console.log(performance.now() - start)", "process.exit()"].join(
      "\n"
    )
  )
  return file
}

export const rows = [
  once({
    name: "bundle",
    contender: "a bound",
    unit: "bytes",
    target: 1,
    measure: async () => ({ ours: await withPackage(bundleSize), theirs: 30_000 })
  }),
  once({
    name: "import",
    contender: "effect, ioredis",
    unit: "ms",
    target: 0.8,
    measure: (_redis, _url, { progress }) =>
      withPackage(async (directory) => {
        // the module over another client loads that client too
        const names = globSync("*.js", { cwd: directory }).filter((name) => name !== "NodeRedisTransport.js").sort()
        const modules = names.map((name) => `./${basename(name)}`)
        const ours = importing(join(directory, "ours.js"), modules)
        const theirs = importing(join(directory, "theirs.js"), ["effect", "ioredis"])
        const [own, their]: [Array<number>, Array<number>] = [[], []]
        // the first of each reads the files from the disk
        await timeOf(ours)
        await timeOf(theirs)
        for (let round = 0; round < importRounds; round++) {
          progress(`round ${round + 1} of ${importRounds}`)
          own.push(await timeOf(ours))
          their.push(await timeOf(theirs))
        }
        return { ours: median(own), theirs: median(their), rounds: importRounds }
      })
  })
]
