/**
 * Processes that claim due jobs by a query, and are killed in the middle of their work. `REDLAYER_FULL=1` makes it 10,000 jobs and 8
 * processes.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Fiber, Option, Schedule, Stream } from "effect"
import { Query, RedisService } from "redlayer"
import { range } from "../live/liveService.ts"
import { describeOwnServer } from "../support/Backends.ts"
import * as Child from "../support/ChildProcess.ts"
import { sized } from "../support/Sizes.ts"
import { Job, type Worked } from "../workers/claimWorker.ts"
import { random, server, start } from "./proxiedService.ts"

const processes = sized(3, 8)
const jobs = sized(1200, 10_000)
const kills = sized(3, 12)
const batch = 40
const lease = 1000

/** Says what is wrong with the log of a job: each claim begins when the one before is over, and the last one is finished. */
const problemOf = (log: ReadonlyArray<string>): string | undefined => {
  let until = 0
  let owner = ""
  for (const [i, line] of log.entries()) {
    const [what, who = "", at, to] = line.split(" ")
    if (what === "claimed") {
      if (Number(at) < until) return "it was claimed while another worker had it"
      owner = who
      until = Number(to)
    } else if (i < log.length - 1) {
      return "something happened after its end"
    } else if (who !== owner) {
      return "a worker finished it that did not have it"
    }
  }
  return log.at(-1)?.startsWith("finished") === true ? undefined : "it was not finished"
}

describeOwnServer("claims", () => {
  it.live(
    `${processes} processes, of which ${kills} are killed, finish each of ${jobs} due jobs once, and one has a job at a time`,
    () =>
      Effect.gen(function*() {
        const { call, url } = yield* server()
        const next = random(Date.now())
        yield* Effect.gen(function*() {
          const now = Date.now()
          const made = range(jobs).map((i) => ({ id: `j${i}`, runAt: new Date(now - i % 7) }))
          yield* Job.insertMany(made)
          // to begin takes a process longer than its work, so those that replace others wait already
          const waiting = yield* Effect.forEach(
            range(processes + kills),
            (i) =>
              Effect.gen(function*() {
                const child = yield* Child.start("claimWorker.ts", [url, `w${i}`, String(batch), String(lease)])
                assert.strictEqual(yield* child.next, "connected")
                return child
              }),
            { concurrency: 4 }
          )
          const live = new Map<Child.Child, Fiber.Fiber<Worked | undefined>>()
          const heard: Array<Worked> = []
          // until it says what it did, or is killed
          const employ = Effect.gen(function*() {
            const child = waiting.pop()!
            yield* child.send("go")
            const fiber = yield* Effect.forkChild(Effect.map(Effect.option(child.next), Option.getOrUndefined), start)
            live.set(child, fiber)
          })
          for (const _ of range(processes)) yield* employ
          for (const _ of range(kills)) {
            yield* Effect.sleep(sized(50, 100) + next() * 200)
            const child = [...live.keys()][Math.floor(next() * live.size)]!
            // in the middle of a claim or of its jobs
            yield* child.kill
            const worked = yield* Fiber.join(live.get(child)!)
            if (worked !== undefined) heard.push(worked)
            live.delete(child)
            yield* employ
          }
          for (const fiber of live.values()) {
            const worked = yield* Fiber.join(fiber)
            assert.isDefined(worked, "a worker ended by itself")
            heard.push(worked!)
          }
          yield* Effect.repeat(Query.count(Job.by.due()), {
            until: (count) => count === 0,
            schedule: Schedule.max([Schedule.spaced("20 millis"), Schedule.recurs(500)])
          })
          const found = yield* Stream.runCollect(Job.stream()).pipe(
            Effect.flatMap(Effect.forEach((result) => Effect.fromResult(result)))
          )
          assert.lengthOf(found, jobs)
          let claims = 0
          for (const { id, log } of found) {
            claims += log.filter((line) => line.startsWith("claimed")).length
            const problem = problemOf(log)
            if (problem !== undefined) assert.fail(`${id}: ${problem}: ${log.join("; ")}`)
          }
          const of = `${claims} claims of ${jobs} jobs; those that were not killed: ${
            heard.map(({ claimed, finished, late }) => `${claimed} claimed, ${finished} finished, ${late} late`).join(
              "; "
            )
          }`
          console.log(of)
          // those that were killed had jobs, which others finished
          assert.isAbove(claims, jobs, of)
          assert.deepStrictEqual(yield* Stream.runCollect(Job.check()), [])
          assert.strictEqual(Number(yield* call("EXISTS", "faults/Job:{j0}")), 1)
        }).pipe(Effect.provide(RedisService.layer({ url })))
      }).pipe(Effect.scoped),
    sized(60_000, 300_000)
  )

  it("a log shows two workers that have a job at once, a claim that is lost, and an end by another worker", () => {
    const problems = [
      ["claimed a 0 1000", "claimed b 999 1999", "finished b 1500"],
      ["claimed a 0 1000"],
      ["claimed a 0 1000", "finished b 500"],
      ["claimed a 0 1000", "finished a 500", "finished a 501"],
      []
    ]
    for (const log of problems) assert.isDefined(problemOf(log))
    assert.isUndefined(problemOf(["claimed a 0 1000", "claimed b 1000 2000", "finished b 1500"]))
  })
})
