/**
 * Stock with a floor of zero: any number of concurrent buyers, and never more sales than items.
 *
 * `test/docs/examples.test.ts` runs it; `npm run start:stock` runs it under load.
 */
import { Schema } from "effect"
import { Atomic, Model } from "redlayer"

export class Product extends Model.Class<Product>("Product")({
  sku: Schema.String,
  // the server refuses a sale that would break this bound, so the shop cannot sell more than it has
  stock: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)),
  buyers: Schema.Array(Schema.String).pipe(Model.withDefault([]))
}, { key: "sku" }) {}

/** Sells one item, and returns how many are left. If none is left, it fails with `OutOfBounds` and writes nothing. */
export const buy = (sku: string, buyer: string) => {
  const { buyers, stock } = Product.ref(sku)
  return Atomic.tap(stock.decrement(), buyers.append(buyer))
}
