import { join } from "node:path"
import { defineConfig } from "vitest/config"
import { BaseSequencer, type TestSpecification } from "vitest/node"

// `import "redlayer/..."` means src/*.ts, and `import "redlayer-conformance"` means conformance/src/index.ts.
const conditions = ["redlayer-source", "node", "import", "module", "default"]

/** The longest files run first, because the last file of a run has only one of the two workers. */
const longest = [
  "browser/site",
  "conformance",
  "differential",
  "declaredKeys",
  "docs",
  "demos",
  "cluster",
  "clusterScans",
  "clusterTransfers",
  "sentinel",
  "leaderboard",
  "nodeRedis",
  "bulk",
  "effectRedis",
  "lockProcesses"
]

class LongestFirst extends BaseSequencer {
  override async sort(files: Array<TestSpecification>): Promise<Array<TestSpecification>> {
    const place = ({ moduleId }: TestSpecification): number => {
      const found = longest.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`))
      return found < 0 ? longest.length : found
    }
    return (await super.sort(files)).toSorted((a, b) => place(a) - place(b))
  }
}

// all processes that the tests start load the same modules: what one of them has compiled the next ones read
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, "node_modules/.cache/redlayer/compiled")

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["test/**/*.test.ts", "examples/testing.ts"],
    globalSetup: ["./test/support/globalSetup.ts"],
    reporters: ["default", "./test/support/Reporter.ts"],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst }
  }
})
