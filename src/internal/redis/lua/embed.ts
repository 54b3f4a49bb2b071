/**
 * Joins the Lua sources, in the order of `order.ts`, into the one generated module that the layers import, because bundlers
 * cannot read files at run time. With `--check` it writes nothing, and fails if the module is stale, or if a source uses a
 * name that it must not (`names.ts`).
 *
 * Before that it replaces what comes from the table of instructions, so that Lua holds no number and no list of them:
 *
 * - `OP.append`: the number of an instruction
 * - `FIRST.scalar`, `LAST.scalar`: the lowest and the highest number of a family
 * - `OPS.isTest(op)`, `OPS.scalar.isTest(op)`: whether `op` is one of the instructions with all of these flags and families, as
 *   a condition of comparisons
 * - `COMPARISON.lt`: the number of a comparison; `SUBTRACT`: the number of a subtraction of operands
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { Comparison, type OpInfo, ops, subtract } from "../../instruction/ops.ts"
import { checkNames, type Source } from "./names.ts"
import { apart, type Item, order } from "./order.ts"

const folder = import.meta.dirname
const target = Path.join(folder, "..", "lua.generated.ts")

const rows: ReadonlyArray<OpInfo> = Object.values<OpInfo>(ops).toSorted((a, b) => a.code - b.code)

const codesOf = (selectors: ReadonlyArray<string>): ReadonlyArray<number> => {
  const found = rows.filter((row) =>
    selectors.every((selector) => row.family === selector || row[selector as keyof OpInfo] === true)
  )
  if (found.length === 0) throw new Error(`No instruction is ${selectors.join(" and ")}`)
  return found.map(({ code }) => code)
}

/** A family is one range of numbers, so that one comparison with its first or last number finds it. */
const rangeOf = (family: string): readonly [first: number, last: number] => {
  const codes = codesOf([family])
  const [first, last] = [codes[0]!, codes.at(-1)!]
  if (rows.some((row) => row.family !== family && row.code > first && row.code < last)) {
    throw new Error(`The numbers of the family ${family} are not one range`)
  }
  return [first, last]
}

/** Three numbers or more in a row are one range. */
const conditionOf = (name: string, codes: ReadonlyArray<number>): string => {
  const conditions: Array<string> = []
  for (let i = 0; i < codes.length;) {
    let end = i + 1
    while (end < codes.length && codes[end] === codes[end - 1]! + 1) end++
    if (end - i > 2) conditions.push(`${name} >= ${codes[i]} and ${name} <= ${codes[end - 1]}`)
    else conditions.push(...codes.slice(i, end).map((code) => `${name} == ${code}`))
    i = end
  }
  return `(${conditions.join(" or ")})`
}

const numberIn = (table: Readonly<Record<string, number | { readonly code: number }>>, name: string): string => {
  const found = table[name]
  if (found === undefined) throw new Error(`The table of instructions has no ${name}`)
  return String(typeof found === "number" ? found : found.code)
}

const expand = (text: string): string =>
  text
    .replaceAll(/\bOPS\.(\w+(?:\.\w+)*)\((\w+)\)/g, (_, path: string, name: string) =>
      conditionOf(name, codesOf(path.split("."))))
    .replaceAll(/\bOP\.(\w+)/g, (_, name: string) =>
      numberIn(ops, name))
    .replaceAll(/\bFIRST\.(\w+)/g, (_, family: string) => String(rangeOf(family)[0]))
    .replaceAll(/\bLAST\.(\w+)/g, (_, family: string) => String(rangeOf(family)[1]))
    .replaceAll(/\bCOMPARISON\.(\w+)/g, (_, name: string) => numberIn(Comparison, name))
    .replaceAll(/\bSUBTRACT\b/g, String(subtract))

/** Files and families, with the text of each file. */
const sourceOf = (item: Item): Source =>
  typeof item === "string"
    ? { file: item, text: expand(Fs.readFileSync(Path.join(folder, item), "utf8")) }
    : { maker: `make${item.name[0]!.toUpperCase()}${item.name.slice(1)}`, sources: item.items.map(sourceOf) }

const join = (source: Source): string =>
  "file" in source
    ? source.text
    : `local function ${source.maker}()\n${source.sources.map(join).join("\n")}\nend\n`

const sources = order.map(sourceOf)
const lua = sources.map(join).join("\n").split("\n")
  .map((line) => line.replace(/^\s*--.*$/, "").replace(/ -- .*$/, "").trim()).filter((line) => line !== "")

const text = `// Generated from lua/*.lua by lua/embed.ts; do not edit.

/** @internal */
export const lua = ${JSON.stringify(lua, null, 2)}.join("\\n")
`

if (process.argv.includes("--check")) {
  const all = [...sources, ...apart.map(sourceOf)]
  const problems = [...await checkNames(all, Fs.readdirSync(folder).filter((name) => name.endsWith(".lua")))]
  if (!Fs.existsSync(target) || Fs.readFileSync(target, "utf8") !== text) {
    problems.push("src/internal/redis/lua.generated.ts is stale: npm run embed")
  }
  for (const problem of problems) console.error(problem)
  if (problems.length > 0) process.exitCode = 1
} else {
  Fs.writeFileSync(target, text)
}
