/**
 * Carts that reserve stock for a quarter of an hour. Nothing runs when an entity expires, so a cart has no time to live: its end is in a
 * sorted set, and a sweep returns what is due.
 *
 * `test/docs/apps.test.ts` runs it.
 */
import { Data, Effect, Schedule, Schema } from "effect"
import { Atomic, Model } from "redlayer"

export const Product = Model.make("StoreProduct", {
  sku: Schema.String,
  stock: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
}, { key: "sku" })

export const Cart = Model.make("StoreCart", { id: Schema.String, lines: Schema.Record(Schema.String, Schema.Int) }, {
  key: "id"
})

/** One entity with the end of each cart's reservation. */
export const Reservations = Model.make("StoreReservations", {
  name: Schema.String,
  ends: Model.sortedSet(Schema.String).pipe(Model.withDefault([]))
}, { key: "name" })

const { ends } = Reservations.ref("all")

class Changed extends Data.TaggedError("Changed") {}

/** Reserves units of a product, all of them or none, and the whole cart for another quarter of an hour. */
export const add = (cart: string, sku: string, units: number) =>
  Atomic.all([
    Product.ref(sku).stock.decrement(units),
    Cart.ensure({ id: cart, lines: {} }),
    Cart.ref(cart).lines.at(sku).increment(units),
    Reservations.ensure({ name: "all" }),
    ends.add(cart, Atomic.now.plus("15 minutes").epochMillis)
  ])

/** Removes a cart, provided that no one has written it since it was read. */
const close = (cart: string, version: Model.Version) =>
  Atomic.all([
    Atomic.guard(Cart.atVersion(cart, version), () => new Changed()),
    Cart.delete(cart),
    ends.remove(cart)
  ])

/** Reads the cart again when others wrote it in between. */
const again = {
  schedule: Schedule.spaced("5 millis"),
  while: ({ _tag }: { readonly _tag: string }) => _tag === "Changed"
}

/** Sells what is in the cart. Fails with `EntityNotFound` if the cart is gone. */
export const checkOut = (cart: string) =>
  Effect.gen(function*() {
    const { entity, version } = yield* Cart.getVersioned(cart)
    yield* close(cart, version)
    return entity.lines
  }).pipe(Effect.retry(again))

/** Returns what is in the cart to the shelves. Products that are no longer sold are left out. */
const release = (cart: string) =>
  Effect.gen(function*() {
    const { entity, version } = yield* Cart.getVersioned(cart)
    const returned = Object.entries(entity.lines).map(([sku, units]) =>
      Atomic.ignoreMissing(Product.ref(sku).stock.increment(units))
    )
    yield* Atomic.all([
      // a cart that was used since lives on
      Atomic.guard(ends.score(cart).lte(Atomic.now.epochMillis), () => new Changed()),
      close(cart, version),
      ...returned
    ])
  }).pipe(Effect.catchTags({ Changed: () => Effect.void, EntityNotFound: () => Effect.void }))

/** Releases the carts that are due. Any number of workers may sweep: each cart is released once, and one that dies loses nothing. */
export const sweep = Effect.gen(function*() {
  const due = yield* Atomic.ignoreMissing(ends.rangeByScore({ max: Atomic.now.epochMillis, limit: 100 }))
  for (const { member } of due._tag === "Some" ? due.value : []) yield* release(member)
})
