/**
 * The options of a connection: passed, parsed from a URL, or read from `Config`.
 */
import * as Config from "effect/Config"
import type * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Ioredis from "ioredis"
import type { ServiceOptions } from "../../service.ts"

/** The options of ioredis that the library sets, or replaces. */
type Owned =
  | "autoResendUnfulfilledCommands"
  | "commandTimeout"
  | "disableClientInfo"
  | "enableAutoPipelining"
  | "enableOfflineQueue"
  | "keyPrefix"
  | "lazyConnect"
  | "maxRetriesPerRequest"
  | "password"
  | "replyMapping"
  | "retryStrategy"
  | "socketTimeout"
  | "stringNumbers"

/**
 * The options of a connection: those of ioredis, without the ones that could make a command run twice or wait for ever.
 *
 * @category models
 * @since 0.1.0
 */
export interface LayerOptions extends ServiceOptions, Omit<Ioredis.RedisOptions, Owned> {
  /** `redis://`, or `rediss://` for TLS. Other options override its parts. */
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
}

/**
 * The text of a secret.
 *
 * @internal
 */
export const plain = (secret: string | Redacted.Redacted): string =>
  typeof secret === "string" ? secret : Redacted.value(secret)

const unescaped = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/**
 * Returns undefined for an invalid URL instead of throwing, because the error would hold the password.
 *
 * @internal
 */
export const parseUrl = (url: string): Ioredis.RedisOptions | undefined => {
  if (!URL.canParse(url)) return undefined
  const parsed = new URL(url)
  const { hostname, pathname, port, protocol } = parsed
  const username = unescaped(parsed.username)
  const password = unescaped(parsed.password)
  if (username === undefined || password === undefined) return undefined
  if (!/^rediss?:$/.test(protocol) || !/^(\/\d*)?$/.test(pathname)) return undefined
  return {
    host: hostname === "" ? "127.0.0.1" : hostname.replace(/^\[(.*)\]$/, "$1"),
    port: port === "" ? 6379 : Number(port),
    ...(username === "" ? undefined : { username }),
    ...(password === "" ? undefined : { password }),
    ...(pathname.length > 1 ? { db: Number(pathname.slice(1)) } : undefined),
    ...(protocol === "rediss:" ? { tls: {} } : undefined)
  }
}

/**
 * The options that are set under `REDIS_`, for example `REDIS_URL`.
 *
 * @internal
 */
export const connectionConfig = Config.all({
  url: Config.option(Config.Redacted("URL")),
  host: Config.option(Config.String("HOST")),
  port: Config.option(Config.Port("PORT")),
  username: Config.option(Config.String("USERNAME")),
  password: Config.option(Config.Redacted("PASSWORD")),
  db: Config.option(Config.Int("DB")),
  keyPrefix: Config.option(Config.String("KEY_PREFIX"))
}).pipe(
  Config.nested("REDIS"),
  Config.map((found): LayerOptions =>
    Object.fromEntries(
      Object.entries(found as Record<string, Option.Option<unknown>>).flatMap(([name, value]) =>
        Option.isSome(value) ? [[name, value.value]] : []
      )
    )
  )
)
