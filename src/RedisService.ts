/**
 * The service that programs need, and its layers: over a server, or in memory.
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { limitsOf, memoryChecks } from "./internal/instruction/limits.ts"
import * as Memory from "./internal/memory/service.ts"
import { invalidOf, invalidOption, type Refusal } from "./internal/options.ts"
import * as Credentials from "./internal/redis/client/credentials.ts"
import {
  clientOptions,
  type ConfigOptions,
  configured,
  type LayerOptions,
  parseUrl,
  plain,
  refusalOfOptions
} from "./internal/redis/client/options.ts"
import * as IoredisTransport from "./internal/redis/client/standalone.ts"
import * as Live from "./internal/redis/service.ts"
import { RedisService, type ServiceOptions, type SweepOptions } from "./internal/service.ts"
import { sweeping } from "./internal/sweeping.ts"
import { IoRedis } from "./IoRedis.ts"
import type { RedisServiceError } from "./RedisServiceError.ts"
import { RedisTransport } from "./RedisTransport.ts"

export type { Credentials } from "./internal/redis/client/credentials.ts"
export type { ConfigOptions, LayerOptions } from "./internal/redis/client/options.ts"
export {
  type Capabilities,
  RedisService,
  type ServerInfo,
  type ServiceOptions,
  type SubscriptionEvent,
  type SweepOptions
} from "./internal/service.ts"

const make = Effect.fnUntraced(function*(
  options: LayerOptions,
  variables: ReadonlyMap<string, string> = new Map<string, string>()
) {
  const { credentials, credentialsChanged, deadline, password, silence, url } = options
  const refuse = ({ issue, option }: Refusal) => invalidOption({ option: variables.get(option) ?? option, issue })
  const refusal = refusalOfOptions(options)
  if (refusal !== undefined) return yield* refuse(refusal)
  const address = url === undefined ? {} : parseUrl(plain(url))
  if (typeof address === "string") return yield* refuse({ option: "url", issue: address })
  if (credentials === undefined && credentialsChanged !== undefined) {
    return yield* refuse({ option: "credentialsChanged", issue: "expected the option `credentials` too" })
  }
  const asking = credentials &&
    (yield* Credentials.make({ credentials, deadline: deadline ?? "5 seconds" }, credentialsChanged))
  const millis = silence === undefined
    ? Live.deadlineOf(options) / 2
    : Duration.toMillis(Duration.fromInputUnsafe(silence))
  const client = yield* IoredisTransport.acquire({
    ...address,
    ...clientOptions(options),
    ...asking,
    socketTimeout: millis < 2 ** 31 ? millis : undefined,
    ...(password === undefined ? undefined : { password: plain(password) })
  })
  const service = yield* Live.make(IoredisTransport.transport(client), options)
  return Context.make(RedisService, service).pipe(Context.add(IoRedis, client))
})

/**
 * Provides the service over one server, with the ioredis client. Building the layer connects, and checks the server's
 * version, its role and the rights that scripts need. It fails at once if the server denies access, or is a node of a
 * cluster of several nodes. If the server is unreachable, is a replica or refuses for now, it tries until the
 * `deadline`, and fails with `ConnectionUnavailable` or with the last refusal. An invalid option fails with
 * `InvalidOption` before anything is sent.
 *
 * **When to use**
 *
 * Use in applications whose code has the options. To read them from the environment use `layerConfig`; for another
 * client than ioredis use `layerTransport`; for tests use `layerMemory`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: LayerOptions = {}): Layer.Layer<RedisService | IoRedis, RedisServiceError> =>
  Layer.effectContext(make(options))

/**
 * Provides the service over one server, from `REDIS_URL`, or `REDIS_HOST`, `REDIS_PORT`, `REDIS_USERNAME`,
 * `REDIS_PASSWORD` and `REDIS_DB`, with `REDIS_KEY_PREFIX`. `options` override the environment: each is a value or a
 * `Config` of one, or all of them are one `Config`.
 *
 * **Details**
 *
 * - A `url` among the options replaces the address, user and database of the environment.
 * - If neither a variable nor an option names a server, it connects to 127.0.0.1:6379, and logs that at level Info.
 * - A variable `REDIS_URL`, `REDIS_HOST`, `REDIS_PORT` or `REDIS_DB` that is set and empty fails with `InvalidOption`.
 *
 * **When to use**
 *
 * Use in applications that are configured by their environment, or another `ConfigProvider`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  options: ConfigOptions = {}
): Layer.Layer<RedisService | IoRedis, RedisServiceError | Config.ConfigError> =>
  Layer.effectContext(Effect.flatMap(configured(options), ({ options, variables }) => {
    const { host, path, port = 6379, url } = options
    const isChosen = (url ?? host ?? path) !== undefined
    const log = Effect.logInfo(`Neither REDIS_URL nor REDIS_HOST is set: connecting to 127.0.0.1:${port}`)
    return Effect.andThen(isChosen ? Effect.void : log, make(options, variables))
  }))

/**
 * Provides the service over any transport. Building the layer checks the server, as `layer` does.
 *
 * **When to use**
 *
 * Use for another client than ioredis: over Effect's own Redis service with `EffectRedis.layerTransport`, or over your
 * `RedisTransport`. For ioredis use `layer`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerTransport = (
  options: ServiceOptions = {}
): Layer.Layer<RedisService, RedisServiceError, RedisTransport> =>
  Layer.effect(RedisService, Effect.flatMap(RedisTransport, (transport) => Live.make(transport, options)))

/**
 * The options of the memory layer. Each means the same as on the live layers.
 *
 * @category models
 * @since 0.1.0
 */
export interface MemoryOptions {
  /** The greatest length of one value, in bytes: at least 64. Default: 1,000,000. */
  readonly maximumValueBytes?: number | undefined
  /** The greatest length of a program, in UTF-16 units. Default: 16,000,000. */
  readonly maximumProgramBytes?: number | undefined
  /** Whether a program whose entities are in several slots fails with `CrossSlot`. Default: unset, it does not. */
  readonly crossSlot?: "refuse" | undefined
  /** Runs `sweep` of models every so often. Default: none is swept. */
  readonly sweepEvery?: SweepOptions | undefined
}

const memory = (options: MemoryOptions) =>
  Effect.flatMap(Effect.scope, (scope) => {
    const refusesCrossSlot = options.crossSlot === "refuse"
    const service = Memory.make(undefined, { limits: limitsOf(options), refusesCrossSlot, scope })
    return Effect.as(sweeping(service, options.sweepEvery), service)
  })

/**
 * Provides the service in memory, with options: the same programs, results and errors, without a server. Time is the
 * `Clock`'s. Each build is empty. After its scope has closed, programs fail with `ConnectionUnavailable`.
 *
 * **When to use**
 *
 * Use to test limits, or to refuse programs that would fail on a cluster. Without options use `layerMemory`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerMemoryWith = (options: MemoryOptions): Layer.Layer<RedisService, RedisServiceError> =>
  Layer.effect(RedisService, Effect.suspend(() => invalidOf(options, memoryChecks) ?? memory(options)))

/**
 * Provides the service in memory: the same programs, results and errors, without a server. Time is the `Clock`'s, so
 * `TestClock` moves it.
 *
 * **When to use**
 *
 * Use in tests, and to try things out. To read and write stored keys past the library use `layerMemory` of
 * `redlayer/testing`.
 *
 * **Example** (Testing without a server)
 *
 * ```ts run
 * import { Effect, Schema } from "effect"
 * import { Model, RedisService } from "redlayer"
 *
 * const Session = Model.make("Session", { user: Schema.String })
 *
 * const program = Effect.gen(function*() {
 *   const { id } = yield* Session.insert({ user: "alice" })
 *   return yield* Session.ref(id).user.get()
 * })
 *
 * await Effect.runPromise(program.pipe(Effect.provide(RedisService.layerMemory))) // => "alice"
 * ```
 *
 * @see {@link layerMemoryWith} for its options
 * @category layers
 * @since 0.1.0
 */
export const layerMemory: Layer.Layer<RedisService> = Layer.effect(RedisService, memory({}))
