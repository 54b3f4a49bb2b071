// Joins the Lua sources, in the order of their names, into the one generated module that the layers import: bundlers cannot
// read files at run time. `OP.name` becomes the number of the instruction set. With `--check` it writes nothing, and fails
// when the module is stale or a source is not Lua 5.1.
import * as Fs from "node:fs"
import * as Path from "node:path"
import { Op } from "../../instruction/ops.ts"

const folder = import.meta.dirname
const target = Path.join(folder, "..", "lua.generated.ts")

const entriesOf = (path: string): ReadonlyArray<Fs.Dirent> =>
  Fs.readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory() || entry.name.endsWith(".lua"))
    .sort((a, b) => a.name < b.name ? -1 : 1)

const read = ({ name, parentPath }: Fs.Dirent): string => Fs.readFileSync(Path.join(parentPath, name), "utf8")

/** A folder is a function of its name, without its number, which makes what its files hold. It stands at its place. */
const family = ({ name, parentPath }: Fs.Dirent): string =>
  `local function ${name.replace(/^\d+-/, "")}()\n${
    entriesOf(Path.join(parentPath, name)).map((entry) => entry.isDirectory() ? family(entry) : read(entry)).join("\n")
  }\nend\n`

/** At the top the families stand before the last file, which calls them. */
const entries = entriesOf(folder)
const [first, last] = entries.filter((entry) => entry.isFile()).map(read)
const source = [first, ...entries.filter((entry) => entry.isDirectory()).map(family), last].join("\n")

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
