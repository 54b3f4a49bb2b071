/**
 * Many kinds of fault, at random, one after the other and on top of each other. `REDLAYER_SOAK_SECONDS` makes it longer, and
 * `REDLAYER_SOAK_SEED` repeats one.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import type { RedisServiceErrorReason } from "redlayer/RedisServiceError"
import { captureOutput, eventually, range, until } from "../live/liveService.ts"
import { describeOwnServer } from "../support/Backends.ts"
import * as RawRedis from "../support/RawRedis.ts"
import * as RedisServer from "../support/RedisServer.ts"
import * as Rights from "../support/Rights.ts"
import { lateness, ledger, random, server, service, start } from "./proxiedService.ts"

const seconds = Number(process.env.REDLAYER_SOAK_SECONDS ?? 10)
const deadline = 500

const args = [
  ["--appendonly", "yes", "--appendfsync", "everysec", "--busy-reply-threshold", "20"],
  ["--enable-debug-command", "yes"]
].flat()

const allowed: ReadonlyArray<RedisServiceErrorReason["_tag"]> = [
  "ConnectionUnavailable",
  "OutcomeUnknown",
  "ServerUnavailable",
  "OutOfMemory",
  "AccessDenied"
]

describeOwnServer("a soak", () => {
  it.live(
    `${seconds} seconds of random faults: every reported outcome is the real one`,
    () =>
      Effect.gen(function*() {
        const seed = Number(process.env.REDLAYER_SOAK_SEED ?? Date.now() % 1_000_000)
        const next = random(seed)
        const on = yield* server({ args })
        const { call, proxy } = on
        let { kill } = on
        yield* call("ACL", "SETUSER", "app", ...Rights.least({ password: "password" }))
        const output = yield* captureOutput
        const late = yield* lateness
        const { close, run, up } = yield* service({ url: proxy.url, username: "app", password: "password", deadline })
        const { check, heard, make, summary, write } = ledger()
        yield* run(make)
        let unsettled = 0
        let isOver = false
        const writers = yield* Effect.forEach(range(16), () =>
          Effect.forkChild(
            Effect.whileLoop({
              while: () => !isOver,
              body: () =>
                // all by themselves they must end long before
                run(write(allowed)).pipe(
                  Effect.timeoutOrElse({ duration: deadline + 3000, orElse: () => Effect.sync(() => unsettled++) }),
                  Effect.andThen(Effect.sleep("2 millis"))
                ),
              step: () => {}
            }),
            start
          ))
        const pause = Effect.suspend(() => Effect.sleep(10 + Math.floor(next() * 60)))
        /** In the middle of it, and back: also where the connection it was on has gone. */
        const during = <E>(begin: Effect.Effect<unknown, E>, end: Effect.Effect<unknown, E>) =>
          Effect.andThen(begin, Effect.andThen(pause, end))
        const faults: Readonly<Record<string, Effect.Effect<unknown, unknown>>> = {
          cut: proxy.cut(),
          reset: proxy.reset(),
          cutBefore: proxy.cutOnNext("request"),
          cutAfter: proxy.cutOnNext("reply"),
          refuse: Effect.andThen(proxy.refuse(true), Effect.andThen(proxy.cut(), pause)).pipe(
            Effect.andThen(proxy.refuse(false))
          ),
          swallowReplies: during(proxy.swallowReplies(true), Effect.andThen(proxy.swallowReplies(false), proxy.cut())),
          swallowRequests: during(
            proxy.swallowRequests(true),
            Effect.andThen(proxy.swallowRequests(false), proxy.cut())
          ),
          deliverLate: Effect.andThen(proxy.holdRequests(), Effect.sleep(deadline * next() * 1.5)).pipe(
            Effect.andThen(proxy.release())
          ),
          stall: during(proxy.stall(true), proxy.stall(false)),
          slice: during(proxy.slice(true), proxy.slice(false)),
          killConnections: call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"),
          freeze: Effect.andThen(Effect.suspend(() => kill("SIGSTOP")), pause).pipe(
            Effect.andThen(Effect.suspend(() => kill("SIGCONT")))
          ),
          pause: call("CLIENT", "PAUSE", "60", "ALL"),
          flush: call("SCRIPT", "FLUSH"),
          memory: during(call("CONFIG", "SET", "maxmemory", "1"), call("CONFIG", "SET", "maxmemory", "0")),
          rights: during(call("ACL", "SETUSER", "app", "-evalsha"), call("ACL", "SETUSER", "app", "+evalsha")),
          busy: Effect.gen(function*() {
            const endless = yield* RawRedis.make(on.url)
            const loop = yield* Effect.forkChild(Effect.exit(endless.call("EVAL", "while true do end", "0")), start)
            yield* eventually(
              Effect.filterOrFail(Effect.flip(call("PING")), ({ message }) => message.startsWith("BUSY"))
            )
            yield* pause
            yield* call("SCRIPT", "KILL")
            yield* Fiber.join(loop)
          }).pipe(Effect.scoped)
        }
        const restart = Effect.gen(function*() {
          yield* kill("SIGKILL")
          const again = yield* RedisServer.start({ args, dir: on.directory, port: on.port })
          kill = again.kill
          yield* eventually(call("ACL", "SETUSER", "app", ...Rights.least({ password: "password" })))
        })
        const names = Object.keys(faults)
        const counts = new Map<string, number>()
        const count = (name: string) => counts.set(name, (counts.get(name) ?? 0) + 1)
        const end = performance.now() + seconds * 1000
        let restarts = 0
        const isCovered = () =>
          restarts === 3 && counts.size === names.length && heard.unknown.length > 0 &&
          ["OutOfMemory", "AccessDenied"].every((reason) => heard.refused.has(reason))
        // on a slow machine as much longer as it takes to have met everything
        while (performance.now() < end || !isCovered() && performance.now() < end + 30_000) {
          // every kind once, and then at random
          const name = names[counts.size < names.length ? counts.size : Math.floor(next() * names.length)]!
          count(name)
          yield* eventually(faults[name]!)
          if (next() < 0.7) yield* pause
          if (performance.now() > end - seconds * 1000 * (1 - (restarts + 1) / 4) && restarts < 3) {
            restarts++
            yield* restart
          }
        }
        yield* proxy.cutOnNext(undefined)
        yield* up
        const { length } = heard.acknowledged
        yield* until("programs succeed again", () => heard.acknowledged.length > length)
        isOver = true
        yield* Effect.forEach(writers, Fiber.join)
        yield* close
        yield* proxy.waitUntil(({ connections }) => connections === 0)
        const applied = yield* eventually(Effect.andThen(call("PING"), check(call)))
        const of = `seed ${seed}: ${summary()}; ${applied} applied, slowest ${Math.round(heard.slowest)} ms`
        assert.deepStrictEqual(output, [], of)
        assert.strictEqual(counts.size, names.length, of)
        assert.strictEqual(restarts, 3, of)
        assert.strictEqual(unsettled, 0, of)
        assert.isAtMost(heard.slowest, deadline + 100 + late(), of)
        for (const reason of ["OutOfMemory", "AccessDenied"]) assert.isTrue(heard.refused.has(reason), of)
        assert.isAbove(heard.unknown.length, 0, of)
        return of
      }).pipe(Effect.scoped, Effect.tap((of) => Effect.sync(() => console.log(of)))),
    60_000 + seconds * 1000
  )
})
