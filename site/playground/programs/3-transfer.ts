// Transfer: the second step fails, and the first one is undone.
import { Console, Data, Effect, Schema } from "effect"
import { Atomic, Model, RedisService } from "redlayer"

const Account = Model.make("Account", {
  name: Schema.String,
  coins: Schema.Int.check(Schema.isLessThanOrEqualTo(100)) // a purse is full at a hundred
}, { key: "name" })

class NotEnough extends Data.TaggedError("NotEnough")<{ readonly coins: number }> {}

const transfer = (from: string, to: string, amount: number) => {
  const [payer, payee] = [Account.ref(from), Account.ref(to)]
  return Atomic.all({
    // your own error, with the value that the server saw
    guard: Atomic.guard(
      payer.coins.gte(amount),
      { observe: { coins: payer.coins } },
      ({ coins }) => new NotEnough({ coins })
    ),
    left: payer.coins.decrement(amount),
    coins: payee.coins.increment(amount)
  })
}

const program = Effect.gen(function*() {
  yield* Account.insert({ name: "alice", coins: 50 })
  yield* Account.insert({ name: "bob", coins: 80 })

  yield* Console.log("15 coins:", yield* transfer("alice", "bob", 15))

  // alice has paid already when bob's purse turns out to be full
  const full = yield* Effect.flip(transfer("alice", "bob", 20))
  yield* Console.log("20 more:", full._tag)
  yield* Console.log("alice still has", yield* Account.ref("alice").coins.get())

  // no one handles this error: it ends the program
  yield* transfer("alice", "bob", 1000)
})

await Effect.runPromise(program.pipe(Effect.provide(RedisService.layerMemory)))
