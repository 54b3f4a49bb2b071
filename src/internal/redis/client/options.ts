/**
 * The options of a connection, and those that a URL holds.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import type * as Ioredis from "ioredis"
import {
  boolean,
  type Check,
  check,
  defined,
  duration,
  integer,
  type Refusal,
  refusalOf,
  text,
  unknownOf
} from "../../options.ts"
import type { ServiceOptions } from "../../service.ts"
import { serviceChecks } from "../service.ts"
import type { Credentials } from "./credentials.ts"

/** The options of ioredis that every layer over it takes. */
type ConnectionOption =
  | "connectionName"
  | "connectTimeout"
  | "family"
  | "keepAlive"
  | "noDelay"
  | "protocol"
  | "tls"
  | "username"

/** The options of ioredis that a layer over one server takes. */
type ClientOption = ConnectionOption | "db" | "host" | "path" | "port"

/**
 * The options of connections, and of the user: those of every layer over ioredis.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface ConnectionOptions extends ServiceOptions, Pick<Ioredis.RedisOptions, ConnectionOption> {
  /**
   * How long the server may send nothing while a reply is awaited, and take none of the bytes that wait to be sent. Then the
   * connection is dropped, and every program that was sent on it is in doubt. Default: half the deadline. `"Infinity"`: never.
   *
   * A server that forks, or runs a long script of others, is silent meanwhile, so this should be longer than that.
   */
  readonly silence?: Duration.Input | undefined
  /** The password of the user. It overrides that of a URL. */
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
 * The options of a layer over one server: those of all live layers, and those of ioredis that choose the server and the
 * connection. The layer sets all others itself, because some would make a command run twice or wait for ever.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export interface LayerOptions extends ConnectionOptions, Pick<Ioredis.RedisOptions, ClientOption> {
  /**
   * `redis://`, or `rediss://` for TLS. Other options override its parts. Its parameters are `connectionName`,
   * `connectTimeout`, `db`, `family`, `password`, `protocol`, `tls` and `username`; another one is refused.
   */
  readonly url?: string | Redacted.Redacted | undefined
}

/**
 * The text of a secret.
 *
 * @internal
 */
export const plain = (secret: string | Redacted.Redacted): string =>
  typeof secret === "string" ? secret : Redacted.value(secret)

/** @internal */
export const secret = check(
  "a text, or a Redacted one",
  (value) => typeof value === "string" || Redacted.isRedacted(value) && typeof Redacted.value(value) === "string"
)

/** @internal */
export const port = integer(1, 65_535)
/** @internal */
export const database = integer(0)
const milliseconds = integer(0, 2 ** 31 - 1)

const connectionChecks: { readonly [Name in ConnectionOption]: Check } = {
  connectionName: text,
  connectTimeout: milliseconds,
  family: check("0, 4 or 6", (value) => value === 0 || value === 4 || value === 6),
  keepAlive: milliseconds,
  noDelay: boolean,
  protocol: check("2 or 3", (value) => value === 2 || value === 3),
  tls: check(
    "an object with options of node:tls, which may be empty",
    (value) => typeof value === "object" && value !== null
  ),
  username: check("a text", (value) => typeof value === "string")
}

/**
 * The checks of the options that choose one server and its connection.
 *
 * @internal
 */
export const clientChecks: { readonly [Name in ClientOption]: Check } = {
  ...connectionChecks,
  db: database,
  host: text,
  path: text,
  port
}

/**
 * The checks of the options that all layers over ioredis share.
 *
 * @internal
 */
export const sharedChecks: { readonly [Name in keyof Required<ConnectionOptions>]: Check } = {
  credentials: check("an Effect", Effect.isEffect),
  credentialsChanged: check("a Stream", Stream.isStream),
  ...serviceChecks,
  ...connectionChecks,
  password: secret,
  silence: duration(10)
}

/**
 * Returns the options that ioredis takes, without those that are undefined, so that they override nothing.
 *
 * @internal
 */
export const clientOptions = (options: object): Pick<LayerOptions, ClientOption> =>
  defined(Object.fromEntries(Object.entries(options).filter(([name]) => Object.hasOwn(clientChecks, name))))

const checks: { readonly [Name in keyof Required<LayerOptions>]: Check } = {
  ...sharedChecks,
  ...clientChecks,
  url: secret
}

/** The options of ioredis that cannot be set, and the reason. */
const unsupported = (option: string): string | undefined =>
  /^(sentinel|name$|role$|preferredSlaves$|failoverDetector$|updateSentinels$|enableTLSForSentinelMode$)/i.test(option)
    ? "for Sentinels use RedisService.layerSentinel"
    : /^(autoRes|commandTimeout|disableClientInfo|enable|lazyConnect|maxRetriesPerRequest|offlineQueue|commandQueue|reconnectOnError|replyMapping|retryStrategy|socketTimeout|stringNumbers)/
        .test(option)
    ? "the layer sets this option of the client itself, so that nothing is sent twice and nothing waits for ever"
    : undefined

/**
 * Returns why the first invalid option is refused.
 *
 * @internal
 */
export const refusalAmong = (
  options: object,
  checks: { readonly [option: string]: Check }
): Refusal | undefined => {
  const unknown = unknownOf(options, checks)
  return unknown === undefined
    ? refusalOf(options, checks)
    : { ...unknown, issue: unsupported(unknown.option) ?? unknown.issue }
}

/**
 * Returns why the first invalid option of a layer over one server is refused.
 *
 * @internal
 */
export const refusalOfOptions = (options: object): Refusal | undefined => refusalAmong(options, checks)

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
