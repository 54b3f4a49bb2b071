/**
 * The program of a page as a module, so that tests run what readers copy.
 */
import { readFileSync } from "node:fs"
import { join } from "node:path"
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
