import { join } from "node:path"
import { defineConfig } from "vitest/config"
import { BaseSequencer, type TestSpecification } from "vitest/node"

// `import "redlayer/..."` means src/*.ts, and `import "redlayer-conformance"` means conformance/src/index.ts.
const conditions = ["redlayer-source", "node", "import", "module", "default"]

/** Seconds of files that keep both cores busy. Beside each other they would take far longer. */
const busy = new Map([
  ["browser/site", 35],
  ["conformance/conformance", 110],
  ["differential/differential", 80],
  ["docs/docs", 80],
  ["docs/demos", 55],
  ["browser/leaderboard", 45],
  ["live/declaredKeys", 35],
  ["faults/harmless", 30]
])

/** Seconds of the longest files that mostly wait. */
const waiting = new Map([
  ["live/cluster", 38],
  ["live/clusterScans", 35],
  ["faults/lockProcesses", 30],
  ["faults/proxy", 30],
  ["docs/topologies", 28],
  ["faults/scans", 28],
  ["live/effectRedis", 27],
  ["faults/leftBehind", 25],
  ["live/nodeRedis", 25],
  ["live/sentinel", 23],
  ["live/bulk", 23],
  ["conformance/cluster", 22],
  ["faults/clusterTransfers", 17]
])

/** Seconds of each other file, about. */
const usual = 9

/** Beside a file that keeps the cores busy run files that wait, of about its length. The longest files run first. */
class BusyBesideWaiting extends BaseSequencer {
  override async sort(files: Array<TestSpecification>): Promise<Array<TestSpecification>> {
    const secondsOf = (table: ReadonlyMap<string, number>, { moduleId }: TestSpecification): number | undefined =>
      table.get(/([^/]+\/[^/]+)\.test\.ts$/.exec(moduleId)?.[1] ?? "")
    const sorted = await super.sort(files)
    const [long, rest] = [busy, waiting].map((table) =>
      sorted.filter((file) => secondsOf(table, file) !== undefined)
        .toSorted((a, b) => secondsOf(table, b)! - secondsOf(table, a)!)
    ) as [Array<TestSpecification>, Array<TestSpecification>]
    rest.push(...sorted.filter((file) => !long.includes(file) && !rest.includes(file)))
    return [
      ...long.flatMap((file) => {
        const beside = [file]
        for (let left = secondsOf(busy, file)!; left > 0 && rest.length > 0;) {
          const next = rest.shift()!
          beside.push(next)
          left -= secondsOf(waiting, next) ?? usual
        }
        return beside
      }),
      ...rest
    ]
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
    sequence: { sequencer: BusyBesideWaiting }
  }
})
