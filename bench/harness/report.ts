/**
 * Formats the results: a table for people, and JSON for machines.
 */
import type { Both, Figures, Row } from "./row.ts"

/** One object of the file that `--json` writes. */
export interface Result extends Figures, Pick<Row, "name" | "contender" | "unit"> {
  readonly target?: number
}

const columns = [
  ["row", 22, "left"],
  ["contender", 18, "left"],
  ["redlayer", 10, "right"],
  ["theirs", 10, "right"],
  ["unit", 12, "left"],
  ["ratio", 7, "right"],
  ["rounds", 13, "right"],
  ["target", 7, "right"],
  ["", 7, "left"],
  ["client µs/op", 13, "right"],
  ["server µs/op", 13, "right"]
] as const

const line = (cells: ReadonlyArray<string>): string =>
  columns.map(([, width, side], i) => side === "left" ? cells[i]!.padEnd(width) : cells[i]!.padStart(width))
    .join("  ").trimEnd()

export const amount = (value: number): string =>
  value >= 1000 ? Math.round(value).toLocaleString("en") : value.toFixed(value < 10 ? 2 : 1)

const both = (numbers: Both | undefined): string =>
  numbers === undefined
    ? ""
    : [numbers.ours, numbers.theirs].map((n) => n > 0 ? amount(n) : "?").join(" / ")

export const header = (): string => line(columns.map(([title]) => title))

export const render = (
  { client, contender, name, ours, ratio, server, spread, target, theirs, unit }: Result
): string =>
  line([
    name,
    contender,
    amount(ours),
    amount(theirs),
    unit,
    ratio.toFixed(2),
    `${spread[0].toFixed(2)}–${spread[1].toFixed(2)}`,
    target === undefined ? "" : `≥ ${target}`,
    target === undefined ? "" : ratio >= target ? "reached" : "missed",
    both(client),
    both(server)
  ])

/** The parts of a result, one a line, with their quotients. */
export const renderParts = ({ parts = {} }: Result): ReadonlyArray<string> =>
  Object.entries(parts).map(([name, { ours, theirs }]) =>
    `  ${name.padEnd(40)}${amount(ours).padStart(10)}  ${amount(theirs).padStart(10)}  ${(theirs / ours).toFixed(2)}`
  )

const digits = 6

/** Numbers are rounded to six digits. A number that could not be measured is null. */
export const toJson = (value: unknown): string =>
  JSON.stringify(value, (_, part) => typeof part === "number" ? Number(part.toPrecision(digits)) : part, 2) + "\n"
