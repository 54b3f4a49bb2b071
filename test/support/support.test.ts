import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Scope } from "effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import * as Net from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { backends, describeOwnServer, describeRedis, redis, uniquePrefix } from "./Backends.ts"
import { deletePrefix } from "./globalSetup.ts"
import * as RawRedis from "./RawRedis.ts"
import * as RedisServer from "./RedisServer.ts"
import * as Rights from "./Rights.ts"
import * as TcpProxy from "./TcpProxy.ts"

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

for (const backend of backends) {
  backend.describe("Backends", () => {
    it("Backends knows the Redis of the run", () => {
      assert.strictEqual(redis.kind === "none", redis.url === undefined)
      assert.match(redis.prefix, /^redlayer-test:[0-9a-f]{16}:$/)
      assert.notStrictEqual(uniquePrefix(backend.name), uniquePrefix(backend.name))
    })
  })
}

describeRedis("RawRedis", () => {
  it.effect("RawRedis calls, and fails with the server's message", () =>
    Effect.gen(function*() {
      const raw = yield* RawRedis.make(redis.url!)
      const key = `${uniquePrefix("raw")}key`
      assert.strictEqual(yield* raw.call("SET", key, Buffer.from([0x00, 0xff])), "OK")
      assert.deepStrictEqual(yield* raw.callBuffer("GET", key), Buffer.from([0x00, 0xff]))
      const error = yield* Effect.flip(raw.call("HGET", key, "field"))
      assert.include(error.message, "WRONGTYPE")
    }))

  it.effect("deletePrefix deletes the keys under a prefix, and no others", () =>
    Effect.gen(function*() {
      const raw = yield* RawRedis.make(redis.url!)
      const prefix = uniquePrefix("delete")
      yield* raw.call("MSET", `${prefix}in:1`, "1", `${prefix}in:2`, "2", `${prefix}out`, "3")
      assert.strictEqual(yield* deletePrefix(redis.url!, `${prefix}in:`), 2)
      assert.deepStrictEqual(yield* raw.call("MGET", `${prefix}in:1`, `${prefix}in:2`, `${prefix}out`), [
        null,
        null,
        "3"
      ])
    }))
})

describe("RawRedis", () => {
  it.effect("RawRedis says why it cannot connect", () =>
    Effect.gen(function*() {
      const port = yield* RedisServer.freePort
      const error = yield* Effect.flip(Effect.scoped(RawRedis.make(`redis://127.0.0.1:${port}`)))
      assert.include(error.message, "ECONNREFUSED")
    }))
})

describeOwnServer("RedisServer", () => {
  it.effect("a started server stops with its scope", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const server = yield* Scope.provide(RedisServer.start(), scope)
      yield* Effect.scoped(Effect.gen(function*() {
        const raw = yield* RawRedis.make(server.url)
        assert.strictEqual(yield* raw.call("PING"), "PONG")
        assert.deepStrictEqual(yield* raw.call("CONFIG", "GET", "save"), ["save", ""])
      }))
      assert.isTrue(isAlive(server.pid))
      assert.isTrue(existsSync(server.directory))
      yield* Scope.close(scope, Exit.void)
      assert.isFalse(isAlive(server.pid))
      assert.isFalse(existsSync(server.directory))
    }))

  it.effect("a started server has an admin, and gives all others the rights of docs/server.md", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.start({ keyPrefix: "app:" })
      const raw = yield* RawRedis.make(server.url)
      assert.strictEqual(yield* raw.call("ACL", "WHOAMI"), Rights.admin.username)
      const other = yield* RawRedis.make(server.url.replace("//", "//default@"))
      for (
        const [command, ...args] of [
          ["GET", "app:key"],
          ["KEYS", "*"],
          ["HGET", "other:key", "field"],
          ["CONFIG", "GET", "port"],
          ["PUBLISH", "app:news", "text"]
        ]
      ) {
        assert.include((yield* Effect.flip(other.call(command!, ...args))).message, "NOPERM")
      }
      assert.strictEqual(yield* other.call("HSET", "app:key", "field", "text"), 1)
      assert.strictEqual(yield* other.call("PUBLISH", "app:$topic:news", "text"), 0)
    }))

  it.effect("a started server takes arguments and a configuration", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.start({
        config: "maxmemory 1mb\nmaxmemory-policy allkeys-lru\n",
        args: ["--maxmemory", "2mb"]
      })
      const raw = yield* RawRedis.make(server.url)
      assert.deepStrictEqual(yield* raw.call("CONFIG", "GET", "maxmemory"), ["maxmemory", "2097152"])
      assert.deepStrictEqual(yield* raw.call("CONFIG", "GET", "maxmemory-policy"), ["maxmemory-policy", "allkeys-lru"])
    }))

  it.effect("a server that crashes at its start fails with its log", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(RedisServer.start({ args: ["--no-such-option", "1"] }))
      assert.include(error.message, "ended at its start")
      // each release says it in its own words
      assert.include(error.message, "no-such-option")
    }))

  it.effect("another server on the port is not taken for the started one", () =>
    Effect.gen(function*() {
      const first = yield* RedisServer.start()
      const error = yield* Effect.flip(RedisServer.start({ port: first.port }))
      assert.isTrue(error.portTaken)
    }))

  it.effect("a killed server comes back at the same port, with what it had saved", () =>
    Effect.gen(function*() {
      const dir = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "redlayer-support-"))),
        (path) => Effect.sync(() => rmSync(path, { recursive: true }))
      )
      const first = yield* RedisServer.start({ dir })
      const raw = yield* RawRedis.make(first.url)
      yield* raw.call("SET", "key", "value")
      yield* raw.call("SAVE")
      yield* first.kill("SIGKILL")
      assert.isFalse(isAlive(first.pid))
      const second = yield* RedisServer.start({ dir, port: first.port })
      assert.notStrictEqual(second.pid, first.pid)
      const again = yield* RawRedis.make(second.url)
      assert.strictEqual(yield* again.call("GET", "key"), "value")
    }))

  it.effect("a frozen server is stopped", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.start()
      yield* server.kill("SIGSTOP")
      assert.isTrue(isAlive(server.pid))
      yield* server.stop
      assert.isFalse(isAlive(server.pid))
    }))

  it.live("no server is left when the process that started it is killed", () =>
    Effect.gen(function*() {
      const script = `
        import { Effect, Scope } from "effect"
        import { start } from ${JSON.stringify(new URL("./RedisServer.ts", import.meta.url).href)}
        const server = await Effect.runPromise(Scope.provide(start(), Scope.makeUnsafe()))
        process.stdout.write(JSON.stringify({ pid: server.pid, directory: server.directory }) + "\\n")
        setInterval(() => {}, 1000)
      `
      const parent = yield* Effect.acquireRelease(
        Effect.sync(() =>
          spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "inherit"] })
        ),
        (child) => Effect.sync(() => child.kill("SIGKILL"))
      )
      const [line] = yield* Effect.promise(() => once(parent.stdout, "data"))
      const server: { readonly pid: number; readonly directory: string } = JSON.parse(String(line))
      assert.isTrue(isAlive(server.pid))
      parent.kill("SIGKILL")
      yield* Effect.suspend(() =>
        isAlive(server.pid) || existsSync(server.directory) ? Effect.fail("still there") : Effect.void
      ).pipe(Effect.delay("20 millis"), Effect.retry({ times: 200 }))
    }))

  it.effect("startCluster starts a node with all slots", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.startCluster()
      const raw = yield* RawRedis.make(server.url)
      assert.include(String(yield* raw.call("CLUSTER", "INFO")), "cluster_slots_ok:16384")
      assert.strictEqual(yield* raw.call("SET", "key", "value"), "OK")
    }), 20_000)

  it.effect("a node can know a cluster when it starts", () =>
    Effect.gen(function*() {
      const self = "a".repeat(40)
      const other = "b".repeat(40)
      const server = yield* RedisServer.start({
        nodesConf: ({ busPort, port }) =>
          [
            `${self} 127.0.0.1:${port}@${busPort} myself,master - 0 0 1 connected 0-8191`,
            `${other} 127.0.0.1:1@2 master - 0 0 2 connected 8192-16383`,
            "vars currentEpoch 2 lastVoteEpoch 0",
            ""
          ].join("\n")
      })
      yield* RedisServer.awaitClusterOk(server)
      const raw = yield* RawRedis.make(server.url)
      assert.strictEqual(yield* raw.call("CLUSTER", "MYID"), self)
      // "foo" is in slot 12182
      const error = yield* Effect.flip(raw.call("GET", "foo"))
      assert.strictEqual(error.message, "MOVED 12182 127.0.0.1:1")
    }), 20_000)
})

describeOwnServer("TcpProxy", () => {
  const setup = Effect.gen(function*() {
    const server = yield* RedisServer.start()
    const proxy = yield* TcpProxy.make({ port: server.port })
    const direct = yield* RawRedis.make(server.url)
    const raw = yield* RawRedis.make(proxy.url, { retryStrategy: () => null })
    return { server, proxy, direct, raw }
  })

  it.effect("the proxy passes everything on", () =>
    Effect.gen(function*() {
      const { direct, proxy, raw } = yield* setup
      const value = "x".repeat(3 * 1024 * 1024)
      yield* raw.call("SET", "big", value)
      assert.strictEqual(yield* raw.call("GET", "big"), value)
      assert.strictEqual(yield* direct.call("STRLEN", "big"), value.length)
      assert.strictEqual(yield* proxy.connections, 1)
    }))

  it.effect("the proxy cuts connections", () =>
    Effect.gen(function*() {
      const { direct, proxy, raw } = yield* setup
      const before = yield* proxy.stats
      const fiber = yield* Effect.forkChild(raw.call("BLPOP", "list", "0"), { startImmediately: true })
      yield* proxy.waitUntil((now) => now.forwardedBytes > before.forwardedBytes)
      yield* proxy.cut()
      assert.isTrue(Exit.isFailure(yield* Fiber.await(fiber)))
      assert.strictEqual(yield* proxy.connections, 0)
      assert.strictEqual(yield* direct.call("PING"), "PONG")
      // new connections are accepted
      assert.strictEqual(yield* (yield* RawRedis.make(proxy.url)).call("PING"), "PONG")
    }))

  it.effect("the proxy refuses connections, and accepts them again", () =>
    Effect.gen(function*() {
      const { proxy, raw } = yield* setup
      yield* proxy.refuse(true)
      assert.include((yield* Effect.flip(RawRedis.make(proxy.url))).message, "ECONNREFUSED")
      // those that are open stay
      assert.strictEqual(yield* raw.call("PING"), "PONG")
      yield* proxy.refuse(false)
      assert.strictEqual(yield* (yield* RawRedis.make(proxy.url)).call("PING"), "PONG")
    }))

  it.effect("the proxy swallows replies, after the server has run the command", () =>
    Effect.gen(function*() {
      const { direct, proxy, raw } = yield* setup
      yield* proxy.swallowReplies(true)
      const before = yield* proxy.stats
      const fiber = yield* Effect.forkChild(raw.call("INCR", "n"), { startImmediately: true })
      yield* proxy.waitUntil((now) => now.replyBytes > before.replyBytes)
      yield* proxy.cut()
      assert.isTrue(Exit.isFailure(yield* Fiber.await(fiber)))
      assert.strictEqual(yield* direct.call("GET", "n"), "1")
    }))

  it.effect("the proxy swallows requests, before the server has seen them", () =>
    Effect.gen(function*() {
      const { direct, proxy, raw } = yield* setup
      yield* proxy.swallowRequests(true)
      const before = yield* proxy.stats
      const fiber = yield* Effect.forkChild(raw.call("INCR", "n"), { startImmediately: true })
      yield* proxy.waitUntil((now) => now.requestBytes > before.requestBytes)
      yield* proxy.cut()
      assert.isTrue(Exit.isFailure(yield* Fiber.await(fiber)))
      assert.strictEqual(yield* direct.call("GET", "n"), null)
    }))

  it.effect("the proxy holds requests and releases them", () =>
    Effect.gen(function*() {
      const { direct, proxy, raw } = yield* setup
      yield* proxy.holdRequests()
      const fiber = yield* Effect.forkChild(raw.call("INCR", "n"), { startImmediately: true })
      yield* proxy.waitUntil((now) => now.heldBytes > 0)
      assert.strictEqual(yield* direct.call("GET", "n"), null)
      yield* proxy.release()
      assert.strictEqual(yield* Fiber.join(fiber), 1)
      assert.strictEqual((yield* proxy.stats).heldBytes, 0)
    }))

  it.effect("the proxy delivers held requests even if the client has disconnected", () =>
    Effect.gen(function*() {
      const { direct, proxy, raw } = yield* setup
      yield* proxy.holdRequests()
      const fiber = yield* Effect.forkChild(Effect.exit(raw.call("INCR", "n")), { startImmediately: true })
      yield* proxy.waitUntil((now) => now.heldBytes > 0)
      raw.client.disconnect()
      yield* Fiber.join(fiber)
      const before = yield* proxy.stats
      yield* proxy.release()
      yield* proxy.waitUntil((now) => now.replyBytes > before.replyBytes && now.connections === 0)
      assert.strictEqual(yield* direct.call("GET", "n"), "1")
    }))

  it.effect("the proxy delivers the next request late, and cuts its client", () =>
    Effect.gen(function*() {
      const { direct, proxy, raw } = yield* setup
      const before = yield* proxy.stats
      yield* proxy.deliverLate(50)
      assert.isTrue(Exit.isFailure(yield* Effect.exit(raw.call("INCR", "n"))))
      assert.strictEqual(yield* direct.call("GET", "n"), null)
      yield* proxy.waitUntil((now) => now.replyBytes > before.replyBytes)
      assert.strictEqual(yield* direct.call("GET", "n"), "1")
    }))

  it.effect("the proxy resets connections", () =>
    Effect.gen(function*() {
      const { proxy, raw } = yield* setup
      const closed = Effect.promise(() => once(raw.client.stream, "error", { signal: AbortSignal.timeout(3000) }))
      const fiber = yield* Effect.forkChild(closed, { startImmediately: true })
      yield* proxy.reset()
      assert.include(String(yield* Fiber.join(fiber)), "ECONNRESET")
      assert.strictEqual(yield* proxy.connections, 0)
    }))

  it.effect("the proxy cuts on the next request, or the next reply, and then no more", () =>
    Effect.gen(function*() {
      const { direct, proxy } = yield* setup
      for (const [what, expected] of [["request", null], ["reply", "1"]] as const) {
        const raw = yield* RawRedis.make(proxy.url, { retryStrategy: () => null })
        yield* proxy.cutOnNext(what)
        assert.isTrue(Exit.isFailure(yield* Effect.exit(raw.call("INCR", "n"))))
        assert.strictEqual(yield* direct.call("GET", "n"), expected)
      }
      yield* proxy.cutOnNext("request")
      yield* proxy.cutOnNext(undefined)
      assert.strictEqual(yield* (yield* RawRedis.make(proxy.url)).call("INCR", "n"), 2)
    }))

  it.effect("the proxy slices data to single bytes, in order", () =>
    Effect.gen(function*() {
      const { proxy, raw } = yield* setup
      yield* proxy.slice(true)
      const chunks: Array<number> = []
      raw.client.stream.on("data", (chunk: Buffer) => chunks.push(chunk.length))
      const sliced = raw.call("ECHO", "abcdefghijklmnopqrstuvwxyz")
      assert.strictEqual(yield* sliced, "abcdefghijklmnopqrstuvwxyz")
      assert.isAbove(chunks.length, 10)
      // what comes after it waits its turn
      const before = yield* Effect.forkChild(sliced, { startImmediately: true })
      yield* proxy.slice(false)
      assert.strictEqual(yield* raw.call("ECHO", "after"), "after")
      assert.strictEqual(yield* Fiber.join(before), "abcdefghijklmnopqrstuvwxyz")
    }))

  it.effect("the proxy stalls, and continues", () =>
    Effect.gen(function*() {
      const { proxy, raw } = yield* setup
      yield* proxy.stall(true)
      const fiber = yield* Effect.forkChild(raw.call("INCR", "n"), { startImmediately: true })
      // a new connection is stalled too
      const second = yield* Effect.forkChild(RawRedis.make(proxy.url), { startImmediately: true })
      yield* proxy.waitUntil((now) => now.connections === 2)
      assert.isUndefined(fiber.pollUnsafe())
      yield* proxy.stall(false)
      assert.strictEqual(yield* Fiber.join(fiber), 1)
      assert.strictEqual(yield* (yield* Fiber.join(second)).call("INCR", "n"), 2)
    }))

  it.effect("the proxy closes with its scope", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.start()
      const port = yield* Effect.scoped(Effect.map(TcpProxy.make({ port: server.port }), (proxy) => proxy.port))
      const socket = Net.connect({ host: "127.0.0.1", port })
      const [error] = yield* Effect.promise(() =>
        once(socket, "error", { signal: AbortSignal.timeout(3000) }).then(
          (events) => events,
          (error: unknown) => [error]
        )
      )
      assert.include(String(error), "ECONNREFUSED")
    }))
})
