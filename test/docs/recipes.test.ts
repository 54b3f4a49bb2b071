/**
 * The functions of the recipes keep what their pages promise about many at once. They are taken from the pages, so what is tested is
 * what readers copy.
 */
import { assert, it } from "@effect/vitest"
import { Cause, Context, Effect, Layer, type Scope } from "effect"
import { TestClock } from "effect/testing"
import { IoRedis, RedisService } from "redlayer"
import * as Testing from "redlayer/testing"
import { backends, describeMemory, describeOwnServer, describeRedis, redis, uniquePrefix } from "../support/Backends.ts"
import { layerCluster } from "../support/Conformance.ts"
import { deletePrefix } from "../support/globalSetup.ts"
import * as RedisCluster from "../support/RedisCluster.ts"
import { recipes as pages, useRecipes } from "./pageModule.ts"

type Program = Effect.Effect<unknown, unknown, RedisService.RedisService | Scope.Scope>

const of = useRecipes()

type Service = Context.Context<RedisService.RedisService>

/** Two services over one store: in memory one is both, because its store is within it. */
const twoServices = (name: "memory" | "redis"): Effect.Effect<readonly [Service, Service], unknown, Scope.Scope> =>
  Effect.gen(function*() {
    if (name === "memory") {
      const one = yield* Layer.build(Layer.fresh(RedisService.layerMemory))
      return [one, one] as const
    }
    const [url, keyPrefix] = [redis.url!, uniquePrefix("recipes")]
    yield* Effect.addFinalizer(() => Effect.orDie(deletePrefix(url, keyPrefix)))
    const build = Effect.suspend(() => Layer.build(RedisService.layer({ url, keyPrefix })))
    return [yield* build, yield* build] as const
  })

type Outcome = { readonly ok: true; readonly value: any } | { readonly ok: false; readonly error: any }

const outcomeOf = (self: Program): Effect.Effect<Outcome, never, RedisService.RedisService | Scope.Scope> =>
  Effect.match(self, {
    onFailure: (error): Outcome => ({ ok: false, error }),
    onSuccess: (value): Outcome => ({ ok: true, value })
  })

for (const { describe, name } of backends) {
  describe("the recipes, by many fibers of two services", () => {
    /** A test that gets `run`, of one effect by the first service, and `many`, of effects by both in turn, all at once. */
    const test = (
      title: string,
      body: (tools: {
        readonly run: (self: Program) => Effect.Effect<any, unknown, Scope.Scope>
        readonly many: (
          count: number,
          f: (i: number) => Program
        ) => Effect.Effect<ReadonlyArray<Outcome>, never, Scope.Scope>
      }) => Effect.Effect<void, unknown, Scope.Scope>
    ) =>
      it.live(title, () =>
        Effect.gen(function*() {
          const services = yield* twoServices(name)
          yield* body({
            run: (self) => Effect.provide(self, services[0]),
            many: (count, f) =>
              Effect.all(
                Array.from({ length: count }, (_, i) => Effect.provide(outcomeOf(f(i)), services[i % 2]!)),
                { concurrency: "unbounded" }
              )
          })
        }).pipe(Effect.scoped))

    const succeeded = (outcomes: ReadonlyArray<Outcome>) => outcomes.flatMap((one) => one.ok ? [one.value] : [])
    const failed = (outcomes: ReadonlyArray<Outcome>) => outcomes.flatMap((one) => one.ok ? [] : [one.error._tag])
    const repeated = (value: string, times: number) => Array.from({ length: times }, () => value)

    for (const form of ["callFixed", "callSliding", "callBucket"]) {
      test(`rate limit: ${form} lets exactly the limit pass, and says to each other caller when to try again`, ({ many, run }) =>
        Effect.gen(function*() {
          const page = of("rate-limit")
          const before = Date.now()
          const calls = yield* many(100, (i) => page[form](i % 2 === 0 ? "ann" : "bob"))
          // one service calls for ann and the other one for bob
          assert.lengthOf(succeeded(calls), 2 * page.limit)
          const mixed = yield* many(100, () => page[form]("carol"))
          assert.lengthOf(succeeded(mixed), page.limit)
          assert.deepStrictEqual(failed(mixed), repeated("TooManyCalls", 100 - page.limit))
          for (const one of mixed) {
            if (one.ok) continue
            assert.isAbove(one.error.retryAt.getTime(), before)
            assert.isAtMost(one.error.retryAt.getTime(), Date.now() + 3_601_000)
          }
          assert.strictEqual(failed([yield* run(outcomeOf(page[form]("carol")))]).join(), "TooManyCalls")
        }))
    }

    test("sessions: after a log out everywhere no session that had begun is accepted", ({ many, run }) =>
      Effect.gen(function*() {
        const page = of("sessions")
        yield* many(40, (i) => page.logIn("ann", `t${i}`, "phone"))
        yield* run(page.logIn("bob", "t", "phone"))
        assert.lengthOf(yield* run(page.sessionsOf("ann")), 40)
        // requests beside it are served or refused
        const beside = yield* many(
          80,
          (i) => i === 9 ? page.logOutEverywhere("ann") : page.authenticate("ann", `t${i % 40}`)
        )
        assert.isTrue(failed(beside).every((tag) => tag === "LoggedOut"))
        assert.strictEqual(succeeded([beside[9]!])[0], 40)
        assert.deepStrictEqual(
          failed(yield* many(40, (i) => page.authenticate("ann", `t${i}`))),
          repeated("LoggedOut", 40)
        )
        assert.strictEqual(yield* run(page.authenticate("bob", "t")), 1)
      }))

    test("cache: one loader runs in a stampede, and again after an invalidation", ({ many, run }) =>
      Effect.gen(function*() {
        const page = of("cache")
        let [loads, now, most] = [0, 0, 0]
        const load = Effect.gen(function*() {
          most = Math.max(most, ++now)
          yield* Effect.sleep("30 millis")
          now--
          return { day: "monday", visits: ++loads, pages: ["/"] }
        })
        const first = succeeded(yield* many(60, () => page.getOrLoad("monday", load)))
        assert.deepStrictEqual(first.map(({ visits }) => visits), Array.from({ length: 60 }, () => 1))
        yield* many(61, (i) => i === 30 ? page.invalidate("monday") : page.getOrLoad("monday", load))
        yield* run(page.getOrLoad("monday", load))
        assert.strictEqual(loads, 2)
        assert.strictEqual(most, 1)
      }))

    test("webhook: of sixty deliveries one is applied, and all get its result", ({ many, run }) =>
      Effect.gen(function*() {
        const page = of("webhook")
        yield* run(page.Wallet.insert({ user: "ann", cents: 0, payments: [] }))
        const deliveries = yield* many(120, (i) => page.receive({ id: `p${i % 3}`, user: "ann", cents: 100 }))
        assert.lengthOf(succeeded(deliveries), 120)
        for (let i = 0; i < 3; i++) {
          assert.strictEqual(new Set(succeeded(deliveries.filter((_, j) => j % 3 === i))).size, 1)
        }
        const { cents, payments } = yield* run(page.Wallet.get("ann"))
        assert.deepStrictEqual([cents, payments.toSorted()], [300, ["p0", "p1", "p2"]])
      }))

    test("cart: no unit is reserved twice, and each cart is sold or released", ({ many, run }) =>
      Effect.gen(function*() {
        const page = of("cart")
        yield* run(page.Product.insert({ shop: "s", sku: "lamp", stock: 30 }))
        const reserved = yield* many(80, (i) => page.add("s", `c${i}`, "lamp", 1))
        assert.lengthOf(succeeded(reserved), 30)
        const carts = reserved.flatMap(({ ok }, i) => ok ? [`c${i}`] : [])
        for (const cart of carts) yield* run(page.Cart.ref(["s", cart]).endsAt.set(new Date(0)))
        // checkouts, twice each, beside four sweeps
        const rush = yield* many(64, (i) => i % 16 === 0 ? page.sweep("s") : page.checkOut("s", carts[i % 30]!))
        assert.isTrue(failed(rush).every((tag) => tag === "EntityNotFound"))
        yield* run(page.sweep("s"))
        const orders = yield* run(page.Order.getMany(carts.map((cart) => ["s", cart])))
        const sold = orders.filter(({ _tag }: { readonly _tag: string }) => _tag === "Success").length
        assert.strictEqual(yield* run(page.Product.ref(["s", "lamp"]).stock.get()), 30 - sold)
        assert.strictEqual(yield* run(page.Cart.count()), 0)
      }))

    test("inventory: an order takes all of its lines or none, whatever the order of the lines", ({ many, run }) =>
      Effect.gen(function*() {
        const page = of("inventory")
        yield* run(page.receive("north", "d1", { lamp: 20, rug: 12, desk: 50 }))
        const orders = yield* many(
          100,
          (i) => page.take("north", `o${i}`, i % 2 === 0 ? { lamp: 1, rug: 1 } : { rug: 1, desk: 1, lamp: 1 })
        )
        assert.lengthOf(succeeded(orders), 12)
        assert.deepStrictEqual(failed(orders), repeated("OutOfStock", 88))
        const left = yield* run(Effect.all({
          lamp: page.Item.ref(["north", "lamp"]).onHand.get(),
          rug: page.Item.ref(["north", "rug"]).onHand.get(),
          desk: page.Item.ref(["north", "desk"]).onHand.get()
        }) as Program)
        const desks = orders.filter(({ ok }, i) => ok && i % 2 === 1).length
        assert.deepStrictEqual(left, { lamp: 8, rug: 0, desk: 50 - desks })
      }))

    test("leaderboard: no point is lost, and a score that a game returns has the rank beside it", ({ many, run }) =>
      Effect.gen(function*() {
        const page = of("leaderboard")
        const names = ["ann", "bob", "carol", "dave", "erin"]
        const games = yield* many(200, (i) => page.record("spring", names[i % 5]!, 1 + i % 5))
        assert.lengthOf(succeeded(games), 200)
        assert.lengthOf(succeeded(games).filter(({ isNew }) => isNew), 5)
        const best = yield* run(page.best("spring", 5))
        assert.deepStrictEqual(
          best.map(({ name, score }: { readonly name: string; readonly score: number }) => `${name} ${score}`),
          ["erin 200", "dave 160", "carol 120", "bob 80", "ann 40"]
        )
        // whoever has the greatest score of all answers was first at that moment
        const greatest = succeeded(games).reduce((a, b) => a.score >= b.score ? a : b)
        assert.deepInclude(greatest, { score: 200, rank: 1 })
      }))

    test("unique e-mail: of fifty sign-ups with one address one wins, and exchanges leave each address once", ({ many, run }) =>
      Effect.gen(function*() {
        const page = of("unique-email")
        const signUps = yield* many(
          50,
          (i) => page.signUp("t", `a${i}`, i % 2 === 0 ? "ANN@x.org" : "ann@X.org ", "Ann")
        )
        assert.lengthOf(succeeded(signUps), 1)
        assert.deepStrictEqual(failed(signUps), repeated("EmailTaken", 49))
        yield* many(10, (i) => page.signUp("t", `b${i}`, `b${i}@x.org`, "Bob"))
        const changes = yield* many(40, (i) => page.changeEmail("t", `b${i % 10}`, `free${i % 4}@x.org`))
        assert.isTrue(failed(changes).every((tag) => tag === "EmailTaken"))
        const emails = (yield* run(page.Account.getMany(Array.from({ length: 10 }, (_, i) => ["t", `b${i}`])))).map((
          { success }: { readonly success: { readonly email: string } }
        ) => success.email)
        assert.strictEqual(new Set(emails).size, 10)
      }))

    test("jobs: each of a hundred jobs is claimed once, and one that its worker left is claimed again", ({ many, run }) =>
      Effect.gen(function*() {
        const page = of("jobs")
        yield* many(100, (i) => page.enqueue("mail", `m${i}`, "hello", new Date(0)))
        const handled: Array<string> = []
        // every tenth job fails at its first attempt
        const handle = ({ attempts, id }: { readonly id: string; readonly attempts: number }) =>
          id.endsWith("0") && attempts === 1 ? Effect.fail("no" as const) : Effect.sync(() => void handled.push(id))
        const rounds = yield* many(24, () => page.work("mail", handle))
        assert.deepStrictEqual(failed(rounds), [])
        assert.strictEqual(succeeded(rounds).reduce((sum, count) => sum + count, 0), 100)
        assert.strictEqual(new Set(handled).size, 90)
        assert.lengthOf(handled, 90)
        // the ten that failed are due later: a worker claims them and dies, and another one claims them again
        const left = Array.from({ length: 10 }, (_, i) => ["mail", i === 0 ? "m0" : `m${i}0`] as const)
        const [lost, again] = [[], []] as [Array<unknown>, Array<unknown>]
        for (const claimed of [lost, again]) {
          for (const id of left) yield* run(page.Job.ref(id).runAt.set(new Date(0)))
          claimed.push(...yield* run(page.claim("mail", 20)))
          assert.lengthOf(claimed, 10)
        }
        // the first one lives after all, and both finish: only the claim that is in force counts
        const finished = yield* many(20, (i) => page.finish(i < 10 ? lost[i] : again[i - 10]))
        assert.deepStrictEqual(
          finished.map((one) => one.ok && one.value),
          Array.from({ length: 20 }, (_, i) => i >= 10)
        )
      }))

    test("feature flags: no change is lost, and another service sees them", ({ many, run }) =>
      Effect.gen(function*() {
        const page = of("feature-flags")
        const place = ["shop", "production"]
        const [, isOn] = succeeded(yield* many(2, () => page.follow(place)))
        const ask = (flag: string, users: number): Effect.Effect<number> =>
          Effect.map(
            Effect.all(Array.from({ length: users }, (_, i) => isOn(flag, `user ${i}`) as Effect.Effect<boolean>)),
            (answers) => answers.filter((on) => on).length
          )
        const soon = (flag: string) =>
          Effect.repeat(Effect.delay(ask(flag, 20), "5 millis"), { until: (count) => count > 0 }).pipe(
            Effect.timeout("10 seconds")
          )
        yield* many(20, (i) => page.setFlag(place, `f${i}`, 100))
        for (let i = 0; i < 20; i++) assert.strictEqual(yield* soon(`f${i}`), 20)
        const { percent } = yield* run(page.Flags.get(place))
        assert.lengthOf(Object.keys(percent), 20)
        // about half of the users, and the same number when asked again
        yield* run(page.setFlag(place, "half", 50))
        yield* soon("half")
        const count = yield* ask("half", 1000)
        assert.isAbove(count, 400)
        assert.isBelow(count, 600)
        assert.strictEqual(yield* ask("half", 1000), count)
      }))

    test("counters: no count is lost, and a quota is used to the last unit and not beyond", ({ many, run }) =>
      Effect.gen(function*() {
        const page = of("counters")
        yield* many(300, (i) => page.view("/", "day", ["fr", "de", "it"][i % 3]!))
        const { countries, total } = yield* run(page.Views.get(["/", "day"]))
        assert.deepStrictEqual([total, countries], [300, { fr: 100, de: 100, it: 100 }])
        yield* run(page.Customer.insert({ id: "acme", monthly: 50 }))
        const uses = yield* many(120, (i) => page.use("acme", "march", 1 + i % 3))
        assert.isTrue(failed(uses).every((tag) => tag === "QuotaExceeded"))
        const used = uses.reduce((sum, { ok }, i) => sum + (ok ? 1 + i % 3 : 0), 0)
        assert.strictEqual(yield* run(page.Usage.ref(["acme", "march"]).used.get()), used)
        assert.isAbove(used, 47)
        assert.isAtMost(used, 50)
      }))
  })
}

describeMemory("the recipes, as time passes", () => {
  const test = (title: string, body: () => Effect.Effect<void, any, any>) =>
    it.effect(
      title,
      () => Effect.provide(body(), Layer.fresh(RedisService.layerMemory)) as Effect.Effect<void, unknown>
    )

  const passed = (calls: number, call: () => Program): Effect.Effect<number, never, any> =>
    Effect.map(
      Effect.all(Array.from({ length: calls }, () => Effect.isSuccess(call()))),
      (all) => all.filter((one) => one).length
    )

  test("rate limit: a fixed window begins again after its hour, and `retryAt` is its end", () =>
    Effect.gen(function*() {
      const call = () => of("rate-limit").callFixed("ann")
      assert.strictEqual(yield* passed(9, call), 5)
      yield* TestClock.adjust("59 minutes")
      const { retryAt } = yield* Effect.flip(call()) as Effect.Effect<any>
      assert.strictEqual(retryAt.getTime(), 3_600_000)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* passed(9, call), 5)
    }))

  test("rate limit: a sliding window lets one call pass for each that is an hour old, and `retryAt` is that moment", () =>
    Effect.gen(function*() {
      const call = () => of("rate-limit").callSliding("ann")
      yield* call()
      yield* TestClock.adjust("30 minutes")
      assert.strictEqual(yield* passed(9, call), 4)
      const { retryAt } = yield* Effect.flip(call()) as Effect.Effect<any>
      assert.strictEqual(retryAt.getTime(), 3_600_000)
      yield* TestClock.adjust("30 minutes")
      assert.strictEqual(yield* passed(9, call), 1)
      yield* TestClock.adjust("30 minutes")
      assert.strictEqual(yield* passed(9, call), 4)
    }))

  test("rate limit: a bucket gets one token in each twelve minutes, and never more than five", () =>
    Effect.gen(function*() {
      const call = () => of("rate-limit").callBucket("ann")
      assert.strictEqual(yield* passed(9, call), 5)
      const { retryAt } = yield* Effect.flip(call()) as Effect.Effect<any>
      assert.strictEqual(retryAt.getTime(), 720_000)
      yield* TestClock.adjust("12 minutes")
      assert.strictEqual(yield* passed(9, call), 1)
      yield* TestClock.adjust("30 minutes")
      assert.strictEqual(yield* passed(9, call), 2)
      yield* TestClock.adjust("10 hours")
      assert.strictEqual(yield* passed(9, call), 5)
    }))

  test("sessions: use keeps one for a day, and another one ends after half an hour", () =>
    Effect.gen(function*() {
      const page = of("sessions")
      yield* page.logIn("ann", "t1", "phone")
      yield* page.logIn("ann", "t2", "laptop")
      for (let i = 0; i < 71; i++) {
        yield* TestClock.adjust("20 minutes")
        yield* page.authenticate("ann", "t1")
        yield* page.sessionsOf("ann")
      }
      assert.deepStrictEqual((yield* page.sessionsOf("ann")).map(({ token }: { readonly token: string }) => token), [
        "t1"
      ])
      yield* TestClock.adjust("20 minutes")
      assert.strictEqual((yield* Effect.flip(page.authenticate("ann", "t1")) as Effect.Effect<any>)._tag, "LoggedOut")
    }))

  test("cache: an entry is made again after five minutes, however much it is read", () =>
    Effect.gen(function*() {
      let loads = 0
      const read = of("cache").getOrLoad("monday", Effect.sync(() => ({ day: "monday", visits: ++loads, pages: [] })))
      for (let i = 0; i < 10; i++) {
        yield* read
        yield* TestClock.adjust("1 minute")
      }
      assert.strictEqual(loads, 2)
    }))

  test("webhook: a delivery is known for three days", () =>
    Effect.gen(function*() {
      const page = of("webhook")
      yield* page.Wallet.insert({ user: "ann", cents: 0, payments: [] })
      const deliver = page.receive({ id: "p1", user: "ann", cents: 5 })
      yield* deliver
      yield* TestClock.adjust("2 days")
      yield* page.receive({ id: "p2", user: "ann", cents: 5 })
      assert.strictEqual(yield* deliver, 5)
      yield* TestClock.adjust("25 hours")
      assert.strictEqual(yield* deliver, 15)
    }))

  test("cart: a reservation ends a quarter of an hour after the last addition", () =>
    Effect.gen(function*() {
      const page = of("cart")
      const { stock } = page.Product.ref(["s", "lamp"])
      yield* page.Product.insert({ shop: "s", sku: "lamp", stock: 5 })
      yield* page.add("s", "ann", "lamp", 1)
      yield* TestClock.adjust("10 minutes")
      yield* page.add("s", "ann", "lamp", 1)
      yield* TestClock.adjust("14 minutes")
      yield* page.sweep("s")
      assert.strictEqual(yield* stock.get(), 3)
      yield* TestClock.adjust("1 minute")
      yield* page.sweep("s")
      assert.strictEqual(yield* stock.get(), 5)
    }))

  test("unique e-mail: the address of a sign-up that nobody confirms is free after a day", () =>
    Effect.gen(function*() {
      const page = of("unique-email")
      yield* page.signUp("t", "a", "ann@x.org", "Ann")
      yield* page.signUp("t", "b", "bob@x.org", "Bob")
      yield* page.confirm("t", "b")
      yield* TestClock.adjust("1 day")
      yield* page.signUp("t", "c", "ann@x.org", "Carol")
      assert.strictEqual(
        (yield* Effect.flip(page.signUp("t", "d", "bob@x.org", "Dave")) as Effect.Effect<any>)._tag,
        "EmailTaken"
      )
    }))

  test("jobs: a job is due again when the lease of its worker ends, or when its failure has waited", () =>
    Effect.gen(function*() {
      const page = of("jobs")
      yield* page.enqueue("mail", "m1", "hello", new Date(30_000))
      assert.lengthOf(yield* page.claim("mail", 9), 0)
      yield* TestClock.adjust("30 seconds")
      assert.lengthOf(yield* page.claim("mail", 9), 1)
      yield* TestClock.adjust("59 seconds")
      assert.lengthOf(yield* page.claim("mail", 9), 0)
      yield* TestClock.adjust("1 second")
      // its second attempt fails: four seconds later it runs again
      assert.strictEqual(yield* page.work("mail", () => Effect.fail("no")), 1)
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual(yield* page.work("mail", () => Effect.void), 0)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* page.work("mail", () => Effect.void), 1)
      assert.isFalse(yield* page.Job.exists(["mail", "m1"]))
    }))

  test("counters: views are kept for ninety days", () =>
    Effect.gen(function*() {
      const page = of("counters")
      yield* page.view("/", "day", "fr")
      yield* TestClock.adjust("89 days")
      assert.strictEqual(yield* page.view("/", "day", "fr"), 2)
      yield* TestClock.adjust("1 day")
      assert.isFalse(yield* page.Views.exists(["/", "day"]))
    }))
})

describeMemory("the recipes, where a program must keep to one slot", () => {
  it.live.each(pages)("%s: its program runs", (page) =>
    Effect.scoped(of(page).program as Program).pipe(
      Effect.provide(RedisService.layerMemoryWith({ crossSlot: "refuse" }))
    ))
})

describeOwnServer("the recipes, on a cluster", () => {
  it.live("each program runs", () =>
    Effect.gen(function*() {
      const cluster = yield* RedisCluster.start({ replicas: 0 })
      for (const page of pages) {
        yield* Effect.scoped(of(page).program as Program).pipe(
          Effect.provide(Layer.fresh(layerCluster(cluster, {}))),
          Effect.catchCause((cause) => Effect.die(new Error(`${page}: ${Cause.pretty(cause)}`)))
        )
      }
    }).pipe(Effect.scoped), 60_000)
})

describeRedis("the recipes, by what they cost", () => {
  it.live("each function takes the round trips that its page states", () =>
    Effect.gen(function*() {
      const [url, keyPrefix] = [redis.url!, uniquePrefix("recipes")]
      yield* Effect.addFinalizer(() => Effect.orDie(deletePrefix(url, keyPrefix)))
      const live = RedisService.layer({ url, keyPrefix })
      const services = yield* Layer.build(
        RedisService.layerTransport({ keyPrefix }).pipe(
          Layer.provideMerge(Testing.layerTransport()),
          Layer.provide(IoRedis.layerTransport),
          Layer.provide(live)
        )
      )
      const { log, usePlan } = Context.get(services, Testing.Faults)
      const roundTrips = (self: Program) =>
        Effect.gen(function*() {
          yield* usePlan(() => undefined)
          yield* Effect.provide(self, services)
          return (yield* log).length
        })
      const report = Effect.succeed({ day: "monday", visits: 1, pages: [] })
      const lines = { lamp: 1, rug: 1 }
      const past = new Date(0)
      const soon = { queue: "mail", id: "m1", attempts: 1 }
      const jobs = of("jobs")
      const stated: ReadonlyArray<readonly [string, Program, number]> = [
        ["fixed window", of("rate-limit").callFixed("ann"), 1],
        ["sliding window", of("rate-limit").callSliding("ann"), 1],
        ["token bucket", of("rate-limit").callBucket("ann"), 1],
        ["log in", of("sessions").logIn("ann", "t1", "phone"), 1],
        ["authenticate", of("sessions").authenticate("ann", "t1"), 1],
        ["sessions of a user", of("sessions").sessionsOf("ann"), 2],
        ["log out everywhere", of("sessions").logOutEverywhere("ann"), 2],
        ["miss", of("cache").getOrLoad("monday", report), 5],
        ["hit", of("cache").getOrLoad("monday", report), 1],
        ["wallet", of("webhook").Wallet.insert({ user: "ann", cents: 0, payments: [] }), 1],
        ["delivery", of("webhook").receive({ id: "p1", user: "ann", cents: 1 }), 1],
        ["product", of("cart").Product.insert({ shop: "s", sku: "lamp", stock: 9 }), 1],
        ["add", of("cart").add("s", "c1", "lamp", 1), 1],
        ["check out", of("cart").checkOut("s", "c1"), 2],
        ["add again", of("cart").add("s", "c2", "lamp", 1), 1],
        ["end it", of("cart").Cart.ref(["s", "c2"]).endsAt.set(past), 1],
        ["sweep", of("cart").sweep("s"), 4],
        ["receive", of("inventory").receive("north", "d1", lines), 1],
        ["take", of("inventory").take("north", "o1", lines), 1],
        ["short", of("inventory").short("north", 5), 2],
        ["record", of("leaderboard").record("spring", "ann", 1), 1],
        ["page of a leaderboard", of("leaderboard").page("spring", "ann"), 1],
        ["sign up", of("unique-email").signUp("t", "a", "ann@x.org", "Ann"), 1],
        ["by e-mail", of("unique-email").byEmail("t", "ann@x.org"), 1],
        ["change of an e-mail", of("unique-email").changeEmail("t", "a", "ann@y.org"), 1],
        ["first job", jobs.enqueue("mail", "m1", "hello", past), 1],
        ["second job", jobs.enqueue("mail", "m2", "hello", past), 1],
        ["claim of two jobs", jobs.claim("mail", 10), 2],
        ["finish", jobs.finish(soon), 1],
        ["flag", of("feature-flags").setFlag(["shop", "production"], "f", 1), 1],
        ["view", of("counters").view("/", "day", "fr"), 1],
        ["customer", of("counters").Customer.insert({ id: "acme", monthly: 9 }), 1],
        ["use", of("counters").use("acme", "march", 1), 1]
      ]
      const found: Array<readonly [string, number]> = []
      for (const [name, self] of stated) found.push([name, yield* roundTrips(self)])
      assert.deepStrictEqual(found, stated.map(([name, , count]) => [name, count] as const))
    }).pipe(Effect.scoped))
})
