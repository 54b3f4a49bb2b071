// Stock: two hundred buyers, and one lamp.
import { Console, Effect, Schema } from "effect"
import { Atomic, Model, RedisService } from "redlayer"

class Product extends Model.Class<Product>("Product")({
  sku: Schema.String,
  stock: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)), // the server enforces this bound
  sold: Schema.Int.pipe(Model.withDefault(0)),
  buyers: Schema.Array(Schema.String).pipe(Model.withDefault([])) // a Redis list
}, { key: "sku" }) {}

const buy = (sku: string, buyer: string) => {
  const product = Product.ref(sku)
  return Atomic.all({
    place: product.buyers.append(buyer), // the first step writes …
    left: product.stock.decrement(), // … and this one fails if no lamp is left: then nothing stays
    sold: product.sold.increment()
  }).pipe(Effect.catchTag("OutOfBounds", () => Effect.succeed("sold out" as const)))
}

const program = Effect.gen(function*() {
  yield* Product.insert({ sku: "lamp", stock: 1 })
  const buyers = Array.from({ length: 200 }, (_, i) => buy("lamp", `buyer ${i + 1}`))
  const answers = yield* Effect.all(buyers, { concurrency: "unbounded" })
  yield* Console.log(`${answers.filter((answer) => answer === "sold out").length} buyers are told: sold out`)
  yield* Console.log(yield* Product.get("lamp"))
})

await Effect.runPromise(program.pipe(Effect.provide(RedisService.layerMemory)))
