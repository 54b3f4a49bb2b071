/**
 * The contract of Effect's `KeyValueStore`, on Effect's own store in memory and on ours; and what ours promises besides.
 */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Context, Effect, Exit, Layer, Option, Schema, Scope } from "effect"
import { KeyValueStore } from "effect/persistence"
import { DomainError, EffectKeyValueStore, RedisService } from "redlayer"
import { isRedisServiceError } from "redlayer/RedisServiceError"
import { errorOf, range, reasonIs } from "../live/liveService.ts"
import { type Here, hooked, places } from "./processes.ts"

type Store = KeyValueStore.KeyValueStore

const bytes = (...values: ReadonlyArray<number>) => new Uint8Array(values)
const encoded = (text: string) => new TextEncoder().encode(text)

const build = (layer: Layer.Layer<Store, unknown>) =>
  Effect.map(Layer.build(layer), (context) => Context.get(context, KeyValueStore.KeyValueStore))

/** A store over a service. */
const over = (service: RedisService.RedisService["Service"], options?: EffectKeyValueStore.Options) =>
  build(Layer.provide(EffectKeyValueStore.layer(options), Layer.succeed(RedisService.RedisService, service)))

/** The store of a process. */
const open = (here: Here, options?: EffectKeyValueStore.Options) =>
  Effect.flatMap(here.process, (service) => over(service, options))

const texts = [
  "",
  "a",
  "AP8=",
  "é\u0000\u{1f600}\n",
  "%25%{}:*?[]\\^$\"'`",
  "[1]",
  "\uFFFD",
  "{\"a\":1}",
  "x".repeat(200_000)
]
const keys = [
  "",
  " ",
  "/",
  "a",
  "a/b",
  "a%2Fb",
  "%",
  "*",
  "a*",
  "[a]",
  "{a}",
  "}",
  "a:b",
  "$v",
  "$key",
  "é",
  "\u{1f600}",
  "\u{1f601}",
  "\uFFFD",
  "\u0000",
  "__proto__",
  "constructor",
  "x".repeat(300)
]

/** Each line of the contract. */
const contract: Readonly<Record<string, (store: Store) => Effect.Effect<void, unknown>>> = {
  "an entry that is missing is undefined, and not there": Effect.fnUntraced(function*(store) {
    assert.isUndefined(yield* store.get("a"))
    assert.isUndefined(yield* store.getUint8Array("a"))
    assert.isFalse(yield* store.has("a"))
    assert.isUndefined(yield* store.remove("a").pipe(Effect.asVoid))
  }),

  "a text comes back as it was, and its bytes are UTF-8": Effect.fnUntraced(function*(store) {
    for (const text of texts) {
      yield* store.set("a", text)
      assert.strictEqual(yield* store.get("a"), text)
      assert.deepStrictEqual(yield* store.getUint8Array("a"), encoded(text))
      assert.isTrue(yield* store.has("a"))
    }
    assert.strictEqual(yield* store.size, 1)
  }),

  "bytes come back as they were, and their text is base64": Effect.fnUntraced(function*(store) {
    const all = Uint8Array.from(range(256))
    for (const value of [bytes(), bytes(0), bytes(0, 255), all, new Uint8Array(100_000).fill(0xff)]) {
      yield* store.set("a", value)
      assert.deepStrictEqual(yield* store.getUint8Array("a"), value)
      assert.strictEqual(yield* store.get("a"), Buffer.from(value).toString("base64"))
    }
  }),

  "a value replaces one of the other kind": Effect.fnUntraced(function*(store) {
    yield* store.set("a", bytes(0, 255))
    yield* store.set("a", "AP8=")
    assert.deepStrictEqual(yield* store.getUint8Array("a"), encoded("AP8="))
    yield* store.set("a", bytes(1))
    assert.deepStrictEqual(yield* store.getUint8Array("a"), bytes(1))
    assert.strictEqual(yield* store.size, 1)
  }),

  "each key is an entry of its own": Effect.fnUntraced(function*(store) {
    for (const [i, key] of keys.entries()) yield* store.set(key, `value ${i}`)
    for (const [i, key] of keys.entries()) {
      assert.strictEqual(yield* store.get(key), `value ${i}`)
      assert.isTrue(yield* store.has(key))
    }
    assert.deepStrictEqual([...(yield* store.keys)].sort(), [...keys].sort())
    assert.strictEqual(yield* store.size, keys.length)
    for (const [i, key] of keys.entries()) {
      yield* store.remove(key)
      assert.isUndefined(yield* store.get(key))
      assert.strictEqual(yield* store.size, keys.length - i - 1)
    }
  }),

  "a store without an entry is empty": Effect.fnUntraced(function*(store) {
    assert.isTrue(yield* store.isEmpty)
    assert.strictEqual(yield* store.size, 0)
    assert.deepStrictEqual(yield* store.keys, [])
    yield* store.set("", "")
    assert.isFalse(yield* store.isEmpty)
    assert.strictEqual(yield* store.size, 1)
    yield* store.remove("")
    assert.isTrue(yield* store.isEmpty)
  }),

  "clear removes all entries, also of an empty store": Effect.fnUntraced(function*(store) {
    yield* store.clear
    for (const key of keys) yield* store.set(key, key)
    yield* store.clear
    assert.isTrue(yield* store.isEmpty)
    assert.isUndefined(yield* store.get("a"))
  }),

  "clearPrefix removes the entries whose key begins with the text, unit by unit": Effect.fnUntraced(function*(store) {
    for (const prefix of ["a", "a/", "*", "[", "{", "%", "\u{1f600}", "\ud83d", "\ude00", "none", "\uFFFD", ""]) {
      for (const key of keys) yield* store.set(key, key)
      yield* store.clearPrefix(prefix)
      assert.deepStrictEqual(
        [...(yield* store.keys)].sort(),
        keys.filter((key) => !key.startsWith(prefix)).sort(),
        JSON.stringify(prefix)
      )
    }
  }),

  "modify sets and returns the new text": Effect.fnUntraced(function*(store) {
    yield* store.set("a", "1")
    assert.strictEqual(yield* store.modify("a", (text) => `${text}2`), "12")
    assert.strictEqual(yield* store.get("a"), "12")
    assert.strictEqual(yield* store.modify("a", (text) => text), "12")
    assert.strictEqual(yield* store.modify("a", () => ""), "")
    assert.strictEqual(yield* store.get("a"), "")
  }),

  "modifyUint8Array sets and returns the new bytes": Effect.fnUntraced(function*(store) {
    yield* store.set("a", bytes(1))
    assert.deepStrictEqual(yield* store.modifyUint8Array("a", ([a]) => bytes(a!, 2)), bytes(1, 2))
    assert.deepStrictEqual(yield* store.getUint8Array("a"), bytes(1, 2))
  }),

  "modify of bytes reads base64 and makes a text; modifyUint8Array of a text reads UTF-8 and makes bytes": Effect
    .fnUntraced(function*(store) {
      yield* store.set("a", bytes(0, 255))
      assert.strictEqual(yield* store.modify("a", (text) => `${text}!`), "AP8=!")
      assert.deepStrictEqual(yield* store.getUint8Array("a"), encoded("AP8=!"))
      assert.deepStrictEqual(yield* store.modifyUint8Array("a", (value) => value.slice(0, 2)), encoded("AP"))
      assert.strictEqual(yield* store.get("a"), Buffer.from("AP").toString("base64"))
    }),

  "modify of a missing entry returns undefined, and does not run the function": Effect.fnUntraced(function*(store) {
    let runs = 0
    assert.isUndefined(yield* store.modify("a", () => String(++runs)))
    assert.isUndefined(yield* store.modifyUint8Array("a", () => bytes(++runs)))
    assert.strictEqual(runs, 0)
    assert.isTrue(yield* store.isEmpty)
  }),

  "a function of modify that throws is a defect, and nothing is written": Effect.fnUntraced(function*(store) {
    yield* store.set("a", "1")
    const thrown = new Error("thrown")
    const exit = yield* Effect.exit(store.modify("a", () => {
      throw thrown
    }))
    assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
    assert.strictEqual(yield* store.get("a"), "1")
    assert.strictEqual(yield* store.modify("a", (text) => `${text}2`), "12")
  }),

  "a view with a prefix sees its own entries alone": Effect.fnUntraced(function*(store) {
    const view = KeyValueStore.prefix(store, "a/")
    const inner = KeyValueStore.prefix(view, "b/")
    yield* store.set("a", "outside")
    yield* view.set("k", "1")
    yield* inner.set("k", "2")
    assert.strictEqual(yield* store.get("a/k"), "1")
    assert.strictEqual(yield* store.get("a/b/k"), "2")
    assert.deepStrictEqual([...(yield* view.keys)].sort(), ["b/k", "k"])
    assert.strictEqual(yield* inner.size, 1)
    assert.strictEqual(yield* inner.modify("k", (text) => `${text}!`), "2!")
    yield* inner.clear
    assert.isTrue(yield* inner.isEmpty)
    assert.deepStrictEqual([...(yield* store.keys)].sort(), ["a", "a/k"])
    yield* view.clear
    assert.deepStrictEqual(yield* store.keys, ["a"])
  }),

  "a store of a schema has its values": Effect.fnUntraced(function*(store) {
    const users = KeyValueStore.toSchemaStore(store, Schema.Struct({ name: Schema.String, since: Schema.Date }))
    const ann = { name: "ann \ud800", since: new Date(5) }
    assert.isTrue(Option.isNone(yield* users.get("ann")))
    yield* users.set("ann", ann)
    assert.deepStrictEqual(yield* users.get("ann"), Option.some(ann))
    const older = yield* users.modify("ann", ({ name }) => ({ name, since: new Date(0) }))
    assert.deepStrictEqual(older, Option.some({ ...ann, since: new Date(0) }))
    assert.isTrue(Option.isNone(yield* users.modify("bob", (user) => user)))
    yield* store.set("ann", "no json")
    assert.strictEqual((yield* Effect.flip(users.get("ann")))._tag, "SchemaError")
  })
}

describe("the contract of KeyValueStore: Effect's own [memory]", () => {
  for (const [title, check] of Object.entries(contract)) {
    it.effect(title, () => Effect.scoped(Effect.flatMap(build(KeyValueStore.layerMemory), check)))
  }
})

/** The result of an `INFO commandstats`: how often each command ran. */
const calls = (here: Here) =>
  Effect.map(Effect.forEach(here.nodes, ({ call }) => call("INFO", "commandstats")), (infos) => {
    const counts = new Map<string, number>()
    for (const info of infos) {
      for (const [, name, count] of String(info).matchAll(/cmdstat_([^:]+):calls=(\d+)/g)) {
        counts.set(name!, (counts.get(name!) ?? 0) + Number(count))
      }
    }
    return counts
  })

const failsWith = Effect.fnUntraced(function*(
  self: Effect.Effect<unknown, KeyValueStore.KeyValueStoreError>,
  method: string,
  key: string | undefined,
  issue: string
) {
  const error = yield* Effect.flip(self)
  assert.strictEqual(error._tag, "KeyValueStoreError")
  assert.deepStrictEqual([error.method, error.key], [method, key])
  assert.instanceOf(error.cause, DomainError.InvalidValue)
  assert.include(error.message, `${method} failed: EffectKeyValueStore.`)
  assert.include(error.message, issue)
})

for (const { describe, name, test } of places) {
  describe("the contract of KeyValueStore", () => {
    for (const [title, check] of Object.entries(contract)) {
      test(title, (here) => Effect.flatMap(open(here), check))
    }
  })

  describe("KeyValueStore", () => {
    test("processes of one store share its entries", (here) =>
      Effect.gen(function*() {
        const [one, two] = [yield* open(here), yield* open(here, { name: "default" })]
        yield* one.set("a", "1")
        assert.strictEqual(yield* two.get("a"), "1")
        yield* two.clear
        assert.isFalse(yield* one.has("a"))
      }))

    test("stores of other names share no entry, whatever their names", (here) =>
      Effect.gen(function*() {
        const names = ["a", "a/", "a/b", "a%2Fb", "a%", "A", "*", "{a}", "é"]
        const stores = yield* Effect.forEach(names, (name) => open(here, { name }))
        for (const [i, store] of stores.entries()) {
          for (const key of ["k", "b/k", "/k"]) yield* store.set(key, names[i]!)
        }
        for (const [i, store] of stores.entries()) {
          assert.deepStrictEqual([...(yield* store.keys)].sort(), ["/k", "b/k", "k"])
          assert.strictEqual(yield* store.get("b/k"), names[i])
          yield* store.clear
          assert.isTrue(yield* store.isEmpty)
          for (const other of stores.slice(i + 1)) assert.strictEqual(yield* other.size, 3)
        }
      }))

    test("no modification is lost, among fibers of several processes", (here) =>
      Effect.gen(function*() {
        const stores = yield* Effect.forEach(range(4), () => open(here))
        yield* stores[0]!.set("text", "")
        yield* stores[0]!.set("bytes", bytes(0, 0))
        let runs = 0
        yield* Effect.forEach(range(100), (i) =>
          Effect.forEach(stores, (store, process) =>
            Effect.all([
              store.modify("text", (text) => {
                runs++
                return `${text}${process}.${i} `
              }),
              store.modifyUint8Array("bytes", ([high, low]) => {
                const count = high! * 256 + low! + 1
                return bytes(count >> 8, count & 255)
              })
            ], { concurrency: "unbounded" }), { concurrency: "unbounded" }), { concurrency: "unbounded" })
        const words = (yield* stores[0]!.get("text"))!.trim().split(" ")
        assert.deepStrictEqual(
          words.sort(),
          range(100).flatMap((i) => range(4).map((process) => `${process}.${i}`)).sort()
        )
        assert.deepStrictEqual(yield* stores[1]!.getUint8Array("bytes"), bytes(1, 144))
        if (name !== "memory") assert.isAbove(runs, 400)
      }))

    test("a modification runs again with the value of another process, and ends if that has removed the entry", (here) =>
      Effect.gen(function*() {
        const other = yield* open(here)
        const meanwhile: Array<Effect.Effect<void, KeyValueStore.KeyValueStoreError>> = []
        const service = hooked(
          yield* here.process,
          // the first program reads, and those that follow write
          (program) => program === 1 ? Effect.void : Effect.orDie(meanwhile.shift() ?? Effect.void)
        )
        const store = yield* over(service)
        yield* other.set("a", "1")
        meanwhile.push(other.set("a", "2"), other.set("a", "3"))
        const seen: Array<string> = []
        const add = (text: string) => {
          seen.push(text)
          return `${text}!`
        }
        assert.strictEqual(yield* store.modify("a", add), "3!")
        assert.deepStrictEqual(seen, ["1", "2", "3"])
        assert.strictEqual(yield* other.get("a"), "3!")

        // removed, and removed and set again between the read and the write
        yield* other.set("b", "1")
        const [gone, back] = [
          yield* over(hooked(yield* here.process, (n) => n === 2 ? Effect.orDie(other.remove("a")) : Effect.void)),
          yield* over(
            hooked(
              yield* here.process,
              (n) => n === 2 ? Effect.orDie(Effect.andThen(other.remove("b"), other.set("b", "1"))) : Effect.void
            )
          )
        ]
        assert.isUndefined(yield* gone.modify("a", add))
        assert.isFalse(yield* other.has("a"))
        seen.length = 0
        assert.strictEqual(yield* back.modify("b", add), "1!")
        assert.deepStrictEqual(seen, ["1", "1"])
      }))

    test("an entry ends when its time after the last write is over, and without that time it stays", (here) =>
      Effect.gen(function*() {
        const store = yield* open(here, { timeToLive: "1 minute" })
        const lasting = yield* open(here)
        for (const key of ["set", "modified", "read", "kept"]) yield* store.set(key, "1")
        yield* here.pass(40_000)
        yield* store.set("set", "2")
        yield* store.modify("modified", (text) => `${text}2`)
        assert.strictEqual(yield* store.get("read"), "1")
        yield* lasting.set("kept", "3")
        yield* here.pass(30_000)
        assert.deepStrictEqual([...(yield* store.keys)].sort(), ["kept", "modified", "set"])
        assert.strictEqual(yield* store.size, 3)
        assert.isUndefined(yield* store.get("read"))
        assert.isFalse(yield* store.has("read"))
        assert.isUndefined(yield* store.modify("read", (text) => text))
        yield* here.pass(30_000)
        assert.deepStrictEqual(yield* store.keys, ["kept"])
        yield* here.pass(1e9)
        assert.strictEqual(yield* store.get("kept"), "3")
      }))

    test("a key or a value without a stored form is a typed error, and nothing is written", (here) =>
      Effect.gen(function*() {
        const store = yield* open(here)
        const lone = "a\ud800"
        yield* store.set("a", "1")
        const issue = "well-formed"
        yield* failsWith(store.get(lone), "get", lone, issue)
        yield* failsWith(store.getUint8Array(lone), "getUint8Array", lone, issue)
        yield* failsWith(store.set(lone, ""), "set", lone, issue)
        yield* failsWith(store.remove(lone), "remove", lone, issue)
        yield* failsWith(store.has(lone), "has", lone, issue)
        yield* failsWith(store.modify(lone, (text) => text), "modify", lone, issue)
        yield* failsWith(store.modifyUint8Array(lone, (value) => value), "modifyUint8Array", lone, issue)
        yield* failsWith(store.set("a", lone), "set", "a", issue)
        yield* failsWith(store.modify("a", () => lone), "modify", "a", issue)
        const long = "x".repeat(1100)
        yield* failsWith(store.set(long, ""), "set", long, "1024")
        yield* failsWith(store.set("a", "x".repeat(1_000_001)), "set", "a", "1000000")
        yield* failsWith(store.set("a", new Uint8Array(750_001)), "set", "a", "1000000")
        assert.strictEqual(yield* store.get("a"), "1")
        assert.strictEqual(yield* store.size, 1)
        yield* store.set("x".repeat(1000), "x".repeat(1_000_000))
        yield* store.set("b", new Uint8Array(750_000))
      }))

    test("an entry that others have changed is a typed error, and the others are found", (here) =>
      Effect.gen(function*() {
        const store = yield* open(here)
        yield* store.set("text", "1")
        yield* store.set("bytes", bytes(1))
        const key = (id: string) => `EffectKeyValueStore:{default/${id}}`
        yield* here.raw.hashSet(key("bytes"), { value: "no base64" })
        yield* here.raw.hashSet(key("none"), { other: "1" })
        yield* here.raw.stringSet(key("string"), "1")
        // neither of them is an entry
        yield* here.raw.stringSet(`${key("text")}:$lock:a`, "1")
        yield* here.raw.stringSet("EffectKeyValueStore:{default/a:b}", "1")
        assert.strictEqual((yield* Effect.flip(store.getUint8Array("bytes"))).method, "getUint8Array")
        for (const id of ["none", "string"]) {
          assert.instanceOf((yield* Effect.flip(store.get(id))).cause, DomainError.EntityCorrupted)
        }
        const foreign = (yield* Effect.flip(store.set("string", "2"))).cause
        assert.isTrue(isRedisServiceError(foreign) && foreign.reason._tag === "WrongType")
        assert.deepStrictEqual([...(yield* store.keys)].sort(), ["bytes", "none", "string", "text"])
        yield* here.raw.delete(key("string"))
        yield* store.clear
        assert.deepStrictEqual(
          Object.keys(yield* here.raw.dump).sort(),
          ["EffectKeyValueStore:{default/a:b}", `${key("text")}:$lock:a`]
        )
      }))

    test("the error of a service that is closed is the cause", (here) =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const store = yield* Scope.provide(open(here), scope)
        yield* store.set("a", "1")
        // in memory all processes have one service
        if (name === "memory") return
        yield* Scope.close(scope, Exit.void)
        for (
          const self of [
            store.get("a"),
            store.set("a", "2"),
            store.modify("a", (text) => text),
            store.size,
            store.isEmpty,
            store.keys,
            store.clear
          ]
        ) {
          const error = yield* Effect.flip<unknown, KeyValueStore.KeyValueStoreError, never>(self)
          assert.strictEqual(error._tag, "KeyValueStoreError")
          assert.isTrue(isRedisServiceError(error.cause) && error.cause.reason._tag === "ConnectionUnavailable")
          assert.include(error.message, "The layer is closed")
        }
      }))

    test("an invalid option fails the layer", (here) =>
      Effect.gen(function*() {
        for (
          const options of [{ name: "" }, { name: "a\ud800" }, { timeToLive: 0 }, { timeToLive: "-1 second" }] as const
        ) {
          const reason = reasonIs(yield* Effect.exit(open(here, options)), "InvalidOption")
          assert.strictEqual(reason.option, Object.keys(options)[0])
        }
        yield* open(here, { name: undefined, timeToLive: undefined })
        const store = yield* open(here, { timeToLive: Infinity })
        yield* store.set("a", "1")
        yield* here.pass(1e12)
        assert.isTrue(yield* store.has("a"))
      }))

    test(
      "a store of thousands of entries is found and removed by bounded steps, on all nodes, without KEYS",
      (here) =>
        Effect.gen(function*() {
          const [store, other] = [yield* open(here), yield* open(here, { name: "other" })]
          const before = yield* calls(here)
          const all = range(5000).map((i) => `k${i}`)
          yield* Effect.forEach(all, (key) => store.set(key, "1"), { concurrency: 1000, discard: true })
          yield* other.set("k", "1")
          assert.strictEqual(yield* store.size, 5000)
          assert.isFalse(yield* store.isEmpty)
          assert.deepStrictEqual([...(yield* store.keys)].sort(), all.toSorted())
          for (const { call } of here.nodes) assert.isAbove(Number(yield* call("DBSIZE")), 1000)
          yield* store.clearPrefix("k1")
          assert.strictEqual(yield* store.size, all.filter((key) => !key.startsWith("k1")).length)
          yield* store.clear
          assert.isTrue(yield* store.isEmpty)
          assert.strictEqual(yield* other.size, 1)
          if (name === "memory") return
          const after = yield* calls(here)
          const used = (command: string) => (after.get(command) ?? 0) - (before.get(command) ?? 0)
          assert.isUndefined(after.get("keys"))
          assert.strictEqual(used("flushdb") + used("flushall"), 0)
          // two of `size`, one of `keys`, and one for each other operation: at least five pages each
          assert.isAbove(used("scan"), 25)
        }),
      60_000
    )
  })
}

describe("an option of KeyValueStore [memory]", () => {
  it.effect("is checked before anything is sent", () =>
    Effect.gen(function*() {
      const exit = yield* Effect.exit(
        Effect.scoped(build(Layer.provide(EffectKeyValueStore.layer({ name: 1 as never }), RedisService.layerMemory)))
      )
      assert.include(String(errorOf(exit)), "name")
    }))
})
