/**
 * `npm run bench`: every row against its contender, on a server that it starts. Compare the ratios of one run: absolute figures
 * depend on the machine and its load.
 *
 *   npm run bench -- --only NAME     one row, or several
 *   npm run bench -- --json FILE     also writes the results to a file
 *   npm run bench -- --rounds 3 --slice 500 --warm-ups 1
 */
import { Effect, Exit } from "effect"
import { writeFileSync } from "node:fs"
import { parseArgs } from "node:util"
import * as RedisServer from "../test/support/RedisServer.ts"
import { header, render, type Result, toJson } from "./harness/report.ts"
import { BenchError } from "./harness/row.ts"
import { rows } from "./rows.ts"

const { values: flags } = parseArgs({
  options: {
    only: { type: "string", multiple: true, default: [] },
    json: { type: "string" },
    rounds: { type: "string", default: "7" },
    "warm-ups": { type: "string", default: "2" },
    slice: { type: "string", default: "1000" }
  }
})

const positive = (name: "rounds" | "warm-ups" | "slice"): number => {
  const value = Number(flags[name])
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} takes a number of at least 1`)
  return value
}

const program = Effect.gen(function*() {
  const unknown = flags.only.filter((name) => rows.every((row) => row.name !== name))
  if (unknown.length > 0) {
    const names = [...new Set(rows.map((row) => row.name))]
    return yield* new BenchError({ message: `no row ${unknown.join(", ")}; there are ${names.join(", ")}` })
  }
  const chosen = rows.filter((row) => flags.only.length === 0 || flags.only.includes(row.name))
  const options = { rounds: positive("rounds"), warmUps: positive("warm-ups"), sliceMillis: positive("slice") }
  const server = yield* RedisServer.start({ unrestricted: true })
  const results: Array<Result> = []
  console.log(header())
  for (const row of chosen) {
    const figures = yield* Effect.scoped(row.run(server.url, options))
    const result = { ...figures, row }
    results.push(result)
    console.log(render(result))
  }
  if (flags.json !== undefined) writeFileSync(flags.json, toJson(results))
})

const controller = new AbortController()
process.once("SIGINT", () => controller.abort())
process.once("SIGTERM", () => controller.abort())

const exit = await Effect.runPromiseExit(Effect.scoped(program), { signal: controller.signal })
if (Exit.isFailure(exit)) {
  const [reason] = exit.cause.reasons
  if (reason?._tag === "Fail") console.error(reason.error.message)
  else console.error(reason?._tag === "Interrupt" ? "interrupted" : exit.cause)
  process.exitCode = 1
}
