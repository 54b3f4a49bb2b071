/**
 * The picture of the page: how far ahead redlayer is in each row.
 */
import * as Plot from "@observablehq/plot"
import { parseHTML } from "linkedom"
import type { Result } from "../harness/report.ts"
import { families } from "./families.ts"
import type { Stored } from "./stored.ts"

/** The picture follows the reader's choice of light or dark, also where a page embeds it. */
const style = `
svg { color: #1f2328; background: #ffffff; --ahead: #1a7f5a; --behind: #c2571a; }
@media (prefers-color-scheme: dark) {
  svg { color: #e6edf3; background: #0d1117; --ahead: #3fb98a; --behind: #f0883e; }
}
`

const titleOf = ({ contender, name }: Result): string => `${name} / ${contender}`
const times = (ratio: number): string => `${ratio.toFixed(ratio < 10 ? 2 : 0)} ×`

export const picture = ({ results }: Stored): string => {
  const names = families.filter(({ pictured }) => pictured).flatMap(({ rows }) => rows.map(({ name }) => name))
  const shown = names.flatMap((name) => results.filter((result) => result.name === name))
  const ahead = shown.filter(({ ratio }) => ratio >= 1)
  const behind = shown.filter(({ ratio }) => ratio < 1)
  const bar = (some: ReadonlyArray<Result>, fill: string) =>
    Plot.barX(some, { y: titleOf, x1: 1, x2: "ratio", fill, insetTop: 2, insetBottom: 2 })
  const label = (some: ReadonlyArray<Result>, textAnchor: "start" | "end") =>
    Plot.text(some, {
      y: titleOf,
      x: "ratio",
      text: ({ ratio }: Result) => times(ratio),
      textAnchor,
      dx: textAnchor === "start" ? 4 : -4
    })
  const { document } = parseHTML("<html><body></body></html>")
  const svg = Plot.plot({
    document: document as never,
    width: 860,
    height: 60 + 22 * shown.length,
    marginLeft: 260,
    marginRight: 50,
    x: {
      type: "log",
      domain: [0.1, Math.max(10, ...shown.map(({ ratio }) => ratio))],
      label: "redlayer is so many times as fast (logarithmic) →",
      ticks: [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500],
      tickFormat: (ratio: number) => String(ratio),
      grid: true
    },
    y: { domain: shown.map(titleOf), label: null },
    marks: [
      bar(ahead, "var(--ahead)"),
      bar(behind, "var(--behind)"),
      label(ahead, "start"),
      label(behind, "end"),
      Plot.ruleX([1])
    ]
  })
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg")
  svg.setAttribute("role", "img")
  svg.setAttribute("aria-label", "The ratio of each row of the table")
  const element = document.createElement("style")
  element.textContent = style
  svg.prepend(element as never)
  return svg.outerHTML + "\n"
}
