/**
 * The page about performance is the one that `npm run bench -- --docs` writes, for the numbers of its last run.
 */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { families } from "../../bench/docs/families.ts"
import { losses, page, quotation } from "../../bench/docs/page.ts"
import { picture } from "../../bench/docs/picture.ts"
import * as Stored from "../../bench/docs/stored.ts"
import { rows } from "../../bench/rows.ts"

const read = (file: string): string => readFileSync(`${Stored.root}/${file}`, "utf8")

describe("the page about performance", () => {
  const stored = Stored.read()

  it("shows every row of the benchmark", () => {
    const measured = [...new Set(rows.map(({ name }) => name))].sort()
    assert.deepStrictEqual(families.flatMap((family) => family.rows.map(({ name }) => name)).sort(), measured)
    assert.deepStrictEqual([...new Set(stored.results.map(({ name }) => name))].sort(), measured)
  })

  it("is rendered from the stored run", () => {
    assert.strictEqual(read("docs/performance.md"), page(stored))
  })

  it("explains every row that is behind", () => {
    const pictured = families.filter((family) => family.pictured).flatMap((family) =>
      family.rows.map(({ name }) => name)
    )
    const behind = stored.results.filter(({ name, ratio }) => ratio < 1 && pictured.includes(name))
    const explained = losses.map(([name]) => name)
    assert.deepStrictEqual(behind.filter(({ name }) => !explained.includes(name)), [])
  })

  it("has the picture of the stored run", () => {
    assert.strictEqual(read("docs/performance.svg"), picture(stored))
  })

  it("is quoted in README.md", () => {
    assert.include(read("README.md"), quotation(stored))
    assert.lengthOf(quotation(stored).split("\n").filter((line) => line.startsWith("|")), 2 + 5)
  })
})
