/**
 * One timer for the deadlines of all calls in flight. Not a scheduler of retries: a call that backs off has a timer of its own.
 */

/** @internal */
export interface Deadlines {
  /** Wakes at this time (of `performance.now`), or earlier. */
  readonly wakeAt: (time: number) => void
  readonly stop: () => void
}

/**
 * @param expire handles what is due, and returns the next deadline, or `Infinity` if there is none
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
    timer = setTimeout(elapsed, Math.max(1, Math.ceil(time - performance.now())))
  }

  /** Sockets are read between timers and immediates, so a client that was busy reads the replies that have arrived first. */
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
