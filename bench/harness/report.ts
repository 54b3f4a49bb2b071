/**
 * Formats the results: a table for people, and JSON for machines.
 */
import type { Figures, Row } from "./row.ts"

export interface Result extends Figures {
  readonly row: Row
}

const columns = [
  ["row", 22, "left"],
  ["contender", 18, "left"],
  ["redlayer", 10, "right"],
  ["theirs", 10, "right"],
  ["unit", 10, "left"],
  ["ratio", 6, "right"],
  ["rounds", 13, "right"],
  ["target", 7, "right"],
  ["", 8, "left"]
] as const

const line = (cells: ReadonlyArray<string>): string =>
  columns.map(([, width, side], i) => side === "left" ? cells[i]!.padEnd(width) : cells[i]!.padStart(width))
    .join("  ").trimEnd()

const amount = (value: number): string =>
  value >= 1000 ? Math.round(value).toLocaleString("en") : value.toFixed(value < 10 ? 2 : 1)

export const header = (): string => line(columns.map(([title]) => title))

export const render = ({ ours, ratio, row, spread, theirs }: Result): string =>
  line([
    row.name,
    row.contender,
    amount(ours),
    amount(theirs),
    row.unit,
    ratio.toFixed(2),
    `${spread[0].toFixed(2)}–${spread[1].toFixed(2)}`,
    row.target === undefined ? "" : `≥ ${row.target}`,
    row.target === undefined ? "" : ratio >= row.target ? "reached" : "missed"
  ])

export const toJson = (results: ReadonlyArray<Result>): string =>
  JSON.stringify(
    results.map(({ ours, ratio, rounds, row, theirs }) => ({
      name: row.name,
      contender: row.contender,
      ours,
      theirs,
      unit: row.unit,
      ratio,
      rounds
    })),
    undefined,
    2
  ) + "\n"
