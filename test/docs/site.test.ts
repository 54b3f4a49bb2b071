/**
 * The pages of the site: each page of docs/ is in its sidebar, and each link has a target. `test/browser/site.test.ts` looks at the built site.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import { allPages, expanded, linksWithoutTarget } from "../../site/pages.ts"
import { bundleRuntime } from "../../site/runtime.ts"
import { groups } from "../../site/sidebar.ts"
import * as Doctest from "../support/doctest.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))

describe("the site", () => {
  it("has every page of docs/ in one group of its sidebar", () => {
    const listed = expanded().flatMap(({ pages }) => pages)
    assert.deepStrictEqual([...listed].sort(), [...allPages()].sort())
    assert.isAbove(listed.length, 30)
  })

  it("names no page in its sidebar that does not exist", () => {
    const named = groups.flatMap(({ pages }) => pages).filter((page) => !page.endsWith("/*"))
    assert.deepStrictEqual(named.filter((page) => !allPages().includes(page)), [])
  })

  it("has no link to a file that does not exist", () => {
    assert.deepStrictEqual(linksWithoutTarget(), [])
  })

  it.live(
    "has no mistake in the types of its own files and of the programs of the playground",
    () =>
      Effect.gen(function*() {
        for (const project of ["site/tsconfig.json", "site/playground/tsconfig.json"]) {
          const { output, status } = yield* Doctest.typeCheck(root, project)
          assert.strictEqual(output, "")
          assert.strictEqual(status, 0)
        }
      }),
    120_000
  )

  it("runs programs in a bundle below 250 kB gzipped with Effect, which imports nothing", async () => {
    const { metafile, outputFiles } = await bundleRuntime()
    const { length } = gzipSync(outputFiles[0]!.contents)
    console.log(`the runtime of the playground: ${Math.round(length / 1000)} kB gzipped`)
    assert.isBelow(length, 250_000)
    assert.deepStrictEqual(Object.values(metafile.outputs).flatMap(({ imports }) => imports), [])
  })
})
