/**
 * Refusals and replies of servers: each has a reason of its own, and none contains a secret.
 */
import { assert, it } from "@effect/vitest"
import { Context, Effect, Exit, Fiber, Layer, Option } from "effect"
import { rmSync } from "node:fs"
import { Atomic, RedisService } from "redlayer"
import { IoRedis } from "redlayer/IoRedis"
import type { RedisServiceErrorReason } from "redlayer/RedisServiceError"
import type { Call, ServerReply } from "redlayer/RedisTransport"
import { describeMemory, describeOwnServer } from "../support/Backends.ts"
import * as RawRedis from "../support/RawRedis.ts"
import * as RedisServer from "../support/RedisServer.ts"
import * as Rights from "../support/Rights.ts"
import * as TcpProxy from "../support/TcpProxy.ts"
import { captureOutput, eventually, range, reasonIs, timed, until, within } from "./liveService.ts"
import {
  Account,
  ann,
  answering,
  build,
  canary,
  failure,
  redis7,
  server,
  serving,
  shown,
  start,
  unavailable,
  untouched
} from "./scriptedTransport.ts"

describeOwnServer("rights", () => {
  const least = Rights.least({ password: canary })

  it.live("a program that touches a forbidden key does not affect its neighbours", () =>
    Effect.gen(function*() {
      const { call, key, services, stored, url } = yield* serving()
      yield* call("ACL", "SETUSER", "app", ...least, "resetkeys", `~${key}*`)
      void services
      const [mine, other, both] = yield* Effect.all([
        Effect.exit(ann.coins.increment()),
        Effect.exit(Account.insert({ name: "bob" })),
        Effect.exit(Atomic.all([ann.notes.clear(), Account.ref("bob").coins.increment()]))
      ], { concurrency: "unbounded" }).pipe(
        Effect.provide(RedisService.layer({ url, username: "app", password: canary }), { local: true })
      )
      assert.deepStrictEqual(mine, Exit.succeed(6))
      assert.isFalse(reasonIs(other, "AccessDenied").applied)
      assert.isFalse(reasonIs(both, "AccessDenied").applied)
      assert.deepStrictEqual(yield* stored, ["6", "Dr", ["a", "b"]])
      assert.strictEqual(yield* call("EXISTS", "Account:{bob}"), 0)
    }))

  it.live("a right that is missing in the middle of a program is not reported as undone", () =>
    Effect.gen(function*() {
      const { call, stored, url } = yield* serving()
      yield* call("ACL", "SETUSER", "app", ...least)
      yield* Effect.gen(function*() {
        yield* Account.insert({ name: "bob", notes: ["x"] })
        yield* call("ACL", "SETUSER", "app", "-ltrim")
        // at its end a program removes keys first, and then the items that have left
        const half = yield* Effect.exit(Atomic.all([ann.notes.shift(), Account.delete("bob")]))
        const reason = reasonIs(half, "ScriptFailed")
        assert.strictEqual(reason.applied, "unknown")
        assert.isFalse(reason.isRetryable)
        assert.strictEqual(yield* call("EXISTS", "Account:{bob}"), 0)
        // what was appended can't be taken back
        const broken = yield* Effect.exit(Atomic.all([ann.notes.append("c"), ann.coins.decrement(9)]))
        assert.strictEqual(reasonIs(broken, "ScriptFailed").applied, "unknown")
        assert.deepStrictEqual(yield* stored, ["5", "Dr", ["a", "b", "c"]])
        // what can be undone is, and the error says so
        const denied = yield* Effect.exit(Atomic.all([ann.coins.increment(), ann.notes.shift()]))
        assert.isFalse(reasonIs(denied, "AccessDenied").applied)
        assert.deepStrictEqual(yield* stored, ["5", "Dr", ["a", "b", "c"]])
      }).pipe(Effect.provide(RedisService.layer({ url, username: "app", password: canary }), { local: true }))
    }))
})

describeOwnServer("the password", () => {
  it.live("a changed password denies the next connection until it is right again", () =>
    Effect.gen(function*() {
      const right = "right-password"
      const output = yield* captureOutput
      const { call, port } = yield* server({ password: right })
      const proxy = yield* TcpProxy.make({ port })
      const services = yield* Layer.build(RedisService.layer({ url: proxy.url, password: right }))
      const run = <A, E>(self: Effect.Effect<A, E, RedisService.RedisService>) => Effect.provide(self, services)
      yield* run(Account.insert({ name: "ann" }))
      yield* call("CONFIG", "SET", "requirepass", "changed")
      assert.strictEqual(yield* run(ann.coins.increment()), 1)
      yield* proxy.cut()
      const client = Context.get(services, IoRedis)
      yield* until("the client sees that it has no connection", () => client.status !== "ready")
      const [exit, millis] = yield* timed(run(ann.coins.increment()))
      assert.strictEqual(reasonIs(exit, "AccessDenied").code, "WRONGPASS")
      assert.isBelow(millis, 1000)
      yield* call("CONFIG", "SET", "requirepass", right)
      assert.strictEqual(yield* call("HGET", "Account:{ann}", "coins"), "1")
      assert.strictEqual(yield* eventually(run(ann.coins.increment())), 2)
      assert.deepStrictEqual(output, [])
    }))
})

describeOwnServer("memory", () => {
  it.live("exhausted memory refuses writes, and neither reads nor removals", () =>
    Effect.gen(function*() {
      const { call, run, stored } = yield* serving()
      yield* run(Account.insert({ name: "bob", notes: ["x"] }))
      yield* call("CONFIG", "SET", "maxmemory", "1")
      for (
        const program of [
          ann.coins.increment(),
          ann.title.set("Ms"),
          Atomic.all([ann.notes.pop(), ann.coins.increment()]),
          Account.insert({ name: "carl" }),
          Account.put({ name: "ann" }),
          Account.update("ann", { notes: [] })
        ]
      ) {
        const exit = yield* Effect.exit(run<unknown, unknown>(program))
        const reason = reasonIs(exit, "OutOfMemory")
        assert.isFalse(reason.applied)
        assert.isFalse(reason.isRetryable)
      }
      assert.deepStrictEqual(yield* stored, untouched)
      // a call that only reads, one that only removes, and one that is refused, in one turn
      const [read, popped, refused] = yield* Effect.all([
        Effect.exit(run(Account.get("ann"))),
        Effect.exit(run(ann.notes.pop())),
        Effect.exit(run(ann.coins.increment()))
      ], { concurrency: "unbounded" })
      assert.isTrue(Exit.isSuccess(read))
      assert.deepStrictEqual(popped, Exit.succeed(Option.some("b")))
      reasonIs(refused, "OutOfMemory")
      yield* run(ann.title.clear())
      yield* run(ann.notes.clear())
      assert.isTrue(yield* run(Account.delete("bob")))
      assert.deepStrictEqual(yield* stored, ["5", null, []])
      yield* call("CONFIG", "SET", "maxmemory", "0")
      assert.strictEqual(yield* run(ann.coins.increment()), 6)
    }))
})

describeOwnServer("a refusal", () => {
  it.live("a refusal because of another key type is WrongType, and names key and field", () =>
    Effect.gen(function*() {
      const { call, key, run, stored } = yield* serving({}, { keyPrefix: "app:" })
      yield* call("DEL", `${key}:notes`)
      yield* call("SET", `${key}:notes`, "text")
      const expected = { model: "Account", id: "ann", key: "Account:{ann}:notes", field: "notes", applied: false }
      for (const program of [ann.notes.append("c"), ann.notes.get(), ann.notes.pop()]) {
        const reason = reasonIs(yield* Effect.exit(run<unknown, unknown>(program)), "WrongType")
        const { applied, field, id, key, model } = reason
        assert.deepStrictEqual({ applied, field, id, key, model }, expected)
      }
      const later = yield* Effect.exit(run(Atomic.all([ann.coins.increment(), ann.notes.append("c")])))
      assert.strictEqual(reasonIs(later, "WrongType").field, "notes")
      assert.strictEqual(yield* call("HGET", key, "coins"), "5")
      assert.strictEqual(yield* call("GET", `${key}:notes`), "text")
      yield* call("DEL", key)
      yield* call("SET", key, "text")
      const field = reasonIs(yield* Effect.exit(run(ann.coins.increment())), "WrongType")
      assert.strictEqual(field.key, "Account:{ann}")
      assert.strictEqual(field.field, "")
      assert.strictEqual(yield* call("GET", key), "text")
      void stored
    }))

  it.live("a script that does not end is BUSY", () =>
    Effect.gen(function*() {
      const output = yield* captureOutput
      const { call, run, stored, url } = yield* serving({ args: ["--busy-reply-threshold", "30"] })
      const endless = yield* RawRedis.make(url)
      const loop = yield* Effect.forkChild(endless.call("EVAL", "while true do end", "0"), start)
      yield* eventually(Effect.filterOrFail(Effect.flip(call("PING")), ({ message }) => message.startsWith("BUSY")))
      unavailable(yield* Effect.exit(run(ann.coins.increment())), "BUSY")
      unavailable(yield* Effect.exit(run(ann.coins.get())), "BUSY")
      // a layer can't start, and says why
      const [early, millis] = yield* timed(build({ url, deadline: "300 millis" }))
      unavailable(early, "BUSY")
      within(millis, 290, 450)
      const patient = yield* Effect.forkChild(build({ url }), start)
      yield* call("SCRIPT", "KILL")
      yield* Fiber.join(patient)
      yield* Fiber.await(loop)
      assert.deepStrictEqual(yield* stored, untouched)
      assert.strictEqual(yield* run(ann.coins.increment()), 6)
      assert.deepStrictEqual(output, [])
    }))

  it.live("a server that loads its data is LOADING", () =>
    Effect.gen(function*() {
      const { call, run, stored, url } = yield* serving({
        args: ["--enable-debug-command", "yes", "--loading-process-events-interval-bytes", "1024"]
      })
      yield* call("EVAL", "for i = 1, 500 do redis.call('SET', 'filler:' .. i, string.rep('x', 500)) end", "0")
      yield* call("CONFIG", "SET", "key-load-delay", "600")
      const reloading = yield* RawRedis.make(url)
      const reload = yield* Effect.forkChild(reloading.call("DEBUG", "RELOAD"), start)
      const exit = yield* eventually(
        Effect.filterOrFail(Effect.exit(run(ann.title.set("Ms"))), Exit.isFailure)
      )
      unavailable(exit, "LOADING")
      yield* Fiber.join(reload)
      yield* run(ann.title.set("Dr"))
      assert.deepStrictEqual(yield* stored, untouched)
    }))

  it.live("a restarted server that loads its data is waited out", () =>
    Effect.gen(function*() {
      const output = yield* captureOutput
      const { call, directory, kill, port, run, url } = yield* serving()
      yield* call("EVAL", "for i = 1, 500 do redis.call('SET', 'filler:' .. i, string.rep('x', 500)) end", "0")
      yield* call("SAVE")
      yield* kill("SIGKILL")
      const again = yield* Effect.forkChild(
        RedisServer.start({
          dir: directory,
          port,
          args: ["--key-load-delay", "1000", "--loading-process-events-interval-bytes", "1024"]
        }),
        start
      )
      const starting = yield* Effect.forkChild(build({ url }), start)
      const waiting = yield* Effect.forkChild(run(ann.coins.increment()), start)
      yield* Fiber.join(again)
      assert.isUndefined(starting.pollUnsafe())
      // soon after, and not only when the server had expected to be ready
      const [results, millis] = yield* timed(Effect.all([Fiber.join(starting), Fiber.join(waiting)]))
      assert.deepStrictEqual(results, Exit.succeed([undefined, 6] as [void, number]))
      assert.isBelow(millis, 350)
      assert.deepStrictEqual(output, [])
    }))

  it.live("a replica is READONLY, and is asked nothing more", () =>
    Effect.gen(function*() {
      const { call, run, stored } = yield* serving({}, { deadline: "500 millis" })
      const nobody = yield* RedisServer.freePort
      yield* call("REPLICAOF", "127.0.0.1", String(nobody))
      unavailable(yield* Effect.exit(run(ann.coins.increment())), "READONLY")
      unavailable(yield* Effect.exit(run(ann.notes.pop())), "READONLY")
      unavailable(yield* Effect.exit(run(ann.coins.get())), "READONLY")
      yield* call("REPLICAOF", "NO", "ONE")
      assert.deepStrictEqual(yield* stored, untouched)
      assert.strictEqual(yield* eventually(run(ann.coins.increment())), 6)
    }))

  it.live("a master without replicas is NOREPLICAS", () =>
    Effect.gen(function*() {
      const { call, run, stored } = yield* serving()
      yield* call("CONFIG", "SET", "min-replicas-to-write", "1")
      unavailable(yield* Effect.exit(run(ann.coins.increment())), "NOREPLICAS")
      assert.deepStrictEqual(yield* stored, untouched)
    }))

  it.live("a server that cannot save is MISCONF", () =>
    Effect.gen(function*() {
      const { call, directory, run, stored } = yield* serving({ args: ["--save", "3600 1"] })
      rmSync(directory, { recursive: true })
      yield* call("BGSAVE")
      yield* eventually(
        Effect.filterOrFail(
          call("INFO", "persistence"),
          (info) => String(info).includes("rdb_last_bgsave_status:err")
        )
      )
      unavailable(yield* Effect.exit(run(ann.coins.increment())), "MISCONF")
      assert.deepStrictEqual(yield* stored, untouched)
      assert.strictEqual(yield* run(ann.coins.get()), 5)
      // or it would not stop
      yield* call("CONFIG", "SET", "save", "")
    }))

  it.live("a server with all its clients is MAXCLIENTS", () =>
    Effect.gen(function*() {
      const output = yield* captureOutput
      const { call, url } = yield* server()
      yield* call("CONFIG", "SET", "maxclients", "1")
      // the server closes at once, so its words may be lost
      const [exit, millis] = yield* Effect.repeat(timed(build({ url, deadline: "300 millis" })), {
        until: ([exit]) => !JSON.stringify(exit).includes("ECONNRESET"),
        times: 30
      })
      unavailable(exit, "MAXCLIENTS")
      within(millis, 290, 450)
      const patient = yield* Effect.forkChild(build({ url }), start)
      yield* call("CONFIG", "SET", "maxclients", "10")
      yield* Fiber.join(patient)
      assert.deepStrictEqual(output, [])
    }))

  it.live("a cluster node without the slot is CLUSTERDOWN, and the layer starts", () =>
    Effect.gen(function*() {
      const { url } = yield* server({ cluster: true })
      const services = yield* Layer.build(RedisService.layer({ url, keyPrefix: "app:", retry: false }))
      const exit = yield* Effect.exit(Effect.provide(Account.exists("ann"), services))
      unavailable(exit, "CLUSTERDOWN")
    }))
})

describeMemory("a reply", () => {
  const replying = (reply: ServerReply) =>
    ann.coins.increment().pipe(
      Effect.provide(Layer.provide(RedisService.layerTransport({ retry: false }), answering(redis7, [], reply)), {
        local: true
      }),
      Effect.exit
    )

  const raised = `script: ${"0".repeat(40)}, on @user_script:1.`

  it.live.each<[string, RedisServiceErrorReason["_tag"], string | undefined, unknown]>([
    ["OOM command not allowed when used memory > 'maxmemory'.", "OutOfMemory", undefined, false],
    ["NOAUTH Authentication required.", "AccessDenied", "NOAUTH", false],
    ["NOPERM this user has no permissions to run the 'evalsha' command", "AccessDenied", "NOPERM", false],
    ["CLUSTERDOWN The cluster is down", "ServerUnavailable", "CLUSTERDOWN", false],
    // the keys of other nodes never come here
    ["MOVED 1234 127.0.0.1:1", "Unsupported", undefined, false],
    ["ASK 1234 127.0.0.1:1", "ServerUnavailable", "ASK", false],
    ["TRYAGAIN Multiple keys request during rehashing of slot", "ServerUnavailable", "TRYAGAIN", false],
    ["CROSSSLOT Keys in request don't hash to the same slot", "CrossSlot", undefined, false],
    [
      `ERR Error running script: Script killed by user with SCRIPT KILL. ${raised}`,
      "ServerUnavailable",
      "KILLED",
      false
    ],
    ["ERR unknown command 'EVALSHA', with args beginning with: 'canary'", "Unsupported", undefined, false],
    // raised by the script itself, and so perhaps after it had written
    [`NOPERM ACL failure in script canary ${raised}`, "ScriptFailed", "NOPERM", "unknown"],
    [`OOM command not allowed when used memory > 'maxmemory'. ${raised}`, "ScriptFailed", "OOM", "unknown"],
    [`ERR Script attempted to access a non local key in a cluster node ${raised}`, "ScriptFailed", "ERR", "unknown"],
    [`ERR user_script:1: canary ${raised}`, "ScriptFailed", "ERR", "unknown"],
    // the same in the words of Valkey 9.1, and without a word about the script
    ["NOPERM ACL failure in script canary script: on @user_script:1.", "ScriptFailed", "NOPERM", "unknown"],
    ["CROSSSLOT canary script: on @user_script:1.", "ScriptFailed", "CROSSSLOT", "unknown"],
    ["ERR Attempted to access a non local key in a cluster node", "ScriptFailed", "ERR", "unknown"],
    ["NOPERM canary", "ScriptFailed", "NOPERM", "unknown"],
    ["NEWCODE canary", "ScriptFailed", "NEWCODE", "unknown"],
    ["canary", "ScriptFailed", "ERR", "unknown"]
  ])("%s is %s", ([message, tag, code, applied]) =>
    Effect.gen(function*() {
      const exit = yield* replying(failure(message))
      const reason = reasonIs(exit, tag)
      if (code !== undefined) assert.strictEqual((reason as { readonly code: string }).code, code)
      assert.strictEqual(reason.applied, applied)
      assert.notInclude(shown(exit), "canary")
    }))

  it.live.each(["", "{}", "null", "[]", "[2]", "[\"done\"]", "canary"])(
    "%j is none",
    (reply) =>
      Effect.gen(function*() {
        const exit = yield* replying({ _tag: "Text", text: reply })
        const reason = reasonIs(exit, "ScriptFailed")
        assert.strictEqual(reason.applied, "unknown")
        assert.notInclude(shown(exit), "canary")
      })
  )

  it.live("an error that a running script raises is not retried", () =>
    Effect.gen(function*() {
      const calls: Array<Call> = []
      const transport = answering(redis7, calls, failure(`NOPERM ACL failure in script ${raised}`))
      const exits = yield* Effect.all(range(3).map(() => Effect.exit(ann.coins.increment())), {
        concurrency: "unbounded"
      }).pipe(Effect.provide(Layer.provide(RedisService.layerTransport(), transport)))
      for (const exit of exits) assert.strictEqual(reasonIs(exit, "ScriptFailed").applied, "unknown")
      assert.lengthOf(calls.filter(({ argument }) => argument.includes("Account") || argument.includes("coins")), 1)
    }))
})
