// Joins the Lua sources, in the order of their names, into the one generated module that the layers import: bundlers cannot
// read files at run time. `OP.name` becomes the number of the instruction set. With `--check` it writes nothing, and fails
// when the module is stale or a source is not Lua 5.1.
import * as Fs from "node:fs"
import * as Path from "node:path"
import { Op } from "../../program/instruction.ts"

const folder = import.meta.dirname
const target = Path.join(folder, "..", "lua.generated.ts")

const read = (path: string): string =>
  Fs.readdirSync(path).filter((name) => name.endsWith(".lua")).sort()
    .map((name) => Fs.readFileSync(Path.join(path, name), "utf8")).join("\n")

/** A folder is a function of its name, which makes what its files hold. It stands before the last file, which calls it. */
const families = Fs.readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  .map((entry) => `local function ${entry.name}()\n${read(Path.join(folder, entry.name))}\nend\n`).sort().join("\n")
const [first, last] = Fs.readdirSync(folder).filter((name) => name.endsWith(".lua")).sort()
  .map((name) => Fs.readFileSync(Path.join(folder, name), "utf8"))
const source =
  `${first}\nlocal apply, sized, execute, recover -- of the families, made when first needed\n${families}\n${last}`

const lua = source.split("\n").map((line) => line.replace(/^\s*--.*$/, "").replace(/ -- .*$/, "").trim())
  .filter((line) => line !== "").join("\n")
  .replaceAll(/\bOP\.(\w+)/g, (_, name: string) => {
    const op = (Op as Record<string, number>)[name]
    if (op === undefined) throw new Error(`No instruction is called ${name}`)
    return String(op)
  })

const text = `// Generated from lua/*.lua by lua/embed.ts; do not edit.

/** @internal */
export const lua = ${JSON.stringify(lua.split("\n"), null, 2)}.join("\\n")
`

if (process.argv.includes("--check")) {
  const { default: Parser } = await import("luaparse")
  Parser.parse(lua, { luaVersion: "5.1", encodingMode: "x-user-defined" })
  if (!Fs.existsSync(target) || Fs.readFileSync(target, "utf8") !== text) {
    console.error("src/internal/redis/lua.generated.ts is stale: npm run embed")
    process.exitCode = 1
  }
} else {
  Fs.writeFileSync(target, text)
}
