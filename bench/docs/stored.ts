/**
 * The last run that the pages show, in `docs/performance.json`.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { type Result, toJson } from "../harness/report.ts"

export interface Machine {
  readonly processor: string
  readonly cores: number
  readonly gigabytes: number
  readonly system: string
  /** The average number of processes that wanted to run in the minute before the run. */
  readonly load: number
}

export interface Stored {
  /** The day of the run. */
  readonly date: string
  readonly machine: Machine
  /** The versions of the server, of Node and of the libraries. */
  readonly versions: Readonly<Record<string, string>>
  readonly results: ReadonlyArray<Result>
}

export const root = fileURLToPath(new URL("../..", import.meta.url))

const path = `${root}/docs/performance.json`

export const read = (): Stored => JSON.parse(readFileSync(path, "utf8")) as Stored

/** Without the parts of results, because no page shows them. Returns what is read again: rounded numbers. */
export const write = ({ results, ...stored }: Stored): Stored => {
  writeFileSync(path, toJson({ ...stored, results: results.map(({ parts: _, ...result }) => result) }))
  return read()
}
