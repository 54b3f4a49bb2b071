/**
 * What a suite is given: services to run over, and a way to register its tests.
 */
import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { MemoryOptions, RedisService } from "redlayer/RedisService"
import type { RawStore } from "redlayer/testing"

/**
 * What a test may use.
 */
export type Env = RedisService | RawStore

export interface Backend {
  /** Each build has a store of its own. */
  readonly layer: (options?: MemoryOptions) => Layer.Layer<Env>
  /** what is stored expires by Effect's `Clock`, not by one that no test can move */
  readonly hasOwnClock: boolean
}

/**
 * Registers one test of a suite.
 */
export type Test = <A, E>(name: string, body: () => Effect.Effect<A, E, Env | Scope.Scope>) => void
