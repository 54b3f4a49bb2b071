/**
 * Runs the checks of `redlayer-conformance` on a layer.
 */
import { describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { RedisService } from "redlayer"
import type { Check, Options } from "redlayer-conformance"
import { RedisTransport, type ServerReply } from "redlayer/RedisTransport"
import * as Testing from "redlayer/testing"
import { slotOf } from "../../conformance/src/support/slot.ts"
import { redis, uniquePrefix } from "./Backends.ts"
import { deletePrefix } from "./globalSetup.ts"
import * as RawRedis from "./RawRedis.ts"
import type { ClusterNode, RedisCluster } from "./RedisCluster.ts"

/** A transport over a plain socket: it uses no code of the library. */
export const layerRaw = (url: string): Layer.Layer<RedisTransport> =>
  Layer.effect(
    RedisTransport,
    Effect.map(Effect.orDie(RawRedis.make(url)), ({ call }) => ({
      ready: Effect.void,
      evaluate: ({ argument, command, keys, script }) =>
        call(command, script, String(keys.length), ...keys, argument).pipe(
          Effect.map((text): ServerReply => ({ _tag: "Text", text: String(text) })),
          Effect.catch(({ message }) => Effect.succeed<ServerReply>({ _tag: "Error", message }))
        )
    }))
  )

const sharedUrl = Effect.suspend(() =>
  redis.url === undefined ? Effect.die("This run has no Redis") : Effect.succeed(redis.url)
)

/** A layer over the server at `url`, with a key prefix that no other layer has, and a `RawStore` with the same prefix. */
export const layerRedis = (
  options: RedisService.ServiceOptions,
  url = sharedUrl,
  live: (
    options: RedisService.LayerOptions
  ) => Layer.Layer<RedisService.RedisService, unknown> = RedisService.layer
): Layer.Layer<RedisService.RedisService | Testing.RawStore> =>
  Layer.unwrap(Effect.gen(function*() {
    const at = yield* url
    const prefix = uniquePrefix("conformance")
    // keys that stay would make every later dump slower, because a dump scans all keys of the server
    yield* Effect.addFinalizer(() => Effect.orDie(deletePrefix(at, prefix)))
    return Layer.mergeAll(
      Layer.orDie(live({ ...options, url: at, keyPrefix: prefix })),
      Layer.provide(Testing.layerRawStore(prefix), layerRaw(at))
    )
  }))

export const backendOf = {
  memory: { layer: Testing.layerMemory, time: "clock" },
  redis: { layer: layerRedis }
} satisfies { readonly [name: string]: Options }

/** The checks of the areas in which transports could differ. Returns all checks if `REDLAYER_EVERY_AREA=1`. */
export const telling = (checks: ReadonlyArray<Check>, more: ReadonlyArray<string> = []): ReadonlyArray<Check> => {
  if (process.env.REDLAYER_EVERY_AREA === "1") return checks
  const areas = [
    "batches",
    "branches",
    "entities",
    "locks",
    "topics",
    "transactions",
    ...more
  ]
  return checks.filter(({ area }) => areas.includes(area))
}

/** A test for each check, in a block for each area. */
export const describeChecks = (checks: ReadonlyArray<Check>): void => {
  for (const area of new Set(checks.map(({ area }) => area))) {
    describe(area, () => {
      for (const check of checks) {
        if (check.area === area) it.live(check.name, () => check.run)
      }
    })
  }
}

/** A transport over a cluster that uses no code of the library: calls without a key run on all primaries, and their rows are joined. */
export const layerRawCluster = ({ primaries }: RedisCluster): Layer.Layer<RedisTransport> => {
  const textOf = ({ raw }: ClusterNode, args: ReadonlyArray<string>): Effect.Effect<ServerReply> =>
    raw.call(args[0]!, ...args.slice(1)).pipe(
      Effect.map((text): ServerReply => ({ _tag: "Text", text: String(text) })),
      Effect.catch(({ message }) => Effect.succeed<ServerReply>({ _tag: "Error", message }))
    )
  const rowsOf = (reply: ServerReply): ReadonlyArray<unknown> => {
    if (reply._tag === "Error") throw new Error(reply.message)
    const rows: unknown = JSON.parse(reply.text)
    return Array.isArray(rows) ? rows : []
  }
  return Layer.succeed(RedisTransport, {
    ready: Effect.void,
    evaluate: ({ argument, command, keys, script }) => {
      const [key] = keys
      if (key !== undefined) {
        const node = primaries[Math.floor(slotOf(key) * primaries.length / 16_384)]!
        return textOf(node, [command, script, String(keys.length), ...keys, argument])
      }
      const ofAnySlot = script.replace("flags=", "flags=allow-cross-slot-keys,")
      return Effect.map(
        Effect.forEach(primaries, (node) => textOf(node, [command, ofAnySlot, "0", argument])),
        (replies): ServerReply => ({ _tag: "Text", text: JSON.stringify(replies.flatMap(rowsOf)) })
      )
    }
  })
}

/** A layer over a cluster, with a key prefix that no other layer has, and a `RawStore` with the same prefix. */
export const layerCluster = (
  cluster: RedisCluster,
  options: Partial<RedisService.ClusterOptions>
): Layer.Layer<RedisService.RedisService | Testing.RawStore> =>
  Layer.unwrap(Effect.gen(function*() {
    const prefix = uniquePrefix("conformance")
    yield* Effect.addFinalizer(() =>
      Effect.forEach(cluster.primaries, ({ server }) => Effect.orDie(deletePrefix(server.url, prefix)))
    )
    return Layer.mergeAll(
      Layer.orDie(RedisService.layerCluster({ ...options, nodes: cluster.nodes, keyPrefix: prefix })),
      Layer.provide(Testing.layerRawStore(prefix), layerRawCluster(cluster))
    )
  }))
