/**
 * The services over servers, for the public modules. `#servers` of package.json names this file. In a bundle for browsers it names
 * `noServers.ts`, because ioredis needs modules of Node. Public modules import no other value of `redis/` that needs one.
 */
import type * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Redis from "effect/persistence/Redis"
import type * as Scope from "effect/Scope"
import type { RedisServiceError } from "../../RedisServiceError.ts"
import type { RedisTransport } from "../../RedisTransport.ts"
import { invalidOption, type Refusal } from "../options.ts"
import type { RedisService, ServiceOptions } from "../service.ts"
import { parseAddresses } from "./client/addresses.ts"
import * as ClusterTransport from "./client/cluster.ts"
import * as Credentials from "./client/credentials.ts"
import {
  type ConfigOptions,
  type Configurable,
  configured,
  ofCluster,
  ofSentinel,
  ofServer
} from "./client/environment.ts"
import {
  clientOptions,
  type ConnectionOptions,
  type LayerOptions,
  parseUrl,
  plain,
  refusalAmong,
  refusalOfOptions
} from "./client/options.ts"
import * as IoredisTransport from "./client/standalone.ts"
import { clusterChecks, type ClusterOptions, sentinelChecks, type SentinelOptions } from "./client/topologies.ts"
import * as FromIoredis from "./interop/fromIoredis.ts"
import * as Live from "./service.ts"

type Service = RedisService["Service"]
type Client = Parameters<typeof IoredisTransport.transport>[0]
type ClientOptions = Parameters<typeof IoredisTransport.acquire>[0]
type Variables = ReadonlyMap<string, string>

/**
 * A service, and the client that it shares.
 *
 * @internal
 */
export interface Connected {
  readonly service: Service
  readonly client: Client
}

const noVariables: Variables = new Map()

/** Fails with the first refusal, under the name of the variable that the option comes from. */
const refuseIn = (variables: Variables) => ({ issue, option }: Refusal) =>
  invalidOption({ option: variables.get(option) ?? option, issue })

/** The options of ioredis for the connections and the user. */
const clientOf = Effect.fnUntraced(function*(options: ConnectionOptions) {
  const { credentials, credentialsChanged, deadline, password, silence } = options
  if (credentials === undefined && credentialsChanged !== undefined) {
    return yield* invalidOption({ option: "credentialsChanged", issue: "expected the option `credentials` too" })
  }
  const asking = credentials &&
    (yield* Credentials.make({ credentials, deadline: deadline ?? "5 seconds" }, credentialsChanged))
  const millis = silence === undefined
    ? Live.deadlineOf(options) / 2
    : Duration.toMillis(Duration.fromInputUnsafe(silence))
  return {
    ...clientOptions(options),
    ...asking,
    socketTimeout: millis < 2 ** 31 ? millis : undefined,
    ...(password === undefined ? undefined : { password: plain(password) })
  }
})

const make = Effect.fnUntraced(function*(options: LayerOptions, variables = noVariables) {
  const { url } = options
  const refuse = refuseIn(variables)
  const refusal = refusalOfOptions(options)
  if (refusal !== undefined) return yield* refuse(refusal)
  const address = url === undefined ? {} : parseUrl(plain(url))
  if (typeof address === "string") return yield* refuse({ option: "url", issue: address })
  const client = yield* IoredisTransport.acquire({ ...address, ...yield* clientOf(options) })
  const service = yield* Live.make(IoredisTransport.transport(client), options)
  return { service, client } satisfies Connected
})

const makeCluster = Effect.fnUntraced(function*(options: ClusterOptions, variables = noVariables) {
  const refuse = refuseIn(variables)
  const refusal = refusalAmong(options, clusterChecks)
  if (refusal !== undefined) return yield* refuse(refusal)
  const found = parseAddresses(options.nodes, 6379)
  if (typeof found === "string") return yield* refuse({ option: "nodes", issue: found })
  if (options.batchBy === "slot" && (options.reads ?? "primary") !== "primary") {
    return yield* refuse({ option: "reads", issue: "replicas are read by node, and `batchBy` is \"slot\"" })
  }
  const { db, ...ofUrls } = found.client
  if (db) return yield* refuse({ option: "nodes", issue: "a cluster has database 0 only" })
  const transport = yield* ClusterTransport.transport({
    nodes: found.nodes,
    client: { ...ofUrls, ...yield* clientOf(options) },
    addressMap: options.addressMap,
    reads: options.reads
  })
  return yield* Live.make(transport, options, options.batchBy)
})

const makeSentinel = Effect.fnUntraced(function*(options: SentinelOptions, variables = noVariables) {
  const { name = "mymaster", sentinelPassword, sentinelTls = options.tls, sentinelUsername, tls } = options
  const refuse = refuseIn(variables)
  const refusal = refusalAmong(options, sentinelChecks)
  if (refusal !== undefined) return yield* refuse(refusal)
  const found = parseAddresses(options.sentinels, 26_379)
  if (typeof found === "string") return yield* refuse({ option: "sentinels", issue: found })
  if (Object.keys(found.client).length > 0) {
    const issue =
      "its URLs name a user or parameters: use the options sentinelUsername, sentinelPassword and sentinelTls"
    return yield* refuse({ option: "sentinels", issue })
  }
  const connecting: ClientOptions = {
    ...yield* clientOf(options),
    sentinels: [...found.nodes],
    name,
    ...(sentinelUsername === undefined ? undefined : { sentinelUsername }),
    ...(sentinelPassword === undefined ? undefined : { sentinelPassword: plain(sentinelPassword) }),
    ...(sentinelTls === undefined ? undefined : { sentinelTLS: sentinelTls }),
    // without it the password would travel in plain text
    enableTLSForSentinelMode: tls !== undefined,
    sentinelCommandTimeout: 2000,
    // a primary that the Sentinels replace on purpose answers for seconds, and what it answers is lost
    failoverDetector: true
  }
  const client = yield* IoredisTransport.acquire(connecting)
  const { reads = "primary" } = options
  const reader = reads === "primary" ? undefined : yield* IoredisTransport.acquireReader(reads, connecting)
  const service = yield* Live.make(IoredisTransport.transport(client, reader), options)
  return { service, client } satisfies Connected
})

type Build<Options, A> = (options: Options) => Effect.Effect<A, RedisServiceError, Scope.Scope>

type BuildConfig<Options, A> = (
  options: Options
) => Effect.Effect<A, RedisServiceError | Config.ConfigError, Scope.Scope>

/** @internal */
export const server: Build<LayerOptions, Connected> = make

/** @internal */
export const serverConfig: BuildConfig<ConfigOptions, Connected> = (options) =>
  Effect.flatMap(configured(options, ofServer), ({ options, variables }) => {
    const { host, path, port = 6379, url } = options
    const isChosen = (url ?? host ?? path) !== undefined
    const log = Effect.logInfo(`Neither REDIS_URL nor REDIS_HOST is set: connecting to 127.0.0.1:${port}`)
    return Effect.andThen(isChosen ? Effect.void : log, make(options, variables))
  })

/** @internal */
export const cluster: Build<ClusterOptions, Service> = makeCluster

/** @internal */
export const clusterConfig: BuildConfig<Configurable<Partial<ClusterOptions>>, Service> = (options) =>
  Effect.flatMap(
    configured<Partial<ClusterOptions>>(options, ofCluster),
    ({ options, variables }) =>
      makeCluster({ nodes: [], ...options }, new Map([["nodes", "REDIS_CLUSTER_NODES"], ...variables]))
  )

/** @internal */
export const sentinel: Build<SentinelOptions, Connected> = makeSentinel

/** @internal */
export const sentinelConfig: BuildConfig<Configurable<Partial<SentinelOptions>>, Connected> = (options) =>
  Effect.flatMap(
    configured<Partial<SentinelOptions>>(options, ofSentinel),
    ({ options, variables }) =>
      makeSentinel({ sentinels: [], ...options }, new Map([["sentinels", "REDIS_SENTINELS"], ...variables]))
  )

/** @internal */
export const overTransport = (
  transport: RedisTransport["Service"],
  options: ServiceOptions
): Effect.Effect<Service, RedisServiceError, Scope.Scope> => Live.make(transport, options)

/**
 * The transport over the client of a layer.
 *
 * @internal
 */
export const transportOf = (client: Client): Effect.Effect<RedisTransport["Service"]> =>
  Effect.sync(() => IoredisTransport.transport(client))

/**
 * Effect's own service over the client of a layer.
 *
 * @internal
 */
export const effectRedisOf: (
  client: Client,
  pool: Redis.PoolOptions | undefined
) => Effect.Effect<Redis.Redis["Service"], never, Scope.Scope> = FromIoredis.make
