/**
 * A cluster node whose slots are moving away. In such a slot a key that is absent is "elsewhere": it can't be written, even
 * by the script that removed it a moment before. So what a program removes must stay until its end.
 */
import { assert, layer } from "@effect/vitest"
import { Cause, Context, Effect, Exit, Layer, Option, Schema } from "effect"
import { Atomic, Model, RedisService } from "redlayer"
import { isRedisServiceError } from "redlayer/RedisServiceError"
import { slotOf } from "../../src/internal/instruction/slot.ts"
import { describeOwnServer } from "../support/Backends.ts"
import * as RawRedis from "../support/RawRedis.ts"
import * as RedisServer from "../support/RedisServer.ts"

const self = "a".repeat(40)
const other = "b".repeat(40)
const prefix = "moving:"

class Node extends Context.Service<Node, {
  readonly url: string
  readonly raw: RawRedis.RawRedis
}>()("test/Node") {
  static readonly layer = Layer.effect(
    Node,
    Effect.gen(function*() {
      const server = yield* RedisServer.start({
        nodesConf: ({ busPort, port }) =>
          [
            `${self} 127.0.0.1:${port}@${busPort} myself,master - 0 0 1 connected 0-16383`,
            `${other} 127.0.0.1:1@2 master - 0 0 2 connected`,
            "vars currentEpoch 2 lastVoteEpoch 0",
            ""
          ].join("\n")
      })
      yield* RedisServer.awaitClusterOk(server)
      return { url: server.url, raw: yield* RawRedis.make(server.url) }
    })
  )
}

const Live = Layer.unwrap(Effect.map(Node, ({ url }) => RedisService.layer({ url, keyPrefix: prefix, retry: false })))
  .pipe(
    Layer.provideMerge(Node.layer)
  )

/** Everything of one room shares a slot. */
class Guest extends Model.Class<Guest>("Guest")({
  room: Schema.String,
  name: Schema.String,
  title: Schema.String.pipe(Model.withDefault("none")),
  coins: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)).pipe(Model.withDefault(0)),
  notes: Schema.Array(Schema.String).pipe(Model.withDefault([])),
  marks: Schema.Array(Schema.Int).pipe(Model.withDefault([]))
}, { key: ["room", "name"], slot: "room" }) {}

const hash = (room: string, name: string) => `${prefix}Guest:{${room}}:${name}`
const list = (room: string, name: string) => `${hash(room, name)}:notes`

const call = (command: string, ...args: Array<string>) => Effect.flatMap(Node, ({ raw }) => raw.call(command, ...args))

/** From here to the end of the test the slot of a room is moving. */
const move = (room: string) => {
  const slot = String(slotOf(hash(room, "")))
  return Effect.acquireRelease(
    call("CLUSTER", "SETSLOT", slot, "MIGRATING", other),
    () => Effect.orDie(call("CLUSTER", "SETSLOT", slot, "STABLE"))
  )
}

/** Every key of a room with its content. An absent key of a moving slot can't even be asked for. */
const stored = Effect.fnUntraced(function*(room: string) {
  const keys = yield* call("CLUSTER", "GETKEYSINSLOT", String(slotOf(hash(room, ""))), "100")
  const content: Record<string, unknown> = {}
  for (const key of (keys as Array<string>).sort()) {
    if ((yield* call("TYPE", key)) === "list") {
      content[key] = yield* call("LRANGE", key, "0", "-1")
    } else {
      const entries = (yield* call("HGETALL", key)) as Array<string>
      const fields = Object.fromEntries(
        entries.flatMap((name, i) => i % 2 === 0 && name !== "$v" ? [[name, entries[i + 1]]] : [])
      )
      content[key] = fields
    }
  }
  return content
})

/** One guest with notes, whose room then begins to move. */
const setup = Effect.fnUntraced(function*(room: string, notes: ReadonlyArray<string>) {
  yield* Guest.insert({ room, name: "ann", title: "Dr", coins: 5, notes })
  yield* move(room)
  return Guest.ref([room, "ann"])
})

const ann = (
  room: string,
  fields: { readonly title?: string; readonly coins?: string },
  notes: ReadonlyArray<string>
) =>
  ({
    [hash(room, "ann")]: { title: "Dr", coins: "5", ...fields },
    ...(notes.length > 0 && { [list(room, "ann")]: notes })
  }) as Record<string, unknown>

/** How many calls of `evalsha` reached the server since its statistics were reset, those that it refused included. */
const calls = Effect.map(call("INFO", "commandstats"), (info) => {
  const [, done = 0, refused = 0] = /^cmdstat_evalsha:calls=(\d+).*rejected_calls=(\d+)/m.exec(String(info)) ?? []
  return Number(done) + Number(refused)
})

const reasonOf = <A, E>(exit: Exit.Exit<A, E>) => {
  if (Exit.isSuccess(exit)) return undefined
  const error = Option.getOrUndefined(Cause.findErrorOption(exit.cause))
  return isRedisServiceError(error) ? error.reason : undefined
}

const assertUnavailable = <A, E>(exit: Exit.Exit<A, E>) => {
  const reason = reasonOf(exit)
  if (reason?._tag !== "ServerUnavailable") return assert.fail(`expected ServerUnavailable: ${String(exit)}`)
  assert.include(["ASK", "TRYAGAIN"], reason.code)
  assert.isFalse(reason.applied)
  assert.isTrue(reason.isRetryable)
}

describeOwnServer("a cluster node", () => {
  layer(Live, { excludeTestServices: true, timeout: 30_000 })((it) => {
    it.effect("a plain script that deletes and pushes again loses its key in a moving slot", () =>
      Effect.gen(function*() {
        const key = list("control", "ann")
        yield* call("RPUSH", key, "a", "b")
        yield* move("control")
        const script = "redis.call('DEL', KEYS[1]) redis.call('RPUSH', KEYS[1], 'c') return 1"
        const error = yield* Effect.flip(call("EVAL", script, "1", key))
        assert.match(error.message, /non local key/)
        assert.deepStrictEqual(yield* stored("control"), {})
      }))

    it.effect("a plain script that pops the last item and pushes it back loses its key in a moving slot", () =>
      Effect.gen(function*() {
        const key = list("control2", "ann")
        yield* call("RPUSH", key, "a")
        yield* move("control2")
        const script = "#!lua\nlocal x = redis.call('RPOP', KEYS[1]) redis.call('RPUSH', KEYS[1], x) return 1"
        assert.match((yield* Effect.flip(call("EVAL", script, "1", key))).message, /non local key/)
        assert.deepStrictEqual(yield* stored("control2"), {})
      }))

    it.effect("a program may clear a list and append to it in a moving slot", () =>
      Effect.gen(function*() {
        const { coins, notes } = yield* setup("clear", ["a", "b", "c"])
        const result = yield* Atomic.all([
          notes.clear(),
          notes.length(),
          notes.append("d"),
          coins.increment(),
          notes.get()
        ])
        assert.deepStrictEqual(result, [undefined, 0, 1, 6, ["d"]])
        assert.deepStrictEqual(yield* stored("clear"), ann("clear", { coins: "6" }, ["d"]))
      }))

    it.effect("a program that clears a list, prepends and fails loses nothing in a moving slot", () =>
      Effect.gen(function*() {
        const { coins, notes } = yield* setup("prepend", ["a", "b"])
        const error = yield* Effect.flip(Atomic.all([notes.clear(), notes.prepend(["x", "y"]), coins.decrement(6)]))
        assert.strictEqual(error._tag, "OutOfBounds")
        assert.deepStrictEqual(yield* stored("prepend"), ann("prepend", {}, ["a", "b"]))
      }))

    it.effect("a program that pops the last item and fails loses nothing in a moving slot", () =>
      Effect.gen(function*() {
        const { coins, notes } = yield* setup("pop", ["only"])
        const error = yield* Effect.flip(Atomic.all([notes.pop(), notes.length(), coins.decrement(6)]))
        assert.strictEqual(error._tag, "OutOfBounds")
        assert.deepStrictEqual(yield* stored("pop"), ann("pop", {}, ["only"]))
      }))

    it.effect("a program that takes all items from both ends and fails loses nothing in a moving slot", () =>
      Effect.gen(function*() {
        const { coins, notes } = yield* setup("ends", ["a", "b", "c"])
        const error = yield* Effect.flip(
          Atomic.all([notes.pop(), notes.shift(), notes.pop(), notes.append("z"), notes.shift(), coins.decrement(6)])
        )
        assert.strictEqual(error._tag, "OutOfBounds")
        assert.deepStrictEqual(yield* stored("ends"), ann("ends", {}, ["a", "b", "c"]))
      }))

    it.effect("a program may pop the last item and put it back in a moving slot", () =>
      Effect.gen(function*() {
        const { notes } = yield* setup("back", ["only"])
        const [popped, length] = yield* Atomic.all([notes.pop(), notes.prepend("again")])
        assert.deepStrictEqual(popped, Option.some("only"))
        assert.strictEqual(length, 1)
        assert.deepStrictEqual(yield* stored("back"), ann("back", {}, ["again"]))
      }))

    it.effect("put replaces an entity with a list in a moving slot", () =>
      Effect.gen(function*() {
        yield* Guest.insert({ room: "put", name: "ann", title: "Dr", coins: 5, notes: ["a", "b"], marks: [1] })
        yield* move("put")
        yield* Guest.put({ room: "put", name: "ann", title: "Prof", coins: 1, notes: ["c"], marks: [2, 3] })
        assert.deepStrictEqual(yield* stored("put"), {
          [hash("put", "ann")]: { title: "Prof", coins: "1" },
          [`${hash("put", "ann")}:marks`]: ["2", "3"],
          [list("put", "ann")]: ["c"]
        })
      }))

    it.effect("a put over an entity with a list loses nothing if it fails in a moving slot", () =>
      Effect.gen(function*() {
        yield* Guest.insert({ room: "putfail", name: "ann", title: "Dr", coins: 5, notes: ["a", "b"], marks: [1] })
        yield* move("putfail")
        const before = yield* stored("putfail")
        const error = yield* Effect.flip(Atomic.all([
          Guest.put({ room: "putfail", name: "ann", title: "Prof", coins: 1, notes: ["c"], marks: [] }),
          Guest.ref(["putfail", "ann"]).coins.decrement(2)
        ]))
        assert.strictEqual(error._tag, "OutOfBounds")
        assert.deepStrictEqual(yield* stored("putfail"), before)
      }))

    it.effect("a program may delete an entity and insert it again in a moving slot", () =>
      Effect.gen(function*() {
        yield* Guest.insert({ room: "again", name: "ann", title: "Dr", coins: 5, notes: ["a", "b"], marks: [1] })
        yield* move("again")
        const [deleted] = yield* Atomic.all([
          Guest.delete(["again", "ann"]),
          Guest.insert({ room: "again", name: "ann", title: "new", notes: ["z"], marks: [9] })
        ])
        assert.isTrue(deleted)
        assert.deepStrictEqual(yield* stored("again"), {
          [hash("again", "ann")]: { title: "new", coins: "0" },
          [`${hash("again", "ann")}:marks`]: ["9"],
          [list("again", "ann")]: ["z"]
        })
      }))

    it.effect("a program that deletes an entity and then increments it deletes nothing in a moving slot", () =>
      Effect.gen(function*() {
        yield* Guest.insert({ room: "gone", name: "ann", title: "Dr", coins: 5, notes: ["a", "b"], marks: [1] })
        yield* move("gone")
        const before = yield* stored("gone")
        const error = yield* Effect.flip(
          Atomic.all([Guest.delete(["gone", "ann"]), Guest.ref(["gone", "ann"]).coins.increment()])
        )
        assert.strictEqual(error._tag, "EntityNotFound")
        assert.deepStrictEqual(yield* stored("gone"), before)
      }))

    it.effect("delete removes an entity with its lists in a moving slot", () =>
      Effect.gen(function*() {
        yield* Guest.insert({ room: "delete", name: "ann", notes: ["a"], marks: [1] })
        yield* move("delete")
        assert.isTrue(yield* Guest.delete(["delete", "ann"]))
        assert.deepStrictEqual(yield* stored("delete"), {})
      }))

    it.effect("update replaces a list and empties it in a moving slot", () =>
      Effect.gen(function*() {
        yield* setup("update", ["a", "b"])
        yield* Guest.update(["update", "ann"], { title: "Ms", notes: ["x", "y", "z"] })
        assert.deepStrictEqual(yield* stored("update"), ann("update", { title: "Ms" }, ["x", "y", "z"]))
        yield* Guest.update(["update", "ann"], { notes: [] })
        assert.deepStrictEqual(yield* stored("update"), ann("update", { title: "Ms" }, []))
      }))

    it.effect("append to a capped list works in a moving slot", () =>
      Effect.gen(function*() {
        const { coins, notes } = yield* setup("keep", ["a", "b", "c"])
        assert.strictEqual(yield* notes.append("d", { keep: 3 }), 3)
        assert.deepStrictEqual(yield* stored("keep"), ann("keep", {}, ["b", "c", "d"]))
        // none of the old items stays
        assert.strictEqual(yield* notes.append(["e", "f", "g"], { keep: 2 }), 2)
        assert.deepStrictEqual(yield* stored("keep"), ann("keep", {}, ["f", "g"]))
        const error = yield* Effect.flip(Atomic.all([notes.append(["h", "i"], { keep: 1 }), coins.decrement(6)]))
        assert.strictEqual(error._tag, "OutOfBounds")
        assert.deepStrictEqual(yield* stored("keep"), ann("keep", {}, ["f", "g"]))
      }))

    it.effect("a program that sets an item, trims by shift and fails loses nothing in a moving slot", () =>
      Effect.gen(function*() {
        const { coins, notes } = yield* setup("items", ["a", "b"])
        const error = yield* Effect.flip(
          Atomic.all([notes.at(0).set("A"), notes.shift(), notes.shift(), notes.append("q"), coins.decrement(6)])
        )
        assert.strictEqual(error._tag, "OutOfBounds")
        assert.deepStrictEqual(yield* stored("items"), ann("items", {}, ["a", "b"]))
      }))

    it.effect("a program that touches a missing key in a moving slot is refused, and loses nothing", () =>
      Effect.gen(function*() {
        const { coins, marks, notes } = yield* setup("absent", ["a"])
        const before = yield* stored("absent")
        // marks has no key yet
        assertUnavailable(yield* Effect.exit(Atomic.all([coins.increment(), notes.clear(), marks.append(1)])))
        assertUnavailable(yield* Effect.exit(Atomic.all([notes.pop(), Guest.insert({ room: "absent", name: "bob" })])))
        assertUnavailable(yield* Effect.exit(Guest.insert({ room: "absent", name: "bob" })))
        assertUnavailable(yield* Effect.exit(Guest.find(["absent", "bob"])))
        assert.deepStrictEqual(yield* stored("absent"), before)
      }))

    it.effect("the programs of a refused call are sent one at a time, so that only the cause fails", () =>
      Effect.gen(function*() {
        const room = "isolation"
        for (const name of ["a", "b", "c", "d"]) yield* Guest.insert({ room, name, notes: ["1"] })
        yield* move(room)
        yield* call("CONFIG", "RESETSTAT")
        const of = (name: string) => Guest.ref([room, name])
        const [a, absent, b, c, d] = yield* Effect.all(
          [
            of("a").coins.increment(1),
            Guest.insert({ room, name: "absent", notes: ["x"] }),
            of("b").coins.increment(2),
            Atomic.all([of("c").notes.clear(), of("c").notes.append("2"), of("c").coins.decrement(1)]),
            Atomic.all([of("d").notes.clear(), of("d").notes.append("2")])
          ].map((program) => Effect.exit<unknown, unknown, RedisService.RedisService>(program)),
          {
            concurrency: "unbounded"
          }
        )
        assert.deepStrictEqual(a, Exit.succeed(1))
        assertUnavailable(absent)
        assert.deepStrictEqual(b, Exit.succeed(2))
        assert.isTrue(Exit.isFailure(c) && (Cause.squash(c.cause) as { _tag: string })._tag === "OutOfBounds")
        assert.deepStrictEqual(d, Exit.succeed([undefined, 1]))
        // the call that carried all, then one for each
        assert.strictEqual(yield* calls, 6)
        assert.deepStrictEqual(yield* stored(room), {
          [hash(room, "a")]: { title: "none", coins: "1" },
          [list(room, "a")]: ["1"],
          [hash(room, "b")]: { title: "none", coins: "2" },
          [list(room, "b")]: ["1"],
          [hash(room, "c")]: { title: "none", coins: "0" },
          [list(room, "c")]: ["1"],
          [hash(room, "d")]: { title: "none", coins: "0" },
          [list(room, "d")]: ["2"]
        })
      }))

    it.effect("a program that touches a key that an earlier program of its call removed is refused in a moving slot", () =>
      Effect.gen(function*() {
        const room = "neighbour"
        yield* Guest.insert({ room, name: "bob", notes: ["1", "2"] })
        const { coins, notes } = yield* setup(room, ["a"])
        yield* call("CONFIG", "RESETSTAT")
        const [emptied, appended, other] = yield* Effect.all([
          Effect.exit(Guest.update([room, "ann"], { notes: [] })),
          Effect.exit(Atomic.all([coins.increment(), notes.append("b")])),
          Effect.exit(Guest.ref([room, "bob"]).notes.append("3"))
        ], { concurrency: "unbounded" })
        assert.strictEqual(yield* calls, 1)
        assert.deepStrictEqual(emptied, Exit.void)
        assertUnavailable(appended)
        assert.deepStrictEqual(other, Exit.succeed(3))
        assert.deepStrictEqual(yield* stored(room), {
          ...ann(room, {}, []),
          [hash(room, "bob")]: { title: "none", coins: "0" },
          [list(room, "bob")]: ["1", "2", "3"]
        })
      }))

    it.effect("a hundred concurrent programs on existing keys are served in a moving slot", () =>
      Effect.gen(function*() {
        const { coins, notes } = yield* setup("busy", ["0"])
        yield* Effect.forEach(
          Array.from({ length: 100 }, (_, i) => i),
          (i) => Atomic.all([notes.clear(), notes.append(String(i)), coins.increment()]),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(yield* stored("busy"), ann("busy", { coins: "105" }, ["99"]))
      }))

    it.effect("a program over two slots is refused before sending, and the error names the keys", () =>
      Effect.gen(function*() {
        yield* Guest.insert({ room: "x", name: "ann" })
        yield* Guest.insert({ room: "y", name: "bob" })
        assert.notStrictEqual(slotOf(hash("x", "")), slotOf(hash("y", "")))
        yield* call("CONFIG", "RESETSTAT")
        const error = yield* Effect.flip(
          Atomic.all([Guest.ref(["x", "ann"]).coins.increment(), Guest.ref(["y", "bob"]).notes.append("n")])
        )
        assert.strictEqual(error._tag, "RedisServiceError")
        if (!isRedisServiceError(error) || error.reason._tag !== "CrossSlot") return assert.fail(String(error))
        assert.deepStrictEqual(error.reason.keys, ["Guest:{x}:ann", "Guest:{y}:bob"])
        assert.isFalse(error.reason.applied)
        assert.isFalse(error.isRetryable)
        assert.strictEqual(yield* calls, 0)
        assert.notInclude(error.message, "ann")
      }))

    it.effect("a program over two slots does not affect its neighbours", () =>
      Effect.gen(function*() {
        yield* Guest.insert({ room: "n1", name: "ann" })
        yield* Guest.insert({ room: "n2", name: "bob" })
        const both = Atomic.all([
          Guest.ref(["n1", "ann"]).coins.increment(),
          Guest.ref(["n2", "bob"]).coins.increment()
        ])
        const [crossing, one, two] = yield* Effect.all([
          Effect.exit(both),
          Effect.exit(Guest.ref(["n1", "ann"]).coins.increment()),
          Effect.exit(Guest.ref(["n2", "bob"]).coins.increment())
        ], { concurrency: "unbounded" })
        assert.strictEqual(reasonOf(crossing)?._tag, "CrossSlot")
        assert.deepStrictEqual(one, Exit.succeed(1))
        assert.deepStrictEqual(two, Exit.succeed(1))
      }))

    it.effect("a program over several entities of one slot runs on a cluster node", () =>
      Effect.gen(function*() {
        yield* Guest.insert({ room: "same", name: "ann", coins: 3 })
        yield* Guest.insert({ room: "same", name: "bob" })
        const [a, b] = yield* Atomic.all([
          Guest.ref(["same", "ann"]).coins.decrement(2),
          Guest.ref(["same", "bob"]).coins.increment(2)
        ])
        assert.deepStrictEqual([a, b], [1, 2])
      }))

    it.effect("a cluster node gets one call for each slot", () =>
      Effect.gen(function*() {
        const rooms = ["r1", "r2", "r3"]
        assert.strictEqual(new Set(rooms.map((room) => slotOf(hash(room, "")))).size, 3)
        for (const room of rooms) yield* Guest.insert({ room, name: "ann" })
        yield* call("CONFIG", "RESETSTAT")
        const results = yield* Effect.forEach(
          Array.from({ length: 30 }, (_, i) => rooms[i % 3]),
          (room) => Guest.ref([room, "ann"]).coins.increment(),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(results, Array.from({ length: 30 }, (_, i) => Math.floor(i / 3) + 1))
        assert.strictEqual(yield* calls, 3)
        assert.notInclude(String(yield* call("INFO", "commandstats")), "cmdstat_eval:")
      }))
  })
})
