/**
 * Checks the docstrings of exports: every export of a public module has one, with `@category`, `@since` and how stable it is
 * (`@stability`); and so has every internal declaration that a public module exports again.
 */
import * as Fs from "node:fs"

const levels = ["stable", "unstable", "experimental"]

interface Declaration {
  readonly path: string
  readonly line: number
  readonly name: string
  readonly docstring: string | undefined
}

/** The docstring that ends right above a line. */
const above = (lines: ReadonlyArray<string>, at: number): string | undefined => {
  if (!/\*\/\s*$/.test(lines[at - 1] ?? "")) return undefined
  let begin = at - 1
  while (begin >= 0 && !/^\s*\/\*\*/.test(lines[begin]!)) begin--
  return begin < 0 ? undefined : lines.slice(begin, at).join("\n")
}

const declarationsOf = (path: string): ReadonlyArray<Declaration> => {
  const lines = Fs.readFileSync(path, "utf8").split("\n")
  return lines.flatMap((line, i) => {
    const name = /^export (?:declare )?(?:abstract )?(?:const|class|interface|type|function|namespace) (\w+)/.exec(line)
      ?.[1]
    return name === undefined ? [] : [{ path, line: i + 1, name, docstring: above(lines, i) }]
  })
}

const publicModules = Fs.globSync("src/*.ts").sort()
const all = new Map(Fs.globSync("src/**/*.ts").map((path) => [path.replaceAll("\\", "/"), declarationsOf(path)]))

/** The declarations that a module exports again from another one. */
const reexported = (path: string): ReadonlyArray<Declaration> => {
  const source = Fs.readFileSync(path, "utf8")
  return [...source.matchAll(/^export (?:type )?(\{[^}]*\}|\*) from "\.\/(.+)"/gm)].flatMap(({ 1: names, 2: from }) => {
    const declarations = all.get(`src/${from}`) ?? []
    const wanted = names === "*"
      ? declarations.filter(({ docstring }) => !docstring?.includes("@internal")).map(({ name }) => name)
      : [...names!.matchAll(/(?:type )?(\w+)(?: as \w+)?/g)].map(([, name]) => name!)
    return wanted.map((name) =>
      declarations.find((declaration) => declaration.name === name) ??
        { path, line: 1, name: `${name}, which is not declared in ${from}`, docstring: undefined }
    )
  })
}

/** Returns what a docstring lacks. */
const problemsOf = (docstring: string | undefined): ReadonlyArray<string> => {
  if (docstring === undefined) return ["it has no docstring"]
  if (docstring.includes("@internal")) return []
  const level = [...docstring.matchAll(/^ *\* @stability (.*)$/gm)].map(([, level]) => level!.trim())
  return [
    ...(level.length === 1 && levels.includes(level[0]!) ? [] : [`it needs one @stability of ${levels.join(", ")}`]),
    ...(/@category \w/.test(docstring) ? [] : ["it needs a @category"]),
    ...(/@since \d/.test(docstring) ? [] : ["it needs a @since"])
  ]
}

let count = 0
let exports = 0
for (const path of publicModules) {
  for (const { docstring, line, name, path: where } of [...all.get(path)!, ...reexported(path)]) {
    exports++
    for (const problem of problemsOf(docstring)) {
      count++
      console.error(`${where}:${line}: ${name}: ${problem}`)
    }
  }
}
if (exports < 250) {
  count++
  console.error(`only ${exports} exports were found`)
}
if (count > 0) process.exitCode = 1
