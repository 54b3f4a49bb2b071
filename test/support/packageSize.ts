/**
 * Prints the size of both packed packages. Fails if `redlayer` is too large, or if the two versions differ.
 * `npm run check:package` runs it after a build.
 */
import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))

/** The maximum size of the packed tarball of `redlayer`, in bytes. */
const maximum = 800_000

interface Packed {
  readonly name: string
  readonly version: string
  readonly size: number
  readonly unpackedSize: number
  readonly entryCount: number
}

const { error, status, stderr, stdout } = spawnSync(
  "npm",
  ["pack", "--dry-run", "--json", "--ignore-scripts", "--workspace", "conformance", "--include-workspace-root"],
  { cwd: root, encoding: "utf8" }
)
if (status !== 0) throw new Error(`npm pack: ${error?.message ?? stderr}`)

const packages = JSON.parse(stdout) as ReadonlyArray<Packed>
for (const { entryCount, name, size, unpackedSize, version } of packages) {
  const [packed, unpacked] = [size, unpackedSize].map((bytes) => `${Math.round(bytes / 1000)} kB`)
  console.log(`${name}@${version}: ${packed} packed, ${unpacked} unpacked, ${entryCount} files`)
}

const fail = (message: string): void => {
  console.error(message)
  process.exitCode = 1
}
const library = packages.find(({ name }) => name === "redlayer")
if (library === undefined || packages.length !== 2) fail("npm pack does not list redlayer and redlayer-conformance")
else if (library.size > maximum) fail(`redlayer is larger than ${maximum / 1000} kB packed`)
if (new Set(packages.map(({ version }) => version)).size > 1) fail("the versions of the packages differ")
