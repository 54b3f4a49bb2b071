/**
 * The options of layers: each is honoured, or refused by its name before anything is sent.
 */
import { assert, it } from "@effect/vitest"
import { Config, ConfigProvider, Context, Duration, Effect, Exit, Fiber, Layer, Logger, Schema } from "effect"
import * as Net from "node:net"
import { Model, RedisService } from "redlayer"
import { IoRedis } from "redlayer/IoRedis"
import { isRedisServiceError } from "redlayer/RedisServiceError"
import * as RetryPolicy from "redlayer/RetryPolicy"
import { layerMemory } from "redlayer/testing"
import { describeMemory, describeOwnServer } from "../support/Backends.ts"
import * as Certificates from "../support/Certificates.ts"
import * as RedisServer from "../support/RedisServer.ts"
import * as TcpProxy from "../support/TcpProxy.ts"
import { captureOutput, errorOf, reasonIs } from "./liveService.ts"
import { answering, redis7, server } from "./scriptedTransport.ts"

const Counter = Model.make("Counter", { name: Schema.String, count: Schema.Int }, { key: "name" })

const canary = "canary-password"

const build = <A, E>(layer: Layer.Layer<A, E>) => Effect.exit(Effect.scoped(Layer.build(layer)))

/** The text of the error, which must be about an option and name it. */
const refused = <A, E>(layer: Layer.Layer<A, E>) =>
  Effect.map(build(layer), (exit) => {
    const { option } = reasonIs(exit, "InvalidOption")
    const error = errorOf(exit)
    assert.isTrue(isRedisServiceError(error) && !error.isRetryable && error.reason.applied === false)
    const { message } = error as Error
    assert.include(message, option)
    assert.notInclude(`${message} ${JSON.stringify(error)}`, "canary")
    return message
  })

const withEnv = (env: Record<string, string>) => <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.provideService(self, ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env }))

/** The one client of a server, as the server sees it. */
const clientInfo = (layer: Layer.Layer<RedisService.RedisService | IoRedis, unknown>) =>
  Effect.scoped(Effect.gen(function*() {
    const client = Context.get(yield* Layer.build(layer), IoRedis)
    const info = yield* Effect.promise(() => client.client("INFO"))
    return Object.fromEntries(String(info).trim().split(" ").map((pair) => pair.split("=") as [string, string]))
  }))

describeMemory("options that are refused", () => {
  const deadlineText = "expected a duration of at least 1 ms"
  const positive = "expected an integer of at least 1"
  const interval = "expected a finite duration of at least 1 second"
  const Unindexed = Model.make("OptionsUnindexed", { id: Schema.String }, { key: "id" })
  const services: ReadonlyArray<readonly [options: object, text: string]> = [
    [{ deadline: 0 }, `Option \`deadline\`: ${deadlineText}`],
    [{ deadline: NaN }, `Option \`deadline\`: ${deadlineText}`],
    [{ deadline: "abc" }, `Option \`deadline\`: ${deadlineText}`],
    [{ deadline: null }, `Option \`deadline\`: ${deadlineText}`],
    [{ maximumWaiting: 0 }, `Option \`maximumWaiting\`: ${positive}`],
    [{ maximumWaiting: NaN }, `Option \`maximumWaiting\`: ${positive}`],
    [{ maximumValueBytes: -1 }, "Option `maximumValueBytes`: expected an integer of at least 64"],
    [{ maximumValueBytes: 63 }, "Option `maximumValueBytes`: expected an integer of at least 64"],
    [{ maximumProgramBytes: 1.5 }, `Option \`maximumProgramBytes\`: ${positive}`],
    [{ batch: { programs: 0 } }, `Option \`batch.programs\`: ${positive}`],
    [{ batch: { bytes: NaN } }, `Option \`batch.bytes\`: ${positive}`],
    [{ batch: { instructions: Infinity } }, `Option \`batch.instructions\`: ${positive}`],
    [{ batch: 128 }, "Option `batch`: expected an object of programs, bytes, instructions"],
    [{ batch: { program: 1 } }, "Option `batch.program`: there is no such option"],
    [{ exactlyOnce: { window: 0 } }, "Option `exactlyOnce.window`: expected a duration of at least 1 ms"],
    [
      { exactlyOnce: { window: "5 seconds" } },
      "Option `exactlyOnce.window`: expected a finite duration that is longer than the deadline"
    ],
    [
      { deadline: Duration.infinity, exactlyOnce: true },
      "Option `exactlyOnce.window`: expected a finite duration that is longer than the deadline"
    ],
    [{ retry: 1 }, "Option `retry`: expected true or false"],
    [{ locks: { acceptEviction: "yes" } }, "Option `locks.acceptEviction`: expected true or false"],
    [{ spans: "all" }, "Option `spans`: expected \"call\" or \"program\" or \"none\""],
    [{ crossSlot: true }, "Option `crossSlot`: expected \"refuse\""],
    [{ sweepEvery: null }, "Option `sweepEvery`: expected an object of every, models"],
    [{ sweepEvery: "1 hour" }, "Option `sweepEvery`: expected an object of every, models"],
    [{ sweepEvery: {} }, `Option \`sweepEvery.every\`: ${interval}`],
    [{ sweepEvery: { every: 999, models: [] } }, `Option \`sweepEvery.every\`: ${interval}`],
    [{ sweepEvery: { every: NaN, models: [] } }, `Option \`sweepEvery.every\`: ${interval}`],
    [{ sweepEvery: { every: Duration.infinity, models: [] } }, `Option \`sweepEvery.every\`: ${interval}`],
    [{ sweepEvery: { every: 1000 } }, "Option `sweepEvery.models`: expected a list of models with indexes"],
    [
      { sweepEvery: { every: 1000, models: [null] } },
      "Option `sweepEvery.models`: expected a list of models with indexes"
    ],
    [
      { sweepEvery: { every: 1000, models: [Unindexed] } },
      "Option `sweepEvery.models`: expected a list of models with indexes"
    ],
    [{ sweepEvery: { every: 1000, model: [] } }, "Option `sweepEvery.model`: there is no such option"],
    [{ keyPrefix: "{app}:" }, "Option `keyPrefix`: expected well-formed text without braces"],
    [{ keyPrefix: "\ud800" }, "Option `keyPrefix`: expected well-formed text without braces"]
  ]

  it.live.each(services)(
    "a layer over a server or a transport refuses %j",
    ([options, text]) =>
      Effect.gen(function*() {
        const calls: Array<never> = []
        const transport = answering(redis7, calls)
        assert.strictEqual(yield* refused(Layer.provide(RedisService.layerTransport(options), transport)), text)
        assert.strictEqual(yield* refused(RedisService.layer(options)), text)
        assert.strictEqual(yield* withEnv({})(refused(RedisService.layerConfig(options as never))), text)
        assert.deepStrictEqual(calls, [])
      })
  )

  it.live("layerConfig reads what is swept from a Config, too", () =>
    Effect.gen(function*() {
      const layer = RedisService.layerConfig({
        sweepEvery: { every: Config.Duration("SWEEP"), models: Config.succeed([]) }
      })
      assert.strictEqual(
        yield* withEnv({ SWEEP: "1 millis" })(refused(layer)),
        `Option \`sweepEvery.every\`: ${interval}`
      )
    }))

  it.live("a layer in memory refuses its options as one over a server does", () =>
    Effect.gen(function*() {
      for (const [options, text] of services) {
        const [name] = Object.keys(options)
        if (!["crossSlot", "maximumProgramBytes", "maximumValueBytes", "sweepEvery"].includes(name!)) continue
        assert.strictEqual(yield* refused(RedisService.layerMemoryWith(options)), text)
        assert.strictEqual(yield* refused(layerMemory(options)), text)
      }
      const left = {
        crossSlot: undefined,
        maximumProgramBytes: undefined,
        maximumValueBytes: undefined,
        sweepEvery: undefined
      }
      assert.isTrue(Exit.isSuccess(yield* build(RedisService.layerMemoryWith(left))))
    }))

  const kept =
    "the layer sets this option of the client itself, so that nothing is sent twice and nothing waits for ever"
  it.live.each<readonly [object, string]>([
    [{ sentinels: [{ host: "a" }], name: "m" }, "Option `sentinels`: for Sentinels use RedisService.layerSentinel"],
    [{ role: "slave" }, "Option `role`: for Sentinels use RedisService.layerSentinel"],
    [{ sentinelPassword: canary }, "Option `sentinelPassword`: for Sentinels use RedisService.layerSentinel"],
    [{ reconnectOnError: () => true }, `Option \`reconnectOnError\`: ${kept}`],
    [{ lazyConnect: true }, `Option \`lazyConnect\`: ${kept}`],
    [{ maxRetriesPerRequest: 20 }, `Option \`maxRetriesPerRequest\`: ${kept}`],
    [{ stringNumbers: true }, `Option \`stringNumbers\`: ${kept}`],
    [{ keyPrefx: "app:" }, "Option `keyPrefx`: there is no such option"],
    [{ Connector: class {} }, "Option `Connector`: there is no such option"],
    [{ silence: NaN }, "Option `silence`: expected a duration of at least 10 ms"],
    [{ host: "" }, "Option `host`: expected a text that is not empty"],
    [{ port: "6379" }, "Option `port`: expected an integer from 1 to 65535"],
    [{ port: NaN }, "Option `port`: expected an integer from 1 to 65535"],
    [{ port: 65_536 }, "Option `port`: expected an integer from 1 to 65535"],
    [{ db: -1 }, "Option `db`: expected an integer of at least 0"],
    [{ family: 5 }, "Option `family`: expected 0, 4 or 6"],
    [{ protocol: 4 }, "Option `protocol`: expected 2 or 3"],
    [{ connectTimeout: Infinity }, "Option `connectTimeout`: expected an integer from 0 to 2147483647"],
    [{ keepAlive: NaN }, "Option `keepAlive`: expected an integer from 0 to 2147483647"],
    [{ tls: true }, "Option `tls`: expected an object with options of node:tls, which may be empty"],
    [{ password: 5 }, "Option `password`: expected a text, or a Redacted one"],
    [{ url: 6379 }, "Option `url`: expected a text, or a Redacted one"]
  ])("an option of the client is honoured or refused: %o", ([options, text]) =>
    Effect.gen(function*() {
      assert.strictEqual(yield* refused(RedisService.layer(options)), text)
    }))

  it.live("a policy of retries refuses numbers that are none, and leaves undefined out", () =>
    Effect.sync(() => {
      for (
        const [options, text] of [
          [{ times: NaN }, "times"],
          [{ times: -1 }, "times"],
          [{ times: 1.5 }, "times"],
          [{ duration: NaN }, "duration"],
          [{ base: "soon" as never }, "base"],
          [{ maximum: NaN }, "maximum"]
        ] as const
      ) {
        assert.throws(() => RetryPolicy.schedule(options), `option \`${text}\`: expected`)
        assert.throws(() => Effect.runSync(RetryPolicy.transient(Effect.void, options)), `option \`${text}\``)
      }
      RetryPolicy.schedule({ times: undefined, duration: undefined, base: undefined, maximum: undefined })
      RetryPolicy.schedule({ times: Infinity, duration: Duration.infinity })
    }))
})

describeMemory("URLs", () => {
  const parameters = "connectionName, connectTimeout, db, family, password, protocol, tls, username"
  const escapes = "in the user's name and the password, write / as %2F, ? as %3F, # as %23, @ as %40 and % as %25"
  const example = "a URL such as redis://user:password@host:6379/0"
  it.live.each([
    ["", `it is empty; expected ${example}`],
    ["%s", `expected ${example}, which begins with redis:// or rediss://`],
    ["http://127.0.0.1", `expected ${example}, which begins with redis:// or rediss://`],
    [`redis:/app:${canary}@h`, `expected ${example}, which begins with redis:// or rediss://`],
    [`redis://app:${canary}@h:port`, `its host or port is invalid; expected ${example}`],
    [`redis://app:${canary}@h:70000`, `its host or port is invalid; expected ${example}`],
    [`redis://app:${canary}@h/one`, "the part after the / is no number of a database"],
    [`redis://app:${canary}/rest@h`, `an @ stands behind its address: ${escapes}`],
    [`redis://app:12?${canary}@h`, `an @ stands behind its address: ${escapes}`],
    [`redis://app:12#${canary}@h`, `an @ stands behind its address: ${escapes}`],
    [`redis://h#${canary}`, "the part after # has no meaning"],
    [`redis://app:${canary}%zz@h`, `its password has a % that begins no escape: ${escapes}`],
    [`redis://${canary}%@h`, `its user has a % that begins no escape: ${escapes}`],
    ["redis://h?timeout=5", `its parameter \`timeout\` is not supported; it may have ${parameters}`],
    [`redis://h?${canary}%20x=1`, `one of its parameters is not supported; it may have ${parameters}`],
    ["redis://h?tls=yes", "its parameter `tls`: expected true or false"],
    ["rediss://h?tls=false", "its parameter `tls` contradicts rediss://"],
    ["redis://h?family=5", "its parameter `family`: expected 0, 4 or 6"],
    ["redis://h?db=x", "its parameter `db`: expected an integer of at least 0"],
    ["redis://h/2?db=3", "it says `db` twice"],
    [`redis://:${canary}@h?password=${canary}`, "it says `password` twice"],
    ["redis://h?db=1&db=2", "it says `db` twice"]
  ])("a URL is refused with the part that is wrong: %s", ([url, text]) =>
    Effect.gen(function*() {
      assert.strictEqual(yield* refused(RedisService.layer({ url })), `Option \`url\`: ${text}`)
      if (url === "") return
      const configured = RedisService.layerConfig().pipe(Layer.provide(ConfigProvider.layer(
        ConfigProvider.fromEnv({ env: { REDIS_URL: url } })
      )))
      assert.strictEqual(yield* refused(configured), `Option \`REDIS_URL\`: ${text}`)
    }))

  it.live("a variable that is set and empty is an error that names it", () =>
    Effect.gen(function*() {
      for (const name of ["REDIS_URL", "REDIS_HOST", "REDIS_PORT", "REDIS_DB"]) {
        const env = { REDIS_KEY_PREFIX: "app:", [name]: "" }
        const layer = RedisService.layerConfig({ deadline: "100 millis" })
        assert.strictEqual(
          yield* withEnv(env)(refused(layer)),
          `Option \`${name}\`: it is empty; set it, or unset it`
        )
      }
      // an option of the program takes its place
      const port = yield* RedisServer.freePort
      const layer = RedisService.layerConfig({ url: `redis://127.0.0.1:${port}`, deadline: "100 millis" })
      reasonIs(yield* withEnv({ REDIS_URL: "", REDIS_PORT: "" })(build(layer)), "ConnectionUnavailable")
    }))

  it.live("layerConfig says where it connects if no variable does", () =>
    Effect.gen(function*() {
      const port = yield* RedisServer.freePort
      const logged = (env: Record<string, string>, options: RedisService.ConfigOptions = {}) =>
        Effect.gen(function*() {
          const lines: Array<string> = []
          const logger = Logger.make(({ logLevel, message }) => lines.push(`${logLevel}: ${String(message)}`))
          const layer = RedisService.layerConfig({ deadline: "50 millis", port, ...options } as never)
          const exit = yield* build(layer).pipe(withEnv(env), Effect.provide(Logger.layer([logger])))
          reasonIs(exit, "ConnectionUnavailable")
          return lines
        })
      assert.deepStrictEqual(yield* logged({}), [
        `Info: Neither REDIS_URL nor REDIS_HOST is set: connecting to 127.0.0.1:${port}`
      ])
      assert.deepStrictEqual(yield* logged({ REDIS_HOST: "127.0.0.1" }), [])
      assert.deepStrictEqual(yield* logged({ REDIS_URL: `redis://127.0.0.1:${port}` }), [])
      assert.deepStrictEqual(yield* logged({}, { host: "127.0.0.1" }), [])
    }))
})

describeOwnServer("options that are honoured", () => {
  const open = Effect.map(server({ unrestricted: true }), (found) => ({ ...found, at: `${found.host}:${found.port}` }))

  it.live("an option that is undefined overrides neither the URL nor the environment", () =>
    Effect.gen(function*() {
      const { at, call, url } = yield* open
      yield* call("ACL", "SETUSER", "app", "on", `>${canary}`, "~*", "&*", "+@all")
      const left = {
        batch: { programs: undefined } as never,
        connectionName: undefined,
        db: undefined as never,
        exactlyOnce: { window: undefined },
        host: undefined as never,
        keyPrefix: undefined,
        password: undefined,
        port: undefined as never,
        tls: undefined,
        username: undefined
      }
      const own = yield* clientInfo(RedisService.layer({ url: `redis://app:${canary}@${at}/5`, ...left }))
      assert.deepInclude(own, { db: "5", laddr: at, user: "app" })
      const env = { REDIS_URL: `${url}/7`, REDIS_KEY_PREFIX: "app:" }
      const layer = RedisService.layerConfig({ url: undefined, ...left })
      assert.deepInclude(yield* withEnv(env)(clientInfo(layer)), { db: "7", laddr: at, user: "default" })
      yield* withEnv(env)(Effect.provide(Counter.insert({ name: "a", count: 1 }), layer, { local: true }))
      yield* call("SELECT", "7")
      assert.deepStrictEqual(yield* call("KEYS", "*Counter*"), ["app:Counter:{a}"])
    }))

  it.live("a URL of the program is not mixed with the address of the environment", () =>
    Effect.gen(function*() {
      const { at, url } = yield* open
      const env = { REDIS_HOST: "no-such-host.invalid", REDIS_PORT: "1", REDIS_PASSWORD: canary, REDIS_DB: "3" }
      assert.deepInclude(yield* withEnv(env)(clientInfo(RedisService.layerConfig({ url }))), { db: "0", laddr: at })
    }))

  it.live("the parameters of a URL are honoured", () =>
    Effect.gen(function*() {
      const { at, call } = yield* open
      yield* call("ACL", "SETUSER", "app", "on", `>${canary}`, "~*", "&*", "+@all")
      const query =
        `db=4&username=app&password=${canary}&connectionName=mine&protocol=2&family=4&tls=false&connectTimeout=900`
      const info = yield* clientInfo(RedisService.layer({ url: `redis://${at}?${query}` }))
      assert.deepInclude(info, { db: "4", user: "app", name: "mine", resp: "2" })
      // an option overrides a parameter
      const other = yield* clientInfo(
        RedisService.layer({ url: `redis://${at}/?${query}`, db: 6, connectionName: "other" })
      )
      assert.deepInclude(other, { db: "6", name: "other" })
    }))

  it.live("with `?tls=true` nothing goes out in plain text", () =>
    Effect.gen(function*() {
      const certificates = yield* Certificates.make(["IP:127.0.0.1"])
      const secured = yield* RedisServer.start({ certificates, unrestricted: true })
      const tls = { ca: certificates.authority }
      const url = `redis://127.0.0.1:${secured.port}?tls=true`
      assert.strictEqual((yield* clientInfo(RedisService.layer({ url, tls }))).db, "0")
      let received = ""
      const listener = yield* Effect.acquireRelease(
        Effect.callback<Net.Server>((resume) => {
          const created = Net.createServer((socket) => {
            socket.on("error", () => {}).setEncoding("latin1").on("data", (text) => {
              received += text
              socket.destroy()
            })
          })
          created.listen(0, "127.0.0.1", () => resume(Effect.succeed(created)))
        }),
        (created) => Effect.sync(() => created.close())
      )
      const { port } = listener.address() as Net.AddressInfo
      const exit = yield* build(
        RedisService.layer({ url: `redis://:${canary}@127.0.0.1:${port}?tls=true`, deadline: "300 millis" })
      )
      reasonIs(exit, "ConnectionUnavailable")
      // the type of a handshake
      assert.strictEqual(received.charCodeAt(0), 0x16)
      assert.notInclude(received, canary)
    }))

  it.live("passwords with + = : @ and escapes are taken as they are", () =>
    Effect.gen(function*() {
      const { at, call } = yield* open
      for (
        const [written, password] of [
          ["a+b=c", "a+b=c"],
          ["a:b@c", "a:b@c"],
          ["a%2Fb%25%23%3F", "a/b%#?"],
          [encodeURIComponent("ü/+%= é"), "ü/+%= é"]
        ] as const
      ) {
        yield* call("ACL", "SETUSER", "app", "reset", "on", `>${password}`, "~*", "&*", "+@all")
        assert.strictEqual((yield* clientInfo(RedisService.layer({ url: `redis://app:${written}@${at}` }))).user, "app")
      }
    }))

  it.live("layerConfig takes a Config of its options, and a Config or a value for each", () =>
    Effect.gen(function*() {
      const { at, call, host, port, url } = yield* open
      yield* call("ACL", "SETUSER", "app", "on", `>${canary}`, "~*", "&*", "+@all")
      const env = {
        CACHE_URL: url,
        CACHE_HOST: host,
        CACHE_PORT: String(port),
        CACHE_PASSWORD: canary,
        CACHE_PROGRAMS: "10",
        REDIS_DB: "2"
      }
      const each = RedisService.layerConfig({
        host: Config.String("CACHE_HOST"),
        port: Config.Port("CACHE_PORT"),
        username: "app",
        password: Config.Redacted("CACHE_PASSWORD"),
        batch: { programs: Config.Int("CACHE_PROGRAMS") },
        deadline: Config.succeed("2 seconds" as const),
        keyPrefix: Config.String("NO_SUCH_VARIABLE").pipe(Config.withDefault(undefined))
      })
      assert.deepInclude(yield* withEnv(env)(clientInfo(each)), { laddr: at, user: "app", db: "2" })
      const wrapped: Config.Wrap<RedisService.LayerOptions> = {
        url: Config.Redacted("CACHE_URL"),
        db: Config.succeed(3)
      }
      assert.deepInclude(yield* withEnv(env)(clientInfo(RedisService.layerConfig(wrapped))), { laddr: at, db: "3" })
      const whole = Config.map(Config.String("CACHE_URL"), (url): RedisService.LayerOptions => ({ url, db: 4 }))
      assert.deepInclude(yield* withEnv(env)(clientInfo(RedisService.layerConfig(whole))), { laddr: at, db: "4" })
      const missing = yield* withEnv({})(build(RedisService.layerConfig({ url: Config.Redacted("CACHE_URL") })))
      assert.strictEqual((errorOf(missing) as Error).name, "ConfigError")
      assert.include(
        yield* withEnv({})(refused(RedisService.layerConfig({ url: Config.succeed("redis://h?x=1") }))),
        "Option `url`: its parameter `x`"
      )
    }))

  it.live("a deadline that no timer can hold neither spins nor ends early", () =>
    Effect.gen(function*() {
      const output = yield* captureOutput
      const { port } = yield* open
      const proxy = yield* TcpProxy.make({ port })
      for (const deadline of [Duration.infinity, "30 days"] as const) {
        const services = yield* Layer.build(RedisService.layer({ url: proxy.url, deadline, keyPrefix: `${deadline}:` }))
        const run = <A, E>(self: Effect.Effect<A, E, RedisService.RedisService>) => Effect.provide(self, services)
        yield* run(Counter.insert({ name: "a", count: 0 }))
        yield* proxy.holdRequests()
        const fiber = yield* Effect.forkChild(run(Counter.ref("a").count.increment()), { startImmediately: true })
        yield* proxy.waitUntil(({ heldBytes }) => heldBytes > 0)
        const before = process.cpuUsage()
        yield* Effect.sleep("200 millis")
        const { system, user } = process.cpuUsage(before)
        assert.isBelow((system + user) / 1000, 150)
        yield* proxy.release()
        assert.strictEqual(yield* Fiber.join(fiber), 1)
      }
      assert.deepStrictEqual(output, [])
    }))

  it.live("the client for commands of one's own gives what its types say", () =>
    Effect.gen(function*() {
      const { url } = yield* open
      const client = Context.get(yield* Layer.build(RedisService.layer({ url })), IoRedis)
      yield* Effect.promise(async () => {
        assert.strictEqual(await client.incr("hits"), 1)
        assert.strictEqual(await client.exists("nothing"), 0)
        assert.strictEqual(await client.ttl("hits"), -1)
        assert.strictEqual(await client.rpush("list", "a", "b"), 2)
        assert.deepStrictEqual(await client.pipeline().incr("hits").get("hits").exec(), [[null, 2], [null, "2"]])
        assert.strictEqual(await client.eval("return 7", 0), 7)
      })
    }))
})
