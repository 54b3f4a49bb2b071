/**
 * Writes the page about performance, its picture, and the rows that README.md quotes.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { page, quoteIn } from "./page.ts"
import { picture } from "./picture.ts"
import * as Stored from "./stored.ts"

const render = (stored: Stored.Stored): void => {
  writeFileSync(`${Stored.root}/docs/performance.md`, page(stored))
  writeFileSync(`${Stored.root}/docs/performance.svg`, picture(stored))
  const readme = `${Stored.root}/README.md`
  writeFileSync(readme, quoteIn(readFileSync(readme, "utf8"), stored))
}

/** Stores a run and shows it. */
export const write = (stored: Stored.Stored): void => render(Stored.write(stored))

/** Shows the stored run again. */
export const rewrite = (): void => render(Stored.read())
