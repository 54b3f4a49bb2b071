/**
 * The files of the playground, made by esbuild: the runtime, with redlayer and a part of Effect; the type checker; and the declarations for it.
 */
import { build } from "esbuild"
import * as Fs from "node:fs"
import * as Path from "node:path"
import ts from "typescript"
import { declarations } from "./api.ts"
import { bundleRuntime, options } from "./runtime.ts"

const site = import.meta.dirname

const target = Path.join(site, ".public/playground")

/** TypeScript looks whether it is on Node; in a browser these modules are never asked. */
const bundleChecker = () =>
  build({
    ...options,
    entryPoints: [Path.join(site, "playground/checker.ts")],
    write: false,
    external: [
      "node:*",
      "fs",
      "path",
      "os",
      "inspector",
      "perf_hooks",
      "crypto",
      "source-map-support",
      "module",
      "url",
      "util"
    ],
    define: { "process.browser": "true" }
  })

/** The globals of a program, apart from those of the language. */
const globals = `
declare const console: { [level in "log" | "info" | "debug" | "warn" | "error"]: (...values: Array<unknown>) => void }
declare const setTimeout: (run: () => void, millis?: number) => number
declare const clearTimeout: (id: number) => void
declare const queueMicrotask: (run: () => void) => void
declare const performance: { now(): number }
declare const crypto: { randomUUID(): string }
interface AbortSignal { readonly aborted: boolean }
interface URL { readonly href: string }
declare const URL: new(url: string, base?: string) => URL
`

/** The declarations that a program can reach, without comments. The client is left out, because its own are larger than all others. */
const types = (): Record<string, string> => {
  const printer = ts.createPrinter({ removeComments: true })
  const root = Path.join(site, "playground/effect.ts")
  const own = Fs.readFileSync(Path.join(site, "playground/redlayer.ts"), "utf8")
  const modules = [...own.matchAll(/"redlayer\/(\w+)"/g)].map(([, name]) => Path.join(declarations, `${name}.d.ts`))
  const program = ts.createProgram([root, ...modules], {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    allowImportingTsExtensions: true,
    noEmit: true,
    lib: ["lib.es2024.d.ts", "lib.esnext.disposable.d.ts"],
    types: [],
    skipLibCheck: true,
    paths: { "ioredis": [Path.join(site, "playground/ioredis.d.ts")] }
  })
  const places: ReadonlyArray<readonly [RegExp, string]> = [
    [/^.*\/node_modules\/effect\/dist\//, "/effect/"],
    [/^.*\/node_modules\/typescript\/lib\//, "/lib/"],
    [/^.*\/site\/\.types\//, "/redlayer/"],
    [/^.*\/site\/playground\/ioredis\.d\.ts$/, "/ioredis.d.ts"]
  ]
  const files: Record<string, string> = {
    "/globals.d.ts": globals,
    "/effect/index.d.ts": Fs.readFileSync(root, "utf8"),
    "/redlayer/index.d.ts": own
  }
  for (const file of program.getSourceFiles()) {
    const place = places.find(([from]) => from.test(file.fileName))
    if (place !== undefined) files[file.fileName.replace(...place)] ??= printer.printFile(file)
  }
  return files
}

/** Makes the files. */
export const makeAssets = async (): Promise<void> => {
  const [runtime, checker] = await Promise.all([bundleRuntime(), bundleChecker()])
  Fs.mkdirSync(target, { recursive: true })
  Fs.writeFileSync(Path.join(target, "runtime.js"), runtime.outputFiles[0]!.contents)
  Fs.writeFileSync(Path.join(target, "checker.js"), checker.outputFiles[0]!.contents)
  Fs.writeFileSync(Path.join(target, "types.json"), JSON.stringify(types()))
}
