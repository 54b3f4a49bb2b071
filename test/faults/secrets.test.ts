/**
 * No failure, however it is shown, contains a password or a value.
 */
import { assert, it } from "@effect/vitest"
import {
  Cause,
  Context as Services,
  Effect,
  Exit,
  Fiber,
  Layer,
  Logger,
  Metric,
  References,
  Schema,
  SchemaGetter,
  Tracer
} from "effect"
import { inspect } from "node:util"
import { Atomic, Model, RedisService, Topic } from "redlayer"
import { captureOutput, errorOf, eventually } from "../live/liveService.ts"
import { describeOwnServer } from "../support/Backends.ts"
import * as RawRedis from "../support/RawRedis.ts"
import * as RedisServer from "../support/RedisServer.ts"
import * as Rights from "../support/Rights.ts"
import { server, service, start } from "./proxiedService.ts"

const canary = "canary8f3a"
/** Any of these is a leak: parts show that a text was only shortened. */
const traces = ["canary", "8f3a", encodeURIComponent(canary), Buffer.from(canary).toString("base64")]

/** Errors have ids and keys as their fields; spans and metrics have none. */
const id = "marked7d1e"
const key = `app:Secret:{${id}}`
const keyPrefix = "app:"

const Strict = Schema.String.pipe(
  Schema.decodeTo(Schema.String, {
    decode: SchemaGetter.transform((text: string): string => {
      if (text.startsWith("throws")) throw new Error(`can't read ${text}`)
      return text
    }),
    encode: SchemaGetter.transform((text: string) => text)
  })
)

const Secret = Model.make("Secret", {
  id: Schema.String,
  text: Schema.String.check(Schema.isMaxLength(100)),
  code: Schema.String.check(Schema.isPattern(/^[a-z0-9]*$/)),
  kind: Schema.Literals(["a", "b"]),
  coins: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)),
  when: Schema.Date,
  own: Strict,
  any: Schema.Union([Schema.Struct({ a: Schema.Number }), Schema.Boolean]),
  list: Schema.Array(Schema.String),
  set: Schema.ReadonlySet(Schema.String)
}, { key: "id" })

const secret = {
  id,
  text: canary,
  code: canary,
  kind: "a" as const,
  coins: 5,
  when: new Date(0),
  own: canary,
  any: { a: 1 },
  list: [canary],
  set: new Set([canary])
}

const News = Topic.make("news", Schema.String)

const tagOf = (error: unknown): string => Object(error).reason?._tag ?? Object(error)._tag

type On = Effect.Success<ReturnType<typeof server>>

interface Context {
  readonly on: On
  readonly run: <A, E>(self: Effect.Effect<A, E, RedisService.RedisService>) => Effect.Effect<A, E>
  /** the same with another layer */
  readonly build: (options: RedisService.LayerOptions) => Effect.Effect<unknown, unknown>
  readonly down: Effect.Effect<void>
}

type Scenario = readonly [tag: string, fails: (context: Context) => Effect.Effect<unknown, unknown>]

const { any, code, coins, kind, list, own, set, text, when } = Secret.ref(id)

/** With something else on the server than the schema says. */
const stored =
  (field: string, value: string, program: Effect.Effect<unknown, unknown, RedisService.RedisService>) =>
  ({ on, run }: Context) => Effect.andThen(on.call("HSET", key, field, value), run(program))

const refused = (program: Effect.Effect<unknown, unknown, RedisService.RedisService>) => ({ run }: Context) =>
  run(program)

const configured = (
  name: string,
  value: string,
  program: Effect.Effect<unknown, unknown, RedisService.RedisService>
) =>
({ on, run }: Context) => Effect.andThen(on.call("CONFIG", "SET", name, value), run(program))

const scenarios: Readonly<Record<string, Scenario>> = {
  // credentials
  "a wrong password in the URL": [
    "AccessDenied",
    ({ build, on }) => build({ url: `redis://app:${canary}-wrong@127.0.0.1:${on.port}` })
  ],
  "a wrong password of the options": [
    "AccessDenied",
    ({ build, on }) => build({ url: on.url, username: "app", password: `${canary}-wrong`, db: 3 })
  ],
  "no password": [
    "AccessDenied",
    ({ build, on }) => Effect.andThen(on.call("CONFIG", "SET", "requirepass", canary), build({ url: on.url }))
  ],
  "a URL that is none": ["InvalidOption", ({ build }) => build({ url: `redis://app:${canary}@host:port` })],
  "a URL of another scheme": ["InvalidOption", ({ build }) => build({ url: `http://app:${canary}@localhost` })],
  "a URL with a broken escape": ["InvalidOption", ({ build }) => build({ url: `redis://app:${canary}%zz@localhost` })],
  "a server that evicts": [
    "Unsupported",
    ({ build, on }) =>
      Effect.andThen(
        on.call("CONFIG", "SET", "maxmemory-policy", "allkeys-lru"),
        build({ url: on.url, exactlyOnce: true })
      )
  ],
  "a server that is not there": [
    "ConnectionUnavailable",
    ({ build }) => build({ url: `redis://app:${canary}@127.0.0.1:1`, deadline: "100 millis" })
  ],
  "a host that is none": [
    "ConnectionUnavailable",
    ({ build }) => build({ host: "nowhere.invalid", username: "app", password: canary, deadline: "100 millis" })
  ],
  "TLS where there is none": [
    "ConnectionUnavailable",
    ({ build, on }) => build({ url: `rediss://app:${canary}@localhost:${on.port}`, deadline: "200 millis" })
  ],
  "a password that was changed": ["AccessDenied", ({ down, on, run }) =>
    Effect.gen(function*() {
      yield* on.call("ACL", "SETUSER", "app", "resetpass", ">other")
      yield* on.call("CLIENT", "KILL", "USER", "app")
      yield* down
      return yield* run(text.set(canary))
    })],
  "a right that is missing": [
    "AccessDenied",
    ({ on, run }) => Effect.andThen(on.call("ACL", "SETUSER", "app", "-evalsha"), run(text.set(canary)))
  ],
  "keys out of reach": [
    "AccessDenied",
    ({ on, run }) => Effect.andThen(on.call("ACL", "SETUSER", "app", "resetkeys", "~other:*"), run(text.set(canary)))
  ],
  "a channel out of reach": [
    "AccessDenied",
    ({ on, run }) =>
      Effect.andThen(on.call("ACL", "SETUSER", "app", "resetchannels"), run(Effect.scoped(News.subscribe())))
  ],
  // servers
  "a full server": ["OutOfMemory", configured("maxmemory", "1", text.set(canary))],
  "a server without replicas": ["ServerUnavailable", configured("min-replicas-to-write", "1", text.set(canary))],
  "a replica": [
    "ServerUnavailable",
    ({ on, run }) => Effect.andThen(on.call("REPLICAOF", "127.0.0.1", "1"), run(text.set(canary)))
  ],
  "a busy server": ["ServerUnavailable", ({ on, run }) =>
    Effect.gen(function*() {
      const endless = yield* RawRedis.make(on.url)
      yield* Effect.forkChild(Effect.exit(endless.call("EVAL", "while true do end", "0")), start)
      yield* eventually(
        Effect.filterOrFail(Effect.flip(on.call("PING")), ({ message }) => message.startsWith("BUSY"))
      )
      const exit = yield* run(text.set(canary)).pipe(
        // a server that is this busy may be too late with its refusal
        Effect.retry({ times: 10, while: (error) => tagOf(error) === "OutcomeUnknown" }),
        Effect.exit
      )
      yield* on.call("SCRIPT", "KILL")
      return yield* exit
    }).pipe(Effect.scoped)],
  "a server that pauses, and a reply that is lost": ["OutcomeUnknown", ({ on, run }) =>
    Effect.gen(function*() {
      yield* on.call("CLIENT", "PAUSE", "100", "ALL")
      const fiber = yield* Effect.forkChild(run(text.set(canary)), start)
      yield* on.proxy.cutOnNext("reply")
      return yield* Fiber.join(fiber)
    })],
  "a lost request": [
    "OutcomeUnknown",
    ({ on, run }) => Effect.andThen(on.proxy.cutOnNext("request"), run(text.set(canary)))
  ],
  "a lost reply": [
    "OutcomeUnknown",
    ({ on, run }) => Effect.andThen(on.proxy.cutOnNext("reply"), run(text.getAndSet(canary)))
  ],
  "a silent server": [
    "OutcomeUnknown",
    ({ on, run }) => Effect.andThen(on.proxy.swallowRequests(true), run(text.set(canary)))
  ],
  "no connection": ["ConnectionUnavailable", ({ down, on, run }) =>
    Effect.gen(function*() {
      yield* on.proxy.refuse(true)
      yield* on.proxy.cut()
      yield* down
      return yield* run(text.set(canary))
    })],
  // what is stored
  "a key of another kind": ["WrongType", ({ on, run }) =>
    Effect.gen(function*() {
      yield* on.call("DEL", `${key}:list`)
      yield* on.call("SET", `${key}:list`, canary)
      return yield* run(list.append(canary))
    })],
  "a text that is no integer": ["WrongType", stored("coins", canary, coins.increment())],
  "a text that is no date": ["WrongType", stored("when", canary, when.get())],
  "a text that is no JSON": ["WrongType", stored("any", `{"a":"${canary}"`, any.get())],
  "JSON of another shape": ["WrongType", stored("any", `{"a":"${canary}"}`, any.get())],
  "a text that is none of the literals": ["WrongType", stored("kind", canary, kind.get())],
  "a text that breaks a check": ["WrongType", stored("code", `${canary}!`, code.get())],
  "a transformation that throws": ["WrongType", stored("own", `throws ${canary}`, own.get())],
  "an entity that can't be read": ["EntityCorrupted", stored("coins", canary, Secret.get(id))],
  "an entity with JSON of another shape": ["EntityCorrupted", stored("any", `{"a":"${canary}"}`, Secret.get(id))],
  "an entity whose transformation throws": ["EntityCorrupted", stored("own", `throws ${canary}`, Secret.get(id))],
  // what is refused
  "a value that breaks a check": ["InvalidValue", refused(Effect.suspend(() => code.set(`${canary}!`)))],
  "a value of another type": ["InvalidValue", refused(Effect.suspend(() => coins.set(canary as never)))],
  "an entity of other types": [
    "InvalidValue",
    refused(
      Effect.suspend(() => Secret.insert({ ...secret, id: "t", any: { a: canary } as never }))
    )
  ],
  "a value without a form in UTF-8": ["InvalidValue", refused(Effect.suspend(() => own.set(`${canary}\uD800`)))],
  "a value that is too large": ["InvalidValue", refused(Effect.suspend(() => own.set(canary.repeat(200_000))))],
  "a message that is too large": [
    "InvalidValue",
    refused(
      Effect.suspend(() => News.publish(canary.repeat(200_000)))
    )
  ],
  "a text that grows too long": ["OutOfBounds", refused(text.append(canary.repeat(10)))],
  "an entity that is there": ["EntityExists", refused(Secret.insert(secret))],
  "an entity that is not": ["EntityNotFound", refused(Secret.ref("nobody").text.set(canary))],
  "an item that is not there": ["IndexOutOfRange", refused(list.at(99).set(canary))],
  "a program that is undone": [
    "EntityNotFound",
    refused(
      Atomic.all([text.set(canary), set.add(canary), News.publish(canary), Secret.ref("nobody").own.set(canary)])
    )
  ],
  "entities of several slots": ["CrossSlot", () =>
    Effect.gen(function*() {
      const { url } = yield* RedisServer.start({ cluster: true })
      const { run } = yield* service({ url, keyPrefix })
      return yield* run(Atomic.all([text.set(canary), Secret.ref("t").text.set(canary)]))
    }).pipe(Effect.scoped)]
}

/** Every way in which a failure is shown to people and machines. */
const shown = (exit: Exit.Exit<unknown, unknown>): Readonly<Record<string, string>> => {
  if (Exit.isSuccess(exit)) return assert.fail("expected a failure")
  const error: any = Cause.squash(exit.cause)
  return {
    text: String(error),
    message: error.message,
    stack: error.stack,
    json: JSON.stringify(error),
    jsonOfExit: JSON.stringify(exit),
    jsonOfCopy: JSON.stringify({ ...error }),
    inspected: inspect(error, { depth: 20, showHidden: true }),
    inspectedExit: inspect(exit, { depth: 20, showHidden: true }),
    pretty: Cause.pretty(exit.cause)
  }
}

/** The span itself, without the spans around it. */
const ownOf = ({ attributes, events, links, name, status }: Tracer.NativeSpan): string =>
  inspect([name, attributes, events, links.map((link) => link.attributes), status], { depth: 12 })

describeOwnServer("no secret", () => {
  it.live.each(Object.entries(scenarios))("leaves through %s", ([, [tag, fails]]) =>
    Effect.gen(function*() {
      const output = yield* captureOutput
      const logged: Array<string> = []
      const logger = Logger.make((options) => logged.push(inspect(options, { depth: 10 })))
      const spans: Array<Tracer.NativeSpan> = []
      const registry: Metric.MetricRegistry = new Map()
      const tracer = Tracer.make({
        span: (options) => {
          const span = new Tracer.NativeSpan(options)
          spans.push(span)
          return span
        }
      })
      const told = yield* Effect.gen(function*() {
        const on = yield* server({ args: ["--busy-reply-threshold", "20"] })
        yield* on.call("ACL", "SETUSER", "app", ...Rights.least({ password: canary }))
        // the deadline is short for the failures, and may be too short for a start on a busy machine
        const { down, run } = yield* Effect.retry(
          service({
            url: `redis://app:${canary}@127.0.0.1:${on.proxy.port}`,
            keyPrefix,
            deadline: "300 millis",
            spans: "program"
          }),
          { times: 5 }
        )
        yield* run(Secret.insert(secret))
        const build = (options: RedisService.LayerOptions) => Effect.scoped(Layer.build(RedisService.layer(options)))
        const exit = yield* fails({ build, down, on, run }).pipe(
          Effect.tapCause((cause) => Effect.logError("it failed", cause)),
          Effect.withSpan("scenario"),
          Effect.exit
        )
        assert.strictEqual(tagOf(errorOf(exit)), tag)
        yield* on.proxy.swallowRequests(false)
        yield* on.proxy.cut()
        return shown(exit)
      }).pipe(
        Effect.scoped,
        Effect.withTracer(tracer),
        Effect.provideService(Metric.MetricRegistry, registry),
        Effect.provide(Logger.layer([logger])),
        Effect.provideService(References.MinimumLogLevel, "All")
      )
      assert.isAbove(logged.length, 0)
      assert.isAbove(spans.length, 0)
      const metrics = inspect(Metric.snapshotUnsafe(Services.make(Metric.MetricRegistry, registry)), { depth: 12 })
      const all = [
        ...Object.values(told),
        ...logged,
        ...output,
        ...spans.map((span) => inspect(span, { depth: 12 })),
        metrics
      ]
      for (const part of all) for (const trace of traces) assert.notInclude(part, trace)
      // the insertion at least was called, and counted
      assert.include(metrics, "outcome: 'done'")
      const ours = spans.filter(({ name }) => /^(EVALSHA|redlayer\.)/.test(name))
      assert.isAtLeast(ours.length, 2)
      for (const part of [...ours.map(ownOf), metrics]) {
        for (const trace of [id, keyPrefix]) assert.notInclude(part, trace)
      }
    }))

  it.live("the search for secrets finds the one that another client shows", () =>
    Effect.gen(function*() {
      const { url } = yield* server()
      const { client } = yield* RawRedis.make(url)
      const exit = yield* Effect.exit(
        Effect.promise(() => client.call("AUTH", "app", canary).catch((error: Error) => error)).pipe(
          Effect.flatMap((error) => Effect.fail(error))
        )
      )
      const { inspected, inspectedExit, json } = shown(exit)
      for (const part of [inspected, inspectedExit, json]) assert.include(part, canary)
    }))

  it("the search for secrets covers more than thirty failures, with every reason but the unforeseen one", () => {
    const tags = new Set(Object.values(scenarios).map(([tag]) => tag))
    assert.isAtLeast(Object.keys(scenarios).length, 30)
    for (
      const tag of [
        ["ConnectionUnavailable", "ServerUnavailable", "OutcomeUnknown", "OutOfMemory", "AccessDenied"],
        ["WrongType", "CrossSlot", "Unsupported", "InvalidOption"]
      ].flat()
    ) {
      assert.isTrue(tags.has(tag), tag)
    }
  })
})
