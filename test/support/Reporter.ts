/**
 * A vitest reporter that says at the end how much of the run was on memory and how much on a real Redis. Tests are
 * told apart by the tags `[memory]` and `[redis]` in their full names, which `Backends.ts` puts there.
 */
import type { Reporter, TestModule, Vitest } from "vitest/node"
import type { ProvidedRedis } from "./globalSetup.ts"

interface Counts {
  passed: number
  failed: number
  skipped: number
}

const count = (testModules: ReadonlyArray<TestModule>, tag: string): Counts => {
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 }
  for (const testModule of testModules) {
    for (const test of testModule.children.allTests()) {
      if (test.fullName.includes(tag)) {
        const { state } = test.result()
        // a test that never finished is no success
        counts[state === "pending" ? "failed" : state]++
      }
    }
  }
  return counts
}

const show = ({ failed, passed, skipped }: Counts): string => `${passed} passed, ${failed} failed, ${skipped} skipped`

export default class BackendReporter implements Reporter {
  private vitest: Vitest | undefined

  onInit(vitest: Vitest): void {
    this.vitest = vitest
  }

  onTestRunEnd(testModules: ReadonlyArray<TestModule>): void {
    if (this.vitest === undefined) {
      return
    }
    // absent when the set-up itself failed
    const redis: ProvidedRedis | undefined = this.vitest.projects[0]?.getProvidedContext().redis
    const where = redis?.description ?? "not set up"
    this.vitest.logger.log(`on memory: ${show(count(testModules, "[memory]"))}`)
    this.vitest.logger.log(`on redis (${where}): ${show(count(testModules, "[redis]"))}\n`)
  }
}
