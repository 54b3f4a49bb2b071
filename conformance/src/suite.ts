/** The types of an area: the backend that it runs on, and the function that registers its checks. */
import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { MemoryOptions, RedisService } from "redlayer/RedisService"
import type { RawStore } from "redlayer/testing"

/** The services that a check may use. */
export type Env = RedisService | RawStore

export interface Backend {
  /** Builds the service. Each build has an empty store that no other build shares. */
  readonly layer: (options?: MemoryOptions) => Layer.Layer<Env>
  /** Whether stored data expires by Effect's `Clock`, which a TestClock can move, instead of a server's clock. */
  readonly hasOwnClock: boolean
}

/** Registers one check of an area. */
export type Test = <A, E>(name: string, body: () => Effect.Effect<A, E, Env | Scope.Scope>) => void
