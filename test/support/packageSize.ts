/**
 * Prints the size of both packed packages, that of the pages by itself. Fails if the code or the pages of `redlayer` are too large, or if
 * the two versions differ. `npm run check:package` runs it after a build.
 */
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"

const root = fileURLToPath(new URL("../..", import.meta.url))

/** The maximum size of the packed tarball of `redlayer` without its pages, in bytes. */
const maximum = 900_000

/** The maximum size of its packed pages, in bytes. */
const maximumOfPages = 300_000

/** Whether a file is written for readers, and is not needed to run or to compile. */
const isPage = (path: string): boolean => /^(?:docs\/|examples\/|[A-Z]+\.md$|llms\.txt$)/.test(path)

interface Packed {
  readonly name: string
  readonly version: string
  readonly size: number
  readonly unpackedSize: number
  readonly entryCount: number
  readonly files: ReadonlyArray<{ readonly path: string; readonly size: number }>
}

const { error, status, stderr, stdout } = spawnSync(
  "npm",
  ["pack", "--dry-run", "--json", "--ignore-scripts", "--workspace", "conformance", "--include-workspace-root"],
  { cwd: root, encoding: "utf8" }
)
if (status !== 0) throw new Error(`npm pack: ${error?.message ?? stderr}`)

const packages = JSON.parse(stdout) as ReadonlyArray<Packed>
const show = (label: string, packed: number, unpacked: number, files: number): void =>
  console.log(
    `${label}: ${Math.round(packed / 1000)} kB packed, ${Math.round(unpacked / 1000)} kB unpacked, ${files} files`
  )
for (const { entryCount, name, size, unpackedSize, version } of packages) {
  show(`${name}@${version}`, size, unpackedSize, entryCount)
}

const fail = (message: string): void => {
  console.error(message)
  process.exitCode = 1
}
const library = packages.find(({ name }) => name === "redlayer")
if (library === undefined || packages.length !== 2) fail("npm pack does not list redlayer and redlayer-conformance")
else {
  const pages = library.files.filter(({ path }) => isPage(path))
  for (const needed of ["AGENTS.md", "llms.txt", "docs/README.md"]) {
    if (!pages.some(({ path }) => path === needed)) fail(`redlayer is packed without ${needed}`)
  }
  const packed = gzipSync(Buffer.concat(pages.map(({ path }) => readFileSync(join(root, path))))).length
  show("  its pages", packed, pages.reduce((sum, { size }) => sum + size, 0), pages.length)
  if (library.size - packed > maximum) fail(`redlayer without its pages is larger than ${maximum / 1000} kB packed`)
  if (packed > maximumOfPages) fail(`the pages of redlayer are larger than ${maximumOfPages / 1000} kB packed`)
}
if (new Set(packages.map(({ version }) => version)).size > 1) fail("the versions of the packages differ")
