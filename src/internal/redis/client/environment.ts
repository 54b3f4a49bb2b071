/**
 * The options of layers that come from `Config`: given ones, and variables of the environment under `REDIS_`.
 */
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import type { RedisServiceError } from "../../../RedisServiceError.ts"
import { defined, invalidOption } from "../../options.ts"
import type { LayerOptions } from "./options.ts"

/**
 * The options of `layerConfig`: a `Config` of all of them, or for each one its value or a `Config` of it.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type ConfigOptions = Configurable<LayerOptions>

/**
 * A `Config` of all options, or for each one its value or a `Config` of it.
 *
 * @stability unstable
 * @category models
 * @since 0.1.0
 */
export type Configurable<Options extends object> =
  | Config.Wrap<Options>
  | { readonly [Name in keyof Options]: Options[Name] | Config.Wrap<Options[Name]> }

/**
 * The variables that options may come from.
 *
 * @internal
 */
export interface Variables {
  /** The name of a variable, without `REDIS_`, and the `Config` that reads it, for each option. */
  readonly of: { readonly [option: string]: readonly [name: string, make: (name: string) => Config.Config<unknown>] }
  /** The options whose variables must not be empty. `Config` takes an empty variable as one that is not set. */
  readonly neverEmpty: ReadonlyArray<string>
  /** The options that choose the server and the user, for which an option `url` stands as a whole. */
  readonly ofUrl: ReadonlyArray<string>
}

/** The user, and the prefix. */
const shared: Variables["of"] = {
  username: ["USERNAME", Config.String],
  password: ["PASSWORD", Config.Redacted],
  keyPrefix: ["KEY_PREFIX", Config.String]
}

/** @internal */
export const ofServer: Variables = {
  of: {
    url: ["URL", Config.Redacted],
    host: ["HOST", Config.String],
    port: ["PORT", Config.Port],
    db: ["DB", Config.Int],
    ...shared
  },
  neverEmpty: ["url", "host", "port", "db"],
  ofUrl: ["host", "port", "username", "password", "db"]
}

/** Texts between commas. */
const list = (name: string) =>
  Config.map(Config.String(name), (text) => text.split(",").map((part) => part.trim()).filter((part) => part !== ""))

/** @internal */
export const ofCluster: Variables = {
  of: { nodes: ["CLUSTER_NODES", list], ...shared },
  neverEmpty: ["nodes"],
  ofUrl: []
}

/** @internal */
export const ofSentinel: Variables = {
  of: {
    sentinels: ["SENTINELS", list],
    name: ["SENTINEL_NAME", Config.String],
    sentinelUsername: ["SENTINEL_USERNAME", Config.String],
    sentinelPassword: ["SENTINEL_PASSWORD", Config.Redacted],
    db: ["DB", Config.Int],
    ...shared
  },
  neverEmpty: ["sentinels", "name", "db"],
  ofUrl: []
}

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
interface Configured<Options> {
  readonly options: Options
  readonly variables: ReadonlyMap<string, string>
}

/**
 * Reads the options that are configs, and those of the environment, which the given ones override.
 *
 * @internal
 */
export const configured = Effect.fnUntraced(function*<Options extends object>(
  options: Configurable<Options>,
  variables: Variables
): Effect.fn.Return<Configured<Options>, Config.ConfigError | RedisServiceError> {
  const given = defined((yield* unwrap(options)) as { readonly [option: string]: unknown })
  const read = Object.fromEntries(
    Object.entries(variables.of).map(([option, [name, make]]) =>
      [option, Config.withDefault(make(name), undefined)] as const
    )
  )
  const found = defined((yield* Config.nested(Config.all(read), "REDIS")) as { readonly [option: string]: unknown })
  const provider = yield* ConfigProvider.ConfigProvider
  const node = yield* Effect.orElseSucceed(provider.load(["REDIS"]), () => undefined)
  const merged: Record<string, unknown> = { ...given }
  const taken = new Map<string, string>()
  const isOverridden = (option: string): boolean =>
    Object.hasOwn(given, option) || given.url !== undefined && variables.ofUrl.includes(option)
  for (const option of variables.neverEmpty) {
    const [name] = variables.of[option]!
    if (
      node?._tag === "Record" && node.keys.has(name) && !Object.hasOwn(found, option) && !isOverridden(option)
    ) {
      return yield* invalidOption({ option: `REDIS_${name}`, issue: "it is empty; set it, or unset it" })
    }
  }
  for (const [option, value] of Object.entries(found)) {
    if (isOverridden(option)) continue
    merged[option] = value
    taken.set(option, `REDIS_${variables.of[option]![0]}`)
  }
  return { options: merged as Options, variables: taken }
})
