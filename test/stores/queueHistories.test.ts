/**
 * Random histories of operations of queues, on every place, against a naive queue: offers, takes, each end of a take, crashes of
 * processes, late settlements, time that passes, and cleaning up.
 */
import { assert } from "@effect/vitest"
import { Cause, Context, Duration, Effect, Exit, Fiber, Layer, Scope } from "effect"
import * as PersistedQueue from "effect/persistence/PersistedQueue"
import { EffectPersistedQueue } from "redlayer"
import * as Testing from "redlayer/testing"
import { Coverage, limit, Random, runs, seed } from "../differential/random.ts"
import { type NaiveClaim, NaiveQueue } from "./naiveQueue.ts"
import { places, until, within } from "./places.ts"

const minute = 60_000
const hour = 60 * minute

// nothing is decided by a moment: what happens within minutes is far from an hour, and what happens within an hour from two
const lease = hour
const options: EffectPersistedQueue.Options = {
  lockExpiration: lease,
  lockRefreshInterval: 20 * minute,
  pollInterval: "3 minutes"
}
const maxAttempts = 3
const retryDelays = [0, hour, 90 * minute]
const takeOptions = (name: string) => ({
  name,
  maxAttempts,
  retryDelay: (attempts: number) => Effect.succeed(Duration.millis(retryDelays[attempts - 1] ?? 0))
})

type Store = PersistedQueue.PersistedQueueStore["Service"]

interface Process {
  readonly store: Store
  readonly scope: Scope.Closeable
  isAlive: boolean
}

interface Taken {
  readonly process: Process
  readonly scope: Scope.Closeable
  readonly claim: NaiveClaim
}

const start = Effect.gen(function*() {
  const scope = yield* Scope.fork(yield* Effect.scope)
  const context = yield* Layer.build(EffectPersistedQueue.layer(options)).pipe(Scope.provide(scope))
  const process: Process = { store: Context.get(context, PersistedQueue.PersistedQueueStore), scope, isAlive: true }
  return process
})

const ends = ["complete", "retry", "interrupt", "deadLetter"] as const

const exitOf = (end: typeof ends[number]): Exit.Exit<unknown, unknown> => {
  switch (end) {
    case "complete":
      return Exit.void
    case "retry":
      return Exit.fail("it did not work")
    case "interrupt":
      return Exit.failCause(Cause.interrupt(1))
    case "deadLetter":
      return Exit.fail({ _tag: "~effect/persistence/PersistedQueue/DeadLetter", cause: Cause.fail("no such element") })
  }
}

const queues = 20
const length = 25

for (const { describe, layer, name: place, pass, test } of places) {
  const usual = { memory: 400, server: 100, cluster: 60 }[place]
  describe("histories of a queue", () => {
    test(
      "agree with a naive queue, over crashes and late settlements",
      Effect.gen(function*() {
        const coverage = new Coverage([
          "offer",
          "delayed offer",
          "duplicate",
          "take",
          "take again",
          "nothing to take",
          ...ends,
          "late",
          "too late",
          "crash",
          "cleanup",
          "cleanup of failed ones"
        ])
        const { count } = coverage

        const runWorld = Effect.fnUntraced(function*(run: number) {
          const faults = yield* Testing.Faults
          const raw = yield* Testing.RawStore
          const random = new Random(`queue/${place}/${run}`)
          const worlds = Array.from({ length: queues }, (_, i) => ({
            name: `q${run}-${i}`,
            naive: new NaiveQueue(),
            taken: new Set<Taken>()
          }))
          let now = 0
          let ids = 0
          const processes = [yield* start, yield* start]

          const step = Effect.fnUntraced(function*(world: typeof worlds[number], where: string) {
            const { naive, name, taken } = world
            const process = random.pick(processes)
            const choice = random.int(0, 9)
            if (choice <= 3) {
              const isCustomId = random.chance(0.7)
              const id = isCustomId ? `c${random.int(0, 5)}` : `u${ids++}`
              const delay = random.pick([undefined, undefined, undefined, hour, 3 * hour])
              const element = random.pick([undefined, null, "text", 7, { deep: [1, "\ud800", { a: null }] }])
              count(naive.items.has(id) ? "duplicate" : delay === undefined ? "offer" : "delayed offer")
              naive.offer(now, id, element, isCustomId, delay)
              return yield* process.store.offer({
                name,
                id,
                element,
                isCustomId,
                delay: delay === undefined ? undefined : Duration.millis(delay)
              })
            }
            if (choice <= 6) {
              const claim = naive.take(now, lease, maxAttempts)
              const scope = yield* Scope.make()
              const take = Scope.provide(process.store.take(takeOptions(name)), scope)
              if (claim === undefined) {
                count("nothing to take")
                const requests = Effect.map(
                  faults.log,
                  (log) => log.filter(({ keys }) => keys.some((key) => key.includes(`{${name}}`)))
                )
                const looks = Effect.map(
                  requests,
                  (log) => log.filter(({ readOnly, state }) => readOnly && state === "Answered").length
                )
                const before = yield* looks
                const fiber = yield* Effect.forkChild(take)
                yield* until(`a look at an empty queue, ${where}`, Effect.map(looks, (after) => after > before))
                const exit = yield* Effect.exit(Effect.andThen(Fiber.interrupt(fiber), Fiber.join(fiber)))
                // another look may be in flight: after the time has passed it would find what is due then
                yield* until(
                  `the end of all looks, ${where}`,
                  Effect.map(requests, (log) => log.every(({ state }) => state === "Answered"))
                )
                return assert.isTrue(Exit.hasInterrupts(exit), where)
              }
              const got = yield* within(take, `an item, ${where}: ${JSON.stringify(claim)}`)
              assert.deepStrictEqual(got, { ...claim, element: stored(claim.element) }, where)
              count("take")
              if (claim.attempts > 1) count("take again")
              taken.add({ process, scope, claim })
              return
            }
            const held = [...taken]
            if (held.length === 0) return
            const one = random.pick(held)
            taken.delete(one)
            const end = random.pick(ends)
            const isClaimed = naive.items.get(one.claim.id)?.state
            count(isClaimed?._tag === "claimed" && isClaimed.by === one.claim ? end : "too late")
            if (!one.process.isAlive) count("late")
            switch (end) {
              case "complete":
                naive.complete(now, one.claim)
                break
              case "interrupt":
                naive.release(one.claim)
                break
              case "deadLetter":
                naive.fail(now, one.claim)
                break
              case "retry":
                if (one.claim.attempts >= maxAttempts) naive.fail(now, one.claim)
                else naive.retry(now, one.claim, retryDelays[one.claim.attempts - 1]!)
            }
            yield* Scope.close(one.scope, exitOf(end))
          })

          for (let i = 0; i < length; i++) {
            const where = `seed ${seed}, run ${run}, step ${i}`
            // the log begins again
            yield* faults.usePlan(Testing.none)
            yield* Effect.forEach(worlds, (world) => step(world, `${where} of ${world.name}`), {
              concurrency: "unbounded",
              discard: true
            })
            if (random.chance(0.1)) {
              count("crash")
              const at = random.int(0, 1)
              processes[at]!.isAlive = false
              yield* Scope.close(processes[at]!.scope, Exit.void)
              processes[at] = yield* start
            }
            const millis = random.pick([0, 0, 0, 2 * hour])
            const renewed = new Set<string>()
            for (const { naive, name, taken } of worlds) {
              for (const { claim, process } of taken) {
                if (!process.isAlive) continue
                naive.renew(now + millis, lease, claim)
                const { state } = naive.items.get(claim.id) ?? { state: undefined }
                if (state?._tag === "claimed" && state.by === claim) renewed.add(`${name} ${claim.id}`)
              }
            }
            now += millis
            yield* pass(
              millis,
              (key, member) => renewed.has(`${key.slice(key.indexOf("{") + 1, key.indexOf("}"))} ${member}`)
            )
            if (random.chance(0.1)) {
              const timeToLive = random.pick([0, hour])
              const failedTimeToLive = random.pick([undefined, 0, hour])
              count("cleanup")
              if (failedTimeToLive !== undefined) count("cleanup of failed ones")
              for (const { naive } of worlds) naive.cleanup(now, timeToLive, failedTimeToLive)
              yield* random.pick(processes).store.cleanup({
                timeToLive: Duration.millis(timeToLive),
                failedTimeToLive: failedTimeToLive === undefined ? undefined : Duration.millis(failedTimeToLive)
              })
            }
          }
          const dump = yield* raw.dump
          for (const { naive, name } of worlds) {
            const sets = Object.fromEntries(
              ["ready", "due", "completed", "failed"].map((set) => [
                set,
                ((dump[`EffectQueue:{${name}}:${set}`]?.content ?? []) as ReadonlyArray<string>)
                  .filter((_, i) => i % 2 === 0).toSorted()
              ])
            )
            assert.deepStrictEqual(sets, naive.ids, `seed ${seed}, run ${run}, ${name}`)
            const items = Object.keys(dump).filter((key) => key.startsWith(`EffectQueueItem:{${name}}:`)).length
            assert.strictEqual(items, naive.items.size - naive.ids["completed"]!.length)
          }
        })
        // each in a place of its own, because time passes for all that is stored
        for (const run of coverage.turns(Math.ceil(runs(usual) / queues))) {
          yield* runWorld(run).pipe(Effect.scoped, Effect.provide(layer, { local: true }))
        }
        console.log(`${place}: seed ${seed}, ${coverage}`)
        assert.deepStrictEqual(coverage.missing, [])
      }),
      limit(280_000, usual)
    )
  })
}

const stored = (element: unknown): unknown => element === undefined ? undefined : JSON.parse(JSON.stringify(element))
