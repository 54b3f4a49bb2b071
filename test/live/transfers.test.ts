/**
 * Ten thousand transfers at once among a few accounts, to and fro: nothing is made, nothing is lost, no account falls below its
 * floor at any time that anyone sees, and every transfer that can't be is refused by a typed error.
 */
import { assert, it } from "@effect/vitest"
import { Context, Data, Effect, Exit, Fiber, Layer, Schema } from "effect"
import { Atomic, type DomainError, Model, RedisService } from "redlayer"
import { pseudoRandom } from "redlayer-conformance/assertions"
import { backends, redis, uniquePrefix } from "../support/Backends.ts"
import { errorOf, range } from "./liveService.ts"

const Account = Model.make("TransferAccount", {
  name: Schema.String,
  coins: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)),
  sent: Schema.Int.pipe(Model.withDefault(0)),
  refused: Schema.Int.pipe(Model.withDefault(0))
}, { key: "name" })

class BelowFloor extends Data.TaggedError("BelowFloor")<{
  readonly account: string
  readonly coins: number
  readonly other: number
}> {}

/** The initial balance of each account, and its floor. */
const accounts = { a: [500, 0], b: [100, 20], c: [30, 30], d: [1000, 700] } as const
type Name = keyof typeof accounts
const names = Object.keys(accounts) as ReadonlyArray<Name>
const total = names.reduce((sum, name) => sum + accounts[name][0], 0)

interface Transfer {
  readonly from: Name
  readonly to: Name
  readonly amount: number
}

const move = ({ amount, from, to }: Transfer) => {
  const [a, b] = [Account.ref(from), Account.ref(to)]
  return a.coins.decrement(amount, { atLeast: accounts[from][1] }).pipe(
    Atomic.andThen(b.coins.increment(amount)),
    Atomic.andThen(a.sent.increment())
  )
}

/** By the bound of the operation, by a guard, or by a branch that notes what it has refused. */
const ways = {
  bound: (transfer: Transfer) => Atomic.as(move(transfer), true),
  guard: ({ amount, from, to }: Transfer) => {
    const [a, b] = [Account.ref(from), Account.ref(to)]
    const floor = accounts[from][1]
    return Atomic.guard(
      a.coins.gte(floor + amount),
      { observe: { coins: a.coins, other: b.coins } },
      (observed) => new BelowFloor({ account: from, ...observed })
    ).pipe(
      Atomic.andThen(a.coins.decrement(amount)),
      Atomic.andThen(b.coins.increment(amount)),
      Atomic.andThen(a.sent.increment()),
      Atomic.as(true)
    )
  },
  branch: (transfer: Transfer) =>
    // the second half first, so that there is something to undo
    Account.ref(transfer.to).coins.increment(transfer.amount).pipe(
      Atomic.andThen(
        Account.ref(transfer.from).coins.decrement(transfer.amount, {
          atLeast: accounts[transfer.from][1]
        })
      ),
      Atomic.andThen(Account.ref(transfer.from).sent.increment()),
      Atomic.as(true),
      Atomic.orElse(Atomic.as(Account.ref(transfer.from).refused.increment(), false))
    )
}

type Refusal = BelowFloor | DomainError.OutOfBounds

const services = (name: "memory" | "redis") => {
  const prefix = uniquePrefix("transfers")
  const layers = name === "memory"
    ? [RedisService.layerMemory]
    // ten thousand at once wait for one another on one server
    : range(4).map(() => RedisService.layer({ url: redis.url!, keyPrefix: prefix, deadline: "30 seconds" }))
  return Effect.forEach(
    layers,
    (layer) => Effect.map(Layer.build(Layer.fresh(layer)), Context.get(RedisService.RedisService))
  )
}

for (const { describe, name } of backends) {
  describe("transfers", () => {
    it.live(
      "ten thousand concurrent transfers, A to B and B to A, keep the total and the floors",
      () =>
        Effect.gen(function*() {
          const all = yield* services(name)
          const on = (i: number) => Effect.provideService(RedisService.RedisService, all[i % all.length]!)
          yield* on(0)(Atomic.forEach(names, (name) => Account.put({ name, coins: accounts[name][0] })))
          const look = Atomic.map(
            Atomic.forEach(names, (name) => Account.ref(name).coins.get()),
            (coins) => {
              assert.strictEqual(coins.reduce((sum, coins) => sum + coins, 0), total)
              for (const [i, name] of names.entries()) assert.isAtLeast(coins[i]!, accounts[name][1])
            }
          )
          const random = pseudoRandom(10)
          const transfers = range(10_000).map((i): readonly [keyof typeof ways, Transfer] => {
            const from = Math.floor(random() * names.length)
            const to = (from + 1 + Math.floor(random() * (names.length - 1))) % names.length
            return [
              (["bound", "guard", "branch"] as const)[i % 3]!,
              { from: names[from]!, to: names[to]!, amount: 1 + Math.floor(random() * 120) }
            ]
          })
          const looking = yield* Effect.forkChild(
            Effect.forever(Effect.andThen(Effect.andThen(on(1)(look), on(2)(look)), Effect.sleep(1)))
          )
          const exits = yield* Effect.forEach(
            transfers,
            ([way, transfer], i): Effect.Effect<Exit.Exit<boolean, unknown>> => Effect.exit(on(i)(ways[way](transfer))),
            { concurrency: "unbounded" }
          )
          assert.isUndefined(looking.pollUnsafe())
          yield* Fiber.interrupt(looking)

          const outcomes = { sent: 0, bound: 0, guard: 0, branch: 0 }
          for (const [i, exit] of exits.entries()) {
            const [way, { amount, from }] = transfers[i]!
            const floor = accounts[from][1]
            if (Exit.isSuccess(exit)) {
              outcomes[exit.value ? "sent" : "branch"]++
              if (!exit.value) assert.strictEqual(way, "branch")
              continue
            }
            const error = errorOf(exit) as Refusal
            if (way === "guard") {
              assert.instanceOf(error, BelowFloor)
              const { account, coins } = error as BelowFloor
              assert.strictEqual(account, from)
              assert.isAtLeast(coins, floor)
              assert.isBelow(coins, floor + amount)
            } else {
              assert.strictEqual(way, "bound")
              const { _tag, bound, field, id, limit } = error as DomainError.OutOfBounds
              assert.deepEqual({ _tag, field, id }, { _tag: "OutOfBounds", field: "coins", id: from })
              // if both bounds are broken, the one of the schema is reported
              assert.deepInclude([["minimum", 0], ["atLeast", floor]], [bound, limit])
            }
            outcomes[way as "bound" | "guard"]++
          }
          // there was something to refuse, and something to let through, in each way
          for (const [kind, count] of Object.entries(outcomes)) assert.isAbove(count, 100, kind)

          yield* on(3)(look)
          const left = yield* on(0)(Atomic.forEach(names, (name) => Account.get(name)))
          const replayed: Record<string, number> = Object.fromEntries(names.map((name) => [name, accounts[name][0]]))
          for (const [i, exit] of exits.entries()) {
            const { amount, from, to } = transfers[i]![1]
            if (Exit.isSuccess(exit) && exit.value) {
              replayed[from]! -= amount
              replayed[to]! += amount
            }
          }
          assert.deepEqual(Object.fromEntries(left.map(({ coins, name }) => [name, coins])), replayed)
          assert.strictEqual(left.reduce((sum, { sent }) => sum + sent, 0), outcomes.sent)
          assert.strictEqual(left.reduce((sum, { refused }) => sum + refused, 0), outcomes.branch)
        }),
      60_000
    )
  })
}
