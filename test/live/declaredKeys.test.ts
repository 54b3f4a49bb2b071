/**
 * A script uses no key that its call does not declare, but for keys beside the hash of a declared entity: it looks there for
 * other forms of a missing field.
 */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { checks } from "redlayer-conformance"
import { describeOwnServer } from "../support/Backends.ts"
import { layerRedis } from "../support/Conformance.ts"
import * as RawRedis from "../support/RawRedis.ts"
import * as RedisServer from "../support/RedisServer.ts"

const withoutKeys = new Set(["INFO", "TIME", "PUBLISH"])
const ofKeysOnly = new Set(["EXISTS", "UNLINK", "SUNION", "SINTER", "SDIFF"])

const keysOf = ([name = "", ...args]: ReadonlyArray<string>): ReadonlyArray<string> => {
  const command = name.toUpperCase()
  return withoutKeys.has(command) ? [] : ofKeysOnly.has(command) ? args : args.slice(0, 1)
}

describeOwnServer("declared keys", () => {
  it.live(
    "a script of any check of the conformance suite uses no key that its call does not declare",
    () =>
      Effect.gen(function*() {
        const { url } = yield* RedisServer.start()
        const { client } = yield* RawRedis.make(url)
        const monitor = yield* Effect.acquireRelease(
          Effect.promise(() => client.monitor()),
          (monitor) => Effect.sync(() => monitor.disconnect())
        )
        /** The keys of the program call that runs. Undefined in another script. */
        let declared: ReadonlySet<string> | undefined
        let used = 0
        const undeclared = new Set<string>()
        monitor.on("monitor", (_time: string, line: ReadonlyArray<string>, source: string) => {
          if (source !== "lua") {
            const isProgram = /^evalsha/i.test(line[0]!)
            declared = isProgram ? new Set(line.slice(3, 3 + Number(line[2]))) : undefined
          } else if (declared !== undefined) {
            for (const key of keysOf(line)) {
              used++
              // other forms of a missing field are looked for, removed and expire beside the hash of a declared entity
              const isBeside = /^(exists|llen|scard|hlen|zcard|unlink|pexpireat|persist)$/i.test(line[0]!) &&
                [...declared].some((name) => key.startsWith(`${name}:`))
              if (!declared.has(key) && !isBeside) undeclared.add(`${line[0]} ${key}`)
            }
          }
        })
        const all = yield* checks({ layer: (options) => layerRedis(options, Effect.succeed(url)) })
        // without those that wait for time to pass, and the matrix of all pairs of operations, which is long
        const run = all.filter(({ area }) => !/lock|lease|topic|time|collections/i.test(area))
        assert.isAbove(run.length, 300)
        // whether they pass is the matter of the suite
        yield* Effect.forEach(run, ({ run }) => Effect.exit(run), { concurrency: 4, discard: true })
        assert.isAbove(used, 1000)
        assert.deepStrictEqual([...undeclared], [])
      }),
    300_000
  )
})
