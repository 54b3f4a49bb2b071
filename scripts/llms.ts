/**
 * Writes `llms.txt`, the map of the pages for agents: the title of each page, and its first sentence. `npm run build` runs it, because the
 * file is in the package, and not in the repository.
 */
import * as Fs from "node:fs"
import { fileURLToPath } from "node:url"

const root = new URL("..", import.meta.url)

/** The first sentence of a paragraph, without links and line breaks. A part in parentheses or code may have a period. */
const sentenceOf = (paragraph: string): string => {
  const text = paragraph.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").replaceAll(/\s+/g, " ").trim()
  return /^.*?[.:](?= [A-Z`]|$)/.exec(text)?.[0].replace(/:$/, ".") ?? text
}

/**
 * Returns the map.
 *
 * @param pages the paths of the pages, and their texts
 */
export const map = (pages: Iterable<readonly [path: string, text: string]>): string => {
  const sections = new Map<string, Array<string>>()
  for (const [path, text] of pages) {
    const title = /^# (.+)$/m.exec(text)?.[1]
    const paragraphs = text.split(/\n{2,}/).slice(1)
    const first = paragraphs.find((paragraph) => /^[A-Za-z`[*]/.test(paragraph))
    if (title === undefined || first === undefined) throw new Error(`${path} has no title, or no sentence`)
    const folder = /^docs\/(.+)\//.exec(path)?.[1]
    const section = folder === undefined ? "Pages" : folder[0]!.toUpperCase() + folder.slice(1).replaceAll("-", " ")
    sections.set(section, [...(sections.get(section) ?? []), `- [${title}](${path}): ${sentenceOf(first)}`])
  }
  return [
    "# redlayer",
    "> The typed, transactional Redis data layer for Effect 4: models from schemas, programs that are applied completely or not at all, in one round trip.",
    "Read [AGENTS.md](AGENTS.md) first: how to write code with it, and the commonest mistakes. The types and docstrings are in `src/`.",
    ...[...sections].map(([section, lines]) => `## ${section}\n\n${lines.join("\n")}`)
  ].join("\n\n") + "\n"
}

/** Returns the pages, those of `docs/` itself first. */
export const pages = (): ReadonlyArray<readonly [path: string, text: string]> =>
  Fs.globSync("docs/**/*.md", { cwd: fileURLToPath(root) })
    .map((path) => path.replaceAll("\\", "/"))
    .sort((a, b) => a.split("/").length - b.split("/").length || (a < b ? -1 : 1))
    .map((path) => [path, Fs.readFileSync(new URL(path, root), "utf8")])

if (import.meta.main) Fs.writeFileSync(new URL("llms.txt", root), map(pages()))
