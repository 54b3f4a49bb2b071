/**
 * Obstacles when a layer starts: each has a reason of its own, and none contains a secret.
 */
import { assert, it } from "@effect/vitest"
import { ConfigProvider, Context, Effect, Exit, Layer, Logger, Redacted, Schema } from "effect"
import { inspect } from "node:util"
import { Atomic, RedisService, Topic } from "redlayer"
import { IoRedis } from "redlayer/IoRedis"
import { type Call, RedisTransport, type ServerReply, TransportError } from "redlayer/RedisTransport"
import { scripts } from "../../src/internal/redis/scripts.ts"
import { describeMemory, describeOwnServer } from "../support/Backends.ts"
import * as Rights from "../support/Rights.ts"
import { captureOutput, eventually, reasonIs, timed, until, within } from "./liveService.ts"
import {
  Account,
  ann,
  answering,
  build,
  canary,
  failure,
  memory,
  redis,
  redis7,
  server,
  serving,
  shown,
  text,
  unavailable
} from "./scriptedTransport.ts"

// ---------------------------------------------------------------------------------------------------------------------
// The version
// ---------------------------------------------------------------------------------------------------------------------

const starting = (transport: Layer.Layer<RedisTransport>, options?: RedisService.ServiceOptions) =>
  Effect.exit(Effect.scoped(Layer.build(Layer.provide(RedisService.layerTransport(options), transport))))

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
      // the questions, then each script, so that the first commit needs no text
      assert.deepStrictEqual(
        calls.map((call) => call.command),
        "EVAL EVAL EVAL EVAL EVAL EVAL_RO EVALSHA_RO EVAL EVALSHA EVAL EVALSHA".split(" ")
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

  it.live("a malformed answer is not accepted", () =>
    Effect.gen(function*() {
      const exit = yield* starting(answering({ _tag: "Text", text: "<html>" }))
      assert.deepStrictEqual({ ...reasonIs(exit, "ScriptFailed") }.code, "REPLY")
    }))

  it.live("commands that the user may not run deny access, and are named", () =>
    Effect.gen(function*() {
      const exit = yield* starting(answering(text([redis("7.0.0"), memory, ["HSET", "ZADD"]])), { keyPrefix: "app:" })
      const { code, commands, message, prefix } = reasonIs(exit, "AccessDenied")
      assert.deepStrictEqual({ code, commands, prefix }, {
        code: "NOPERM",
        commands: ["HSET", "ZADD"],
        prefix: undefined
      })
      assert.strictEqual(message, "The server denied access: NOPERM; the user may not run HSET, ZADD")
    }))

  it.live("a transport that leads to a replica makes the layer say so at the deadline", () =>
    Effect.gen(function*() {
      const replica = text([redis("7.0.0"), memory, [], "# Replication\r\nrole:slave\r\n", true, true])
      const transport = Layer.succeed(RedisTransport, { ready: Effect.void, evaluate: () => Effect.succeed(replica) })
      const [exit, millis] = yield* timed(Effect.flatten(starting(transport, { deadline: "300 millis" })))
      unavailable(exit, "READONLY")
      within(millis, 290, 450)
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
      assert.strictEqual(reasonIs(exit, "InvalidOption").option, "keyPrefix")
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

const startCommands = "eval eval_ro evalsha evalsha_ro info time".split(" ")

/** The least that a user needs, on keys that begin with `app:`. */
const minimal = Rights.least({ keyPrefix: "app:", password: canary, topics: false })

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
  it.live("a user with exactly the rights of docs/server.md can do everything", () =>
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

  it.live("the rights name the commands that the scripts call, and no others", () =>
    Effect.sync(() => {
      const called = new Set(
        Array.from(scripts.write.text.matchAll(/"([A-Z]{3,})"/g), ([, name]) => name!.toLowerCase())
      )
      // a right of those who use topics
      called.delete("publish")
      // and of those who check the sums of a model
      for (const name of Rights.commands.forScans) called.delete(name)
      for (const name of startCommands) called.add(name)
      assert.deepStrictEqual([...called].sort(), Rights.commands.forPrograms.toSorted())
    }))

  it.live("a user without any one of the rights is denied at the start", () =>
    Effect.gen(function*() {
      const { call, url } = yield* server()
      const lacking = Rights.commands.forPrograms
      for (const name of lacking) yield* call("ACL", "SETUSER", `no-${name}`, ...minimal, `-${name}`)
      const exits = yield* Effect.forEach(lacking, (name) =>
        timed(build({ url, keyPrefix: "app:", username: `no-${name}`, password: canary })), { concurrency: 4 })
      for (const [i, [exit, millis]] of exits.entries()) {
        assert.isTrue(Exit.isFailure(exit), `a user without ${lacking[i]} was let in`)
        const { code, commands, message } = reasonIs(exit, "AccessDenied")
        assert.strictEqual(code, "NOPERM")
        assert.deepStrictEqual(commands, [lacking[i]!.toUpperCase()])
        assert.include(message, lacking[i]!.toUpperCase())
        assert.isBelow(millis, 1000)
        assert.notInclude(shown(exit), canary)
      }
    }))

  it.live("a missing right is named without a key prefix too", () =>
    Effect.gen(function*() {
      const { call, url } = yield* server()
      const start = (username: string, options?: RedisService.LayerOptions) =>
        Effect.exit(build({ url, username, password: canary, ...options }))
      const all = ["on", `>${canary}`, "~*", "&*", "+@all"]
      yield* call("ACL", "SETUSER", "nozadd", ...all, "-zadd")
      assert.deepStrictEqual(reasonIs(yield* start("nozadd"), "AccessDenied").commands, ["ZADD"])
      yield* call("ACL", "SETUSER", "info", "on", `>${canary}`, "~*", "+eval", "+info", "+time")
      const { commands = [], message } = reasonIs(yield* start("info"), "AccessDenied")
      for (const command of ["EVALSHA", "EVAL_RO", "HSET", "ZADD"]) assert.include(commands, command)
      assert.include(message, "EVALSHA")
      yield* call("ACL", "SETUSER", "nothing", "on", `>${canary}`, "~*", "+info")
      assert.deepStrictEqual(reasonIs(yield* start("nothing"), "AccessDenied").commands, ["EVAL"])
      // several at once, with a prefix
      yield* call("ACL", "SETUSER", "two", ...minimal, "-hset", "-lpos")
      assert.deepStrictEqual(
        reasonIs(yield* start("two", { keyPrefix: "app:" }), "AccessDenied").commands,
        ["HSET", "LPOS"]
      )
    }))

  it.live("a user without the key of the checks is let in with a warning, because its models may have other keys", () =>
    Effect.gen(function*() {
      const { call, url } = yield* server()
      yield* call("ACL", "SETUSER", "many", "on", `>${canary}`, "~Account:*", "+@all")
      const logged: Array<string> = []
      yield* Account.insert({ name: "ann" }).pipe(
        Effect.provide(RedisService.layer({ url, username: "many", password: canary }), { local: true }),
        Effect.provide(Logger.layer([Logger.make(({ message }) => logged.push(String(message)))]))
      )
      assert.strictEqual(logged.length, 1)
      assert.include(logged[0], "{$probe}")
      // with a prefix there is no doubt
      const exit = yield* Effect.exit(build({ url, keyPrefix: "app:", username: "many", password: canary }))
      const { commands, message, prefix } = reasonIs(exit, "AccessDenied")
      assert.deepStrictEqual({ commands, prefix }, { commands: undefined, prefix: "app:" })
      assert.include(message, "app:*")
    }))

  it.live("a user with other keys is denied at the start", () =>
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

  it.live("topics need each of their rights, and no others", () =>
    Effect.gen(function*() {
      const { call, url } = yield* server()
      const [news, other] = [Topic.make("news", Schema.String), Topic.make("other", Schema.String)]
      const own = Rights.least({ keyPrefix: "app:", password: canary })
      const users: Record<string, ReadonlyArray<string>> = { "no-channels": ["resetchannels"], "all": [] }
      for (const name of Rights.commands.forTopics) users[`no-${name}`] = [`-${name}`]
      const tried: Record<string, { readonly [what: string]: Exit.Exit<unknown, unknown> }> = {}
      for (const [username, rules] of Object.entries(users)) {
        yield* call("ACL", "SETUSER", username, ...own, ...rules)
        const services = yield* Layer.build(
          RedisService.layer({ url, keyPrefix: "app:", username, password: canary })
        )
        tried[username] = yield* Effect.all({
          published: Effect.exit(news.publish("hello")),
          subscribed: Effect.exit(news.subscribe()),
          left: Effect.exit(Effect.scoped(Effect.asVoid(other.subscribe())))
        }).pipe(Effect.provide(services))
      }
      for (const [username, exits] of Object.entries(tried)) {
        const denied = Object.keys(exits).filter((what) => Exit.isFailure(exits[what]!))
        for (const what of denied) {
          const { channel, code, commands, message } = reasonIs(exits[what]!, "AccessDenied")
          assert.strictEqual(code, "NOPERM")
          if (username === "no-channels") {
            assert.strictEqual(channel, "app:$topic:*")
            assert.include(message, "app:$topic:*")
          }
          if (username === "no-subscribe") assert.deepStrictEqual(commands, ["SUBSCRIBE"])
        }
        const expected: Record<string, ReadonlyArray<string>> = {
          "no-publish": ["published"],
          "no-subscribe": ["subscribed", "left"],
          "no-channels": ["published", "subscribed", "left"]
        }
        assert.deepStrictEqual(denied, expected[username] ?? [], username)
      }
      const logged = Effect.map(call("ACL", "LOG"), (entries) => JSON.stringify(entries))
      // an idle connection asks whether the server is there
      yield* eventually(Effect.filterOrFail(logged, (log) => log.includes("\"no-ping\"")))
      const log = yield* logged
      for (const name of ["no-unsubscribe", "no-subscribe"]) assert.include(log, `"${name}"`)
      assert.notInclude(log, "\"all\"")
    }))
})

// ---------------------------------------------------------------------------------------------------------------------
// Passwords
// ---------------------------------------------------------------------------------------------------------------------

describeOwnServer("the password", () => {
  const right = "right-password"
  const secured = server({ password: right })

  it.live("a wrong password denies access at once, and appears nowhere", () =>
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

  it.live("a right password is accepted by URL, by option and by both", () =>
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
})

// ---------------------------------------------------------------------------------------------------------------------
// Addresses
// ---------------------------------------------------------------------------------------------------------------------

describeOwnServer("addresses", () => {
  it.live("a malformed URL is refused, and not shown", () =>
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
        assert.strictEqual(reasonIs(exit, "InvalidOption").option, "url")
        assert.notInclude(shown(exit), canary)
        assert.isBelow(millis, 500)
      }
    }))

  it.live("the database of the URL or the options is used, and no other", () =>
    Effect.gen(function*() {
      const output = yield* captureOutput
      const { call, host, port, url } = yield* server()
      yield* call("ACL", "SETUSER", "default", "+select")
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

  it.live("the options of the client are used, except those that would send twice", () =>
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
      const { call, host, port } = yield* server({ password: canary })
      yield* call("ACL", "SETUSER", "default", "+select")
      const exit = yield* configured({
        REDIS_URL: `redis://:${canary}@${host}:${port}/2`,
        REDIS_KEY_PREFIX: "app:"
      })
      assert.isTrue(Exit.isSuccess(exit))
      yield* call("SELECT", "2")
      assert.deepStrictEqual(yield* call("KEYS", "*"), ["app:Account:{ann}"])
    }))

  it.live("layerConfig takes the parts of an address, and options override them", () =>
    Effect.gen(function*() {
      const { call, host, port } = yield* server({ password: canary })
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

  it.live("layerConfig fails typed on a wrong environment, and shows no secret", () =>
    Effect.gen(function*() {
      const port = yield* configured({ REDIS_PORT: "none", REDIS_PASSWORD: canary })
      assert.isTrue(Exit.isFailure(port))
      assert.include(shown(port), "ConfigError")
      assert.notInclude(shown(port), canary)
      const url = yield* configured({ REDIS_URL: `redis//${canary}` })
      assert.strictEqual(reasonIs(url, "InvalidOption").option, "REDIS_URL")
      assert.notInclude(shown(url), canary)
    }))
})

// ---------------------------------------------------------------------------------------------------------------------
// Memory
// ---------------------------------------------------------------------------------------------------------------------

describeOwnServer("memory", () => {
  const warnings = (url: string) =>
    Effect.gen(function*() {
      const logged: Array<string> = []
      const logger = Logger.make(({ logLevel, message }) => logged.push(`${logLevel}: ${String(message)}`))
      yield* Effect.provide(build({ url }), Logger.layer([logger]))
      return logged
    })

  it.live("a maxmemory-policy that evicts causes a warning", () =>
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

  it.live("exhausted memory does not keep a layer from starting", () =>
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
