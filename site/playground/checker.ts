/**
 * Checks the types of a program as it is typed, in a worker: TypeScript, over the declarations of Effect and redlayer. Both are large, so the
 * page starts it when a program is changed for the first time.
 */
import ts from "typescript"
import type { Checked, Problem } from "./messages.ts"

const main = "/program.ts"

/** Declarations by their paths: `/effect/…`, `/redlayer/…` and `/lib/…`. */
let files: Readonly<Record<string, string>> = {}
let text = ""
let version = 0

const read = (path: string): string | undefined => path === main ? text : files[path]

const join = (from: string, to: string): string => {
  const parts = from.split("/").slice(0, -1)
  for (const part of to.split("/")) {
    if (part === "..") parts.pop()
    else if (part !== ".") parts.push(part)
  }
  return parts.join("/")
}

const resolve = (name: string, from: string): string | undefined => {
  const path = name.startsWith(".") ? join(from, name.replace(/\.(js|ts)$/, "")) : `/${name}`
  return [`${path}.d.ts`, `${path}/index.d.ts`].find((candidate) => files[candidate] !== undefined)
}

const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  moduleDetection: ts.ModuleDetectionKind.Force,
  lib: ["lib.es2024.d.ts", "lib.esnext.disposable.d.ts"],
  types: [],
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: true,
  noEmit: true
}

const service = ts.createLanguageService({
  getCompilationSettings: () => options,
  getScriptFileNames: () => [main, "/globals.d.ts"],
  getScriptVersion: (path) => path === main ? String(version) : "1",
  getScriptSnapshot: (path) => {
    const found = read(path)
    return found === undefined ? undefined : ts.ScriptSnapshot.fromString(found)
  },
  getCurrentDirectory: () => "/",
  getDefaultLibFileName: () => "/lib/lib.es2024.d.ts",
  fileExists: (path) => read(path) !== undefined,
  readFile: read,
  resolveModuleNameLiterals: (literals, from) =>
    literals.map(({ text }) => {
      const path = resolve(text, from)
      return {
        resolvedModule: path === undefined
          ? undefined
          : { resolvedFileName: path, extension: ts.Extension.Dts, isExternalLibraryImport: true }
      }
    })
})

const check = (): ReadonlyArray<Problem> =>
  [...service.getSyntacticDiagnostics(main), ...service.getSemanticDiagnostics(main)].map(
    ({ length = 0, messageText, start = 0 }) => ({
      from: start,
      to: start + length,
      message: ts.flattenDiagnosticMessageText(messageText, "\n")
    })
  )

const loaded = fetch(new URL("types.json", self.location.href)).then((response) => {
  if (!response.ok) throw new Error(`the types can't be loaded: ${response.status}`)
  return response.json() as Promise<typeof files>
}).then((found) => {
  files = found
})

self.onmessage = async ({ data }: MessageEvent<{ readonly version: number; readonly text: string }>) => {
  await loaded
  // a text that came in the meantime replaces this one
  if (data.version <= version) return
  ;({ text, version } = data)
  self.postMessage({ version, problems: check() } satisfies Checked)
}
