/**
 * The options of a connection: passed, parsed from a URL, or read from `Config`.
 */
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import type * as Ioredis from "ioredis"
import type { RedisServiceError } from "../../../RedisServiceError.ts"
import {
  boolean,
  type Check,
  check,
  defined,
  duration,
  integer,
  invalidOption,
  type Refusal,
  refusalOf,
  text,
  unknownOf
} from "../../options.ts"
import type { ServiceOptions } from "../../service.ts"
import { serviceChecks } from "../service.ts"
import type { Credentials } from "./credentials.ts"

/** The options of ioredis that a layer takes. */
type ClientOption =
  | "connectionName"
  | "connectTimeout"
  | "db"
  | "family"
  | "host"
  | "keepAlive"
  | "noDelay"
  | "path"
  | "port"
  | "protocol"
  | "tls"
  | "username"

/**
 * The options of a layer over one server: those of all live layers, and those of ioredis that choose the server and the
 * connection. The layer sets all others itself, because some would make a command run twice or wait for ever.
 *
 * @category models
 * @since 0.1.0
 */
export interface LayerOptions extends ServiceOptions, Pick<Ioredis.RedisOptions, ClientOption> {
  /**
   * `redis://`, or `rediss://` for TLS. Other options override its parts. Its parameters are `connectionName`,
   * `connectTimeout`, `db`, `family`, `password`, `protocol`, `tls` and `username`; another one is refused.
   */
  readonly url?: string | Redacted.Redacted | undefined
  /**
   * How long the server may send nothing while a reply is awaited, and take none of the bytes that wait to be sent. Then the
   * connection is dropped, and every program that was sent on it is in doubt. Default: half the deadline. `"Infinity"`: never.
   *
   * A server that forks, or runs a long script of others, is silent meanwhile, so this should be longer than that.
   */
  readonly silence?: Duration.Input | undefined
  /** The password of the user. It overrides that of the URL. */
  readonly password?: string | Redacted.Redacted | undefined
  /**
   * Credentials that change, instead of a password. Every connection asks for them when it connects; if the server
   * refuses them, it asks once more before programs fail with `AccessDenied`. If the effect fails, or takes longer than
   * the deadline, it runs again after a pause, and programs that find no connection fail with `ConnectionUnavailable`
   * of code `CREDENTIALS`. Its error is not reported, because it may hold a secret: log it in the effect.
   */
  readonly credentials?: Effect.Effect<Credentials, unknown> | undefined
  /**
   * Makes live connections authenticate again, with each element, by asking for `credentials`. Needed only if the server
   * closes connections whose credentials are old; a connection that asks at its start needs no reminder.
   */
  readonly credentialsChanged?: Stream.Stream<unknown, unknown> | undefined
}

/**
 * The options of `layerConfig`: a `Config` of all of them, or for each one its value or a `Config` of it.
 *
 * @category models
 * @since 0.1.0
 */
export type ConfigOptions =
  | Config.Wrap<LayerOptions>
  | { readonly [Name in keyof LayerOptions]: LayerOptions[Name] | Config.Wrap<LayerOptions[Name]> }

/**
 * The text of a secret.
 *
 * @internal
 */
export const plain = (secret: string | Redacted.Redacted): string =>
  typeof secret === "string" ? secret : Redacted.value(secret)

const secret = check(
  "a text, or a Redacted one",
  (value) => typeof value === "string" || Redacted.isRedacted(value) && typeof Redacted.value(value) === "string"
)

const port = integer(1, 65_535)
const database = integer(0)
const milliseconds = integer(0, 2 ** 31 - 1)

const clientChecks: { readonly [Name in ClientOption]: Check } = {
  connectionName: text,
  connectTimeout: milliseconds,
  db: database,
  family: check("0, 4 or 6", (value) => value === 0 || value === 4 || value === 6),
  host: text,
  keepAlive: milliseconds,
  noDelay: boolean,
  path: text,
  port,
  protocol: check("2 or 3", (value) => value === 2 || value === 3),
  tls: check(
    "an object with options of node:tls, which may be empty",
    (value) => typeof value === "object" && value !== null
  ),
  username: check("a text", (value) => typeof value === "string")
}

/**
 * Returns the options that ioredis takes, without those that are undefined, so that they override nothing.
 *
 * @internal
 */
export const clientOptions = (options: LayerOptions): Pick<LayerOptions, ClientOption> =>
  defined(Object.fromEntries(Object.entries(options).filter(([name]) => Object.hasOwn(clientChecks, name))))

const checks: { readonly [Name in keyof Required<LayerOptions>]: Check } = {
  credentials: check("an Effect", Effect.isEffect),
  credentialsChanged: check("a Stream", Stream.isStream),
  ...serviceChecks,
  ...clientChecks,
  password: secret,
  silence: duration(10),
  url: secret
}

/** The options of ioredis that cannot be set, and the reason. */
const unsupported = (option: string): string | undefined =>
  /^(sentinel|name$|role$|preferredSlaves$|failoverDetector$|updateSentinels$|enableTLSForSentinelMode$)/i.test(option)
    ? "Sentinel is not supported by this layer"
    : /^(autoRes|commandTimeout|disableClientInfo|enable|lazyConnect|maxRetriesPerRequest|offlineQueue|commandQueue|reconnectOnError|replyMapping|retryStrategy|socketTimeout|stringNumbers)/
        .test(option)
    ? "the layer sets this option of the client itself, so that nothing is sent twice and nothing waits for ever"
    : undefined

/**
 * Returns why the first invalid option of a layer is refused.
 *
 * @internal
 */
export const refusalOfOptions = (options: object): Refusal | undefined => {
  const unknown = unknownOf(options, checks)
  return unknown === undefined
    ? refusalOf(options, checks)
    : { ...unknown, issue: unsupported(unknown.option) ?? unknown.issue }
}

/** Undefined if a `%` does not begin an escape. */
const unescaped = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

const whole = (text: string): unknown => /^\d+$/.test(text) ? Number(text) : text

/** The parameters that a URL may have, with the values that their texts stand for. */
const parameters: { readonly [name: string]: (text: string) => unknown } = {
  connectionName: (text) => text,
  connectTimeout: whole,
  db: whole,
  family: whole,
  password: (text) => text,
  protocol: whole,
  tls: (text) => text === "true" ? {} : text === "false" ? undefined : text,
  username: (text) => text
}

const example = "a URL such as redis://user:password@host:6379/0"
const reserved = "in the user's name and the password, write / as %2F, ? as %3F, # as %23, @ as %40 and % as %25"

/**
 * Returns the options that a URL holds, or why it is refused: a text that names the part, and contains nothing of it.
 *
 * @internal
 */
export const parseUrl = (url: string): Ioredis.RedisOptions | string => {
  if (url === "") return `it is empty; expected ${example}`
  const [, scheme, rest] = /^(rediss?):\/\/(.*)$/is.exec(url) ?? []
  if (scheme === undefined || rest === undefined) return `expected ${example}, which begins with redis:// or rediss://`
  // a name or password ends at the last @, and the address at the first of / ? #
  const end = /[/?#]|$/.exec(rest)!.index
  if (rest.includes("@", end)) return `an @ stands behind its address: ${reserved}`
  if (rest.includes("#")) return "the part after # has no meaning"
  const at = rest.lastIndexOf("@", end)
  const credentials = at < 0 ? "" : rest.slice(0, at)
  const colon = credentials.indexOf(":")
  const username = unescaped(colon < 0 ? credentials : credentials.slice(0, colon))
  const password = unescaped(colon < 0 ? "" : credentials.slice(colon + 1))
  if (username === undefined) return `its user has a % that begins no escape: ${reserved}`
  if (password === undefined) return `its password has a % that begins no escape: ${reserved}`
  const address = `redis://${rest.slice(at + 1)}`
  if (!URL.canParse(address)) return `its host or port is invalid; expected ${example}`
  const { hostname, pathname, port, searchParams } = new URL(address)
  const isTls = scheme.toLowerCase() === "rediss"
  if (!/^(\/\d*)?$/.test(pathname)) return "the part after the / is no number of a database"
  const parts: Record<string, unknown> = {
    ...(username === "" ? undefined : { username }),
    ...(password === "" ? undefined : { password }),
    ...(pathname.length > 1 ? { db: Number(pathname.slice(1)) } : undefined),
    ...(isTls ? { tls: {} } : undefined)
  }
  for (const [name, value] of searchParams) {
    const known = Object.hasOwn(parameters, name) ? parameters[name] : undefined
    if (known === undefined) {
      const named = /^\w{1,40}$/.test(name) ? `its parameter \`${name}\`` : "one of its parameters"
      return `${named} is not supported; it may have ${Object.keys(parameters).join(", ")}`
    }
    const option = known(value)
    const refusal = option === undefined ? undefined : checks[name as keyof LayerOptions](option, name)
    if (refusal !== undefined) {
      return `its parameter \`${name}\`: ${name === "tls" ? "expected true or false" : refusal.issue}`
    }
    if (name === "tls" && isTls) {
      if (option === undefined) return "its parameter `tls` contradicts rediss://"
    } else if (Object.hasOwn(parts, name)) return `it says \`${name}\` twice`
    parts[name] = option
  }
  return {
    host: hostname === "" ? "127.0.0.1" : hostname.replace(/^\[(.*)\]$/, "$1"),
    port: port === "" ? 6379 : Number(port),
    ...parts
  }
}

/** The name of the variable of an option: REDIS_KEY_PREFIX for `keyPrefix`. */
const variableOf = (option: string): string => option.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()

const variable = <A>(option: string, make: (name: string) => Config.Config<A>): Config.Config<A | undefined> =>
  Config.withDefault(make(variableOf(option)), undefined)

/** The options that are set under `REDIS_`, for example `REDIS_URL`. Those without a variable are undefined. */
const variables = Config.nested(
  Config.all({
    url: variable("url", Config.Redacted),
    host: variable("host", Config.String),
    port: variable("port", Config.Port),
    username: variable("username", Config.String),
    password: variable("password", Config.Redacted),
    db: variable("db", Config.Int),
    keyPrefix: variable("keyPrefix", Config.String)
  }),
  "REDIS"
)

/** The options that choose the server and the user, for which an option `url` stands as a whole. */
const ofUrl: ReadonlyArray<string> = ["host", "port", "username", "password", "db"]

/** The options whose variables must not be empty. `Config` takes an empty variable as one that is not set. */
const neverEmpty: ReadonlyArray<string> = ["url", "host", "port", "db"]

/** Options and configs of options, as a config of all. Effects and other objects are values, and so are configs of credentials. */
const unwrap = (value: unknown): Config.Config<unknown> => {
  if (Config.isConfig(value)) return value
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) {
    return Config.succeed(value)
  }
  return Config.all(
    Object.fromEntries(
      Object.entries(value).map((
        [name, value]
      ) => [name, name === "credentials" ? Config.succeed(value) : unwrap(value)])
    )
  )
}

/** The options of a layer, and the variables that they come from. */
interface Configured {
  readonly options: LayerOptions
  readonly variables: ReadonlyMap<string, string>
}

/**
 * Reads the options that are configs, and those of the environment, which the given ones override.
 *
 * @internal
 */
export const configured = Effect.fnUntraced(function*(
  options: ConfigOptions
): Effect.fn.Return<Configured, Config.ConfigError | RedisServiceError> {
  const given = defined((yield* unwrap(options)) as LayerOptions)
  const found = defined(yield* variables)
  const provider = yield* ConfigProvider.ConfigProvider
  const node = yield* Effect.orElseSucceed(provider.load(["REDIS"]), () => undefined)
  const merged: Record<string, unknown> = { ...given }
  const taken = new Map<string, string>()
  const isOverridden = (name: string): boolean =>
    Object.hasOwn(given, name) || given.url !== undefined && ofUrl.includes(name)
  for (const name of neverEmpty) {
    if (
      node?._tag === "Record" && node.keys.has(variableOf(name)) && !Object.hasOwn(found, name) && !isOverridden(name)
    ) {
      return yield* invalidOption({ option: `REDIS_${variableOf(name)}`, issue: "it is empty; set it, or unset it" })
    }
  }
  for (const [name, value] of Object.entries(found)) {
    if (isOverridden(name)) continue
    merged[name] = value
    taken.set(name, `REDIS_${variableOf(name)}`)
  }
  return { options: merged, variables: taken }
})
