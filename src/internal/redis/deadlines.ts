/**
 * The times of calls: how long they wait before a retry and before their deadline, and one timer that wakes all calls whose time
 * has come.
 */

/**
 * Milliseconds before the deadline at which the retries of deduplicated programs stop, so that a tombstone can find out their
 * outcomes in time.
 *
 * @internal
 */
export const tombstoneMillis = 250

/**
 * The least number of milliseconds that an attempt needs. With less time left there is no retry.
 *
 * @internal
 */
export const attemptMillis = 20

/**
 * Milliseconds until tombstones are sent again.
 *
 * @internal
 */
export const askAgainMillis = 20

/**
 * Milliseconds before a retry: from about 10 to about 250, at random, so that clients do not return all at once.
 *
 * @internal
 */
export const backoff = (retries: number): number => Math.min(250, 10 * 2 ** retries) * (0.5 + Math.random() / 2)

/** The longest timer of Node.js, in milliseconds: a longer one would elapse at once. It wakes early, and is set again. */
const longestTimer = 2 ** 31 - 1

/** @internal */
export interface Deadlines {
  /** Wakes at this time (of `performance.now`), or earlier. */
  readonly wakeAt: (time: number) => void
  readonly stop: () => void
}

/**
 * @param expire handles everything that is due, and returns the next time to wake, or `Infinity` if there is none
 * @internal
 */
export const make = (expire: (now: number) => number): Deadlines => {
  let timer: ReturnType<typeof setTimeout> | undefined
  let wakesAt = Infinity

  const wakeAt = (time: number): void => {
    if (time === Infinity) return
    if (timer !== undefined) {
      if (wakesAt <= time) return
      clearTimeout(timer)
    }
    wakesAt = time
    timer = setTimeout(elapsed, Math.min(longestTimer, Math.max(1, Math.ceil(time - performance.now()))))
  }

  /** Waits for an immediate, because sockets are read before it: a process that was busy reads the replies that have arrived. */
  const elapsed = (): void => {
    setImmediate(() => {
      timer = undefined
      wakeAt(expire(performance.now()))
    })
  }

  return {
    wakeAt,
    stop: () => {
      clearTimeout(timer)
      timer = undefined
    }
  }
}
