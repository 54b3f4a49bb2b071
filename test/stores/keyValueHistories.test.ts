/**
 * Random histories of operations on a `KeyValueStore`: Effect's own store in memory is the oracle.
 */
import { assert } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { KeyValueStore } from "effect/persistence"
import { EffectKeyValueStore, RedisService } from "redlayer"
import { Coverage, Random, runs, seed } from "../differential/random.ts"
import { type Here, places } from "./processes.ts"

type Store = KeyValueStore.KeyValueStore

/** How many histories run at a time, each in a store of its own. */
const atOnce = 16

const names = [
  "get",
  "getUint8Array",
  "setText",
  "setBytes",
  "setRefused",
  "modify",
  "modifyUint8Array",
  "modifyRefused",
  "remove",
  "has",
  "size",
  "isEmpty",
  "keys",
  "clear",
  "clearPrefix"
] as const
type Name = typeof names[number]

const text = (random: Random): string =>
  random.pick([
    () => "",
    () => random.unicode(0, 12),
    () => random.unicode(0, 12),
    // a text that is base64, too
    () => Buffer.from(random.array(0, 6, () => random.int(0, 255))).toString("base64"),
    () => "x".repeat(random.int(1000, 20_000))
  ])()

const bytes = (random: Random): Uint8Array =>
  Uint8Array.from(random.array(0, random.chance(0.1) ? 5000 : 8, () => random.int(0, 255)))

/** Keys that are few, so that they meet; some begin with others. */
const keysOf = (random: Random): ReadonlyArray<string> => {
  const own = random.array(2, 4, () => random.unicode(0, 6))
  return ["", "a", "a/b", ...own, ...own.map((key) => key + random.unicode(1, 3))]
}

const lone = (random: Random): string => random.unicode(0, 3) + random.pick(["\ud800", "\udfff", "\udbff."])

/** Runs an operation on a store. Returns the result, in a form that can be compared. */
type Step = readonly [name: Name, what: string, run: (store: Store) => Effect.Effect<unknown, unknown>]

const stepOf = (random: Random, keys: ReadonlyArray<string>): Step => {
  // half of them write, so that there is something to find
  const name: Name = random.chance(0.4) ? random.pick(["setText", "setBytes"]) : random.pick(names)
  const key = random.pick(keys)
  const made = (what: unknown, run: Step[2]): Step => [name, `${name} ${JSON.stringify([key, what])}`, run]
  switch (name) {
    case "get":
      return made(0, (store) => store.get(key))
    case "getUint8Array":
      return made(0, (store) => store.getUint8Array(key))
    case "setText": {
      const value = text(random)
      return made(value, (store) => Effect.asVoid(store.set(key, value)))
    }
    case "setBytes": {
      const value = bytes(random)
      return made([...value], (store) => Effect.asVoid(store.set(key, value)))
    }
    case "setRefused": {
      const value = lone(random)
      const [at, what] = random.chance(0.5) ? [value, "a"] : [key, value]
      return made([at, what], (store) => store.set(at, what))
    }
    case "modify": {
      const more = text(random)
      const keep = random.int(0, 4)
      return made([keep, more], (store) => store.modify(key, (value) => [...value].slice(0, keep).join("") + more))
    }
    case "modifyUint8Array": {
      const more = bytes(random)
      return made(
        [...more],
        (store) => store.modifyUint8Array(key, (value) => Uint8Array.from([...value.slice(0, 4), ...more]))
      )
    }
    case "modifyRefused": {
      const value = lone(random)
      return made(value, (store) => store.modify(key, () => value))
    }
    case "remove":
      return made(0, (store) => Effect.asVoid(store.remove(key)))
    case "has":
      return made(0, (store) => store.has(key))
    case "size":
      return made(0, (store) => store.size)
    case "isEmpty":
      return made(0, (store) => store.isEmpty)
    case "keys":
      return made(0, (store) => Effect.map(store.keys, (found) => [...found].sort()))
    case "clear":
      return made(0, (store) => store.clear)
    case "clearPrefix": {
      // also half a pair of surrogates
      const prefix = key.slice(0, random.int(0, key.length))
      return made(prefix, (store) => store.clearPrefix(prefix))
    }
  }
}

/** Effect's store takes texts that are not well-formed. Ours refuses them, and changes nothing. */
const expected = (oracle: Store, [name, what, run]: Step) =>
  name === "setRefused"
    ? Effect.succeed("refused")
    : name === "modifyRefused"
    ? Effect.map(oracle.has(JSON.parse(what.slice(name.length))[0]), (has) => has ? "refused" : undefined)
    : run(oracle)

const observed = (store: Store, [, , run]: Step) =>
  Effect.catchIf(
    run(store),
    (error) => error instanceof KeyValueStore.KeyValueStoreError && error.message.includes("well-formed"),
    () => Effect.succeed("refused")
  )

const open = (here: Here, name: string) =>
  Effect.map(
    Effect.flatMap(here.process, (service) =>
      Layer.build(
        Layer.provide(EffectKeyValueStore.layer({ name }), Layer.succeed(RedisService.RedisService, service))
      )),
    (context) => Context.get(context, KeyValueStore.KeyValueStore)
  )

for (const { describe, name: place, test } of places) {
  // each scan asks three nodes
  const histories = runs(place === "cluster" ? 100 : 300)
  describe("random histories of a KeyValueStore", () => {
    test("agree with Effect's store in memory", (here) =>
      Effect.gen(function*() {
        const coverage = new Coverage(names)
        // as two processes: each operation is of one of them
        const processes = [yield* here.process, yield* here.process]
        const history = Effect.fnUntraced(function*(slot: number, run: number) {
          const random = new Random(`key value store/${run}`)
          const keys = keysOf(random)
          const stores = yield* Effect.forEach(
            processes,
            (service) => open({ ...here, process: Effect.succeed(service) }, `store ${slot}`)
          )
          const oracle = Context.get(
            yield* Layer.build(Layer.fresh(KeyValueStore.layerMemory)),
            KeyValueStore.KeyValueStore
          )
          const steps: Array<string> = []
          for (let i = random.int(5, 40); i > 0; i--) {
            const step = stepOf(random, keys)
            steps.push(step[1].slice(0, 200))
            coverage.count(step[0])
            const wanted = yield* expected(oracle, step)
            assert.deepStrictEqual(
              yield* observed(random.pick(stores), step),
              wanted,
              `seed ${seed}, history ${run}:\n${steps.join("\n")}`
            )
          }
          // what has not been read is read at the end
          const left = [...(yield* oracle.keys)].sort()
          assert.deepStrictEqual([...(yield* stores[0]!.keys)].sort(), left, `seed ${seed}, history ${run}`)
          for (const key of left) {
            assert.deepStrictEqual(yield* stores[1]!.getUint8Array(key), yield* oracle.getUint8Array(key))
            assert.strictEqual(yield* stores[0]!.get(key), yield* oracle.get(key))
          }
          yield* stores[0]!.clear
        })
        yield* Effect.forEach(Array.from({ length: atOnce }), (_, slot) =>
          Effect.gen(function*() {
            for (let run = slot; run < histories; run += atOnce) yield* Effect.scoped(history(slot, run))
          }), { concurrency: "unbounded" })
        console.log(`${place}: ${histories} histories, ${coverage}`)
        assert.deepStrictEqual(coverage.missing, [])
      }), 60_000 + histories * 120)
  })
}
