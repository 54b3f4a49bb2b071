/**
 * Objects that many callers share: the sequential behaviour of each, its implementation on the server, and a faulty client, which
 * reads and then writes.
 */
import { Data, Effect, Option, Schema } from "effect"
import { Atomic, Model, type RedisService } from "redlayer"
import type { Sequential } from "./checker.ts"

type Run<A> = Effect.Effect<A, any, RedisService.RedisService>

export interface Thing<State, Op, Result> {
  readonly sequential: Sequential<State, Op, Result>
  /** something to ask for, by a random number from 0 to 1 */
  readonly choose: (random: () => number) => Op
  readonly create: (id: string) => Run<unknown>
  /** one program */
  readonly call: (id: string, op: Op) => Run<Result>
  /** several, with `pause` between what is read and what is written */
  readonly broken: (id: string, op: Op, pause: Effect.Effect<void>) => Run<Result>
}

const pick = <A>(random: () => number, items: ReadonlyArray<A>): A => items[Math.floor(random() * items.length)]!

const byText = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

// ---------------------------------------------------------------------------------------------------------------------
// a counter
// ---------------------------------------------------------------------------------------------------------------------

const Counter = Model.make("LinearCounter", {
  id: Schema.String,
  n: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
}, { key: "id" })

export type CounterOp =
  | { readonly _tag: "read" | "addBelow" }
  | { readonly _tag: "swap"; readonly expected: number; readonly value: number }
  | { readonly _tag: "take" | "addOrReset"; readonly amount: number }

const ceiling = 6

/**
 * Compared and set; incremented below a ceiling; decremented, where that is not refused; incremented to a multiple, which is
 * undone if it is missing, and the result is 0 then.
 */
export const counter: Thing<number, CounterOp, number | boolean | null> = {
  sequential: {
    initial: 0,
    show: String,
    equals: (a, b) => a === b,
    step: (n, op) => {
      switch (op._tag) {
        case "read":
          return [n, n]
        case "addBelow":
          return n < ceiling ? [n + 1, n + 1] : [n, null]
        case "swap":
          return n === op.expected ? [op.value, true] : [n, false]
        case "take":
          return n >= op.amount ? [n - op.amount, n - op.amount] : [n, null]
        case "addOrReset":
          return (n + 1) % op.amount === 0 ? [n + 1, n + 1] : [0, 0]
      }
    }
  },
  choose: (random) =>
    pick<() => CounterOp>(random, [
      () => ({ _tag: "read" }),
      () => ({ _tag: "addBelow" }),
      () => ({ _tag: "addBelow" }),
      () => ({ _tag: "swap", expected: pick(random, [0, 1, 2, 3]), value: pick(random, [0, 1, 2, 3, 4]) }),
      () => ({ _tag: "take", amount: pick(random, [1, 2]) }),
      () => ({ _tag: "addOrReset", amount: pick(random, [1, 2, 3]) })
    ])(),
  create: (id) => Counter.put({ id, n: 0 }),
  call: (id, op) => {
    const { n } = Counter.ref(id)
    switch (op._tag) {
      case "read":
        return n.get()
      case "addBelow":
        return n.increment().pipe(Atomic.when(n.lt(ceiling)), Atomic.map(Option.getOrNull))
      case "swap":
        return n.compareAndSet(op.expected, op.value)
      case "take":
        return Atomic.orElse(n.decrement(op.amount), Atomic.succeed(null))
      case "addOrReset": {
        const isMultiple = n.eq(n.value().quotient(op.amount).times(op.amount))
        return n.increment().pipe(
          Atomic.tap(Atomic.guard(isMultiple, () => "no")),
          Atomic.orElse(Atomic.as(n.set(0), 0))
        )
      }
    }
  },
  broken: (id, op, pause) =>
    Effect.gen(function*() {
      const { n } = Counter.ref(id)
      const read = yield* n.get()
      yield* pause
      const [next, result] = counter.sequential.step(read, op)
      if (next !== read) yield* n.set(next)
      return result
    })
}

// ---------------------------------------------------------------------------------------------------------------------
// a list
// ---------------------------------------------------------------------------------------------------------------------

const Queue = Model.make("LinearQueue", { id: Schema.String, items: Schema.Array(Schema.Int) }, { key: "id" })

export type ListOp =
  | { readonly _tag: "append" | "appendShort"; readonly item: number }
  | { readonly _tag: "shift" | "length" | "rotate" }

const short = 3

/** Appended to, where it is short too; shifted; turned by shifting and appending in one program. */
export const list: Thing<ReadonlyArray<number>, ListOp, number | null> = {
  sequential: {
    initial: [],
    show: JSON.stringify,
    equals: (a, b) => a === b,
    step: (items, op) => {
      switch (op._tag) {
        case "append":
          return [[...items, op.item], items.length + 1]
        case "appendShort":
          return items.length < short ? [[...items, op.item], items.length + 1] : [items, null]
        case "shift":
          return items.length === 0 ? [items, null] : [items.slice(1), items[0]!]
        case "length":
          return [items, items.length]
        case "rotate":
          return items.length < 2 ? [items, null] : [[...items.slice(1), -1], items[0]!]
      }
    }
  },
  choose: (random) =>
    pick<() => ListOp>(random, [
      () => ({ _tag: "append", item: Math.floor(random() * 1000) }),
      () => ({ _tag: "appendShort", item: Math.floor(random() * 1000) }),
      () => ({ _tag: "shift" }),
      () => ({ _tag: "shift" }),
      () => ({ _tag: "length" }),
      () => ({ _tag: "rotate" })
    ])(),
  create: (id) => Queue.put({ id, items: [] }),
  call: (id, op) => {
    const { items } = Queue.ref(id)
    switch (op._tag) {
      case "append":
        return items.append(op.item)
      case "appendShort":
        return items.append(op.item).pipe(Atomic.when(items.length().lt(short)), Atomic.map(Option.getOrNull))
      case "shift":
        return Atomic.map(items.shift(), Option.getOrNull)
      case "length":
        return items.length()
      case "rotate":
        return items.shift().pipe(
          Atomic.tap(items.append(-1)),
          Atomic.when(items.length().gte(2)),
          Atomic.map((turned) => Option.getOrNull(Option.flatten(turned)))
        )
    }
  },
  broken: (id, op, pause) =>
    Effect.gen(function*() {
      const { items } = Queue.ref(id)
      const read = yield* items.get()
      yield* pause
      const [next, result] = list.sequential.step(read, op)
      if (next !== read) yield* items.set(next)
      return result
    })
}

// ---------------------------------------------------------------------------------------------------------------------
// two accounts
// ---------------------------------------------------------------------------------------------------------------------

const Account = Model.make("LinearAccount", { id: Schema.String, coins: Schema.Int }, { key: "id" })

class NotEnough extends Data.TaggedError("NotEnough")<{ readonly seen: readonly [number, number] }> {}

export type AccountsOp =
  | { readonly _tag: "transfer"; readonly from: 0 | 1; readonly amount: number }
  | { readonly _tag: "read" }

/** The balances of both accounts; if a transfer is refused, the balances that the server saw then. */
export interface Balances {
  readonly isRefused: boolean
  readonly coins: readonly [number, number]
}

const start = 10

/** A transfer that one of them can't pay is refused, and says what both held; a look at both. */
export const accounts: Thing<readonly [number, number], AccountsOp, Balances> = {
  sequential: {
    initial: [start, start],
    show: String,
    equals: byText,
    step: (coins, op) => {
      if (op._tag === "read") return [coins, { isRefused: false, coins }]
      if (coins[op.from] < op.amount) return [coins, { isRefused: true, coins }]
      const by = op.from === 0 ? op.amount : -op.amount
      const next = [coins[0] - by, coins[1] + by] as const
      return [next, { isRefused: false, coins: next }]
    }
  },
  choose: (random) =>
    random() < 0.3
      ? { _tag: "read" }
      : { _tag: "transfer", from: random() < 0.5 ? 0 : 1, amount: 1 + Math.floor(random() * 9) },
  create: (id) =>
    Effect.all([Account.put({ id: `${id}-0`, coins: start }), Account.put({ id: `${id}-1`, coins: start })]),
  call: (id, op) => {
    const both = [Account.ref(`${id}-0`).coins, Account.ref(`${id}-1`).coins] as const
    const read = Atomic.map(
      Atomic.all([both[0].get(), both[1].get()]),
      (coins): Balances => ({ isRefused: false, coins })
    )
    if (op._tag === "read") return read
    const [from, to] = op.from === 0 ? both : [both[1], both[0]]
    return Atomic.guard(
      from.gte(op.amount),
      { observe: { a: both[0], b: both[1] } },
      ({ a, b }) => new NotEnough({ seen: [a, b] })
    ).pipe(
      Atomic.andThen(from.decrement(op.amount)),
      Atomic.andThen(to.increment(op.amount)),
      Atomic.andThen(read),
      Effect.catchTag(
        "NotEnough",
        ({ seen }): Effect.Effect<Balances> => Effect.succeed({ isRefused: true, coins: seen })
      )
    )
  },
  broken: (id, op, pause) =>
    Effect.gen(function*() {
      const [a, b] = [Account.ref(`${id}-0`).coins, Account.ref(`${id}-1`).coins]
      const read = yield* Effect.all([a.get(), b.get()])
      yield* pause
      const [next, result] = accounts.sequential.step(read, op)
      if (next !== read) yield* Effect.andThen(a.set(next[0]), b.set(next[1]))
      return result
    })
}
