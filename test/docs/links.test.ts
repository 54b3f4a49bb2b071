/**
 * Links between the pages: each one leads to a file that the package has too, and to a heading that is there.
 */
import { assert, describe, it } from "@effect/vitest"
import { existsSync, globSync, readFileSync, statSync } from "node:fs"
import { dirname, join, normalize } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))

const { files: shipped }: { readonly files: ReadonlyArray<string> } = JSON.parse(
  readFileSync(join(root, "package.json"), "utf8")
)

const pages = ["README.md", "AGENTS.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "examples/README.md"]
  .concat(globSync("docs/**/*.md", { cwd: root })).sort()

const isShipped = (path: string): boolean =>
  ["README.md", "LICENSE", "package.json"].includes(path) ||
  shipped.some((entry) => path === entry || path.startsWith(`${entry}/`)) ||
  shipped.some((entry) => entry.startsWith("src/") && /^src(\/|$)/.test(path))

const withoutCode = (text: string): string => text.replaceAll(/^( *)```[\s\S]*?^\1```$/gm, "")

/** The names of the headings, as GitHub makes them. */
const anchorsOf = (path: string): ReadonlySet<string> => {
  const counts = new Map<string, number>()
  return new Set(
    [...withoutCode(readFileSync(join(root, path), "utf8")).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => {
      const name = heading!.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase().replaceAll(
        /[^\p{L}\p{N}\s_-]/gu,
        ""
      )
        .replaceAll(/\s/g, "-")
      const count = counts.get(name) ?? 0
      counts.set(name, count + 1)
      return count === 0 ? name : `${name}-${count}`
    })
  )
}

/** The links of a page that lead nowhere. */
const deadLinksOf = (page: string): ReadonlyArray<string> =>
  [...withoutCode(readFileSync(join(root, page), "utf8")).matchAll(/\]\(([^()\s]+)\)/g)].flatMap(([, link]) => {
    if (/^[a-z]+:/.test(link!)) return []
    const [file, anchor] = link!.split("#") as [string, string?]
    const path = file === "" ? page : normalize(join(dirname(page), file))
    const isThere = existsSync(join(root, path))
    return isThere && (isShipped(path) || !isShipped(page)) &&
        (anchor === undefined || statSync(join(root, path)).isFile() && anchorsOf(path).has(anchor))
      ? []
      : [link!]
  })

describe("the links of the pages", () => {
  it("the pages have links", () => {
    const links = pages.flatMap((page) => [...readFileSync(join(root, page), "utf8").matchAll(/\]\([^()\s]+\)/g)])
    assert.isAbove(links.length, 200)
  })

  it.each(pages)("%s has no dead link, also in the package", (page) => {
    assert.deepStrictEqual(deadLinksOf(page), [])
  })
})
