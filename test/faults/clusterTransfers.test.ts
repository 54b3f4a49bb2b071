/**
 * Processes that make transfers while the primaries of a cluster die, freeze and are replaced, and slots move: what was said of each
 * transfer is what was done. `REDLAYER_FULL=1` makes it longer.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { RedisService } from "redlayer"
import { isRedisServiceError } from "redlayer/RedisServiceError"
import { slotOf } from "../../conformance/src/support/slot.ts"
import { range } from "../live/liveService.ts"
import { describeOwnServer } from "../support/Backends.ts"
import * as Child from "../support/ChildProcess.ts"
import * as Faults from "../support/ClusterFaults.ts"
import * as RedisCluster from "../support/RedisCluster.ts"
import { isFull, sized } from "../support/Sizes.ts"
import type { Job, Proof, Result } from "../workers/clusterWorker.ts"
import { type Heard, open, sum, total } from "./clusterBank.ts"
import { banksOf, compare, look, lostBy, summary } from "./clusterLedger.ts"
import { random, start } from "./proxiedService.ts"

const keyPrefix = "transfers:"
const transfers = sized(1000, 10_000)
const seed = Number(process.env.REDLAYER_SEED ?? Date.now() % 1_000_000)

type Kind = "moves" | "pause" | "failover" | "kill" | "freeze"
const kinds: ReadonlyArray<Kind> = ["moves", "pause", "failover", "kill", "freeze"]

const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "redlayer-transfers-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

describeOwnServer("transfers on a cluster", () => {
  it.live(
    "are made once, wholly or not at all, and as they were reported, while primaries die, freeze and are replaced and slots move",
    () =>
      Effect.gen(function*() {
        const next = random(seed)
        const pick = <A>(all: ReadonlyArray<A>) => all[Math.floor(next() * all.length)]!
        const files = yield* directory
        const cluster = yield* RedisCluster.start()
        yield* Faults.healthy(cluster)
        const banks = banksOf(cluster, "bank", 2)
        const options = { keyPrefix, exactlyOnce: true } as const
        const layer = RedisService.layerCluster({ ...options, nodes: cluster.nodes })
        yield* Effect.provide(open(banks), layer)

        const jobs = range(4).map((i): Job => ({
          me: `w${i}`,
          nodes: cluster.nodes,
          banks,
          file: join(files, `w${i}`),
          seed: seed + i,
          fibers: 6,
          pause: sized(20, 40),
          options
        }))
        const workers = yield* Effect.forEach(
          jobs,
          (job) => Child.start("clusterWorker.ts", [JSON.stringify(job)]),
          { concurrency: "unbounded" }
        )
        for (const worker of workers) assert.strictEqual(yield* worker.next, "connected")

        let sums = 0
        const watching = yield* Effect.forkChild(
          Effect.forEach(banks, (bank) =>
            Effect.matchEffect(sum(bank), {
              onFailure: (error) => isRedisServiceError(error) ? Effect.void : Effect.die(error),
              onSuccess: (found) =>
                Effect.sync(() => {
                  sums++
                  assert.strictEqual(found, total, bank)
                })
            })).pipe(Effect.andThen(Effect.sleep("5 millis")), Effect.forever, Effect.provide(layer)),
          start
        )

        const faults: Array<Faults.Fault> = []
        let slowest = 0
        /** From when the cluster is up, every process makes transfers in every bank again within five seconds. */
        const recovered = Effect.fnUntraced(function*(fault: Faults.Fault) {
          faults.push(fault)
          yield* Effect.forEach(workers, ({ send }) => send("prove"), { discard: true })
          for (const worker of workers) yield* (worker.next as Effect.Effect<Proof, Child.ChildFailed>)
          const millis = Date.now() - fault.up
          slowest = Math.max(slowest, millis)
          assert.isBelow(millis, 5000, `transfers after a ${fault.kind}`)
        })
        /** Moves slots of banks between these shards. */
        const move = Effect.fnUntraced(function*(count: number, shards: ReadonlyArray<number>) {
          for (const _ of range(count)) {
            const nodes = shards.map((shard) => Faults.primaryOf(cluster, shard))
            const slots = banks.map((bank) => slotOf(`{${bank}}`)).filter((slot) =>
              nodes.includes(cluster.owners[slot]!)
            )
            if (slots.length === 0) return
            const slot = pick(slots)
            const others = nodes.filter((node) => node !== cluster.owners[slot])
            yield* RedisCluster.moveSlot(cluster, slot, pick(others), Effect.sleep("3 millis"))
            moves++
          }
        })
        let moves = 0
        const disturb: Record<Kind, (shard: number) => Effect.Effect<unknown, unknown, any>> = {
          moves: () => move(8, [0, 1, 2]),
          pause: (shard) => Effect.flatMap(Faults.freeze(cluster, shard, Effect.sleep("500 millis")), recovered),
          freeze: (shard) => Effect.flatMap(Faults.freeze(cluster, shard, Faults.replaced(cluster, shard)), recovered),
          failover: (shard) => Effect.flatMap(Faults.failOver(cluster, shard), recovered),
          kill: (shard) =>
            Effect.gen(function*() {
              const [{ dead, fault }] = yield* Effect.all(
                [Faults.kill(cluster, shard), move(4, range(3).filter((other) => other !== shard))],
                { concurrency: "unbounded" }
              )
              yield* recovered(fault)
              yield* cluster.restart(dead)
            })
        }
        const rounds = isFull ? range(30).map(() => pick(kinds)) : kinds
        for (const kind of rounds) {
          yield* disturb[kind](pick([0, 1, 2]))
          yield* Faults.healthy(cluster)
        }

        const linesOf = (file: string) => readFileSync(file, "utf8").trim().split("\n")
        const done = () => jobs.reduce((sum, { file }) => sum + linesOf(file).length, 0)
        yield* Effect.repeat(Effect.sleep("50 millis"), {
          until: () => done() >= transfers || watching.pollUnsafe() !== undefined
        })
        assert.isUndefined(watching.pollUnsafe())
        yield* Fiber.interrupt(watching)
        const results: Array<Result> = []
        for (const worker of workers) {
          yield* worker.send("stop")
          results.push(yield* worker.next)
          yield* worker.ended
        }
        const heard = jobs.flatMap(({ file }) => linesOf(file).map((line): Heard => JSON.parse(line)))
        assert.strictEqual(heard.length, results.reduce((sum, { transfers }) => sum + transfers, 0))

        const lost: Array<Heard> = []
        for (const bank of banks) lost.push(...compare(bank, yield* look(cluster, keyPrefix, bank), heard))
        const unexplained = lost.filter((one) => lostBy(one, faults) === undefined)
        const text = `seed ${seed}: ${heard.length} transfers, ${summary(heard)}; ${moves} moves of slots; ${
          kinds.map((kind) => `${rounds.filter((one) => one === kind).length} ${kind}`).join(", ")
        }; at most ${slowest} ms until all went on; ${sums} sums were right; the slowest took ${
          Math.round(Math.max(...results.map(({ slowest }) => slowest)))
        } ms`
        assert.deepStrictEqual(unexplained, [], text)
        console.log(text)
        for (const fault of faults) {
          const by = lost.filter((one) => lostBy(one, faults) === fault)
          if (by.length > 0) console.log(`a failover (${fault.kind}) lost ${by.length} acknowledged transfers`)
        }
      }),
    sized(90_000, 290_000)
  )
})
