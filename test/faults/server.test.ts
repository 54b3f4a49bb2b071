/**
 * Servers that die, freeze, pause, fill up, load, or change their minds, under load: what was said is what was done.
 */
import { assert, it } from "@effect/vitest"
import { Clock, Effect, Fiber, Logger } from "effect"
import type { RedisServiceErrorReason } from "redlayer/RedisServiceError"
import { errorOf, eventually, range, reasonIs, timed, until, within } from "../live/liveService.ts"
import { describeOwnServer } from "../support/Backends.ts"
import * as RawRedis from "../support/RawRedis.ts"
import * as RedisServer from "../support/RedisServer.ts"
import * as Rights from "../support/Rights.ts"
import { Ledger, ledger, server, service, start, underLoad } from "./proxiedService.ts"

type On = Effect.Success<ReturnType<typeof server>>

interface Fault {
  readonly args?: ReadonlyArray<string>
  readonly deadline: number
  /** what callers may hear; the first of them must be heard */
  readonly reasons: ReadonlyArray<RedisServiceErrorReason["_tag"]>
  readonly rounds: number
  readonly round: (on: On) => Effect.Effect<unknown, unknown>
}

/** All but the connection of the test itself. */
const killClients = ({ call }: On) => call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")

const faults: Readonly<Record<string, Fault>> = {
  "whose connections are killed": {
    deadline: 1000,
    reasons: ["OutcomeUnknown", "ConnectionUnavailable"],
    rounds: 40,
    round: (on) => Effect.andThen(Effect.sleep("10 millis"), killClients(on))
  },
  "that is frozen for a moment": {
    deadline: 1000,
    reasons: [],
    rounds: 5,
    round: ({ kill }) =>
      Effect.gen(function*() {
        yield* kill("SIGSTOP")
        yield* Effect.sleep("150 millis")
        yield* kill("SIGCONT")
        yield* Effect.sleep("20 millis")
      })
  },
  "that is frozen for longer than a program may take": {
    deadline: 300,
    reasons: ["OutcomeUnknown", "ConnectionUnavailable"],
    rounds: 2,
    round: ({ kill }) =>
      Effect.gen(function*() {
        yield* kill("SIGSTOP")
        yield* Effect.sleep("500 millis")
        yield* kill("SIGCONT")
        yield* Effect.sleep("20 millis")
      })
  },
  "that is frozen for longer than it may be silent": {
    deadline: 2500,
    reasons: ["OutcomeUnknown", "ConnectionUnavailable"],
    rounds: 1,
    round: ({ kill }) =>
      Effect.gen(function*() {
        yield* kill("SIGSTOP")
        yield* Effect.sleep("1500 millis")
        yield* kill("SIGCONT")
      })
  },
  "that pauses its clients": {
    deadline: 800,
    reasons: [],
    rounds: 4,
    round: ({ call }) => Effect.andThen(call("CLIENT", "PAUSE", "150", "ALL"), Effect.sleep("170 millis"))
  },
  "that pauses for longer than a program may take": {
    deadline: 300,
    reasons: ["OutcomeUnknown"],
    rounds: 2,
    round: ({ call }) => Effect.andThen(call("CLIENT", "PAUSE", "450", "WRITE"), Effect.sleep("470 millis"))
  },
  "whose memory is full": {
    deadline: 800,
    reasons: ["OutOfMemory"],
    rounds: 10,
    round: ({ call }) =>
      Effect.gen(function*() {
        yield* call("CONFIG", "SET", "maxmemory", "1")
        yield* Effect.sleep("20 millis")
        yield* call("CONFIG", "SET", "maxmemory", "0")
        yield* Effect.sleep("10 millis")
      })
  },
  "that is busy with a script": {
    args: ["--busy-reply-threshold", "20"],
    deadline: 250,
    reasons: ["ServerUnavailable", "OutcomeUnknown"],
    rounds: 2,
    round: ({ call, url }) =>
      Effect.gen(function*() {
        const endless = yield* RawRedis.make(url)
        const loop = yield* Effect.forkChild(Effect.exit(endless.call("EVAL", "while true do end", "0")), start)
        yield* eventually(Effect.filterOrFail(Effect.flip(call("PING")), ({ message }) => message.startsWith("BUSY")))
        yield* Effect.sleep("400 millis")
        yield* call("SCRIPT", "KILL")
        yield* Fiber.join(loop)
      }).pipe(Effect.scoped)
  },
  "that loads its data": {
    args: ["--enable-debug-command", "yes", "--loading-process-events-interval-bytes", "1024"],
    // shorter than the loading, and long enough for a busy machine: a server that is silent for half of it counts as lost
    deadline: 400,
    reasons: ["ServerUnavailable", "OutcomeUnknown"],
    rounds: 2,
    round: ({ call, url }) =>
      Effect.gen(function*() {
        yield* call("EVAL", "for i = 1, 500 do redis.call('SET', 'filler:' .. i, string.rep('x', 500)) end", "0")
        yield* call("CONFIG", "SET", "key-load-delay", "1000")
        const reloading = yield* RawRedis.make(url)
        yield* reloading.call("DEBUG", "RELOAD")
      }).pipe(Effect.scoped)
  },
  "that becomes a replica": {
    // as above
    deadline: 600,
    reasons: ["ServerUnavailable"],
    rounds: 3,
    round: ({ call }) =>
      Effect.gen(function*() {
        yield* call("REPLICAOF", "127.0.0.1", String(yield* RedisServer.freePort))
        yield* Effect.sleep("800 millis")
        yield* call("REPLICAOF", "NO", "ONE")
      })
  },
  "that forgets its scripts": {
    deadline: 800,
    reasons: [],
    rounds: 40,
    round: ({ call }) => Effect.andThen(call("SCRIPT", "FLUSH"), Effect.sleep("5 millis"))
  },
  "that takes away the right to run scripts": {
    deadline: 800,
    reasons: ["AccessDenied"],
    rounds: 10,
    round: ({ call }) =>
      Effect.gen(function*() {
        yield* call("ACL", "SETUSER", "app", "-evalsha")
        yield* Effect.sleep("10 millis")
        yield* call("ACL", "SETUSER", "app", "+evalsha")
        yield* Effect.sleep("10 millis")
      })
  },
  "that changes the password": {
    deadline: 800,
    reasons: ["AccessDenied", "OutcomeUnknown", "ConnectionUnavailable"],
    rounds: 3,
    round: (on) =>
      Effect.gen(function*() {
        yield* on.call("ACL", "SETUSER", "app", "resetpass", ">another")
        // those who were let in stay
        yield* Effect.sleep("10 millis")
        yield* on.call("CLIENT", "KILL", "USER", "app")
        yield* Effect.sleep("100 millis")
        yield* on.call("ACL", "SETUSER", "app", "resetpass", ">password")
      })
  }
}

describeOwnServer("a server", () => {
  it.live.each(Object.entries(faults))(
    "%s",
    ([, { args, deadline, reasons, round, rounds }]) =>
      Effect.gen(function*() {
        const on = yield* server({ args: args ?? [] })
        yield* on.call("ACL", "SETUSER", "app", ...Rights.least({ password: "password" }))
        const heard = yield* underLoad({
          on,
          layer: { deadline, username: "app", password: "password" },
          allowed: reasons,
          rounds,
          round: round(on)
        })
        const [first] = reasons
        if (first === "OutcomeUnknown") assert.isAbove(heard.unknown.length, 0, heard.summary)
        else if (first !== undefined) assert.isAbove(heard.refused.get(first)?.length ?? 0, 0, heard.summary)
      })
  )

  it.live("a killed server that returns with its file has every acknowledged write", () =>
    Effect.gen(function*() {
      const args = ["--appendonly", "yes", "--appendfsync", "everysec"]
      const on = yield* server({ args })
      let { kill } = on
      const heard = yield* underLoad({
        on,
        layer: { deadline: 1000 },
        allowed: ["OutcomeUnknown", "ConnectionUnavailable", "ServerUnavailable"],
        rounds: 4,
        round: Effect.gen(function*() {
          yield* Effect.sleep("100 millis")
          yield* kill("SIGKILL")
          const again = yield* RedisServer.start({ args, dir: on.directory, port: on.port })
          kill = again.kill
        })
      })
      assert.isAbove(heard.acknowledged.length, 0)
      assert.isAbove(heard.unknown.length + heard.refused.size, 0)
    }))

  it.live("a server that pauses writes still answers reads", () =>
    Effect.gen(function*() {
      const { call, url } = yield* server()
      const { run } = yield* service({ url, deadline: "3 seconds" })
      // a connection is answered in order: reads of the first would wait behind its write
      const other = yield* service({ url })
      const { count } = Ledger.ref("a")
      yield* run(Ledger.insert({ id: "a" }))
      yield* call("CLIENT", "PAUSE", "600", "WRITE")
      const begin = yield* Clock.currentTimeMillis
      const writing = yield* Effect.forkChild(timed(run(count.increment())), start)
      assert.strictEqual(yield* other.run(count.get()), 0)
      assert.isBelow((yield* Clock.currentTimeMillis) - begin, 500)
      const [exit, millis] = yield* Fiber.join(writing)
      assert.deepStrictEqual(exit, yield* Effect.exit(Effect.succeed(1)))
      within(millis, 500, 1500)
    }))

  it.live("a server that runs a script which has written is unusable until it is killed", () =>
    Effect.gen(function*() {
      const args = ["--busy-reply-threshold", "20", "--appendonly", "yes"]
      const { call, directory, kill, port, url } = yield* server({ args })
      const { run, up } = yield* service({ url, deadline: "300 millis" })
      const { count } = Ledger.ref("a")
      yield* run(Ledger.insert({ id: "a" }))
      const endless = yield* RawRedis.make(url)
      yield* Effect.forkChild(
        Effect.exit(endless.call("EVAL", "redis.call('SET', KEYS[1], 'x') while true do end", "1", "half")),
        start
      )
      yield* eventually(Effect.filterOrFail(Effect.flip(call("PING")), ({ message }) => message.startsWith("BUSY")))
      assert.match((yield* Effect.flip(call("SCRIPT", "KILL"))).message, /^UNKILLABLE/)
      for (const program of [count.increment(), count.get()]) {
        const [exit, millis] = yield* eventually(Effect.filterOrFail(
          timed(run(program)),
          // a server that is this busy may be too late with its refusal
          ([exit]) => Object(errorOf(exit)).reason?._tag !== "OutcomeUnknown"
        ))
        const reason = reasonIs(exit, "ServerUnavailable")
        assert.strictEqual(reason.code, "BUSY")
        assert.isFalse(reason.applied)
        assert.isAtMost(millis, 400)
      }
      yield* kill("SIGKILL")
      yield* RedisServer.start({ args, dir: directory, port })
      yield* up
      assert.strictEqual(yield* run(count.increment()), 1)
      assert.isNull(yield* eventually(call("GET", "half")))
    }))

  it.live("a server whose memory was full is used again as soon as there is room", () =>
    Effect.gen(function*() {
      const { call, url } = yield* server()
      const { run } = yield* service({ url })
      const { heard, make, write } = ledger()
      yield* run(make)
      yield* call("CONFIG", "SET", "maxmemory", "1")
      yield* Effect.forEach(range(1000), () => run(write(["OutOfMemory"])), { concurrency: 64, discard: true })
      assert.strictEqual(heard.refused.get("OutOfMemory")?.length, 1000)
      yield* call("CONFIG", "SET", "maxmemory", "0")
      const [, millis] = yield* timed(run(write([])))
      assert.isBelow(millis, 100)
      assert.strictEqual(heard.acknowledged.length, 1)
    }))

  it.live("a server with an evicting policy causes a warning, whatever the policy is called", () =>
    Effect.gen(function*() {
      const { call, url } = yield* server()
      const found = new Map<string, string>()
      const policies = ["lru", "lfu", "random"].flatMap((kind) => [`allkeys-${kind}`, `volatile-${kind}`])
      for (const policy of ["noeviction", "volatile-ttl", ...policies]) {
        yield* call("CONFIG", "SET", "maxmemory-policy", policy)
        const logger = Logger.make(({ logLevel, message }) => found.set(policy, `${logLevel}: ${String(message)}`))
        yield* Effect.scoped(service({ url })).pipe(Effect.provide(Logger.layer([logger])))
      }
      assert.isUndefined(found.get("noeviction"))
      for (const [policy, warning] of found) assert.match(warning, new RegExp(`^Warn: .*${policy}.*noeviction`))
      assert.strictEqual(found.size, 7)
    }))

  it.live("a server that disappears for good fails every program on time, and the layer closes at once", () =>
    Effect.gen(function*() {
      const { kill, url } = yield* server()
      const { client, close, run } = yield* service({ url, deadline: "300 millis" })
      yield* run(Ledger.insert({ id: "a" }))
      yield* kill("SIGKILL")
      yield* until("the client sees that it has no connection", () => client.status !== "ready")
      const exits = yield* Effect.forEach(range(200), () => timed(run(Ledger.ref("a").count.increment())), {
        concurrency: "unbounded"
      })
      for (const [exit, millis] of exits) {
        reasonIs(exit, "ConnectionUnavailable")
        within(millis, 280, 500)
      }
      const [, millis] = yield* timed(close)
      assert.isBelow(millis, 100)
    }))
})
