/**
 * The pages of the site, from those of the repository: `docs/`, README.md as the front page, and a few others. Links are made to point to
 * pages of the site, and to the repository if the site does not have their target. Nothing of this is in the Markdown itself.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { groups } from "./sidebar.ts"

const site = import.meta.dirname
const root = Path.join(site, "..")

/** The folder that VitePress reads. */
export const folder = Path.join(site, ".pages")

const repository = "https://github.com/redlayer/redlayer"

/** Files outside `docs/` that are pages. */
const others = new Map([["CHANGELOG.md", "changelog.md"], ["conformance/README.md", "conformance.md"]])

/** The page that a file of the repository is, under the address of the site. */
export const pageOf = (file: string): string | undefined =>
  others.get(file) ?? (file === "docs/README.md"
    ? "fields.md"
    : file.startsWith("docs/") && file.endsWith(".md")
    ? file.slice("docs/".length).replace(/(^|\/)README\.md$/, "$1index.md")
    : undefined)

/** The pages of `docs/`, without `.md`. */
export const allPages = (): ReadonlyArray<string> =>
  Fs.globSync("**/*.md", { cwd: Path.join(root, "docs") }).map((file) => file.replaceAll("\\", "/").slice(0, -3)).sort()

const read = (file: string): string => Fs.readFileSync(Path.join(root, file), "utf8")

/** The text of the first heading. */
const titleOf = (file: string): string => {
  const title = /^# (.+)$/m.exec(read(file))?.[1]
  if (title === undefined) throw new Error(`${file}: it has no title`)
  return title.replaceAll("`", "")
}

/** The pages of each group of the sidebar, where `folder/*` is replaced by pages. */
export const expanded = (): ReadonlyArray<{ readonly text: string; readonly pages: ReadonlyArray<string> }> => {
  const all = allPages()
  const named = new Set<string>(groups.flatMap(({ pages }) => pages))
  return groups.map(({ pages, text }) => ({
    text,
    pages: pages.filter((page) => page.endsWith("/*") || all.includes(page)).flatMap((page) =>
      page.endsWith("/*")
        ? all.filter((other) => Path.posix.dirname(other) === page.slice(0, -2) && !named.has(other))
          .sort((a, b) => titleOf(`docs/${a}.md`).localeCompare(titleOf(`docs/${b}.md`)))
        : [page]
    )
  }))
}

interface Item {
  readonly text: string
  readonly link: string
}

/** The sidebar, in the form of VitePress. */
export const sidebar = (): Array<{ text: string; collapsed: boolean; items: Array<Item> }> =>
  expanded().filter(({ pages }) => pages.length > 0).map(({ pages, text }) => ({
    text,
    collapsed: false,
    items: pages.map((page) => ({
      text: titleOf(`docs/${page}.md`),
      link: `/${pageOf(`docs/${page}.md`)!.replace(/(^|\/)index\.md$/, "$1").replace(/\.md$/, "")}`
    }))
  }))

/** Thrown when pages name what does not exist. */
export class DeadLinks extends Error {
  constructor(links: ReadonlyArray<string>) {
    super(`these links have no target:\n${links.join("\n")}`)
    this.name = "DeadLinks"
  }
}

/** Rewrites the links of a page of the repository for a page of the site. Links in code stay as they are. */
const rewrite = (file: string, page: string, text: string, dead: Array<string>): string => {
  const target = (link: string): string => {
    if (/^([a-z]+:|#|\/)/i.test(link)) return link
    const [path, hash = ""] = link.split("#", 2) as [string, string?]
    const anchor = hash === "" ? "" : `#${hash}`
    const found = Path.posix.join(Path.posix.dirname(file), path)
    const absolute = Path.join(root, found)
    if (found.startsWith("..") || !Fs.existsSync(absolute)) {
      dead.push(`${file}: ${link}`)
      return link
    }
    const isFolder = Fs.statSync(absolute).isDirectory()
    const other = isFolder && Fs.existsSync(Path.join(absolute, "README.md"))
      ? pageOf(Path.posix.join(found, "README.md"))
      : pageOf(found)
    if (other !== undefined) return relative(page, other) + anchor
    if (/\.(svg|png)$/.test(found)) {
      Fs.mkdirSync(folder, { recursive: true })
      Fs.copyFileSync(absolute, Path.join(folder, Path.basename(found)))
      return relative(page, Path.basename(found))
    }
    return `${repository}/${isFolder ? "tree" : "blob"}/main/${found.replace(/\/$/, "")}${anchor}`
  }
  let fence = ""
  return text.split("\n").map((line) => {
    const mark = /^\s*(`{3,}|~{3,})/.exec(line)?.[1]
    if (mark !== undefined && (fence === "" || mark.startsWith(fence))) fence = fence === "" ? mark : ""
    if (fence !== "" || mark !== undefined) return line
    return line.split(/(`+[^`]+`+)/).map((part, i) =>
      // code is at the odd places
      i % 2 === 1 ? part : part.replaceAll(/\]\(([^()\s]+)\)/g, (_, link: string) => `](${target(link)})`)
    ).join("")
  }).join("\n")
}

const relative = (from: string, to: string): string => {
  const path = Path.posix.relative(Path.posix.dirname(from), to)
  return path.startsWith(".") ? path : `./${path}`
}

const write = (page: string, text: string): void => {
  const file = Path.join(folder, page)
  if (Fs.existsSync(file) && Fs.readFileSync(file, "utf8") === text) return
  Fs.mkdirSync(Path.dirname(file), { recursive: true })
  Fs.writeFileSync(file, text)
}

/** The front page: the promise of README.md, and the rest of it under the words of the site. */
const front = (dead: Array<string>): string => {
  const readme = rewrite("README.md", "index.md", read("README.md"), dead)
  const [, title, promise, rest] = /^# (.+)\n+\*\*([^]+?)\*\*\n([^]*)$/.exec(readme) ?? []
  if (title === undefined) throw new Error("README.md must begin with a title and its promise in bold type")
  const data = {
    layout: "page",
    title: "The typed, transactional Redis data layer for Effect",
    pageClass: "front",
    sidebar: false
  }
  return [
    `---\n${Object.entries(data).map(([name, value]) => `${name}: ${JSON.stringify(value)}`).join("\n")}\n---`,
    "<Front>",
    `<template #promise>\n\n${promise}\n\n</template>\n`,
    "<div class=\"vp-doc\">\n",
    rest,
    "\n</div>\n",
    "</Front>\n"
  ].join("\n")
}

const sources = (): ReadonlyArray<string> => [...allPages().map((page) => `docs/${page}.md`), ...others.keys()]

/** The links of all pages whose file does not exist. */
export const linksWithoutTarget = (): ReadonlyArray<string> => {
  const dead: Array<string> = []
  for (const file of sources()) rewrite(file, pageOf(file)!, read(file), dead)
  front(dead)
  return dead
}

/** Writes all pages but those of the API. */
export const makePages = (): void => {
  const dead: Array<string> = []
  for (const file of sources()) {
    const page = pageOf(file)!
    const data = `---\neditLink: ${JSON.stringify(`${repository}/edit/main/${file}`)}\n---\n\n`
    write(page, data + rewrite(file, page, read(file), dead))
  }
  write("index.md", front(dead))
  write(
    "playground.md",
    `---\nlayout: page\ntitle: Playground\npageClass: playground\nsidebar: false\n---\n\n<Playground />\n`
  )
  if (dead.length > 0) throw new DeadLinks(dead)
}
