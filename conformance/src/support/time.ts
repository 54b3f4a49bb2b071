/**
 * Time that passes as a test wants it: in memory by a clock of its own, on a server by expiries that come nearer.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import type { Backend, Test } from "../suite.ts"

export const minutes = (count: number): number => count * 60_000

type Expiries = Readonly<Record<string, number | undefined>>

export interface Time {
  readonly test: Test
  /** nothing but `pass` moves it */
  readonly isExact: boolean
  /** Lets that many milliseconds pass for all that is stored. */
  readonly pass: (millis: number) => Effect.Effect<void, never, RawStore>
  /**
   * Asserts that the keys of an entity, the first of which is its hash's, are these, and that all of them expire that many
   * milliseconds from now: undefined, never. `all` is what is stored, if that is known already.
   */
  readonly expires: (
    keys: ReadonlyArray<string>,
    millis: number | undefined,
    all?: Expiries
  ) => Effect.Effect<void, never, RawStore>
}

/**
 * When each key expires, in milliseconds since the epoch.
 */
export const expiries: Effect.Effect<Expiries, never, RawStore> = Effect.gen(function*() {
  const raw = yield* RawStore
  return Object.fromEntries(Object.entries(yield* raw.dump).map(([key, { expiresAt }]) => [key, expiresAt]))
})

/**
 * Of these, the keys of an entity: its hash, and its collections.
 */
export const keysOf = <A>(all: Readonly<Record<string, A>>, key: string): Record<string, A> =>
  Object.fromEntries(Object.entries(all).filter(([name]) => name === key || name.startsWith(`${key}:`)))

/** What a server's clock may differ by from that of the test, with the time that a test takes on a busy machine. */
const tolerance = 15_000

export const timeOf = (test: Test, backend: Backend): Time => {
  const isTestClock = backend.hasOwnClock
  return {
    isExact: isTestClock,
    test: isTestClock
      ? (name, body) => test(name, () => Effect.provide(Effect.suspend(body), TestClock.layer()))
      : test,
    pass: isTestClock ? TestClock.adjust : (millis) =>
      Effect.gen(function*() {
        const raw = yield* RawStore
        for (const [key, at] of Object.entries(yield* expiries)) {
          if (at !== undefined) yield* raw.expireAt(key, at - millis)
        }
      }),
    expires: (keys, millis, all) =>
      Effect.gen(function*() {
        const found = keysOf(all ?? (yield* expiries), keys[0])
        assert.deepEqual(Object.keys(found).sort(), [...keys].sort())
        const at = found[keys[0]]
        assert.deepEqual(found, Object.fromEntries(keys.map((key) => [key, at])), "not all at one time")
        if (millis === undefined || at === undefined) return assert.strictEqual(at, millis)
        const left = at - (yield* Clock.currentTimeMillis)
        if (isTestClock) assert.strictEqual(left, millis)
        else assert.closeTo(left, millis, tolerance)
      })
  }
}
