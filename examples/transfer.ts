/**
 * A transfer between two accounts: it is applied completely or not at all, and fails with your own error.
 *
 * `test/docs/examples.test.ts` runs it.
 */
import { Data, Schema } from "effect"
import { Atomic, Model } from "redlayer"

/** Accounts of one bank share a slot, so that a transfer is possible on a cluster, too. */
export class Account extends Model.Class<Account>("Account")({
  bank: Schema.String,
  owner: Schema.String,
  coins: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)),
  transfers: Schema.Int.pipe(Model.withDefault(0))
}, { key: ["bank", "owner"], slot: "bank" }) {}

export class NotEnoughCoins extends Data.TaggedError("NotEnoughCoins")<{
  readonly wanted: number
  readonly owned: number
}> {}

/** Moves coins. Returns both balances. Fails with `NotEnoughCoins`, and then nothing was written. */
export const transfer = (bank: string, from: string, to: string, amount: number) => {
  const [payer, payee] = [Account.ref([bank, from]), Account.ref([bank, to])]
  return Atomic.guard(
    payer.coins.gte(amount),
    { observe: { coins: payer.coins } },
    ({ coins }) => new NotEnoughCoins({ wanted: amount, owned: coins })
  ).pipe(
    Atomic.andThen(Atomic.all({
      from: payer.coins.decrement(amount),
      to: payee.coins.increment(amount),
      count: payer.transfers.increment()
    })),
    Atomic.map(({ from, to }) => ({ from, to }))
  )
}
