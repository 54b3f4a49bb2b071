/**
 * Markdown as `npm run format` leaves it.
 */

const escaped = (cell: string): string => cell.replaceAll("|", "\\|")

/** A table whose columns are as wide as their widest cell. */
export const table = (header: ReadonlyArray<string>, body: ReadonlyArray<ReadonlyArray<string>>): string => {
  const cells = [header, ...body].map((row) => row.map(escaped))
  const widths = header.map((_, column) => Math.max(...cells.map((row) => [...row[column]!].length)))
  const line = (row: ReadonlyArray<string>) =>
    `| ${row.map((cell, column) => cell + " ".repeat(widths[column]! - [...cell].length)).join(" | ")} |`
  return [line(cells[0]!), line(widths.map((width) => "-".repeat(width))), ...cells.slice(1).map(line)].join("\n")
}
