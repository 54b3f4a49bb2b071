/**
 * Whether a history of concurrent calls can be explained by an order in which each takes effect at one moment between its start
 * and its end: the search of Wing and Gong, which remembers what it has tried as Lowe does.
 */

/** The behaviour of an object that only one caller uses. */
export interface Sequential<State, Op, Result> {
  readonly initial: State
  readonly step: (state: State, op: Op) => readonly [next: State, result: Result]
  /** equal texts for equal states */
  readonly show: (state: State) => string
  readonly equals: (a: Result, b: Result) => boolean
}

/** One call, and its result. All times are of one clock, and no two are equal. */
export interface Call<Op, Result> {
  readonly op: Op
  readonly start: number
  /** absent where nobody heard of the end: it may have happened at any time since the start, or never */
  readonly end?: { readonly at: number; readonly result: Result } | undefined
}

export type History<Op, Result> = ReadonlyArray<Call<Op, Result>>

/** `undecided` after so many steps that it is not worth while. */
export type Verdict = "linearizable" | "not linearizable" | "undecided"

/** A call of a history, or the end of one, in a list of both by their times. */
interface Event {
  readonly call: number
  readonly isEnd: boolean
}

const eventsOf = (history: History<unknown, unknown>): ReadonlyArray<Event> =>
  history
    .flatMap(({ end, start }, call) => [
      { call, isEnd: false, at: start },
      ...(end === undefined ? [] : [{ call, isEnd: true, at: end.at }])
    ])
    .sort((a, b) => a.at - b.at)

export const check = <State, Op, Result>(
  { equals, initial, show, step }: Sequential<State, Op, Result>,
  history: History<Op, Result>,
  limit = 2_000_000
): Verdict => {
  const events = eventsOf(history)
  const last = events.length
  // a ring through the events that are not explained yet, and `last`, which is before the first and after the last
  const next = Array.from({ length: last + 1 }, (_, i) => i === last ? 0 : i + 1)
  const previous = Array.from({ length: last + 1 }, (_, i) => i === 0 ? last : i - 1)
  const ends = new Map(events.flatMap(({ call, isEnd }, i) => isEnd ? [[call, i] as const] : []))
  const remove = (i: number): void => {
    next[previous[i]!] = next[i]!
    previous[next[i]!] = previous[i]!
  }
  const restore = (i: number): void => {
    next[previous[i]!] = i
    previous[next[i]!] = i
  }

  const explained = new Uint8Array(history.length)
  const tried = new Set<string>()
  const choices: Array<{ readonly event: number; readonly state: State }> = []
  let state = initial
  let unexplained = ends.size
  let at = next[last]!
  for (let steps = 0; unexplained > 0; steps++) {
    if (steps > limit) return "undecided"
    const { call, isEnd } = events[at]!
    if (isEnd) {
      // whatever ends here has to come before, so the choice before this was wrong
      const choice = choices.pop()
      if (choice === undefined) return "not linearizable"
      const chosen = events[choice.event]!.call
      const end = ends.get(chosen)
      if (end !== undefined) {
        restore(end)
        unexplained++
      }
      restore(choice.event)
      explained[chosen] = 0
      state = choice.state
      at = next[choice.event]!
      continue
    }
    const { end, op } = history[call]!
    const [after, result] = step(state, op)
    if (end === undefined || equals(result, end.result)) {
      explained[call] = 1
      const text = `${Buffer.from(explained).toString("latin1")}${show(after)}`
      if (!tried.has(text)) {
        tried.add(text)
        choices.push({ event: at, state })
        state = after
        remove(at)
        const ending = ends.get(call)
        if (ending !== undefined) {
          remove(ending)
          unexplained--
        }
        at = next[last]!
        continue
      }
      explained[call] = 0
    }
    at = next[at]!
  }
  return "linearizable"
}
