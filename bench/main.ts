/**
 * `npm run bench`: every row against its contender, on a server that it starts. Compare the ratios of one run: absolute figures
 * depend on the machine and its load.
 *
 *   npm run bench -- --only NAME     one row, or several
 *   npm run bench -- --json FILE     also writes the results to a file
 *   npm run bench -- --verbose       also prints the parts of a result
 *   npm run bench -- --rounds 3 --slice 500 --warm-ups 1
 *   npm run bench -- --instructions  counts instructions of the server instead of time
 *   npm run bench -- --docs          also writes docs/performance.md, its picture, and the rows of README.md
 *   npm run bench -- --pages         writes these again from the last results, without a run
 */
import { Effect, Exit } from "effect"
import { writeFileSync } from "node:fs"
import { parseArgs } from "node:util"
import * as RedisServer from "../test/support/RedisServer.ts"
import { environment } from "./docs/environment.ts"
import * as Pages from "./docs/write.ts"
import { countInstructions } from "./harness/callgrind.ts"
import { isComparison } from "./harness/compare.ts"
import { isInstalled } from "./harness/installed.ts"
import { header, render, renderParts, type Result, toJson } from "./harness/report.ts"
import { BenchError, type Row } from "./harness/row.ts"
import { apart, rows } from "./rows.ts"

const { values: flags } = parseArgs({
  options: {
    only: { type: "string", multiple: true, default: [] },
    json: { type: "string" },
    verbose: { type: "boolean", default: false },
    instructions: { type: "boolean", default: false },
    docs: { type: "boolean", default: false },
    pages: { type: "boolean", default: false },
    rounds: { type: "string", default: "7" },
    "warm-ups": { type: "string", default: "2" },
    slice: { type: "string", default: "400" }
  }
})

const positive = (name: "rounds" | "warm-ups" | "slice"): number => {
  const value = Number(flags[name])
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} takes a number of at least 1`)
  return value
}

/** Shows on a terminal what a row is doing, in one line. Without a terminal each step is a line. */
const progress = (text: string): void => {
  process.stderr.write(process.stderr.isTTY ? `\r\u001B[K${text}` : `${text}\n`)
}

const printed = (text: string): void => {
  if (process.stderr.isTTY) progress("")
  console.log(text)
}

const measured = Effect.fnUntraced(function*(chosen: ReadonlyArray<Row>) {
  const options = { rounds: positive("rounds"), warmUps: positive("warm-ups"), sliceMillis: positive("slice") }
  const server = yield* RedisServer.start({ unrestricted: true })
  const about = yield* Effect.promise(() => environment(server.url))
  const results: Array<Result> = []
  printed(header())
  for (const [index, row] of chosen.entries()) {
    const { contender, name, needs, target, unit } = row
    if (needs !== undefined && !isInstalled(needs)) {
      printed(`${name.padEnd(22)}  NOT MEASURED, because ${needs} is not installed`)
      continue
    }
    const title = `${index + 1} of ${chosen.length}, ${name} (${contender})`
    const figures = yield* Effect.scoped(
      row.run(server.url, { ...options, progress: (doing) => progress(`${title}: ${doing}`) })
    )
    const result = { name, contender, unit, ...(target === undefined ? {} : { target }), ...figures }
    results.push(result)
    printed(render(result))
    if (result.note !== undefined) printed(`  ${result.note}`)
    if (flags.verbose) { for (const part of renderParts(result)) printed(part) }
  }
  return { ...about, results }
})

const program = Effect.gen(function*() {
  const all = [...rows, ...apart]
  const unknown = flags.only.filter((name) => all.every((row) => row.name !== name))
  if (unknown.length > 0) {
    const names = [...new Set(all.map((row) => row.name))]
    return yield* new BenchError({ message: `no row ${unknown.join(", ")}; there are ${names.join(", ")}` })
  }
  if (flags.pages) return Pages.rewrite()
  const chosen = flags.only.length === 0 ? rows : all.filter((row) => flags.only.includes(row.name))
  if (flags.instructions) {
    return yield* countInstructions(chosen.filter(isComparison).map((row) => row.definition), progress, printed)
  }
  if (flags.docs && flags.only.length > 0) {
    return yield* new BenchError({ message: "--docs writes the results of all rows: leave --only out" })
  }
  const run = yield* measured(chosen)
  if (flags.json !== undefined) writeFileSync(flags.json, toJson(run.results))
  if (flags.docs) Pages.write(run)
})

const controller = new AbortController()
process.once("SIGINT", () => controller.abort())
process.once("SIGTERM", () => controller.abort())

const exit = await Effect.runPromiseExit(Effect.scoped(program), { signal: controller.signal })
if (Exit.isFailure(exit)) {
  const [reason] = exit.cause.reasons
  if (reason?._tag === "Fail") console.error(reason.error.message)
  else console.error(reason?._tag === "Interrupt" ? "interrupted" : exit.cause)
  // the scope is closed, but a client of a work that was interrupted may still try to connect
  process.exit(1)
}
