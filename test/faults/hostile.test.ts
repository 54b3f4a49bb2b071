/**
 * Ids and values that mean harm: what is data stays data, and what can't be sent is refused before.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Exit, Option, Result, Schema } from "effect"
import { Atomic, Model, type RedisServiceError } from "redlayer"
import { errorOf, range, reasonIs, timed } from "../live/liveService.ts"
import { describeOwnServer } from "../support/Backends.ts"
import { random, server, service } from "./proxiedService.ts"

const Note = Model.make("Note", {
  id: Schema.String,
  text: Schema.String.pipe(Model.withDefault("")),
  any: Schema.Json,
  map: Schema.Record(Schema.String, Schema.String).pipe(Model.withDefault<Record<string, string>>({})),
  tags: Schema.ReadonlySet(Schema.String).pipe(Model.withDefault<ReadonlySet<string>>(new Set()))
}, { key: "id" })

/** A model whose name is the beginning of the other's keys. */
const Prefix = Model.make("Note:{a}", { id: Schema.String, text: Schema.String }, { key: "id" })

const texts: ReadonlyArray<string> = [
  ["a", "a}", "{a", "{a}", "}{", "{}a", "a}:tags", "a}:text", ":", "::", "a:tags", "$once", "$v", "*", "a*"],
  [
    "[ab]",
    "?",
    "\\",
    "%7B",
    "%",
    "%%",
    "%25",
    "\r\n",
    "a\r\nDEL Note:{a}\r\n",
    "*1\r\n$7\r\nFLUSHDB\r\n",
    "\0",
    "a\0b"
  ],
  [
    "__proto__",
    "constructor",
    "toString",
    "é",
    "e\u0301",
    "🙂",
    "\uFFFD",
    "\u2028",
    " ",
    "a ",
    " a",
    "-1",
    "0",
    "nil"
  ],
  ["KEYS[1]", "]] redis.call('FLUSHALL') --", "${x}", "'; return 1 --", "redis.call", "cjson.null", "NaN", "1e400"],
  ["null", "[]", "{}", "\"", "\"\\", "x".repeat(400)]
].flat()

const lone = ["\uD800", "a\uDC00", "\uDBFFa", "x\uD83D"]

describeOwnServer("hostile", () => {
  it.live("hostile ids are data: none reaches another entity's keys, and every key shares its entity's slot", () =>
    Effect.gen(function*() {
      const { call, url } = yield* server()
      const { run } = yield* service({ url, keyPrefix: "app:" })
      for (const id of texts) yield* run(Note.insert({ id, text: id, any: id, map: { [id]: id }, tags: new Set([id]) }))
      yield* run(Prefix.insert({ id: "tags", text: "mine" }))
      for (const id of texts) {
        const note = yield* run(Note.get(id))
        assert.deepStrictEqual([note.id, note.text, note.any, note.tags], [id, id, id, new Set([id])])
        assert.deepStrictEqual(Object.entries(note.map), [[id, id]])
        assert.isTrue(Object.hasOwn(note.map, id))
      }
      const keys = (yield* call("KEYS", "*")) as ReadonlyArray<string>
      assert.isTrue(keys.every((key) => key.startsWith("app:")))
      // a hash, a map and a set each
      assert.strictEqual(keys.length, texts.length * 3 + 1)
      const cluster = yield* server({ cluster: true })
      const slotOf = (key: string) => cluster.call("CLUSTER", "KEYSLOT", key)
      for (const key of keys) {
        const [entity = ""] = key.split(/:(?:map|tags)$/)
        assert.include(keys, entity)
        assert.strictEqual(yield* slotOf(key), yield* slotOf(entity), key)
      }
      // each deletes itself alone
      for (const [i, id] of texts.entries()) {
        assert.isTrue(yield* run(Note.delete(id)))
        assert.strictEqual(Number(yield* call("DBSIZE")), (texts.length - i - 1) * 3 + 1)
      }
      assert.isUndefined(Object(Object.prototype).polluted)
    }))

  it.live("random ids that differ are different entities", () =>
    Effect.gen(function*() {
      const { call, url } = yield* server()
      const { run } = yield* service({ url })
      const seed = Date.now() % 1_000_000
      const next = random(seed)
      const alphabet = Array.from("ab{}:*?[]%\\\0\r\n $\"'é🙂")
      const ids = [
        ...new Set(
          range(2000).map(() =>
            range(1 + Math.floor(next() * 5)).map(() => alphabet[Math.floor(next() * alphabet.length)]).join("")
          )
        )
      ]
      const exits = yield* Effect.forEach(ids, (id) => run(Effect.exit(Note.insert({ id, any: null, text: id }))), {
        concurrency: "unbounded"
      })
      assert.isTrue(exits.every(Exit.isSuccess), `seed ${seed}`)
      assert.strictEqual(Number(yield* call("DBSIZE")), ids.length, `seed ${seed}`)
      const found = yield* run(Note.getMany(ids))
      assert.deepStrictEqual(found.map((note) => Result.getOrUndefined(note)?.text), ids, `seed ${seed}`)
    }))

  it.live("texts without a UTF-8 form are refused alone, and nothing of them is sent", () =>
    Effect.gen(function*() {
      const { call, proxy } = yield* server()
      const { run } = yield* service({ url: proxy.url })
      yield* run(Note.insert({ id: "a", any: null }))
      const { requestBytes } = yield* proxy.stats
      for (const text of lone) {
        for (
          const program of [
            Note.insert({ id: text, any: null }),
            Note.insert({ id: "b", any: null, text }),
            Note.ref("a").text.set(text),
            Note.ref("a").any.set({ deep: [text] }),
            Note.ref("a").any.set({ [text]: 1 }),
            Note.ref("a").map.put(text, "x"),
            Note.ref("a").map.put("x", text),
            Note.ref("a").tags.add(text),
            Note.ref("a").tags.has(text)
          ]
        ) {
          const exit = yield* Effect.exit(run<unknown, unknown>(program))
          assert.strictEqual(Object(errorOf(exit))._tag, "InvalidValue")
        }
      }
      assert.strictEqual((yield* proxy.stats).requestBytes, requestBytes)
      const [bad, good] = yield* Effect.all([
        Effect.exit(run(Note.ref("a").text.set(lone[0]!))),
        Effect.exit(run(Note.ref("a").text.set("good")))
      ], { concurrency: "unbounded" })
      assert.isTrue(Exit.isFailure(bad))
      assert.isTrue(Exit.isSuccess(good))
      assert.strictEqual(yield* call("HGET", "Note:{a}", "text"), "good")
    }))

  it.live("values of 64 MB are refused before they are sent, quickly, and alone", () =>
    Effect.gen(function*() {
      const { proxy } = yield* server()
      const { client, run } = yield* service({ url: proxy.url })
      yield* run(Note.insert({ id: "a", any: null, text: "x" }))
      const { accepted, requestBytes } = yield* proxy.stats
      const huge = "x".repeat(64 * 1024 * 1024)
      const { any, map, tags, text } = Note.ref("a")
      for (
        const program of [
          text.set(huge),
          any.set(huge),
          any.set([huge]),
          map.put("k", huge),
          map.put(huge, "v"),
          tags.add(huge),
          text.append(huge),
          Note.insert({ id: "b", any: null, text: huge }),
          Atomic.all([text.set("y"), text.set(huge)])
        ]
      ) {
        const [exit, millis] = yield* timed(run<unknown, unknown>(program))
        assert.strictEqual(Object(errorOf(exit))._tag, "InvalidValue")
        assert.isBelow(millis, 2000)
        assert.isBelow(String(errorOf(exit)).length, 300)
      }
      assert.strictEqual((yield* proxy.stats).requestBytes, requestBytes)
      const [refused, neighbour] = yield* Effect.all([
        Effect.exit(run(text.set(huge))),
        Effect.exit(run(text.get()))
      ], { concurrency: "unbounded" })
      assert.strictEqual(Object(errorOf(refused))._tag, "InvalidValue")
      assert.deepStrictEqual(neighbour, Exit.succeed("x"))
      assert.strictEqual(client.status, "ready")
      assert.strictEqual((yield* proxy.stats).accepted, accepted)
    }))

  it.live("a value grows on the server only up to the limit, and longer values stored by others are still read", () =>
    Effect.gen(function*() {
      const { call, url } = yield* server()
      const { run } = yield* service({ url })
      yield* run(Note.insert({ id: "a", any: null }))
      const part = "é".repeat(400_000)
      yield* run(Note.ref("a").text.append(part))
      assert.strictEqual((yield* run(Effect.flip(Note.ref("a").text.append(part))))._tag, "InvalidValue")
      assert.strictEqual((yield* run(Note.ref("a").text.get())).length, 400_000)
      yield* call("HSET", "Note:{a}", "text", part.repeat(8))
      assert.strictEqual((yield* run(Note.ref("a").text.get())).length, 3_200_000)
    }))

  it.live("a server that accepts less than was sent closes the connection, and no caller receives a success", () =>
    Effect.gen(function*() {
      const { call, url } = yield* server()
      const { run, up } = yield* service({ url, deadline: "2 seconds" })
      yield* run(Note.insert({ id: "a", any: null }))
      yield* call("CONFIG", "SET", "proto-max-bulk-len", "1mb")
      // two values, each of which may be sent: together they are one argument
      const half = "x".repeat(700_000)
      const exit = yield* Effect.exit(run(Atomic.all([Note.ref("a").text.set(half), Note.ref("a").any.set(half)])))
      // `ERR Protocol error`, and then the end of the connection, which may overtake it: not all that was sent had been read
      const error = errorOf(exit) as RedisServiceError.RedisServiceError
      assert.include(["ScriptFailed", "OutcomeUnknown"], error.reason._tag)
      assert.strictEqual((error.reason as RedisServiceError.OutcomeUnknown).applied, "unknown")
      yield* up
      assert.strictEqual(yield* call("HGET", "Note:{a}", "text"), "")
      yield* run(Note.ref("a").text.set("fine"))
    }))

  it.live("JSON written by others is never executed, never pollutes, and never ends the connection", () =>
    Effect.gen(function*() {
      const { call, proxy } = yield* server()
      const { run } = yield* service({ url: proxy.url })
      yield* run(Note.insert({ id: "a", any: null }))
      const { accepted } = yield* proxy.stats
      const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels)
      const bad = [nested(10_000), nested(1_000_000), "{", "\"", "nul", "1 2", "[1,]", "{\"a\":}", "\u0000", "NaN"]
      for (const stored of bad) {
        yield* call("HSET", "Note:{a}", "any", stored)
        const exit = yield* Effect.exit(run(Note.ref("a").any.get()))
        if (Exit.isSuccess(exit)) {
          // depth alone makes no JSON wrong
          assert.isTrue(stored.startsWith("[["), stored.slice(0, 20))
          continue
        }
        reasonIs(exit, "WrongType")
        const whole = yield* Effect.exit(run(Note.get("a")))
        assert.strictEqual(Object(errorOf(whole))._tag, "EntityCorrupted")
        // the other fields are there
        assert.strictEqual(yield* run(Note.ref("a").text.get()), "")
      }
      yield* call(
        "HSET",
        "Note:{a}",
        "any",
        "{\"__proto__\":{\"polluted\":1},\"constructor\":{\"prototype\":{\"polluted\":1}}}"
      )
      for (const any of [yield* run(Note.ref("a").any.get()), (yield* run(Note.get("a"))).any]) {
        assert.deepStrictEqual(Object.keys(any as object), ["__proto__", "constructor"])
        assert.isUndefined(Object(any).polluted)
      }
      assert.isUndefined(Object({}).polluted)
      yield* call("HSET", "Note:{a}:map", "__proto__", "x")
      assert.deepStrictEqual(yield* run(Note.ref("a").map.at("__proto__").get()), Option.some("x"))
      assert.isUndefined(Object({}).polluted)
      // bytes that are no text
      yield* call("HSET", "Note:{a}", "text", Buffer.from([0xff, 0xfe, 0x41]))
      yield* Effect.exit(run(Note.ref("a").text.get()))
      yield* run(Note.ref("a").text.set("well again"))
      assert.strictEqual(yield* run(Note.ref("a").text.get()), "well again")
      assert.strictEqual((yield* proxy.stats).accepted, accepted)
    }))
})
