/**
 * Time for checks. For a store with Effect's clock, `pass` moves a TestClock. For a server, it moves all expiries
 * closer.
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
  /** Whether time passes only by `pass`. */
  readonly isExact: boolean
  /** Lets this number of milliseconds pass for everything that is stored. */
  readonly pass: (millis: number) => Effect.Effect<void, never, RawStore>
  /**
   * Asserts that an entity has exactly these keys, the hash first, and that all of them expire after this number of
   * milliseconds, or never if it is undefined. `all` is the current dump, to save reading it again.
   */
  readonly expires: (
    keys: ReadonlyArray<string>,
    millis: number | undefined,
    all?: Expiries
  ) => Effect.Effect<void, never, RawStore>
}

/** The expiry of each key, in milliseconds since the epoch. */
export const expiries: Effect.Effect<Expiries, never, RawStore> = Effect.gen(function*() {
  const raw = yield* RawStore
  return Object.fromEntries(Object.entries(yield* raw.dump).map(([key, { expiresAt }]) => [key, expiresAt]))
})

/** The keys of one entity: its hash and its collections. */
export const keysOf = <A>(all: Readonly<Record<string, A>>, key: string): Record<string, A> =>
  Object.fromEntries(Object.entries(all).filter(([name]) => name === key || name.startsWith(`${key}:`)))

/**
 * The maximum difference between the clocks of server and check, including the run time on a busy machine, in
 * milliseconds.
 */
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
          if (!key.endsWith(":$exp")) continue
          const noted = yield* raw.sortedRead(key)
          yield* raw.sortedAdd(key, ...noted.map((part, i) => i % 2 === 0 ? part : String(Number(part) - millis)))
        }
      }),
    expires: (keys, millis, all) =>
      Effect.gen(function*() {
        const found = keysOf(all ?? (yield* expiries), keys[0])
        assert.deepEqual(Object.keys(found).sort(), [...keys].sort())
        const at = found[keys[0]]
        assert.deepEqual(
          found,
          Object.fromEntries(keys.map((key) => [key, at])),
          "the keys do not expire at the same time"
        )
        if (millis === undefined || at === undefined) return assert.strictEqual(at, millis)
        const left = at - (yield* Clock.currentTimeMillis)
        if (isTestClock) assert.strictEqual(left, millis)
        else assert.closeTo(left, millis, tolerance)
      })
  }
}
