/**
 * The model of a product, and its sale.
 */
import { Schema } from "effect"
import { Atomic, Model } from "redlayer"

export class Product extends Model.Class<Product>("Product")({
  sku: Schema.String,
  // the server refuses what would break this bound: it is all that keeps the shop from selling too much
  stock: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)),
  buyers: Schema.Array(Schema.String).pipe(Model.withDefault([]))
}, { key: "sku" }) {}

/** Sells one, and gives how many are left. Nothing of it happens where there is none: it fails with `OutOfBounds`. */
export const buy = (sku: string, buyer: string) => {
  const { buyers, stock } = Product.ref(sku)
  return Atomic.tap(stock.decrement(), buyers.append(buyer))
}
