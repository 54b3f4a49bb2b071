/**
 * The larger examples: quota, cart, sessions, and the HTTP server over them in a process of its own.
 */
import { assert, it } from "@effect/vitest"
import { Duration, Effect, type Layer, Option } from "effect"
import { TestClock } from "effect/testing"
import { fork } from "node:child_process"
import { once } from "node:events"
import { request } from "node:http"
import type { RedisService } from "redlayer"
import * as Testing from "redlayer/testing"
import * as Cart from "../../examples/cart.ts"
import * as Quota from "../../examples/quota.ts"
import * as Session from "../../examples/session.ts"
import { backends, redis } from "../support/Backends.ts"
import { backendOf } from "../support/Conformance.ts"

type Services = RedisService.RedisService | Testing.RawStore

/** Lets time pass: by the clock in memory, and on a server by moving what is stored. */
const pass = (name: "memory" | "redis", millis: number): Effect.Effect<void, never, Testing.RawStore> =>
  name === "memory" ? TestClock.adjust(millis) : Effect.gen(function*() {
    const raw = yield* Testing.RawStore
    for (const [key, { content, expiresAt, type }] of Object.entries(yield* raw.dump)) {
      if (expiresAt !== undefined) yield* raw.expireAt(key, expiresAt - millis)
      if (expiresAt !== undefined && (yield* raw.expiresAt(key)) === undefined) continue
      const earlier = (text: string) => String(Number(text) - millis)
      if (key === "StoreReservations:{all}:ends") {
        const entries = content as ReadonlyArray<string>
        yield* raw.sortedAdd(key, ...entries.map((text, i) => i % 2 === 0 ? text : earlier(text)))
      } else if (type === "list" && key.startsWith("SlidingWindow")) {
        yield* raw.delete(key)
        yield* raw.listPush(key, ...(content as ReadonlyArray<string>).map(earlier))
        if (expiresAt !== undefined) yield* raw.expireAt(key, expiresAt - millis)
      } else if (type === "hash" && key.startsWith("Session:")) {
        const { startedAt } = content as Readonly<Record<string, string>>
        if (startedAt !== undefined) yield* raw.hashSet(key, { startedAt: earlier(startedAt) })
      }
    }
  })

const minute = 60_000
const hour = 60 * minute
const tagOf = <E extends { readonly _tag: string }, R>(self: Effect.Effect<unknown, E, R>) =>
  Effect.match(self, { onFailure: (error) => error._tag, onSuccess: () => "done" })

for (const { describe, name } of backends) {
  const layer: Layer.Layer<Services, unknown> = backendOf[name].layer({})
  const test = (title: string, body: Effect.Effect<void, unknown, Services>) =>
    (name === "memory" ? it.effect : it.live)(title, () => Effect.provide(body, layer) as Effect.Effect<void, unknown>)
  const wait = (millis: number) => pass(name, millis)

  describe("the apps of examples/", () => {
    test(
      "quota: a fixed window lets exactly its limit through, however many call at once, and begins again after an hour",
      Effect.gen(function*() {
        const calls = Array.from({ length: 20 }, () => tagOf(Quota.callFixed("ann")))
        const tags = yield* Effect.all(calls, { concurrency: "unbounded" })
        assert.strictEqual(tags.filter((tag) => tag === "done").length, Quota.limit)
        assert.strictEqual(yield* tagOf(Quota.callFixed("bob")), "done")
        yield* wait(50 * minute)
        const refused = yield* Effect.flip(Quota.callFixed("ann"))
        assert.strictEqual(refused._tag, "TooManyCalls")
        if (refused._tag === "TooManyCalls") {
          assert.isAtMost(Duration.toMillis(refused.retryAfter), 10 * minute)
          assert.isAbove(Duration.toMillis(refused.retryAfter), 9 * minute)
        }
        yield* wait(10 * minute)
        assert.strictEqual(yield* Quota.callFixed("ann"), 1)
      })
    )

    test(
      "quota: no hour has more calls than the limit of a sliding window",
      Effect.gen(function*() {
        assert.strictEqual(yield* tagOf(Quota.callSliding("ann")), "done")
        yield* wait(30_000)
        const calls = Array.from({ length: 10 }, () => tagOf(Quota.callSliding("ann")))
        const tags = yield* Effect.all(calls, { concurrency: "unbounded" })
        assert.strictEqual(tags.filter((tag) => tag === "done").length, Quota.limit - 1)
        // the first call is an hour old: one more, and not the whole limit again
        yield* wait(hour - 30_000)
        assert.strictEqual(yield* tagOf(Quota.callSliding("ann")), "done")
        assert.strictEqual(yield* tagOf(Quota.callSliding("ann")), "Full")
        yield* wait(30_000)
        assert.strictEqual(yield* tagOf(Quota.callSliding("ann")), "done")
      })
    )

    test(
      "cart: stock is reserved, sold, or comes back once when the reservation has ended, however many sweep",
      Effect.gen(function*() {
        const stock = Effect.map(
          Effect.all([Cart.Product.ref("lamp").stock.get(), Cart.Product.ref("rug").stock.get()]),
          (both) => both.join()
        )
        yield* Cart.sweep
        yield* Cart.Product.insertMany([{ sku: "lamp", stock: 5 }, { sku: "rug", stock: 2 }, { sku: "old", stock: 1 }])
        yield* Cart.add("a", "lamp", 2)
        yield* Cart.add("b", "lamp", 1)
        yield* Cart.add("b", "old", 1)
        assert.strictEqual(yield* tagOf(Cart.add("b", "rug", 3)), "OutOfBounds")
        assert.strictEqual(yield* stock, "2,2")
        yield* wait(10 * minute)
        yield* Cart.add("a", "rug", 1)
        yield* Cart.add("c", "lamp", 1)
        yield* Cart.Product.delete("old")
        yield* wait(6 * minute)
        yield* Effect.all([Cart.sweep, Cart.sweep, Cart.sweep], { concurrency: "unbounded" })
        // b was due; a and c were used since, and what is no longer sold is left out
        assert.strictEqual(yield* stock, "2,1")
        assert.deepStrictEqual(yield* Cart.Cart.find("b"), Option.none())
        assert.deepStrictEqual(yield* Cart.checkOut("a"), { lamp: 2, rug: 1 })
        assert.strictEqual(yield* tagOf(Cart.checkOut("a")), "EntityNotFound")
        yield* wait(20 * minute)
        yield* Cart.sweep
        assert.strictEqual(yield* stock, "3,1")
        assert.strictEqual(yield* Cart.Cart.count(), 0)
      })
    )

    test(
      "session: it lives for half an hour from its last use and for a day at most, and a list keeps none alive",
      Effect.gen(function*() {
        yield* Session.start("ann", "t1")
        yield* Session.start("ann", "t2")
        yield* Session.start("bob", "t3")
        for (let i = 0; i < 3; i++) {
          yield* wait(20 * minute)
          assert.strictEqual(yield* Session.authenticate("ann", "t1"), i + 1)
          yield* Session.list("ann")
        }
        assert.deepStrictEqual((yield* Session.list("ann")).map(({ token }) => token), ["t1"])
        assert.deepStrictEqual([...(yield* Session.Sessions.get(["ann", "all"])).tokens], ["t1"])
        assert.strictEqual(yield* tagOf(Session.authenticate("ann", "t2")), "SessionExpired")
        for (let i = 0; i < 68; i++) {
          yield* wait(20 * minute)
          yield* Session.authenticate("ann", "t1")
        }
        yield* wait(20 * minute)
        assert.strictEqual(yield* tagOf(Session.authenticate("ann", "t1")), "SessionExpired")
      })
    )

    test(
      "session: a log out ends one session, and a log out everywhere ends all of this user and of no other",
      Effect.gen(function*() {
        for (const token of ["a", "b", "c"]) yield* Session.start("ann", token)
        yield* Session.start("bob", "x")
        assert.isTrue(yield* Session.end("ann", "a"))
        assert.isFalse(yield* Session.end("ann", "a"))
        assert.deepStrictEqual((yield* Session.list("ann")).length, 2)
        const [ended] = yield* Effect.all([Session.endAll("ann"), Session.endAll("ann")], { concurrency: 2 })
        assert.strictEqual(ended, 2)
        assert.deepStrictEqual(yield* Session.list("ann"), [])
        assert.strictEqual(yield* tagOf(Session.authenticate("ann", "b")), "SessionExpired")
        assert.strictEqual(yield* Session.authenticate("bob", "x"), 1)
      })
    )

    it.live(
      "server: after SIGTERM a request in flight is answered, new ones are refused, and the process exits with 0",
      () =>
        Effect.gen(function*() {
          const child = yield* Effect.acquireRelease(
            Effect.sync(() =>
              fork(new URL("../../examples/server.ts", import.meta.url), [], {
                execArgv: ["-C", "redlayer-source"],
                env: {
                  ...process.env,
                  PORT: "0",
                  ...(name === "memory"
                    ? undefined
                    : { REDIS_URL: redis.url!, REDIS_KEY_PREFIX: `${redis.prefix}server:` })
                }
              })
            ),
            (child) => Effect.sync(() => child.kill("SIGKILL"))
          )
          const exited = once(child, "exit")
          const [{ port }] = yield* Effect.promise(() => once(child, "message"))
          const url = `http://127.0.0.1:${port}/users/ann/sessions`
          const json = (method: string, path = "", body?: object) =>
            Effect.promise(async () => {
              const headers = { "content-type": "application/json", connection: "close" }
              const response = await fetch(url + path, {
                method,
                headers,
                ...(body === undefined ? undefined : { body: JSON.stringify(body) })
              })
              const found: any = await response.json().catch(() => undefined)
              return [response.status, found] as const
            })
          const [status, { token }] = yield* json("POST", "", { password: "secret" })
          assert.strictEqual(status, 200)
          assert.deepStrictEqual(yield* json("GET", `/${token}`), [200, { requests: 1 }])
          assert.strictEqual((yield* json("POST", "", { password: "no" }))[0], 401)
          assert.deepStrictEqual(yield* json("DELETE"), [200, { ended: 1 }])
          assert.strictEqual((yield* json("GET", `/${token}`))[0], 401)

          // in flight: the server has the beginning of its body
          const slow = request(url, {
            method: "POST",
            headers: { "content-type": "application/json", expect: "100-continue" }
          })
          slow.flushHeaders()
          yield* Effect.promise(() => once(slow, "continue"))
          slow.write("{ \"password\": ")
          child.kill("SIGTERM")
          const refused = yield* Effect.promise(async () => {
            for (let i = 0; i < 500; i++) {
              const answered = await fetch(`${url}/none`, { headers: { connection: "close" } }).then(
                () => true,
                () => false
              )
              if (!answered) return true
            }
            return false
          })
          assert.isTrue(refused)
          assert.isNull(child.exitCode)
          const answer = once(slow, "response")
          slow.end("\"secret\" }")
          const [response] = yield* Effect.promise(() => answer)
          assert.strictEqual(response.statusCode, 200)
          response.resume()
          assert.deepStrictEqual(yield* Effect.promise(() => exited), [0, null])
        }).pipe(Effect.scoped),
      60_000
    )
  })
}
