/**
 * A script uses no key that its call does not declare, but for keys beside the hash of a declared entity: it looks there for
 * other forms of a missing field. On a server that refuses such keys the call declares them too.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { RedisService } from "redlayer"
import { checks } from "redlayer-conformance"
import { RedisTransport } from "redlayer/RedisTransport"
import { describeOwnServer } from "../support/Backends.ts"
import { layerRaw, layerRedis } from "../support/Conformance.ts"
import * as RawRedis from "../support/RawRedis.ts"
import * as RedisServer from "../support/RedisServer.ts"

const withoutKeys = new Set(["INFO", "TIME", "PUBLISH"])
const ofKeysOnly = new Set(["EXISTS", "UNLINK", "SUNION", "SINTER", "SDIFF"])

const keysOf = ([name = "", ...args]: ReadonlyArray<string>): ReadonlyArray<string> => {
  const command = name.toUpperCase()
  return withoutKeys.has(command) ? [] : ofKeysOnly.has(command) ? args : args.slice(0, 1)
}

/** A layer that finds at its start that the server refuses undeclared keys. */
const layerDeclaring = ({ url, ...options }: RedisService.LayerOptions) =>
  Layer.unwrap(
    Effect.map(Effect.service(RedisTransport), (transport) =>
      RedisService.layerTransport(options).pipe(Layer.provide(Layer.succeed(RedisTransport, {
        ...transport,
        // the question about such a key fails, because a table is no key
        evaluate: (call) =>
          transport.evaluate({ ...call, argument: call.argument.replace(/"undeclared":"[^"]+"/, "\"undeclared\":{}") })
      }))))
  ).pipe(Layer.provide(layerRaw(String(url))))

/** Looks, removals and changes of expiries. */
const besides = /^(exists|llen|scard|hlen|zcard|unlink|pexpireat|persist)$/i

/** Reads of what a query or a rank has found. */
const reads = /^(exists|hget|hmget|hgetall|hkeys|hlen|pexpiretime|llen|lrange|scard|smembers|zcard|zrange)$/i

/** Whether a key is of an entity in a home of which an index is declared. */
const isFound = (key: string, declared: Iterable<string>): boolean =>
  Array.from(declared).some((name) => {
    const home = /^(.*):\$(?:ix|of|exp|plan)\b/.exec(name)?.[1]
    return home !== undefined && key.startsWith(home.endsWith("{$}") ? home.slice(0, -2) : home)
  })

/** Areas whose calls differ in their keys. The others differ in values, or wait. */
const areas = /^(branches|entities|forms|idempotency|lists|maps|operands|sets|sortedSets|transactions)$/

/** Those of them whose keys a call must find out before it is sent. */
const declaring = /^(entities|forms|idempotency|maps|transactions)$/

/** Operations there read entities that an index has found: a server that refuses undeclared keys refuses some of them. */
const ofIndexes = /^(aggregates|indexKeys|queries)$/

const suite = (name: string, live: typeof layerDeclaring | undefined) =>
  it.live(
    `a script of any check of the conformance suite uses no key that its call does not declare${name}`,
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
              if (declared.has(key)) continue
              const isBeside = besides.test(line[0]!) && [...declared].some((name) => key.startsWith(`${name}:`))
              const isRead = live === undefined && reads.test(line[0]!) && isFound(key, declared)
              if ((live !== undefined || !isBeside) && !isRead) undeclared.add(`${line[0]} ${key}`)
            }
          }
        })
        const all = yield* checks({ layer: (options) => layerRedis(options, Effect.succeed(url), live) })
        const run = all.filter(({ area }) =>
          live === undefined ? areas.test(area) || ofIndexes.test(area) : declaring.test(area)
        )
        assert.isAbove(run.length, live === undefined ? 100 : 50)
        // whether they pass is the matter of the suite
        yield* Effect.forEach(run, ({ run }) => Effect.exit(run), { concurrency: 4, discard: true })
        assert.isAbove(used, 1000)
        assert.deepStrictEqual([...undeclared], [])
      }),
    300_000
  )

describeOwnServer("declared keys", () => {
  suite(", but for other forms beside an entity", undefined)
  suite(" where the server refuses any other", layerDeclaring)
})
