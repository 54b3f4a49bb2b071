/**
 * The map of the pages for agents, `llms.txt`, which the build writes into the package.
 */
import { assert, it } from "@effect/vitest"
import { globSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as Llms from "../../scripts/llms.ts"
import { describeMemory } from "../support/Backends.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))

describeMemory("llms.txt", () => {
  it("every page is listed once, with its title and a sentence", () => {
    const lines = Llms.map(Llms.pages()).split("\n").filter((line) => line.startsWith("- "))
    const listed = lines.map((line) => /^- \[([^\]]+)\]\((docs\/[^)]+\.md)\): (.+)$/.exec(line)!)
    const pages = globSync("docs/**/*.md", { cwd: root })
    assert.deepStrictEqual(listed.map(([, , path]) => path!).sort(), pages.sort())
    assert.isAbove(pages.length, 30)
    for (const [, title, path, sentence] of listed) {
      assert.include(readFileSync(`${root}/${path}`, "utf8"), `# ${title}\n`)
      assert.match(sentence!, /\.$/, path)
      assert.isAtMost(sentence!.length, 300, path)
    }
  })

  it("a sentence ends at its period, and has no links", () => {
    const text = "# Title\n\n| a table |\n\nFor [v1.2](x.md), of\n`a.b`. `c` is another sentence.\n"
    assert.include(
      Llms.map([["docs/recipes/a.md", text]]),
      "## Recipes\n\n- [Title](docs/recipes/a.md): For v1.2, of `a.b`.\n"
    )
    assert.throws(() => Llms.map([["docs/a.md", "# Title\n"]]), /docs\/a.md has no title, or no sentence/)
  })

  it("the guide for agents, the map and the pages are in the package", () => {
    const { files } = JSON.parse(readFileSync(`${root}/package.json`, "utf8")) as {
      readonly files: ReadonlyArray<string>
    }
    assert.includeMembers([...files], ["AGENTS.md", "docs", "llms.txt"])
    // a path that the guide names exists
    const guide = readFileSync(`${root}/AGENTS.md`, "utf8")
    for (const [, path] of guide.matchAll(/`((?:docs|src)\/[\w/-]+\.\w+)`/g)) {
      assert.isNotEmpty(globSync(path!, { cwd: root }), path)
    }
  })
})
