/**
 * Checks that prose is plain: no phrase of the list below stands in a comment, a docstring, a page or a test title. Each entry
 * says what to write instead.
 */
import { execFileSync } from "node:child_process"
import * as Fs from "node:fs"

const phrases: ReadonlyArray<readonly [RegExp, string]> = [
  [/unless said otherwise/i, "Default: x"],
  [/\b(?:is|are|was|were|be) told\b/i, "is notified, receives, is reported"],
  [/(?<!there )\bis none\b/i, "missing, unset, null, no x"],
  [/\bwhat becomes? of\b/i, "the outcome of"],
  [/\bwhat became of\b/i, "the outcome of"],
  [/\bon (?:its|their) way\b/i, "in flight"],
  [/\b(?:in|by) the way of\b/i, "as x does"],
  [/\bnobody's\b/i, "is ignored, belongs to no x"],
  [/\bwhose turn\b/i, "the next waiter"],
  [/\bfor a while\b/i, "for x seconds"],
  [/\bwhat there is\b/i, "name it"],
  [/\bas one would\b/i, "say how"],
  [/\bit is said\b/i, "name the subject"]
]

/** A comment or sentence must not begin with these: the subject comes first. */
const beginnings: ReadonlyArray<readonly [RegExp, string]> = [
  [/^(?:What|Whatever|Whoever|Who) (?!you\b)/, "begin with the subject"],
  [/^Of (?!course)/, "begin with the subject: a full noun phrase"],
  [/^(?:Also|But) where\b/, "if"],
  [/^So (?:is|are|does|do|has|have)\b/, "name what"]
]

interface Prose {
  readonly line: number
  readonly text: string
  readonly begins: boolean
}

/** The comments of a source, line by line. Strings that look like comments are rare enough here to be read too. */
const commentsOf = (source: string, marker: "//" | "--"): ReadonlyArray<Prose> => {
  const found: Array<Prose> = []
  let isBlock = false
  let isFence = false
  let isFirst = false
  for (const [i, line] of source.split("\n").entries()) {
    const single = new RegExp(`^(?:.*\\s)?${marker}\\s(.*)$`).exec(line)
    if (marker === "//" && /^\s*\/\*\*/.test(line)) {
      isBlock = true
      isFirst = true
    }
    if (isBlock) {
      const text = line.replace(/^\s*\/?\*+\/?\s?/, "").replace(/\*\/\s*$/, "").trim()
      if (text.startsWith("```")) isFence = !isFence
      else if (!isFence && text !== "") {
        found.push({ line: i + 1, text, begins: isFirst })
        isFirst = false
      }
      if (line.includes("*/")) isBlock = isFence = false
    } else if (single !== null) {
      found.push({ line: i + 1, text: single[1]!, begins: true })
    }
  }
  return found
}

const titlesOf = (source: string): ReadonlyArray<Prose> =>
  [...source.matchAll(/\b(?:test|live|effect|describe\w*|it(?:\.\w+)*)\(\s*"([^"]+)"/g)].map(({ 1: text, index }) => ({
    line: source.slice(0, index).split("\n").length,
    text: text!,
    begins: false
  }))

const pageOf = (source: string): ReadonlyArray<Prose> => {
  let isFence = false
  return source.split("\n").flatMap((text, i) => {
    if (text.startsWith("```")) isFence = !isFence
    return isFence || text.trim() === "" ? [] : [{ line: i + 1, text, begins: false }]
  })
}

const proseOf = (path: string, source: string): ReadonlyArray<Prose> =>
  path.endsWith(".md")
    ? pageOf(source)
    : path.endsWith(".lua")
    ? commentsOf(source, "--")
    : [...commentsOf(source, "//"), ...(path.includes("test") || path.includes("conformance") ? titlesOf(source) : [])]

let count = 0
const files = execFileSync("git", ["ls-files", "-co", "--exclude-standard", "*.ts", "*.lua", "*.md"], {
  encoding: "utf8"
})
for (const path of files.trim().split("\n")) {
  if (
    !Fs.existsSync(path) || path.endsWith(".generated.ts") || path === "scripts/words.ts" || path === "CHANGELOG.md"
  ) continue
  for (const { begins, line, text } of proseOf(path, Fs.readFileSync(path, "utf8"))) {
    for (const [pattern, instead] of [...phrases, ...(begins ? beginnings : [])]) {
      const match = pattern.exec(text)
      if (match === null) continue
      count++
      console.error(`${path}:${line}: "${match[0].trim()}": write instead: ${instead}`)
    }
  }
}
if (count > 0) {
  console.error(`${count} phrases that are not plain`)
  process.exitCode = 1
}
