import { assert, it } from "@effect/vitest"
import { Clock, Context, Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { RedisService } from "redlayer"
import * as Memory from "../../src/internal/memory/service.ts"
import { Store } from "../../src/internal/memory/store.ts"
import { describeMemory, describeOwnServer } from "../support/Backends.ts"
import * as RawRedis from "../support/RawRedis.ts"
import * as RedisServer from "../support/RedisServer.ts"
import type { Fault } from "./compareLayers.ts"
import * as Queries from "./indexQueries.ts"
import * as Steps from "./indexSteps.ts"
import { allKinds, type IndexedOptions, makeIndexed } from "./models/indexed.ts"
import { indexFaults } from "./plantedIndexFaults.ts"
import { Random, runs, seed } from "./random.ts"
import * as State from "./storedState.ts"

const byHand = `if redis.call("EXISTS", KEYS[1]) == 0 then return end
if ARGV[3] == "true" then redis.call("HSET", KEYS[1], ARGV[1], ARGV[2]) else redis.call("HDEL", KEYS[1], ARGV[1]) end`

const minute = 60_000
const hour = 60 * minute

const slots = ["id", "component", "partitions"] as const
const refreshes = [undefined, "never", "write", "access"] as const

const ids = [["a", 1], ["a", 2], ["a", -10], ["b:é{}", 1], ["b:é{}", 3], ["\0", 2]] as ReadonlyArray<
  readonly [string, number]
>

/** A model of each combination of slot and refresh in turn. */
const caseOf = (round: number, name: string, lives: number) => {
  const random = new Random(`${name}/${round}`)
  const slot = slots[round % 3]!
  const refresh = refreshes[Math.floor(round / 3) % 4]
  const options: IndexedOptions = {
    name: `${name}${round}`,
    slot,
    refresh,
    lives: refresh === undefined ? undefined : lives,
    ids: () => slot === "component" ? ids.filter(([of]) => of !== "\0") : ids,
    unique: slot === "partitions" ? "never" : "maybe",
    isInherited: random.chance(0.3)
  }
  return makeIndexed(options, random)
}

const list = (counts: Iterable<readonly [string, number]>): string =>
  Array.from(counts, ([name, count]) => `${name} ${count}`).sort().join(", ")

const print = (where: string, rounds: number, counts: Steps.Counts): void =>
  console.log([
    `seed ${seed}, ${where}: ${rounds} rounds; steps: ${list(counts.steps)}`,
    `  indexes: ${list(counts.indexes)}`,
    `  reads: ${list(counts.reads)}`,
    `  queries: ${list(counts.ways)}`,
    `  errors: ${list(counts.errors)}`,
    `  operations: ${list(counts.operations)}`
  ].join("\n"))

const steps = [
  "succeeded",
  "failed",
  "reads beside writes",
  "refused by a unique index",
  "refused, because a value has no place in an index",
  "a NaN from before its index",
  "a field from before its default"
]

const missing = (counts: Steps.Counts): ReadonlyArray<string> => [
  ...allKinds.filter((kind) => !counts.indexes.has(kind)),
  ...Steps.allReads.filter((read) => !counts.reads.has(read)),
  ...Queries.allWays.filter((way) => !counts.ways.has(way)),
  ...steps.filter((step) => !counts.steps.has(step)),
  ...["EntityNotFound", "EntityExists", "UniqueViolation"].filter((error) => !counts.errors.has(error))
]

/** Runs rounds in memory, with a planted fault or none, until one finds something. */
const inMemory = Effect.fnUntraced(function*(name: string, rounds: number, counts: Steps.Counts, fault: Fault = {}) {
  for (let round = 0; round < rounds; round++) {
    const store = new Store()
    const found = yield* Steps.run(faulty(Memory.make(store), fault), {
      self: caseOf(round, name, 2 * hour),
      name: `${name} ${round}`,
      steps: 25,
      counts,
      lives: [minute, 5 * hour],
      pass: (random) => TestClock.adjust(random.pick([1, minute, hour, hour, 2 * hour, 72 * hour])),
      read: Effect.sync(() => State.readStore(store)),
      now: Clock.currentTimeMillis,
      write: (key, field, text) =>
        Effect.sync(() => {
          const stored = store.values.get(key)
          if (stored?._tag !== "hash") return
          if (text === undefined) stored.fields.delete(field)
          else stored.fields.set(field, text)
        })
    })
    if (found !== undefined) return found
  }
  return undefined
})

type Service = RedisService.RedisService["Service"]

const faulty = (service: Service, { around = (run) => run(), instruction = (self) => self }: Fault): Service => ({
  ...service,
  execute: (program, read) =>
    Effect.flatMap(Effect.context<never>(), (context) =>
      around(() =>
        Effect.runSyncWith(context)(Effect.exit(
          service.execute({ ...program, instructions: program.instructions.map(instruction) }, read)
        ))
      )),
  executeAll: (programs, read) =>
    service.executeAll(
      programs.map((program) => ({ ...program, instructions: program.instructions.map(instruction) })),
      read
    )
})

describeMemory("indexes", () => {
  it.effect(
    "reads of indexes give what the stored entities say, whatever was written and expired",
    () =>
      Effect.gen(function*() {
        const counts = Steps.noCounts()
        const rounds = runs(40)
        let found = yield* inMemory("Naive", rounds, counts)
        // what is rare may need more rounds
        for (let more = 0; more < 9 && found === undefined && missing(counts).length > 0; more++) {
          found = yield* inMemory(`Naive ${more}`, rounds, counts)
        }
        if (found !== undefined) assert.fail(found)
        print("in memory", rounds, counts)
        assert.deepStrictEqual(missing(counts), [])
      }),
    hour
  )

  it.effect.each(indexFaults)("reads of indexes differ when %s", ([wrong, fault]) =>
    Effect.gen(function*() {
      assert.isDefined(yield* inMemory(wrong, 300, Steps.noCounts(), fault))
    }), 2 * minute)
})

describeOwnServer("indexes", () => {
  it.live(
    "reads of indexes give what the stored entities say, whatever was written and expired",
    () =>
      Effect.gen(function*() {
        const { url } = yield* RedisServer.start()
        const raw = yield* RawRedis.make(url)
        const counts = Steps.noCounts()
        const rounds = runs(20)
        let round = 0
        // each has a prefix of its own, and waits alone for what expires
        const worker = Effect.fnUntraced(function*(i: number) {
          const prefix = `r${i}:`
          const context = yield* Layer.build(RedisService.layer({ url, keyPrefix: prefix, deadline: "30 seconds" }))
          const service = Context.get(context, RedisService.RedisService)
          const { read, reset } = State.redis(service, raw, prefix)
          // what is rare may need more rounds
          while (round < rounds || missing(counts).length > 0 && round < 10 * rounds) {
            const at = round++
            const found = yield* Steps.run(service, {
              self: caseOf(at, "Served", 150),
              name: `server ${at}`,
              steps: 25,
              counts,
              lives: [5, 300],
              pass: (random) => Effect.sleep(random.pick([1, 5, 20, 50, 160])),
              read,
              now: Clock.currentTimeMillis,
              write: (key, field, text) =>
                Effect.orDie(
                  Effect.asVoid(
                    raw.call("EVAL", byHand, "1", prefix + key, field, text ?? "", String(text !== undefined))
                  )
                )
            })
            yield* reset(new Map())
            if (found !== undefined) return found
          }
          return undefined
        })
        const problems = yield* Effect.forEach([0, 1, 2, 3, 4, 5, 6, 7], worker, { concurrency: "unbounded" })
        for (const found of problems) if (found !== undefined) assert.fail(found)
        print("on a server", rounds, counts)
        assert.deepStrictEqual(missing(counts), [])
      }),
    hour
  )
})
