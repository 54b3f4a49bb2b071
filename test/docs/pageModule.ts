/**
 * The program of a page as a module, so that tests run what readers copy.
 */
import { afterAll, beforeAll } from "@effect/vitest"
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import { fileURLToPath } from "node:url"
import * as Doctest from "../support/doctest.ts"

export const root = fileURLToPath(new URL("../..", import.meta.url))

export const textOf = (file: string): string => readFileSync(join(root, file), "utf8")

/** The first program of a page: all of its names are exported, and nothing runs. */
export const moduleOf = (file: string): string => {
  const [example] = Doctest.extract(file, textOf(file))
  if (example === undefined) throw new Doctest.DoctestError({ message: `${file} has no program` })
  const [body] = example.source.split(/^(?:const \w+ = )?await Effect\.runPromise/m) as [string]
  const names = [...body.matchAll(/^(?:const|class) (\w+)/gm)].map(([, name]) => name)
  return `${body}\nexport { ${names.join(", ")} }\n`
}

/** The recipes, by the names of their pages. */
export const recipes: ReadonlyArray<string> = globSync("docs/recipes/*.md", { cwd: root })
  .map((file) => basename(file, ".md"))
  .filter((page) => page !== "README")
  .sort()

/** Loads the recipes before the tests of a file. The result gives all that the program of a page names. */
export const useRecipes = (): (page: string) => Record<string, any> => {
  const modules = new Map<string, Record<string, any>>()
  let directory = ""
  beforeAll(async () => {
    mkdirSync(join(root, ".doctest"), { recursive: true })
    directory = mkdtempSync(join(root, ".doctest", "recipes-"))
    for (const page of recipes) {
      const file = join(directory, `${page}.ts`)
      writeFileSync(file, moduleOf(`docs/recipes/${page}.md`))
      modules.set(page, await import(/* @vite-ignore */ file))
    }
  })
  afterAll(() => rmSync(directory, { recursive: true, force: true }))
  return (page) => modules.get(page)!
}
