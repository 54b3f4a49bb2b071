/**
 * The largest program of each operation that the limits allow, on a server of its own: how long it holds the server, and how
 * much memory it takes. A program is large by its number of instructions, and by what each of them reads.
 */
import { assert, it } from "@effect/vitest"
import { Duration, Effect, Exit, Option, Schema } from "effect"
import { readFileSync, writeFileSync } from "node:fs"
import { Atomic, Condition, Model, RedisService } from "redlayer"
import { range } from "../live/liveService.ts"
import { describeOwnServer } from "../support/Backends.ts"
import { sized } from "../support/Sizes.ts"
import { server, service } from "./proxiedService.ts"

const Bag = Model.make("harmless/Bag", {
  id: Schema.String,
  n: Schema.Int,
  ratio: Schema.Number,
  big: Schema.BigInt,
  at: Schema.Date,
  wait: Schema.Duration,
  flag: Schema.Boolean,
  text: Schema.String,
  other: Schema.String,
  json: Schema.Unknown,
  list: Schema.Array(Schema.String),
  set: Schema.ReadonlySet(Schema.String),
  set2: Schema.ReadonlySet(Schema.String),
  map: Schema.Record(Schema.String, Schema.Int),
  texts: Schema.Record(Schema.String, Schema.String),
  sorted: Model.sortedSet(Schema.String)
}, { key: "id" })

const { at, big, flag, json, list, map, n, other, ratio, set, set2, sorted, text, texts, wait } = Bag.ref("a")

/** How many instructions a program may have. */
const most = 32_768

/** How many the programs have here: a fourth in the suite, because each of them takes half a second. */
const limit = sized(most / 4, most)

const fresh: Parameters<typeof Bag.insert>[0] = {
  id: "a",
  n: 0,
  ratio: 1.5,
  big: 2n ** 60n,
  at: new Date(0),
  wait: Duration.seconds(1),
  flag: false,
  text: "",
  other: "",
  json: null,
  list: [],
  set: new Set<string>(),
  set2: new Set<string>(),
  map: {},
  texts: { a: "" },
  sorted: []
}

type Programs = Record<string, () => ReadonlyArray<Atomic.Atomic<any, any>>>

const many = (f: (i: number) => Atomic.Atomic<any, any>, steps = limit) => range(steps).map(f)
const filled = 30_000
const items = range(filled).map((i) => `${i}`)

/** The largest programs of each operation. */
const ofScalars: Programs = {
  "append of a text": () => many(() => text.append("0123456789")),
  "append of two texts in turn": () => many((i) => (i % 2 === 0 ? text : other).append("0123456789")),
  "append, and get": () => many((i) => i % 2 === 0 ? text.append("0123456789") : text.get()),
  "append, and compare": () => many((i) => i % 2 === 0 ? text.append("0123456789") : text.eq("x")),
  "append, and get, in fewer steps":
    () => [text.set("x".repeat(900_000)), ...many(() => text.append("0123456789"), 400)],
  "append of an entry": () => many(() => texts.at("a").append("0123456789")),
  "append of an item": () => [list.append(""), ...many(() => list.at(0).append("0123456789"), limit - 1)],
  "get of a large text": () => [text.set("x".repeat(900_000)), ...many(() => text.get(), limit - 1)],
  "compare of a large text": () => [text.set("x".repeat(900_000)), ...many(() => text.eq("y"), limit - 1)],
  "set of a text": () => many((i) => text.set(`0123456789${i}`)),
  "increment": () => many(() => n.increment()),
  "increment and list": () => [list.clear(), ...many(() => n.increment(), limit - 1)],
  "multiply": () => [list.clear(), ...many(() => ratio.multiply(1.0000001), limit - 1)],
  "power": () => [list.clear(), ...many(() => ratio.power(0), limit - 1)],
  "bigint": () => [list.clear(), ...many(() => big.increment(1n), limit - 1)],
  "bigint multiply": () => [list.clear(), ...many(() => big.modulo(12345678901n), limit - 1)],
  "date": () => [list.clear(), ...many(() => at.add("1 day"), limit - 1)],
  "duration": () => [list.clear(), ...many(() => wait.add("1 second"), limit - 1)],
  "toggle": () => [list.clear(), ...many(() => flag.toggle(), limit - 1)],
  "json": () => many((i) => json.set([i])),
  "compareAndSet": () => [list.clear(), ...many((i) => text.compareAndSet(`${i}`, `${i}`), limit - 1)]
}

const ofCollections: Programs = {
  "list append": () => many((i) => list.append(`${i}`)),
  "list prepend": () => many((i) => list.prepend(`${i}`)),
  "list append keep": () => many((i) => list.append(`${i}`, { keep: 10 })),
  "list prepend, shift": () => many((i) => i % 2 === 0 ? list.prepend(`${i}`) : list.shift()),
  "list insert in the middle": () => [
    list.append(items),
    ...many(() => list.insert(filled / 2, "x"), limit - 1)
  ],
  "list insert of several": () => [
    list.append(items),
    ...many(() => list.insert(filled / 2, items.slice(0, 100)), 5000)
  ],
  "list removeRange in the middle": () => [
    list.append(items),
    ...many(() => list.removeRange(1, 2), limit - 1)
  ],
  "list remove": () => [
    list.append(items),
    ...many((i) => list.remove(String(filled - i)), limit - 1)
  ],
  "list contains": () => [
    list.append(items),
    ...many(() => list.contains("x"), limit - 1)
  ],
  "list trim": () => [
    list.append(items),
    ...many((i) => list.trim(0, Math.max(0, filled - i)), limit - 1)
  ],
  "list item set": () => [
    list.append(items),
    ...many((i) => list.at(i % filled).set("x"), limit - 1)
  ],
  "list get": () => [
    list.append(items),
    ...many(() => list.get(), limit - 1)
  ],
  "list pop": () => [
    list.append(items),
    ...many(() => list.pop(), limit - 1)
  ],
  "list set, clear": () => many((i) => i % 2 === 0 ? list.set(["a", "b"]) : list.clear()),
  "set add": () => many((i) => set.add(`${i}`)),
  "set union": () => [
    set.add(items),
    set2.add(items),
    ...many(() => set.union(set2), limit - 2)
  ],
  "set difference": () => [
    set.add(items),
    set2.add(items),
    ...many(() => set.difference(set2), limit - 2)
  ],
  "set pop": () => [set.add(items), ...many(() => set.pop(), limit - 1)],
  "set clear and add": () => [
    set.add(items),
    ...many((i) => i % 2 === 0 ? set.clear() : set.add("x"), limit - 1)
  ],
  "undone clear": () => [
    set.add(items),
    ...many(() =>
      Atomic.orElse(
        Atomic.all([set.clear(), set.add("x"), Atomic.guard(Condition.not(set.has("x")), () => "no")]),
        Atomic.succeed(1)
      ), 4000)
  ],
  "set of a large set": () => many(() => set.set(new Set(items)), 50),
  "map put": () => many((i) => map.put(`${i}`, i)),
  "map increment": () => many((i) => map.at(`${i}`).increment()),
  "map keys": () => [
    map.putAll(Object.fromEntries(range(filled).map((i) => [`k${i}`, i]))),
    ...many(() => map.keys(), limit - 1)
  ],
  "sorted add": () => many((i) => sorted.add(`${i}`, i)),
  "sorted increment": () => many((i) => sorted.increment(`${i % 1000}`, 1)),
  "sorted range": () => [
    ...many((i) => sorted.add(`${i}`, i), filled),
    ...many(() => sorted.range(0, 100_000), limit - filled)
  ],
  "sorted popMin": () => many((i) => i % 2 === 0 ? sorted.add(`${i}`, i) : sorted.popMin())
}

const ofEntities: Programs = {
  "insert": () => many((i) => Bag.insert({ ...fresh, id: `i${i}` }), 8000),
  "entity get": () => [
    list.append(items),
    ...many(() => Bag.get("a"), limit - 1)
  ],
  "put": () => many(() => Bag.put(fresh), 8000),
  "duplicate": () => [
    list.append(items),
    ...many((i) => Bag.duplicate("a", `d${i}`), limit - 1)
  ],
  "operands": () => many(() => n.increment(n.value()), 20),
  "expire": () => many(() => Bag.expire("a", "1 hour"))
}

/** Milliseconds that a program may hold the server, of its processor's time, because other tests run meanwhile. */
const mostMillis = 1000

/**
 * A machine that is slower, for now or always, gets more time: as much as this many commands of one script take. They take about
 * 100 ms where the bounds of programs were chosen.
 */
const yardstick = "for i = 1, 100000 do redis.call('HINCRBY', KEYS[1], 'n', 1) end"
const yardstickMillis = 100

/**
 * How much memory a program may take, in bytes, with what it stores: ten times its own size, and 1,200 for each instruction that
 * it may have. An instruction is sent as a dozen bytes, but takes 80 as the five numbers of a Lua table, and a result. If it
 * writes, the journal keeps what undoes it: of a collection, the names and elements of each edit. Lua frees what a
 * command returned only when the heap has doubled.
 */
const mostMemory = (size: number) => 10 * size + 1200 * most

const outcomeOf = (exit: Exit.Exit<unknown, any>) =>
  Exit.isSuccess(exit)
    ? "success"
    : Option.match(Exit.findErrorOption(exit), { onNone: () => "defect", onSome: (error) => error._tag })

/** Runs each program on both layers, and returns what was not harmless. */
const harmful = Effect.fnUntraced(function*(programs: Programs) {
  const { call, pid, url } = yield* server()
  const { run } = yield* service({ url, deadline: 30_000 })
  const info = Effect.map(Effect.all([call("INFO", "cpu"), call("INFO", "stats")]), (texts) => {
    const numberOf = (name: string) => Number(new RegExp(`${name}:([\\d.]+)`).exec(texts.join("\n"))![1])
    return {
      millis: 1000 * (numberOf("used_cpu_sys_main_thread") + numberOf("used_cpu_user_main_thread")),
      bytes: numberOf("total_net_input_bytes")
    }
  })
  const peak = Effect.sync(() => 1024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]))
  const attempt = Effect.fnUntraced(function*(name: string, make: Programs[string]) {
    const found: Array<string> = []
    yield* call("FLUSHALL", "SYNC")
    // what the program before has left would hide what this one takes
    yield* call("SCRIPT", "FLUSH", "SYNC")
    yield* call("MEMORY", "PURGE")
    yield* run(Bag.insert(fresh))
    // sends the script for full servers too, so that no program is sent twice
    yield* run(Bag.delete("b"))
    const program = Atomic.commit(Atomic.all(make()))
    // the peak begins anew
    yield* Effect.sync(() => writeFileSync(`/proc/${pid}/clear_refs`, "5"))
    const beforeYardstick = yield* info
    yield* call("EVAL", yardstick, "1", "yardstick")
    const slowness = ((yield* info).millis - beforeYardstick.millis) / yardstickMillis
    const [before, memory] = yield* Effect.all([info, peak])
    const exit = yield* Effect.exit(run(program))
    const [after, grown] = yield* Effect.all([info, peak])
    const inMemory = yield* Effect.exit(
      Effect.andThen(Bag.insert(fresh), program).pipe(Effect.provide(RedisService.layerMemory))
    )
    const millis = after.millis - before.millis
    const size = after.bytes - before.bytes
    if (size < 300) found.push(`${name}: it was not sent`)
    if (millis > mostMillis * Math.max(1, slowness)) {
      found.push(
        `${name}: ${millis.toFixed(0)} ms, where the yardstick took ${(yardstickMillis * slowness).toFixed(0)}`
      )
    }
    if (grown - memory > mostMemory(size)) found.push(`${name}: ${grown - memory} bytes of memory for ${size}`)
    if (outcomeOf(exit) !== outcomeOf(inMemory)) {
      found.push(`${name}: ${outcomeOf(exit)}, in memory ${outcomeOf(inMemory)}`)
    }
    if (!["success", "InvalidValue"].includes(outcomeOf(exit))) found.push(`${name}: ${outcomeOf(exit)}`)
    if (process.env.REDLAYER_SHOW !== undefined) {
      console.log(
        name,
        `${millis.toFixed(0)} ms`,
        `(${(millis / Math.max(1, slowness)).toFixed(0)}, slowness ${slowness.toFixed(2)})`,
        `${((grown - memory) / 1e6).toFixed(0)} MB for ${(size / 1e6).toFixed(1)}`,
        outcomeOf(exit)
      )
    }
    return found
  })
  const all: Array<string> = []
  for (const [name, make] of Object.entries(programs)) {
    // a machine that became busy after the yardstick makes a program look slow, once
    if ((yield* attempt(name, make)).length > 0) all.push(...yield* attempt(name, make))
  }
  return all
})

describeOwnServer("harmless", () => {
  it.live(
    "no program of operations on texts and numbers holds a server for long, or takes much of its memory",
    () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* harmful(ofScalars), [])
      }),
    180_000
  )

  it.live(
    "no program of operations on collections holds a server for long, or takes much of its memory",
    () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* harmful(ofCollections), [])
      }),
    180_000
  )

  it.live(
    "no program of operations on whole entities holds a server for long, or takes much of its memory",
    () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* harmful(ofEntities), [])
      }),
    180_000
  )
})
