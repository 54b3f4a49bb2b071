/**
 * Many entities in a process that has 200 MB of heap. In memory they are fewer, because the process stores them too.
 */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { describeMemory, describeOwnServer } from "../support/Backends.ts"
import * as Child from "../support/ChildProcess.ts"
import * as RawRedis from "../support/RawRedis.ts"
import * as RedisServer from "../support/RedisServer.ts"
import type { Report } from "../workers/bulkWorker.ts"

const totals = { memory: 15_000, server: 50_000 }
const megabytes = 200

const parts = [
  "insertMany",
  "getMany",
  "getManyStream",
  "deleteMany",
  "insertManyStream",
  "getManyStream again",
  "deleteManyStream"
]

const run = Effect.fnUntraced(function*(where: string, total: number) {
  // a process that needs more is ended by V8
  const child = yield* Child.start("bulkWorker.ts", [where, String(total)], [`--max-old-space-size=${megabytes}`])
  const lines: Array<string> = []
  for (const part of parts) {
    const report: Report = yield* child.next
    assert.deepInclude(report, { part, done: total, good: total })
    lines.push(`${part} ${report.millis} ms, ${report.heap} MB`)
  }
  yield* child.ended
  return lines.join("; ")
})

describeMemory("many entities", () => {
  it.live(
    "15,000 entities fit into 200 MB, in memory",
    () => Effect.map(run("memory", totals.memory), (line) => console.log(`bulk in memory: ${line}`)),
    120_000
  )
})

describeOwnServer("many entities", () => {
  it.live("50,000 entities fit into 200 MB, on a server", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.start()
      const raw = yield* RawRedis.make(server.url)
      const line = yield* run(server.url, totals.server)
      assert.strictEqual(yield* Effect.map(raw.call("DBSIZE"), Number), 0)
      console.log(`bulk on a server: ${line}`)
    }), 120_000)
})
