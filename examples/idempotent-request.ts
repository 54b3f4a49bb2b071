/**
 * A request that may arrive twice, such as a webhook: it is applied once, and both callers get the first result.
 *
 * `test/docs/examples.test.ts` runs it.
 */
import { Effect, Schema } from "effect"
import { Atomic, Model } from "redlayer"

export class Wallet extends Model.Class<Wallet>("Wallet")({
  user: Schema.String,
  cents: Schema.Int.pipe(Model.withDefault(0)),
  payments: Schema.Array(Schema.String).pipe(Model.withDefault([]))
}, { key: "user" }) {}

export interface Payment {
  /** The id that the payment provider repeats with every delivery of the same payment. */
  readonly id: string
  readonly user: string
  readonly cents: number
}

/**
 * Books a payment, and returns the new balance. A different payment with the same id fails with `Conflict`, because the
 * provider must not reuse an id. The id is remembered for a day, which is longer than the provider repeats deliveries.
 */
export const book = Effect.fn("book")(({ cents, id, user }: Payment) => {
  const wallet = Wallet.ref(user)
  return Atomic.tap(wallet.cents.increment(cents), wallet.payments.append(id, { keep: 50 })).pipe(
    Atomic.commit({ idempotencyKey: id, keepFor: "1 day" })
  )
})
