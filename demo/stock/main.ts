/**
 * A sale of 100 items to 5,000 concurrent buyers: exactly 100 of them get one.
 *
 *   npm run start:stock                                      in memory
 *   REDIS_URL=redis://127.0.0.1:6379 npm run start:stock     on a server
 *   REDIS_CLUSTER_NODES=127.0.0.1:7000 npm run start:stock   on a cluster
 */
import { Console, Data, Duration, Effect } from "effect"
import { randomBytes } from "node:crypto"
import { placeOf } from "../../examples/environment.ts"
import { buy, Product } from "../../examples/stock.ts"
import { runMain } from "../runMain.ts"

const items = 100
const crowd = Array.from({ length: 5000 }, (_, index) => `buyer ${index + 1}`)

class NotExact extends Data.TaggedError("NotExact")<{ readonly message: string }> {}

const number = (value: number) => value.toLocaleString("en")

/** Runs the sale. Returns the buyers who got an item. */
const sale = (sku: string) =>
  Effect.forEach(crowd, (buyer) =>
    buy(sku, buyer).pipe(
      Effect.as([buyer]),
      Effect.catchTag("OutOfBounds", () => Effect.succeed([]))
    ), { concurrency: "unbounded" }).pipe(
      Effect.map((bought) => bought.flat())
    )

const demo = Effect.fnUntraced(function*(sku: string) {
  const [duration, happy] = yield* Effect.timed(sale(sku))
  const { buyers, stock } = yield* Product.get(sku)
  yield* Console.log(
    `${number(happy.length)} of ${number(items)} sold to ${number(crowd.length)} buyers ` +
      `in ${number(Math.round(Duration.toMillis(duration)))} ms; ${
        number(crowd.length - happy.length)
      } found it sold out, ` +
      `${number(stock)} left`
  )
  const exact = stock === 0 && happy.length === items && `${happy.toSorted()}` === `${buyers.toSorted()}`
  if (!exact) return yield* new NotExact({ message: "The sale is not exact" })
})

const main = Effect.gen(function*() {
  const place = placeOf(process.env)
  yield* Console.log(place.name)
  yield* Effect.acquireUseRelease(
    Product.insert({ sku: `lamp-${randomBytes(6).toString("base64url")}`, stock: items }),
    ({ sku, stock }) => Effect.andThen(Console.log(`${number(stock)} of ${sku} are on sale`), demo(sku)),
    ({ sku }) => Product.delete(sku)
  ).pipe(
    Effect.provide(place.layer)
  )
})

runMain(main)
