/**
 * A process that runs a recipe dies at any point of it: before one of its requests, or after the server has applied it and before the
 * answer. Another process then does what the page says, and nothing is lost or done twice.
 */
import { assert, it } from "@effect/vitest"
import { type Context, Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import { RedisService } from "redlayer"
import * as Testing from "redlayer/testing"
import { describeMemory } from "../support/Backends.ts"
import { useRecipes } from "./pageModule.ts"

const of = useRecipes()

type Program = Effect.Effect<any, any, any>

/** No flow here has more requests before it ends. */
const most = 12

const die = Effect.fnUntraced(function*(
  service: Context.Context<RedisService.RedisService>,
  at: number,
  isApplied: boolean,
  self: Program
) {
  let requests = 0
  const dying = yield* Layer.build(
    Layer.fresh(Testing.layerService(() => {
      const request = requests++
      return request < at ? undefined : request === at && isApplied ? Testing.loseReply : Testing.loseRequest
    }))
  ).pipe(Effect.provide(service))
  const fiber = yield* Effect.forkChild(Effect.exit(Effect.provide(self, dying)))
  // longer than every lease, retry and wait
  yield* TestClock.adjust("3 minutes")
  yield* Fiber.join(fiber)
  return requests > at
})

/** Runs `flow` in a process that dies at each point, and `then` in another one. Returns how many points there were. */
const atEachPoint = (
  prepare: Program,
  flow: () => Program,
  then: (at: string) => Program
): Effect.Effect<number, any, any> =>
  Effect.gen(function*() {
    let points = 0
    for (const isApplied of [false, true]) {
      for (let at = 0; at < most; at++) {
        const service = yield* Layer.build(Layer.fresh(RedisService.layerMemory))
        yield* Effect.provide(prepare, service)
        const hasDied = yield* die(service, at, isApplied, flow())
        yield* Effect.provide(then(`at request ${at}, ${isApplied ? "applied" : "lost"}`), service)
        if (!hasDied) break
        points++
      }
    }
    assert.isBelow(points, 2 * most)
    return points
  }).pipe(Effect.scoped)

describeMemory("the recipes, when a process dies", () => {
  const test = (title: string, body: () => Effect.Effect<void, any, any>) =>
    it.effect(title, () => body() as Effect.Effect<void, unknown>)

  test("webhook: the next delivery gets the result, and the payment is booked once", () =>
    Effect.gen(function*() {
      const page = of("webhook")
      const receive = page.receive({ id: "p1", user: "ann", cents: 5 })
      const points = yield* atEachPoint(
        page.Wallet.insert({ user: "ann", cents: 0, payments: [] }),
        () => receive,
        (at) =>
          Effect.gen(function*() {
            assert.strictEqual(yield* receive, 5, at)
            assert.deepInclude(yield* page.Wallet.get("ann"), { cents: 5, payments: ["p1"] }, at)
          })
      )
      assert.strictEqual(points, 2)
    }))

  test("cache: another caller makes what is missing", () =>
    Effect.gen(function*() {
      const page = of("cache")
      const load = Effect.succeed({ day: "monday", visits: 1, pages: [] })
      const points = yield* atEachPoint(
        Effect.void,
        () => page.getOrLoad("monday", load),
        (at) =>
          Effect.gen(function*() {
            const fiber = yield* Effect.forkChild(page.getOrLoad("monday", load) as Program)
            // the lease of the dead one ends
            yield* TestClock.adjust("10 seconds")
            assert.deepInclude(yield* Fiber.join(fiber), { visits: 1 }, at)
          })
      )
      // find, lock, find, put, release
      assert.isAtLeast(points, 10)
    }))

  test("cart: a checkout that is called again returns the one order, and no stock comes back", () =>
    Effect.gen(function*() {
      const page = of("cart")
      const points = yield* atEachPoint(
        Effect.andThen(page.Product.insert({ shop: "s", sku: "lamp", stock: 5 }), page.add("s", "ann", "lamp", 2)),
        () => page.checkOut("s", "ann"),
        (at) =>
          Effect.gen(function*() {
            assert.deepStrictEqual((yield* page.checkOut("s", "ann")).lines, { lamp: 2 }, at)
            yield* page.sweep("s")
            assert.strictEqual(yield* page.Product.ref(["s", "lamp"]).stock.get(), 3, at)
          })
      )
      assert.strictEqual(points, 4)
    }))

  test("cart: stock comes back once when a worker dies in its sweep", () =>
    Effect.gen(function*() {
      const page = of("cart")
      const points = yield* atEachPoint(
        Effect.gen(function*() {
          yield* page.Product.insert({ shop: "s", sku: "lamp", stock: 5 })
          for (const cart of ["ann", "bob"]) {
            yield* page.add("s", cart, "lamp", 2)
            yield* page.Cart.ref(["s", cart]).endsAt.set(new Date(0))
          }
        }),
        () => page.sweep("s"),
        (at) =>
          Effect.gen(function*() {
            yield* page.sweep("s")
            assert.strictEqual(yield* page.Product.ref(["s", "lamp"]).stock.get(), 5, at)
            assert.strictEqual(yield* page.Cart.count(), 0, at)
          })
      )
      assert.isAtLeast(points, 10)
    }))

  test("jobs: each job runs, and is removed, when the worker of some dies", () =>
    Effect.gen(function*() {
      const page = of("jobs")
      let runs = new Map<string, number>()
      const handle = ({ id }: { readonly id: string }) => Effect.sync(() => void runs.set(id, (runs.get(id) ?? 0) + 1))
      const points = yield* atEachPoint(
        Effect.gen(function*() {
          runs = new Map()
          for (const id of ["a", "b"]) yield* page.enqueue("mail", id, "hello", new Date(0))
        }),
        () => page.work("mail", handle),
        (at) =>
          Effect.gen(function*() {
            yield* TestClock.adjust("1 minute")
            yield* page.work("mail", handle)
            assert.deepStrictEqual([...runs.keys()].toSorted(), ["a", "b"], at)
            assert.isAtMost(Math.max(...runs.values()), 2, at)
            assert.strictEqual(yield* page.Job.count(), 0, at)
          })
      )
      // the entries, two claims, two ends
      assert.isAtLeast(points, 10)
    }))

  test("sessions: a log out everywhere that is run again leaves none", () =>
    Effect.gen(function*() {
      const page = of("sessions")
      const points = yield* atEachPoint(
        Effect.forEach(["a", "b", "c"], (token) => page.logIn("ann", token, "phone") as Program),
        () => page.logOutEverywhere("ann"),
        (at) =>
          Effect.gen(function*() {
            yield* page.logOutEverywhere("ann")
            assert.strictEqual(yield* page.Session.count(), 0, at)
          })
      )
      assert.isAtLeast(points, 8)
    }))
})
