/**
 * What a layer finds when it starts, and what servers refuse: each has a reason of its own, and none tells a secret.
 */
import { assert, it } from "@effect/vitest"
import { Cause, ConfigProvider, Context, Effect, Exit, Fiber, Layer, Logger, Option, Redacted, Schema } from "effect"
import { rmSync } from "node:fs"
import { inspect } from "node:util"
import { Atomic, Model, RedisService } from "redlayer"
import { IoRedis } from "redlayer/IoRedis"
import type { RedisServiceErrorReason } from "redlayer/RedisServiceError"
import { type Call, RedisTransport, type ServerReply, TransportError } from "redlayer/RedisTransport"
import { scripts } from "../../src/internal/redis/script.ts"
import { describeMemory, describeOwnServer } from "../support/Backends.ts"
import * as RawRedis from "../support/RawRedis.ts"
import * as RedisServer from "../support/RedisServer.ts"
import * as TcpProxy from "../support/TcpProxy.ts"
import { captureOutput, eventually, range, reasonIs, timed, until, within } from "./common.ts"

const canary = "canary-7f3a-secret"

class Account extends Model.Class<Account>("Account")({
  name: Schema.String,
  title: Schema.optionalKey(Schema.String),
  coins: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)).pipe(Model.withDefault(0)),
  notes: Schema.Array(Schema.String).pipe(Model.withDefault([]))
}, { key: "name" }) {}

const ann = Account.ref("ann")

const build = (options: RedisService.LayerOptions) =>
  Effect.asVoid(Effect.scoped(Layer.build(RedisService.layer(options))))

const start = { startImmediately: true } as const

/** A server with a raw client. */
const server = Effect.fnUntraced(function*(options?: RedisServer.StartOptions, password?: string) {
  const found = yield* RedisServer.start(options)
  const raw = yield* RawRedis.make(found.url, password === undefined ? {} : { password })
  return { ...found, call: raw.call, raw }
})

/** A server, and a service over it with one entity. */
const serving = Effect.fnUntraced(function*(options?: RedisServer.StartOptions, layer?: RedisService.LayerOptions) {
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
})

const untouched: [unknown, unknown, unknown] = ["5", "Dr", ["a", "b"]]

const unavailable = (exit: Exit.Exit<unknown, unknown>, code: string) => {
  const reason = reasonIs(exit, "ServerUnavailable")
  assert.strictEqual(reason.code, code)
  assert.isTrue(reason.isRetryable)
  assert.isFalse(reason.applied)
}

/** Every way in which an error is shown to people. */
const shown = (exit: Exit.Exit<unknown, unknown>): string => {
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

// ---------------------------------------------------------------------------------------------------------------------
// The version
// ---------------------------------------------------------------------------------------------------------------------

const text = (value: unknown): ServerReply => ({ _tag: "Text", text: JSON.stringify(value) })
const failure = (message: string): ServerReply => ({ _tag: "Error", message })

/** A transport that answers the first question of a layer, accepts its scripts, and answers programs. */
const answering = (first: ServerReply, calls: Array<Call> = [], program: ServerReply = text([])) =>
  Layer.succeed(RedisTransport, {
    ready: Effect.void,
    evaluate: (call) =>
      Effect.sync(() => calls.push(call) === 1 ? first : call.argument === "[[],[]]" ? text([]) : program)
  })

const starting = (transport: Layer.Layer<RedisTransport>, options?: RedisService.ServiceOptions) =>
  Effect.exit(Effect.scoped(Layer.build(Layer.provide(RedisService.layerTransport(options), transport))))

const redis = (version: string) => `# Server\r\nredis_version:${version}\r\nredis_mode:standalone\r\n`
const memory = "# Memory\r\nmaxmemory_policy:noeviction\r\n"
const redis7 = text([redis("7.0.0"), memory, []])

describeMemory("starting over a transport", () => {
  it.live.each<[string, ServerReply]>([
    ["Redis 6 by its version", text([redis("6.2.14"), memory, []])],
    ["no version at all", text(["", memory, []])],
    [
      "Redis 6, which can't compile the script",
      failure("ERR Error compiling script (new function): user_script:1: unexpected symbol near '#'")
    ],
    [
      "Redis 6, which has no read-only scripts",
      failure("ERR unknown command `EVAL_RO`, with args beginning with: `#!lua flags=no-writes` `0` `canary`")
    ],
    ["a server that knows another engine", failure("ERR Unexpected engine in script shebang: lua")]
  ])("%s is unsupported", ([, first]) =>
    Effect.gen(function*() {
      const exit = yield* starting(answering(first))
      const reason = reasonIs(exit, "Unsupported")
      assert.include(reason.requirement, "7.0")
      assert.isFalse(reason.isRetryable)
      assert.notInclude(shown(exit), "canary")
    }))

  it.live.each([
    ["Redis 7.0.0", redis("7.0.0")],
    ["Redis 10.1", redis("10.1.0")],
    [
      "Valkey 8",
      "# Server\r\nredis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.1.0\r\nserver_mode:standalone"
    ]
  ])("%s is supported", ([, info]) =>
    Effect.gen(function*() {
      const calls: Array<Call> = []
      assert.isTrue(Exit.isSuccess(yield* starting(answering(text([info, memory, []]), calls))))
      // the question, then each script, so that the first commit needs no text
      assert.deepStrictEqual(
        calls.map((call) => call.command),
        ["EVAL_RO", "EVAL", "EVALSHA", "EVAL", "EVALSHA", "EVAL_RO", "EVALSHA_RO"]
      )
    }))

  it.live.each([
    ["redis_mode:cluster", `redis_version:7.0.0\r\nredis_mode:cluster\r\n`],
    ["server_mode:cluster", "redis_version:7.2.4\r\nvalkey_version:8.1.0\r\nserver_mode:cluster\r\n"]
  ])("%s makes programs keep to a slot", ([, info]) =>
    Effect.gen(function*() {
      const exit = yield* Atomic.all([ann.coins.get(), Account.ref("bob").coins.get()]).pipe(
        Effect.provide(Layer.provide(RedisService.layerTransport(), answering(text([info, memory, []])))),
        Effect.exit
      )
      assert.deepStrictEqual(reasonIs(exit, "CrossSlot").keys, ["Account:{ann}", "Account:{bob}"])
    }))

  it.live("an answer that is none is not believed", () =>
    Effect.gen(function*() {
      const exit = yield* starting(answering({ _tag: "Text", text: "<html>" }))
      assert.deepStrictEqual({ ...reasonIs(exit, "ScriptFailed") }.code, "REPLY")
    }))

  it.live("commands that the user may not run deny access", () =>
    Effect.gen(function*() {
      const exit = yield* starting(answering(text([redis("7.0.0"), memory, ["HSET"]])), { keyPrefix: "app:" })
      assert.strictEqual(reasonIs(exit, "AccessDenied").code, "NOPERM")
    }))

  it.live("a server whose scripts are flushed meanwhile is not refused", () =>
    Effect.gen(function*() {
      let calls = 0
      const transport = Layer.succeed(RedisTransport, {
        ready: Effect.void,
        evaluate: ({ command }) =>
          Effect.sync(() =>
            calls++ === 0
              ? redis7
              : command.startsWith("EVALSHA")
              ? failure("NOSCRIPT No matching script. Please use EVAL.")
              : text([])
          )
      })
      assert.isTrue(Exit.isSuccess(yield* starting(transport)))
    }))

  it.live("a key prefix with braces is refused before anything is asked", () =>
    Effect.gen(function*() {
      const calls: Array<Call> = []
      const exit = yield* starting(answering(redis7, calls), { keyPrefix: "{app}:" })
      assert.include(reasonIs(exit, "Unsupported").requirement, "braces")
      assert.deepStrictEqual(calls, [])
    }))

  it.live("a refused connection is waited out, unless access is denied", () =>
    Effect.gen(function*() {
      const refusing = (refusal: string) => {
        const refused = Effect.fail(new TransportError({ outcome: "NotSent", refusal }))
        return Layer.succeed(RedisTransport, {
          evaluate: () => refused,
          ready: Effect.delay(refused, "10 millis")
        })
      }
      for (
        const [message, code] of [
          ["WRONGPASS invalid username-password pair or user is disabled.", "WRONGPASS"],
          ["NOAUTH HELLO must be called with the client already authenticated", "NOAUTH"],
          ["DENIED Redis is running in protected mode because protected mode is enabled", "DENIED"]
        ] as const
      ) {
        const [exit, millis] = yield* timed(Effect.flatten(starting(refusing(message))))
        assert.strictEqual(reasonIs(exit, "AccessDenied").code, code)
        within(millis, 0, 100)
      }
      const full = refusing("ERR max number of clients reached")
      const [exit, millis] = yield* timed(Effect.flatten(starting(full, { deadline: "200 millis" })))
      unavailable(exit, "MAXCLIENTS")
      within(millis, 190, 300)
    }))
})

// ---------------------------------------------------------------------------------------------------------------------
// Rights
// ---------------------------------------------------------------------------------------------------------------------

const dataCommands =
  ("exists hdel hget hgetall hincrby hkeys hlen hmget hrandfield hset lindex llen lpos lpush lrange lset ltrim persist " +
    "pexpireat pexpiretime rpop rpush sadd scard sdiff sinter smembers smismember srandmember srem sunion unlink zadd " +
    "zcard zcount zmscore zrange zrank zrem zrevrank").split(" ")
const otherCommands = "eval eval_ro evalsha evalsha_ro info time".split(" ")

/** The least that a user needs, on keys that begin with `app:`. */
const minimal = [
  "on",
  `>${canary}`,
  "resetkeys",
  "~app:*",
  "resetchannels",
  "-@all",
  ...[...otherCommands, ...dataCommands].map((name) => `+${name}`)
]

/** Programs of every kind, those that are undone included. */
const everything = Effect.gen(function*() {
  const bob = Account.ref("bob")
  yield* Account.insert({ name: "bob", title: "Mr", coins: 3, notes: ["a", "b", "c"] })
  assert.strictEqual((yield* Effect.flip(Account.insert({ name: "bob" })))._tag, "EntityExists")
  assert.strictEqual((yield* Account.get("bob")).coins, 3)
  yield* Atomic.all([bob.coins.increment(), bob.title.set("Ms"), bob.notes.append("d"), bob.notes.prepend("0")])
  yield* Atomic.all([bob.notes.shift(), bob.notes.pop(), bob.notes.at(0).set("A"), bob.notes.prepend("z")])
  const failed = Atomic.all([
    bob.title.clear(),
    bob.coins.increment(),
    bob.notes.at(0).set("y"),
    bob.notes.pop(),
    bob.notes.prepend("p"),
    bob.notes.append("q"),
    bob.notes.shift(),
    bob.notes.clear(),
    Account.insert({ name: "carl", notes: ["1"] }),
    bob.coins.decrement(100)
  ])
  assert.strictEqual((yield* Effect.flip(failed))._tag, "OutOfBounds")
  assert.isFalse(yield* Account.exists("carl"))
  yield* bob.title.clear()
  yield* bob.coins.increment()
  assert.deepStrictEqual(yield* bob.notes.slice(0, 2), ["z", "A"])
  assert.strictEqual(yield* bob.notes.length(), 4)
  yield* bob.notes.append("e", { keep: 2 })
  yield* Account.update("bob", { coins: 9, notes: ["new"] })
  yield* Account.put({ name: "bob", coins: 1 })
  const { coins, notes, title } = yield* Account.get("bob")
  assert.deepStrictEqual({ coins, notes, title }, { coins: 1, notes: [], title: undefined })
  assert.isTrue(yield* Account.delete("bob"))
  assert.isFalse(yield* Account.delete("bob"))
})

describeOwnServer("rights", () => {
  it.live("a user with exactly the rights of the README can do everything", () =>
    Effect.gen(function*() {
      const output = yield* captureOutput
      const { call, url } = yield* server()
      yield* call("ACL", "SETUSER", "app", ...minimal)
      const options = { url, keyPrefix: "app:", username: "app", password: canary }
      yield* Effect.provide(everything, RedisService.layer(options), { local: true })
      // and when the scripts have to be sent
      yield* Effect.gen(function*() {
        yield* Account.exists("bob")
        yield* call("SCRIPT", "FLUSH")
        yield* everything
      }).pipe(Effect.provide(RedisService.layer(options), { local: true }))
      assert.deepStrictEqual(output, [])
    }))

  it.live("these are the commands that the scripts call, and no others", () =>
    Effect.sync(() => {
      const called = new Set(
        Array.from(scripts.write.text.matchAll(/"([A-Z]{3,})"/g), ([, name]) => name!.toLowerCase())
      )
      // these touch no key
      called.delete("time")
      called.delete("publish")
      assert.deepStrictEqual([...called].sort(), dataCommands)
    }))

  it.live("a user that lacks any one of them is denied at the start", () =>
    Effect.gen(function*() {
      const { call, url } = yield* server()
      const lacking = [...otherCommands, ...dataCommands]
      for (const name of lacking) yield* call("ACL", "SETUSER", `no-${name}`, ...minimal, `-${name}`)
      const exits = yield* Effect.forEach(lacking, (name) =>
        timed(build({ url, keyPrefix: "app:", username: `no-${name}`, password: canary })), { concurrency: 4 })
      for (const [i, [exit, millis]] of exits.entries()) {
        assert.isTrue(Exit.isFailure(exit), `a user without ${lacking[i]} was let in`)
        assert.strictEqual(reasonIs(exit, "AccessDenied").code, "NOPERM")
        assert.isBelow(millis, 1000)
        assert.notInclude(shown(exit), canary)
      }
    }))

  it.live("a user whose keys are others is denied at the start", () =>
    Effect.gen(function*() {
      const { call, url } = yield* server()
      yield* call("ACL", "SETUSER", "app", ...minimal)
      const exit = yield* Effect.exit(build({ url, keyPrefix: "other:", username: "app", password: canary }))
      assert.strictEqual(reasonIs(exit, "AccessDenied").code, "NOPERM")
      // a user that may only read is not enough either
      yield* call("ACL", "SETUSER", "reader", ...minimal, "resetkeys", "%R~app:*")
      const reader = yield* Effect.exit(build({ url, keyPrefix: "app:", username: "reader", password: canary }))
      assert.strictEqual(reasonIs(reader, "AccessDenied").code, "NOPERM")
    }))

  it.live("one program that touches a key out of reach does not fail its neighbours", () =>
    Effect.gen(function*() {
      const { call, key, services, stored, url } = yield* serving()
      yield* call("ACL", "SETUSER", "app", ...minimal, "resetkeys", `~${key}*`)
      void services
      const [mine, other, both] = yield* Effect.all([
        Effect.exit(ann.coins.increment()),
        Effect.exit(Account.insert({ name: "bob" })),
        Effect.exit(Atomic.all([ann.notes.clear(), Account.ref("bob").coins.increment()]))
      ], { concurrency: "unbounded" }).pipe(
        Effect.provide(RedisService.layer({ url, username: "app", password: canary }), { local: true })
      )
      assert.deepStrictEqual(mine, Exit.succeed(6))
      assert.isFalse(reasonIs(other, "AccessDenied").applied)
      assert.isFalse(reasonIs(both, "AccessDenied").applied)
      assert.deepStrictEqual(yield* stored, ["6", "Dr", ["a", "b"]])
      assert.strictEqual(yield* call("EXISTS", "Account:{bob}"), 0)
    }))

  it.live("without a prefix a missing right is met in the middle of a program, and the error does not say undone", () =>
    Effect.gen(function*() {
      const { call, stored, url } = yield* serving()
      yield* call("ACL", "SETUSER", "app", ...minimal, "~*", "-ltrim")
      yield* Effect.gen(function*() {
        yield* Account.insert({ name: "bob", notes: ["x"] })
        // at its end a program removes keys first, and then the items that have left
        const half = yield* Effect.exit(Atomic.all([ann.notes.shift(), Account.delete("bob")]))
        const reason = reasonIs(half, "ScriptFailed")
        assert.strictEqual(reason.applied, "unknown")
        assert.isFalse(reason.isRetryable)
        assert.strictEqual(yield* call("EXISTS", "Account:{bob}"), 0)
        // what was appended can't be taken back
        const broken = yield* Effect.exit(Atomic.all([ann.notes.append("c"), ann.coins.decrement(9)]))
        assert.strictEqual(reasonIs(broken, "ScriptFailed").applied, "unknown")
        assert.deepStrictEqual(yield* stored, ["5", "Dr", ["a", "b", "c"]])
        // what can be undone is, and the error says so
        const denied = yield* Effect.exit(Atomic.all([ann.coins.increment(), ann.notes.shift()]))
        assert.isFalse(reasonIs(denied, "AccessDenied").applied)
        assert.deepStrictEqual(yield* stored, ["5", "Dr", ["a", "b", "c"]])
      }).pipe(Effect.provide(RedisService.layer({ url, username: "app", password: canary }), { local: true }))
    }))
})

// ---------------------------------------------------------------------------------------------------------------------
// Passwords
// ---------------------------------------------------------------------------------------------------------------------

describeOwnServer("the password", () => {
  const right = "right-password"
  const secured = server({ args: ["--requirepass", right] }, right)

  it.live("that is wrong denies access at once, and appears nowhere", () =>
    Effect.gen(function*() {
      const output = yield* captureOutput
      const logged: Array<unknown> = []
      const { host, port } = yield* secured
      const attempts: ReadonlyArray<readonly [RedisService.LayerOptions, string]> = [
        [{ url: `redis://:${canary}@${host}:${port}` }, "WRONGPASS"],
        [{ url: Redacted.make(`redis://nobody:${canary}@${host}:${port}`) }, "WRONGPASS"],
        [{ host, port, password: canary }, "WRONGPASS"],
        [{ host, port, username: "nobody", password: Redacted.make(canary) }, "WRONGPASS"],
        [{ host, port, password: canary, db: 3 }, "WRONGPASS"],
        [{ host, port, password: canary, keyPrefix: "app:", protocol: 2 }, "WRONGPASS"],
        [{ host, port }, "NOAUTH"]
      ]
      for (const [options, code] of attempts) {
        const [exit, millis] = yield* timed(build(options)).pipe(
          Effect.provide(Logger.layer([Logger.make((entry) => logged.push(entry))]))
        )
        const reason = reasonIs(exit, "AccessDenied")
        assert.strictEqual(reason.code, code)
        assert.isFalse(reason.isRetryable)
        assert.isFalse(reason.applied)
        assert.isBelow(millis, 1000)
        assert.notInclude(shown(exit), canary)
      }
      assert.notInclude(inspect(logged, { depth: 10 }), canary)
      assert.deepStrictEqual(output, [])
    }))

  it.live("that is right is enough, by URL, option or both", () =>
    Effect.gen(function*() {
      const output = yield* captureOutput
      const { call, host, port } = yield* secured
      const odd = "p@ss:/%é word"
      yield* call("ACL", "SETUSER", "odd", "on", `>${odd}`, "~*", "+@all")
      for (
        const options of [
          { url: `redis://:${right}@${host}:${port}` },
          { url: Redacted.make(`redis://default:${right}@${host}:${port}/0`) },
          { url: `redis://${host}:${port}`, password: right },
          { url: `redis://:${canary}@${host}:${port}`, password: Redacted.make(right) },
          { url: `redis://odd:${encodeURIComponent(odd)}@${host}:${port}` },
          { host, port, password: right, protocol: 2 as const }
        ]
      ) {
        assert.isTrue(Exit.isSuccess(yield* Effect.exit(build(options))))
      }
      assert.deepStrictEqual(output, [])
    }))

  it.live("that was changed denies the next connection, until it is right again", () =>
    Effect.gen(function*() {
      const output = yield* captureOutput
      const { call, port } = yield* secured
      const proxy = yield* TcpProxy.make({ port })
      const services = yield* Layer.build(RedisService.layer({ url: proxy.url, password: right }))
      const run = <A, E>(self: Effect.Effect<A, E, RedisService.RedisService>) => Effect.provide(self, services)
      yield* run(Account.insert({ name: "ann" }))
      yield* call("CONFIG", "SET", "requirepass", "changed")
      assert.strictEqual(yield* run(ann.coins.increment()), 1)
      yield* proxy.cut()
      const client = Context.get(services, IoRedis)
      yield* until("the client sees that it has no connection", () => client.status !== "ready")
      const [exit, millis] = yield* timed(run(ann.coins.increment()))
      assert.strictEqual(reasonIs(exit, "AccessDenied").code, "WRONGPASS")
      assert.isBelow(millis, 1000)
      yield* call("CONFIG", "SET", "requirepass", right)
      assert.strictEqual(yield* call("HGET", "Account:{ann}", "coins"), "1")
      assert.strictEqual(yield* eventually(run(ann.coins.increment())), 2)
      assert.deepStrictEqual(output, [])
    }))
})

// ---------------------------------------------------------------------------------------------------------------------
// Addresses
// ---------------------------------------------------------------------------------------------------------------------

describeOwnServer("addresses", () => {
  it.live("a URL that is none is refused, and not shown", () =>
    Effect.gen(function*() {
      for (
        const url of [
          canary,
          `redis://user:${canary}@host:port`,
          `redis://user:${canary}%zz@127.0.0.1:1`,
          `redis://user:${canary}%ff@127.0.0.1:1`,
          `http://user:${canary}@127.0.0.1:1`,
          `redis://user:${canary}@127.0.0.1:1/users`
        ]
      ) {
        const [exit, millis] = yield* timed(build({ url, deadline: "2 seconds" }))
        assert.include(reasonIs(exit, "Unsupported").requirement, "URL")
        assert.notInclude(shown(exit), canary)
        assert.isBelow(millis, 500)
      }
    }))

  it.live("the database of the URL or the options is used, and none in its place", () =>
    Effect.gen(function*() {
      const output = yield* captureOutput
      const { call, host, port, url } = yield* server()
      yield* Effect.provide(Account.insert({ name: "ann" }), RedisService.layer({ url: `${url}/3` }), { local: true })
      yield* Effect.provide(Account.insert({ name: "bob" }), RedisService.layer({ host, port, db: 4 }), { local: true })
      assert.match(String(yield* call("INFO", "keyspace")), /^# Keyspace\r\ndb3:keys=1,.*\r\ndb4:keys=1,.*\r\n$/)
      const [exit, millis] = yield* timed(
        Effect.provide(Account.insert({ name: "carl" }), RedisService.layer({ url: `${url}/99` }))
      )
      assert.include(reasonIs(exit, "Unsupported").requirement, "database")
      assert.isBelow(millis, 1000)
      yield* call("ACL", "SETUSER", "app", ...minimal)
      const denied = yield* Effect.exit(build({ url, keyPrefix: "app:", username: "app", password: canary, db: 3 }))
      assert.strictEqual(reasonIs(denied, "AccessDenied").code, "NOPERM")
      yield* call("ACL", "SETUSER", "app", "+select")
      const services = yield* Layer.build(
        RedisService.layer({ url, keyPrefix: "app:", username: "app", password: canary, db: 3 })
      )
      // not on a later connection either
      yield* call("ACL", "SETUSER", "app", "-select")
      yield* call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
      const client = Context.get(services, IoRedis)
      yield* until("the connection is refused", () => client.status === "reconnecting")
      for (let i = 0; i < 5; i++) {
        const exit = yield* Effect.exit(Effect.provide(Account.insert({ name: "carl" }), services))
        assert.strictEqual(reasonIs(exit, "AccessDenied").code, "NOPERM")
      }
      assert.strictEqual(yield* call("DBSIZE"), 0)
      assert.deepStrictEqual(output, [])
    }))

  it.live("the options of the client are used, but for those that would send twice", () =>
    Effect.gen(function*() {
      const { port } = yield* server()
      const services = yield* Layer.build(RedisService.layer({ port, connectTimeout: 1234, connectionName: "me" }))
      const { options } = Context.get(services, IoRedis)
      assert.strictEqual(options.host, "127.0.0.1")
      assert.strictEqual(options.connectTimeout, 1234)
      assert.strictEqual(options.connectionName, "me")
      assert.strictEqual(options.maxRetriesPerRequest, 0)
      assert.isFalse(options.enableOfflineQueue)
    }))

  const configured = (env: Record<string, string>, options?: RedisService.LayerOptions) =>
    Account.insert({ name: "ann", coins: 1 }).pipe(
      Effect.provide(RedisService.layerConfig(options), { local: true }),
      Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env })),
      Effect.exit
    )

  it.live("layerConfig takes REDIS_URL", () =>
    Effect.gen(function*() {
      const { call, host, port } = yield* server({ args: ["--requirepass", canary] }, canary)
      const exit = yield* configured({
        REDIS_URL: `redis://:${canary}@${host}:${port}/2`,
        REDIS_KEY_PREFIX: "app:"
      })
      assert.isTrue(Exit.isSuccess(exit))
      yield* call("SELECT", "2")
      assert.deepStrictEqual(yield* call("KEYS", "*"), ["app:Account:{ann}"])
    }))

  it.live("layerConfig takes the parts of an address, and options before them", () =>
    Effect.gen(function*() {
      const { call, host, port } = yield* server({ args: ["--requirepass", canary] }, canary)
      yield* call("ACL", "SETUSER", "app", "on", `>${canary}`, "~*", "+@all")
      const env = {
        REDIS_HOST: host,
        REDIS_PORT: String(port),
        REDIS_USERNAME: "app",
        REDIS_PASSWORD: canary,
        REDIS_DB: "5"
      }
      assert.isTrue(Exit.isSuccess(yield* configured(env)))
      assert.isTrue(Exit.isSuccess(yield* configured({ ...env, REDIS_DB: "7" }, { db: 6, keyPrefix: "x:" })))
      assert.match(String(yield* call("INFO", "keyspace")), /^# Keyspace\r\ndb5:keys=1,.*\r\ndb6:keys=1,.*\r\n$/)
      const wrong = yield* configured({ ...env, REDIS_PASSWORD: `${canary}-wrong` })
      assert.strictEqual(reasonIs(wrong, "AccessDenied").code, "WRONGPASS")
      assert.notInclude(shown(wrong), canary)
    }))

  it.live("layerConfig fails typed where the environment is wrong, and tells no secret", () =>
    Effect.gen(function*() {
      const port = yield* configured({ REDIS_PORT: "none", REDIS_PASSWORD: canary })
      assert.isTrue(Exit.isFailure(port))
      assert.include(shown(port), "ConfigError")
      assert.notInclude(shown(port), canary)
      const url = yield* configured({ REDIS_URL: `redis//${canary}` })
      assert.include(reasonIs(url, "Unsupported").requirement, "URL")
      assert.notInclude(shown(url), canary)
    }))
})

// ---------------------------------------------------------------------------------------------------------------------
// What servers refuse
// ---------------------------------------------------------------------------------------------------------------------

describeOwnServer("memory", () => {
  const warnings = (url: string) =>
    Effect.gen(function*() {
      const logged: Array<string> = []
      const logger = Logger.make(({ logLevel, message }) => logged.push(`${logLevel}: ${String(message)}`))
      yield* Effect.provide(build({ url }), Logger.layer([logger]))
      return logged
    })

  it.live("a maxmemory-policy that evicts is warned of", () =>
    Effect.gen(function*() {
      const output = yield* captureOutput
      const { call, url } = yield* server()
      assert.deepStrictEqual(yield* warnings(url), [])
      yield* call("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
      const [warning, ...more] = yield* warnings(url)
      assert.deepStrictEqual(more, [])
      assert.match(warning!, /^Warn: .*allkeys-lru.*noeviction/)
      yield* call("CONFIG", "SET", "maxmemory-policy", "volatile-ttl")
      assert.include((yield* warnings(url)).join(), "volatile-ttl")
      assert.deepStrictEqual(output, [])
    }))

  it.live("that is exhausted refuses writes, and neither reads nor removals", () =>
    Effect.gen(function*() {
      const { call, run, stored } = yield* serving()
      yield* run(Account.insert({ name: "bob", notes: ["x"] }))
      yield* call("CONFIG", "SET", "maxmemory", "1")
      for (
        const program of [
          ann.coins.increment(),
          ann.title.set("Ms"),
          Atomic.all([ann.notes.pop(), ann.coins.increment()]),
          Account.insert({ name: "carl" }),
          Account.put({ name: "ann" }),
          Account.update("ann", { notes: [] })
        ]
      ) {
        const exit = yield* Effect.exit(run<unknown, unknown>(program))
        const reason = reasonIs(exit, "OutOfMemory")
        assert.isFalse(reason.applied)
        assert.isFalse(reason.isRetryable)
      }
      assert.deepStrictEqual(yield* stored, untouched)
      // a call that only reads, one that only removes, and one that is refused, in one turn
      const [read, popped, refused] = yield* Effect.all([
        Effect.exit(run(Account.get("ann"))),
        Effect.exit(run(ann.notes.pop())),
        Effect.exit(run(ann.coins.increment()))
      ], { concurrency: "unbounded" })
      assert.isTrue(Exit.isSuccess(read))
      assert.deepStrictEqual(popped, Exit.succeed(Option.some("b")))
      reasonIs(refused, "OutOfMemory")
      yield* run(ann.title.clear())
      yield* run(ann.notes.clear())
      assert.isTrue(yield* run(Account.delete("bob")))
      assert.deepStrictEqual(yield* stored, ["5", null, []])
      yield* call("CONFIG", "SET", "maxmemory", "0")
      assert.strictEqual(yield* run(ann.coins.increment()), 6)
    }))

  it.live("that is exhausted does not keep a layer from starting", () =>
    Effect.gen(function*() {
      const { call, url } = yield* serving()
      yield* call("CONFIG", "SET", "maxmemory", "1")
      yield* call("SCRIPT", "FLUSH")
      yield* Effect.gen(function*() {
        assert.strictEqual(yield* ann.coins.get(), 5)
        reasonIs(yield* Effect.exit(ann.coins.increment()), "OutOfMemory")
        assert.isTrue(yield* Account.delete("ann"))
      }).pipe(Effect.provide(RedisService.layer({ url, keyPrefix: "" }), { local: true }))
    }))
})

describeOwnServer("a refusal", () => {
  it.live("of another kind of key is WrongType, and names key and field", () =>
    Effect.gen(function*() {
      const { call, key, run, stored } = yield* serving({}, { keyPrefix: "app:" })
      yield* call("DEL", `${key}:notes`)
      yield* call("SET", `${key}:notes`, "text")
      const expected = { model: "Account", id: "ann", key: "Account:{ann}:notes", field: "notes", applied: false }
      for (const program of [ann.notes.append("c"), ann.notes.get(), ann.notes.pop()]) {
        const reason = reasonIs(yield* Effect.exit(run<unknown, unknown>(program)), "WrongType")
        const { applied, field, id, key, model } = reason
        assert.deepStrictEqual({ applied, field, id, key, model }, expected)
      }
      const later = yield* Effect.exit(run(Atomic.all([ann.coins.increment(), ann.notes.append("c")])))
      assert.strictEqual(reasonIs(later, "WrongType").field, "notes")
      assert.strictEqual(yield* call("HGET", key, "coins"), "5")
      assert.strictEqual(yield* call("GET", `${key}:notes`), "text")
      yield* call("DEL", key)
      yield* call("SET", key, "text")
      const field = reasonIs(yield* Effect.exit(run(ann.coins.increment())), "WrongType")
      assert.strictEqual(field.key, "Account:{ann}")
      assert.strictEqual(field.field, "")
      assert.strictEqual(yield* call("GET", key), "text")
      void stored
    }))

  it.live("by a script that does not end is BUSY", () =>
    Effect.gen(function*() {
      const output = yield* captureOutput
      const { call, run, stored, url } = yield* serving({ args: ["--busy-reply-threshold", "30"] })
      const endless = yield* RawRedis.make(url)
      const loop = yield* Effect.forkChild(endless.call("EVAL", "while true do end", "0"), start)
      yield* eventually(Effect.filterOrFail(Effect.flip(call("PING")), ({ message }) => message.startsWith("BUSY")))
      unavailable(yield* Effect.exit(run(ann.coins.increment())), "BUSY")
      unavailable(yield* Effect.exit(run(ann.coins.get())), "BUSY")
      // a layer can't start, and says why
      const [early, millis] = yield* timed(build({ url, deadline: "300 millis" }))
      unavailable(early, "BUSY")
      within(millis, 290, 450)
      const patient = yield* Effect.forkChild(build({ url }), start)
      yield* call("SCRIPT", "KILL")
      yield* Fiber.join(patient)
      yield* Fiber.await(loop)
      assert.deepStrictEqual(yield* stored, untouched)
      assert.strictEqual(yield* run(ann.coins.increment()), 6)
      assert.deepStrictEqual(output, [])
    }))

  it.live("by a server that loads its data is LOADING", () =>
    Effect.gen(function*() {
      const { call, run, stored, url } = yield* serving({
        args: ["--enable-debug-command", "yes", "--loading-process-events-interval-bytes", "1024"]
      })
      yield* call("EVAL", "for i = 1, 500 do redis.call('SET', 'filler:' .. i, string.rep('x', 500)) end", "0")
      yield* call("CONFIG", "SET", "key-load-delay", "600")
      const reloading = yield* RawRedis.make(url)
      const reload = yield* Effect.forkChild(reloading.call("DEBUG", "RELOAD"), start)
      const exit = yield* eventually(
        Effect.filterOrFail(Effect.exit(run(ann.title.set("Ms"))), Exit.isFailure)
      )
      unavailable(exit, "LOADING")
      yield* Fiber.join(reload)
      yield* run(ann.title.set("Dr"))
      assert.deepStrictEqual(yield* stored, untouched)
    }))

  it.live("by a restarted server that loads its data is waited out", () =>
    Effect.gen(function*() {
      const output = yield* captureOutput
      const { call, directory, kill, port, run, url } = yield* serving()
      yield* call("EVAL", "for i = 1, 500 do redis.call('SET', 'filler:' .. i, string.rep('x', 500)) end", "0")
      yield* call("SAVE")
      yield* kill("SIGKILL")
      const again = yield* Effect.forkChild(
        RedisServer.start({
          dir: directory,
          port,
          args: ["--key-load-delay", "1000", "--loading-process-events-interval-bytes", "1024"]
        }),
        start
      )
      const starting = yield* Effect.forkChild(build({ url }), start)
      const waiting = yield* Effect.forkChild(run(ann.coins.increment()), start)
      yield* Fiber.join(again)
      assert.isUndefined(starting.pollUnsafe())
      // soon after, and not only when the server had expected to be ready
      const [results, millis] = yield* timed(Effect.all([Fiber.join(starting), Fiber.join(waiting)]))
      assert.deepStrictEqual(results, Exit.succeed([undefined, 6] as [void, number]))
      assert.isBelow(millis, 350)
      assert.deepStrictEqual(output, [])
    }))

  it.live("by a replica is READONLY, and reads go on", () =>
    Effect.gen(function*() {
      const { call, run, stored } = yield* serving()
      const nobody = yield* RedisServer.freePort
      yield* call("REPLICAOF", "127.0.0.1", String(nobody))
      unavailable(yield* Effect.exit(run(ann.coins.increment())), "READONLY")
      unavailable(yield* Effect.exit(run(ann.notes.pop())), "READONLY")
      assert.strictEqual(yield* run(ann.coins.get()), 5)
      yield* call("CONFIG", "SET", "replica-serve-stale-data", "no")
      unavailable(yield* Effect.exit(run(ann.coins.get())), "MASTERDOWN")
      yield* call("REPLICAOF", "NO", "ONE")
      assert.deepStrictEqual(yield* stored, untouched)
      assert.strictEqual(yield* run(ann.coins.increment()), 6)
    }))

  it.live("by a master without replicas is NOREPLICAS", () =>
    Effect.gen(function*() {
      const { call, run, stored } = yield* serving()
      yield* call("CONFIG", "SET", "min-replicas-to-write", "1")
      unavailable(yield* Effect.exit(run(ann.coins.increment())), "NOREPLICAS")
      assert.deepStrictEqual(yield* stored, untouched)
    }))

  it.live("by a server that can't save is MISCONF", () =>
    Effect.gen(function*() {
      const { call, directory, run, stored } = yield* serving({ args: ["--save", "3600 1"] })
      rmSync(directory, { recursive: true })
      yield* call("BGSAVE")
      yield* eventually(
        Effect.filterOrFail(
          call("INFO", "persistence"),
          (info) => String(info).includes("rdb_last_bgsave_status:err")
        )
      )
      unavailable(yield* Effect.exit(run(ann.coins.increment())), "MISCONF")
      assert.deepStrictEqual(yield* stored, untouched)
      assert.strictEqual(yield* run(ann.coins.get()), 5)
      // or it would not stop
      yield* call("CONFIG", "SET", "save", "")
    }))

  it.live("by a server with all its clients is MAXCLIENTS", () =>
    Effect.gen(function*() {
      const output = yield* captureOutput
      const { call, url } = yield* server()
      yield* call("CONFIG", "SET", "maxclients", "1")
      const [exit, millis] = yield* timed(build({ url, deadline: "300 millis" }))
      unavailable(exit, "MAXCLIENTS")
      within(millis, 290, 450)
      const patient = yield* Effect.forkChild(build({ url }), start)
      yield* call("CONFIG", "SET", "maxclients", "10")
      yield* Fiber.join(patient)
      assert.deepStrictEqual(output, [])
    }))

  it.live("by a cluster node without the slot is CLUSTERDOWN, and the layer starts", () =>
    Effect.gen(function*() {
      const { url } = yield* server({ cluster: true })
      const services = yield* Layer.build(RedisService.layer({ url, keyPrefix: "app:", retry: false }))
      const exit = yield* Effect.exit(Effect.provide(Account.exists("ann"), services))
      unavailable(exit, "CLUSTERDOWN")
    }))
})

// ---------------------------------------------------------------------------------------------------------------------
// What can't be provoked on a server
// ---------------------------------------------------------------------------------------------------------------------

describeMemory("a reply", () => {
  const replying = (reply: ServerReply) =>
    ann.coins.increment().pipe(
      Effect.provide(Layer.provide(RedisService.layerTransport({ retry: false }), answering(redis7, [], reply)), {
        local: true
      }),
      Effect.exit
    )

  const raised = `script: ${"0".repeat(40)}, on @user_script:1.`

  it.live.each<[string, RedisServiceErrorReason["_tag"], string | undefined, unknown]>([
    ["OOM command not allowed when used memory > 'maxmemory'.", "OutOfMemory", undefined, false],
    ["NOAUTH Authentication required.", "AccessDenied", "NOAUTH", false],
    ["NOPERM this user has no permissions to run the 'evalsha' command", "AccessDenied", "NOPERM", false],
    ["CLUSTERDOWN The cluster is down", "ServerUnavailable", "CLUSTERDOWN", false],
    ["MOVED 1234 127.0.0.1:1", "ServerUnavailable", "MOVED", false],
    ["ASK 1234 127.0.0.1:1", "ServerUnavailable", "ASK", false],
    ["TRYAGAIN Multiple keys request during rehashing of slot", "ServerUnavailable", "TRYAGAIN", false],
    ["CROSSSLOT Keys in request don't hash to the same slot", "CrossSlot", undefined, false],
    [
      `ERR Error running script: Script killed by user with SCRIPT KILL. ${raised}`,
      "ServerUnavailable",
      "KILLED",
      false
    ],
    ["ERR unknown command 'EVALSHA', with args beginning with: 'canary'", "Unsupported", undefined, false],
    // raised by the script itself, and so perhaps after it had written
    [`NOPERM ACL failure in script canary ${raised}`, "ScriptFailed", "NOPERM", "unknown"],
    [`OOM command not allowed when used memory > 'maxmemory'. ${raised}`, "ScriptFailed", "OOM", "unknown"],
    [`ERR Script attempted to access a non local key in a cluster node ${raised}`, "ScriptFailed", "ERR", "unknown"],
    [`ERR user_script:1: canary ${raised}`, "ScriptFailed", "ERR", "unknown"],
    ["NEWCODE canary", "ScriptFailed", "NEWCODE", "unknown"],
    ["canary", "ScriptFailed", "ERR", "unknown"]
  ])("%s is %s", ([message, tag, code, applied]) =>
    Effect.gen(function*() {
      const exit = yield* replying(failure(message))
      const reason = reasonIs(exit, tag)
      if (code !== undefined) assert.strictEqual((reason as { readonly code: string }).code, code)
      assert.strictEqual(reason.applied, applied)
      assert.notInclude(shown(exit), "canary")
    }))

  it.live.each(["", "{}", "null", "[]", "[2]", "[\"done\"]", "canary"])(
    "%j is none",
    (reply) =>
      Effect.gen(function*() {
        const exit = yield* replying({ _tag: "Text", text: reply })
        const reason = reasonIs(exit, "ScriptFailed")
        assert.strictEqual(reason.applied, "unknown")
        assert.notInclude(shown(exit), "canary")
      })
  )

  it.live("that is raised by a running script is not sent again", () =>
    Effect.gen(function*() {
      const calls: Array<Call> = []
      const transport = answering(redis7, calls, failure(`NOPERM ACL failure in script ${raised}`))
      const exits = yield* Effect.all(range(3).map(() => Effect.exit(ann.coins.increment())), {
        concurrency: "unbounded"
      }).pipe(Effect.provide(Layer.provide(RedisService.layerTransport(), transport)))
      for (const exit of exits) assert.strictEqual(reasonIs(exit, "ScriptFailed").applied, "unknown")
      assert.lengthOf(calls.filter(({ argument }) => argument.includes("Account") || argument.includes("coins")), 1)
    }))
})
