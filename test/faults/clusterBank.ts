/**
 * Banks on a cluster: each has accounts and a journal in one slot. Each transfer is one program that writes to two accounts and to the
 * journal, so what was said of it can be compared with what is stored.
 */
import { Cause, Data, Effect, Exit, Option, Schema } from "effect"
import { Atomic, Model } from "redlayer"
import { isRedisServiceError } from "redlayer/RedisServiceError"

export const Account = Model.make(
  "faults/BankAccount",
  { bank: Schema.String, name: Schema.String, coins: Schema.Int },
  {
    key: ["bank", "name"],
    slot: "bank"
  }
)

export const Journal = Model.make("faults/BankJournal", {
  bank: Schema.String,
  entries: Schema.Array(Schema.String).pipe(Model.withDefault<ReadonlyArray<string>>([]))
}, { key: "bank" })

export class NoCoins extends Data.TaggedError("NoCoins")<{ readonly coins: number }> {}

export const names = ["a", "b", "c", "d"] as const
export const coins = 100

/** The id of a transfer says what it moves, so that the balances follow from the journal. */
export interface Transfer {
  readonly id: string
  readonly bank: string
  readonly from: string
  readonly to: string
  readonly amount: number
}

export const transferOf = (bank: string, by: string, random: () => number): Transfer => {
  const i = Math.floor(random() * names.length)
  const from = names[i]!
  const to = names[(i + 1 + Math.floor(random() * (names.length - 1))) % names.length]!
  const amount = 1 + Math.floor(random() * 60)
  return { bank, from, to, amount, id: `${by}:${from}:${to}:${amount}` }
}

export const transfer = ({ amount, bank, from, id, to }: Transfer) => {
  const [a, b] = [Account.ref([bank, from]), Account.ref([bank, to])]
  return Atomic.guard(a.coins.gte(amount), { observe: { coins: a.coins } }, (observed) => new NoCoins(observed)).pipe(
    Atomic.andThen(a.coins.decrement(amount)),
    Atomic.andThen(b.coins.increment(amount)),
    Atomic.andThen(Journal.ref(bank).entries.append(id))
  )
}

/** The outcome of a transfer, as its caller received it. */
export interface Heard {
  readonly id: string
  readonly bank: string
  /** The time (of `Date.now`) when it was received. */
  readonly at: number
  readonly applied: boolean | "unknown"
  /** Undefined after a success. */
  readonly reason?: string | undefined
}

const reasons: ReadonlySet<string> = new Set([
  "ConnectionUnavailable",
  "ServerUnavailable",
  "OutcomeUnknown",
  "NotEnoughReplicas"
])

/** The outcome that an exit reports. An error that no fault of a cluster explains is a defect. */
export const heardOf = ({ bank, id }: Pick<Transfer, "bank" | "id">, exit: Exit.Exit<unknown, unknown>): Heard => {
  const at = Date.now()
  if (Exit.isSuccess(exit)) return { id, bank, at, applied: true }
  const error = Option.getOrUndefined(Cause.findErrorOption(exit.cause))
  if (error instanceof NoCoins) return { id, bank, at, applied: false, reason: error._tag }
  if (isRedisServiceError(error) && reasons.has(error.reason._tag)) {
    return { id, bank, at, applied: error.reason.applied, reason: error.reason._tag }
  }
  throw new Error(`not expected: ${Cause.pretty(exit.cause)}`)
}

export const open = (banks: ReadonlyArray<string>) =>
  Effect.forEach(
    banks,
    (bank) => Atomic.all([Journal.insert({ bank }), ...names.map((name) => Account.insert({ bank, name, coins }))]),
    {
      discard: true
    }
  )

/** The sum of a bank at one moment. */
export const sum = (bank: string) =>
  Atomic.map(
    Atomic.all(names.map((name) => Account.ref([bank, name]).coins.get())),
    (all) => all.reduce((sum, coins) => sum + coins, 0)
  )

export const total = coins * names.length
