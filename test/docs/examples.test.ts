/**
 * The files of examples/ do what their comments say, in memory and on a server. `examples/testing.ts` is a test itself, and
 * `test/conformance/nodeRedis.test.ts` runs the transport.
 */
import { assert, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Layer } from "effect"
import { HttpRouter } from "effect/http"
import type { RedisService } from "redlayer"
import * as Testing from "redlayer/testing"
import * as Counter from "../../examples/counter.ts"
import * as Http from "../../examples/http.ts"
import * as IdempotentRequest from "../../examples/idempotent-request.ts"
import * as Leaderboard from "../../examples/leaderboard/model.ts"
import * as LockedJob from "../../examples/locked-job.ts"
import * as Stock from "../../examples/stock.ts"
import * as Transfer from "../../examples/transfer.ts"
import { backends } from "../support/Backends.ts"
import { backendOf } from "../support/Conformance.ts"

for (const { describe, name } of backends) {
  const layer: Layer.Layer<RedisService.RedisService | Testing.RawStore> = Layer.orDie(backendOf[name].layer({}))
  const run = <A, E>(self: Effect.Effect<A, E, RedisService.RedisService | Testing.RawStore>) =>
    Effect.provide(self, layer)

  describe("the examples", () => {
    it.live("counter: concurrent clicks are counted exactly, and the latest are kept", () =>
      Effect.gen(function*() {
        const { code } = yield* Counter.create("https://effect.website")
        yield* Effect.all(Array.from({ length: 250 }, () => Counter.track(code)), { concurrency: "unbounded" })
        const { clicks, recentClicks } = yield* Counter.Link.get(code)
        assert.deepStrictEqual([clicks, recentClicks.length], [250, Counter.remembered])
        assert.strictEqual(yield* Counter.resolve(code), "https://effect.website")
        assert.strictEqual((yield* Effect.flip(Counter.track("none")))._tag, "EntityNotFound")
      }).pipe(run))

    it.live("stock: of 200 concurrent buyers exactly 10 get one of 10 items", () =>
      Effect.gen(function*() {
        yield* Stock.Product.insert({ sku: "lamp", stock: 10 })
        const buyers = Array.from({ length: 200 }, (_, i) => `buyer ${i}`)
        const exits = yield* Effect.forEach(buyers, (buyer) => Effect.exit(Stock.buy("lamp", buyer)), {
          concurrency: "unbounded"
        })
        assert.strictEqual(exits.filter(Exit.isSuccess).length, 10)
        const { buyers: happy, stock } = yield* Stock.Product.get("lamp")
        assert.deepStrictEqual([happy.length, stock], [10, 0])
      }).pipe(run))

    it.live("transfer: coins move, or the error says how many the payer has and nothing is written", () =>
      Effect.gen(function*() {
        yield* Transfer.Account.insert({ bank: "b", owner: "ann", coins: 10 })
        yield* Transfer.Account.insert({ bank: "b", owner: "bob", coins: 0 })
        assert.deepStrictEqual(yield* Transfer.transfer("b", "ann", "bob", 7), { from: 3, to: 7 })
        const error = yield* Effect.flip(Transfer.transfer("b", "ann", "bob", 7))
        assert.deepInclude(error, { _tag: "NotEnoughCoins", wanted: 7, owned: 3 })
        assert.strictEqual((yield* Transfer.Account.get(["b", "bob"])).coins, 7)
        assert.deepInclude(yield* Transfer.Account.get(["b", "ann"]), { coins: 3, transfers: 1 })
      }).pipe(run))

    it.live("leaderboard: a game changes both players, and an achievement is awarded once", () =>
      Effect.gen(function*() {
        const [ann, bob] = [["l", "ann"], ["l", "bob"]] as const
        for (const [league, name] of [ann, bob]) {
          yield* Leaderboard.Player.insert({ league, name, statistics: {} })
        }
        const first = yield* Leaderboard.recordGame(ann, bob, 10)
        assert.deepStrictEqual(first.winner, { score: 10, achievements: ["first win"] })
        assert.strictEqual(first.loser.score, -10)
        assert.deepStrictEqual((yield* Leaderboard.recordGame(ann, bob, 10)).winner, { score: 20, achievements: [] })
        const error = yield* Effect.flip(Leaderboard.transferItems(ann, bob, "coin", 1))
        assert.strictEqual(error._tag, "NotEnoughItems")
      }).pipe(run))

    it.live("idempotent request: a payment that arrives twice is booked once", () =>
      Effect.gen(function*() {
        yield* IdempotentRequest.Wallet.insert({ user: "ann" })
        const payment = { id: "p1", user: "ann", cents: 500 }
        const balances = yield* Effect.all([
          IdempotentRequest.book(payment),
          IdempotentRequest.book(payment),
          IdempotentRequest.book(payment)
        ], { concurrency: "unbounded" })
        assert.deepStrictEqual(balances, [500, 500, 500])
        const error = yield* Effect.flip(IdempotentRequest.book({ ...payment, cents: 600 }))
        assert.strictEqual(error._tag, "Conflict")
        assert.deepInclude(yield* IdempotentRequest.Wallet.get("ann"), { cents: 500, payments: ["p1"] })
      }).pipe(run))

    it.live("locked job: a second process skips the job while the first one runs it", () =>
      Effect.gen(function*() {
        yield* LockedJob.Report.insert({ name: "sales" })
        const started = yield* Deferred.make<void>()
        const finish = yield* Deferred.make<void>()
        const slow = Effect.andThen(Deferred.succeed(started, undefined), Effect.as(Deferred.await(finish), "new"))
        const running = yield* Effect.forkChild(LockedJob.rebuild("sales", slow))
        yield* Deferred.await(started)
        assert.isFalse(yield* LockedJob.rebuild("sales", Effect.succeed("other")))
        yield* Deferred.succeed(finish, undefined)
        assert.isTrue(yield* Fiber.join(running))
        assert.deepInclude(yield* LockedJob.Report.get("sales"), { content: "new", runs: 1 })
      }).pipe(run))

    it.live("locked job: a process that has lost its lock writes nothing", () =>
      Effect.gen(function*() {
        const raw = yield* Testing.RawStore
        yield* LockedJob.Report.insert({ name: "sales" })
        const build = Effect.as(raw.delete("Report:{sales}:$lock:rebuild"), "late")
        assert.strictEqual((yield* Effect.flip(LockedJob.rebuild("sales", build)))._tag, "LockLost")
        assert.deepInclude(yield* LockedJob.Report.get("sales"), { content: "", runs: 0 })
      }).pipe(run))

    it.live("http: a page is created once, its visits are counted, and an unknown page is answered by 404", () =>
      Effect.acquireUseRelease(
        Effect.sync(() => HttpRouter.toWebHandler(Http.api(layer), { disableLogger: true })),
        ({ handler }) =>
          Effect.gen(function*() {
            const send = (method: string, path: string) =>
              Effect.promise(() => handler(new Request(`http://localhost${path}`, { method })))
            assert.strictEqual((yield* send("PUT", "/pages/home")).status, 201)
            assert.strictEqual((yield* send("PUT", "/pages/home")).status, 204)
            yield* send("POST", "/pages/home/visits")
            const second = yield* send("POST", "/pages/home/visits")
            assert.deepStrictEqual(yield* Effect.promise(() => second.json()), { visits: 2 })
            assert.strictEqual((yield* send("POST", "/pages/none/visits")).status, 404)
          }),
        ({ dispose }) => Effect.promise(dispose)
      ))
  })
}
