/**
 * A model, a server with one entity of it, and a transport that answers as told.
 */
import { assert } from "@effect/vitest"
import { Cause, Effect, Exit, Layer, Schema } from "effect"
import { inspect } from "node:util"
import { Model, RedisService } from "redlayer"
import { type Call, RedisTransport, type ServerReply } from "redlayer/RedisTransport"
import * as RawRedis from "../support/RawRedis.ts"
import * as RedisServer from "../support/RedisServer.ts"
import { reasonIs } from "./liveService.ts"

export const canary = "canary-7f3a-secret"

export class Account extends Model.Class<Account>("Account")({
  name: Schema.String,
  title: Schema.optionalKey(Schema.String),
  coins: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)).pipe(Model.withDefault(0)),
  notes: Schema.Array(Schema.String).pipe(Model.withDefault([]))
}, { key: "name" }) {}

export const ann = Account.ref("ann")

export const build = (options: RedisService.LayerOptions) =>
  Effect.asVoid(Effect.scoped(Layer.build(RedisService.layer(options))))

export const start = { startImmediately: true } as const

/** A server with a raw client. */
export const server = Effect.fnUntraced(function*(options?: RedisServer.StartOptions) {
  const found = yield* RedisServer.start(options)
  const { call } = yield* RawRedis.make(found.url)
  return { ...found, call }
})

/** A server, and a service over it with one entity. */
export const serving = Effect.fnUntraced(
  function*(options?: RedisServer.StartOptions, layer?: RedisService.LayerOptions) {
    const found = yield* server(options)
    const services = yield* Layer.build(RedisService.layer({ url: found.url, retry: false, ...layer }))
    const run = <A, E>(self: Effect.Effect<A, E, RedisService.RedisService>) => Effect.provide(self, services)
    const prefix = layer?.keyPrefix ?? ""
    yield* run(Account.insert({ name: "ann", title: "Dr", coins: 5, notes: ["a", "b"] }))
    const key = `${prefix}Account:{ann}`
    const stored = Effect.all([
      found.call("HGET", key, "coins"),
      found.call("HGET", key, "title"),
      found.call("LRANGE", `${key}:notes`, "0", "-1")
    ])
    return { ...found, services, run, stored, key }
  }
)

export const untouched: [unknown, unknown, unknown] = ["5", "Dr", ["a", "b"]]

export const unavailable = (exit: Exit.Exit<unknown, unknown>, code: string) => {
  const reason = reasonIs(exit, "ServerUnavailable")
  assert.strictEqual(reason.code, code)
  assert.isTrue(reason.isRetryable)
  assert.isFalse(reason.applied)
}

/** Every way in which an error is shown to people. */
export const shown = (exit: Exit.Exit<unknown, unknown>): string => {
  if (Exit.isSuccess(exit)) return assert.fail("expected a failure")
  const error: any = Cause.squash(exit.cause)
  return [
    String(error),
    error.message,
    error.stack,
    JSON.stringify(error),
    JSON.stringify(exit),
    inspect(error, { depth: 10, showHidden: true }),
    inspect(exit, { depth: 10 }),
    Cause.pretty(exit.cause)
  ].join("\n")
}

export const text = (value: unknown): ServerReply => ({ _tag: "Text", text: JSON.stringify(value) })
export const failure = (message: string): ServerReply => ({ _tag: "Error", message })

/** A transport that answers the questions of a layer about its server, can do everything, accepts scripts, and answers programs. */
export const answering = (first: ServerReply, calls: Array<Call> = [], program: ServerReply = text([])) =>
  Layer.succeed(RedisTransport, {
    ready: Effect.void,
    evaluate: (call) =>
      Effect.sync(() => {
        if (calls.push(call) <= 2) return first
        return call.argument === "[[],[]]" || !call.command.startsWith("EVALSHA") ? text([]) : program
      })
  })

export const redis = (version: string) => `# Server\r\nredis_version:${version}\r\nredis_mode:standalone\r\n`
export const memory = "# Memory\r\nmaxmemory_policy:noeviction\r\n"
export const redis7 = text([redis("7.0.0"), memory, []])
