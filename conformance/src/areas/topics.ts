/**
 * Topics: messages are published with the writes of their program or not at all. What a subscription emits, and when it
 * ends.
 */
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Atomic from "redlayer/Atomic"
import * as Model from "redlayer/Model"
import type * as RedisServiceError from "redlayer/RedisServiceError"
import { RawStore } from "redlayer/testing"
import * as Topic from "redlayer/Topic"
import * as assert from "../assert.ts"
import { concurrently, fails, unchanged } from "../assertions.ts"
import type { Backend, Test } from "../suite.ts"

const Account = Model.make("TopicAccount", {
  id: Schema.String,
  coins: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)),
  log: Schema.Array(Schema.String).pipe(Model.withDefault([]))
}, { key: "id" })

const Text = Topic.make("text", Schema.String)
const Count = Topic.make("count", Schema.Int)

class Point extends Schema.Class<Point>("TopicPoint")({ x: Schema.Finite, y: Schema.Finite }) {
  get sum() {
    return this.x + this.y
  }
}

const Structured = Topic.make(
  "rich",
  Schema.Struct({
    text: Schema.String,
    at: Schema.DateTimeUtc,
    lasts: Schema.Duration,
    bytes: Schema.Uint8Array,
    big: Schema.BigInt,
    point: Point,
    tags: Schema.ReadonlySet(Schema.String),
    counts: Schema.ReadonlyMap(Schema.String, Schema.Int),
    maybe: Schema.optionalKey(Schema.NullOr(Schema.String)),
    option: Schema.Option(Schema.Int),
    either: Schema.Union([
      Schema.TaggedStruct("A", { a: Schema.Int }),
      Schema.TaggedStruct("B", { b: Schema.Array(Schema.String) })
    ])
  })
)

type Subscribed<A> = Stream.Stream<Topic.Event<A>, RedisServiceError.RedisServiceError>

const takeEvents = <A>(events: Subscribed<A>, count: number) => Stream.runCollect(Stream.take(events, count))

const messageEvent = <A>(value: A): Topic.Event<A> => ({ _tag: "Message", value })

/**
 * Publishes an end marker and returns all earlier events of the subscription, which proves that nothing else was
 * published.
 */
const eventsUntilNow = (events: Subscribed<string>) =>
  Effect.andThen(
    Text.publish("now"),
    events.pipe(
      Stream.map((event) => event._tag === "Message" ? event.value : event._tag),
      Stream.takeWhile((text) => text !== "now"),
      Stream.runCollect
    )
  )

/** Subscribes in a separate scope that can be closed. */
const closableSubscription = <S extends Schema.Constraint>(topic: Topic.Topic<S>, options?: Topic.SubscribeOptions) =>
  Effect.gen(function*() {
    const scope = yield* Scope.fork(yield* Effect.scope)
    const events = yield* Scope.provide(topic.subscribe(options), scope)
    return { events, close: Scope.close(scope, Exit.void) }
  })

/** A subscription that has received one message. */
const subscriptionWithMessage = Effect.tap(Text.subscribe(), () => Text.publish("two"))

export const topics = (test: Test, backend: Backend): void => {
  // -------------------------------------------------------------------------------------------------------------------
  // Publishing
  // -------------------------------------------------------------------------------------------------------------------

  test("every subscriber of a topic receives its messages, and no subscriber of another topic does", () =>
    Effect.gen(function*() {
      const first = yield* Text.subscribe()
      const second = yield* Text.subscribe()
      const other = yield* Topic.make("other", Schema.String).subscribe()
      assert.isUndefined(yield* Text.publish("hello"))
      yield* Topic.make("other", Schema.String).publish("elsewhere")
      assert.deepEqual(yield* takeEvents(first, 1), [messageEvent("hello")])
      assert.deepEqual(yield* takeEvents(second, 1), [messageEvent("hello")])
      assert.deepEqual(yield* takeEvents(other, 1), [messageEvent("elsewhere")])
    }))

  test("a message without subscribers is dropped", () =>
    Effect.gen(function*() {
      yield* unchanged(Text.publish("to nobody"))
      const events = yield* Text.subscribe()
      assert.deepEqual(yield* eventsUntilNow(events), [])
    }))

  test("the messages of a program arrive in the order of the program, after its writes took effect", () =>
    Effect.gen(function*() {
      yield* Account.insert({ id: "a", coins: 5 })
      const events = yield* Count.subscribe()
      const { coins } = Account.ref("a")
      const results = yield* Atomic.all({
        before: Count.publish(1),
        left: coins.decrement(2),
        between: Count.publish(2),
        again: Count.publish(2),
        after: coins.get().pipe(Atomic.andThen(Count.publish(3)), Atomic.as("done"))
      })
      assert.deepEqual(results, { before: undefined, left: 3, between: undefined, again: undefined, after: "done" })
      assert.deepEqual(yield* takeEvents(events, 4), [1, 2, 2, 3].map(messageEvent))
      // a subscriber that receives the message sees the write
      const seen = yield* Effect.forkChild(
        events.pipe(Stream.take(20), Stream.mapEffect(() => coins.get()), Stream.runCollect),
        { startImmediately: true }
      )
      for (let i = 0; i < 20; i++) yield* Atomic.andThen(coins.increment(), Count.publish(i))
      const values = yield* Fiber.join(seen)
      values.forEach((value, i) => assert.isAtLeast(value, 4 + i))
    }))

  test("a subscriber that responds at once does not interleave with the messages of a program", () =>
    Effect.gen(function*() {
      const heard = yield* Text.subscribe()
      const answering = yield* Effect.forkChild(
        Stream.runForEach(
          yield* Text.subscribe(),
          (event) => event._tag === "Message" && event.value === "1" ? Text.publish("answer") : Effect.void
        ),
        { startImmediately: true }
      )
      yield* Atomic.all(["1", "2", "3"].map((text) => Text.publish(text)))
      assert.deepEqual(yield* takeEvents(heard, 4), ["1", "2", "3", "answer"].map(messageEvent))
      yield* Fiber.interrupt(answering)
    }))

  test("a program that fails publishes nothing, whatever the failure and its position", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Account.insert({ id: "a", coins: 5 })
      yield* raw.hashSet("TopicAccount:{bad}", { coins: "abc" })
      const events = yield* Text.subscribe()
      const { coins, log } = Account.ref("a")
      const published = Atomic.all([Text.publish("first"), coins.increment(), Text.publish("second")])
      yield* unchanged(Effect.gen(function*() {
        yield* fails(Atomic.all([published, coins.decrement(10), Text.publish("third")]), "OutOfBounds")
        yield* fails(Atomic.andThen(published, Account.ref("gone").coins.increment()), "EntityNotFound")
        yield* fails(Atomic.andThen(published, Account.insert({ id: "a", coins: 1 })), "EntityExists")
        yield* fails(Atomic.andThen(published, log.at(3).set("x")), "IndexOutOfRange")
        yield* fails(Atomic.andThen(published, coins.quotient(0)), "ArithmeticError")
        yield* fails(Atomic.andThen(published, coins.set(-1)), "InvalidValue")
        yield* fails(Atomic.andThen(published, Account.ref("bad").coins.increment()), "RedisServiceError")
      }))
      assert.deepEqual(yield* eventsUntilNow(events), [])
      // programs of one batch, some of which fail
      yield* concurrently(Array.from({ length: 40 }, (_, i) =>
        Effect.exit(Atomic.all([
          Text.publish(String(i)),
          Account.ref(i % 3 === 0 ? "gone" : "a").coins.increment()
        ]))))
      assert.deepEqual(
        [...yield* eventsUntilNow(events)].sort((a, b) => Number(a) - Number(b)),
        Array.from({ length: 40 }, (_, i) => String(i)).filter((i) => Number(i) % 3 !== 0)
      )
    }))

  test("the messages of a program stand if it fails to decode a result after the commit", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* raw.hashSet("TopicAccount:{bad}", { coins: "abc" })
      const events = yield* Text.subscribe()
      yield* fails(Text.publish("sent").pipe(Atomic.andThen(Account.get("bad"))), "EntityCorrupted", { applied: true })
      assert.deepEqual(yield* eventsUntilNow(events), ["sent"])
    }))

  test("a program may publish ten thousand messages", () =>
    Effect.gen(function*() {
      const events = yield* Count.subscribe({ bufferSize: 10_000 })
      const numbers = Array.from({ length: 10_000 }, (_, i) => i)
      yield* Atomic.all(numbers.map((i) => Count.publish(i)))
      assert.deepEqual(yield* takeEvents(events, numbers.length), numbers.map(messageEvent))
    }))

  // -------------------------------------------------------------------------------------------------------------------
  // Messages
  // -------------------------------------------------------------------------------------------------------------------

  test("structured messages are received as they were published", () =>
    Effect.gen(function*() {
      const events = yield* Structured.subscribe()
      const value: typeof Structured.schema["Type"] = {
        text: "é🙂\u0000\n\"{}[]",
        at: DateTime.makeUnsafe("2024-02-29T23:59:59.999Z"),
        lasts: Duration.nanos(1_000_001n),
        bytes: Uint8Array.from({ length: 256 }, (_, i) => i),
        big: 2n ** 80n,
        point: new Point({ x: 1.5, y: -2 }),
        tags: new Set(["b", "a", ""]),
        counts: new Map([["__proto__", 1], ["x", 2]]),
        option: Option.some(0),
        either: { _tag: "B", b: ["", "null"] }
      }
      const others: ReadonlyArray<typeof value> = [
        value,
        { ...value, maybe: null, option: Option.none(), either: { _tag: "A", a: 1 } },
        { ...value, maybe: "null" }
      ]
      for (const each of others) yield* Structured.publish(each)
      const found = yield* takeEvents(events, others.length)
      assert.deepEqual(found, others.map(messageEvent))
      const [first] = found
      assert.isTrue(first?._tag === "Message" && first.value.point instanceof Point && first.value.point.sum === -0.5)
    }))

  test("messages of every kind are received as they were published", () =>
    Effect.gen(function*() {
      const roundTrip = <A>(name: string, schema: Schema.Codec<A, any>, values: ReadonlyArray<A>) =>
        Effect.gen(function*() {
          const topic = Topic.make(`kind/${name}`, schema)
          const events = yield* topic.subscribe()
          for (const value of values) yield* topic.publish(value)
          assert.deepEqual(yield* takeEvents(events, values.length), values.map(messageEvent), name)
        })
      yield* roundTrip("text", Schema.String, [
        "",
        " ",
        "null",
        "0",
        "\u0000",
        "a\u0000b",
        "\r\n",
        "日本語",
        "x".repeat(100_000)
      ])
      yield* roundTrip("integer", Schema.Int, [0, -1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER])
      yield* roundTrip("number", Schema.Number, [0.1, 1e300, 5e-324, NaN, Infinity, -Infinity])
      yield* roundTrip("boolean", Schema.Boolean, [true, false])
      yield* roundTrip("literal", Schema.Literals(["a", "b"]), ["a", "b"])
      yield* roundTrip("null", Schema.NullOr(Schema.String), [null, "null", ""])
      yield* roundTrip("list", Schema.Array(Schema.NullOr(Schema.Int)), [[], [1, null]])
      yield* roundTrip("date", Schema.Date, [new Date(0), new Date(-1)])
    }))

  test("a message that cannot be encoded refuses the whole program", () =>
    Effect.gen(function*() {
      yield* Account.insert({ id: "a", coins: 5 })
      const events = yield* Text.subscribe()
      const { coins } = Account.ref("a")
      const spend = Atomic.andThen(coins.decrement(), Text.publish("spent"))
      yield* unchanged(Effect.gen(function*() {
        yield* fails(Text.publish("\ud800"), "InvalidValue", { model: "text", id: "", field: "" })
        yield* fails(spend.pipe(Atomic.andThen(Text.publish("a\udfff"))), "InvalidValue", { model: "text" })
        yield* fails(spend.pipe(Atomic.andThen(Count.publish(1.5))), "InvalidValue", { model: "count" })
        yield* fails(spend.pipe(Atomic.andThen(Count.publish("1" as never))), "InvalidValue", { id: "" })
        yield* fails(
          spend.pipe(Atomic.andThen(Structured.publish({ text: 1 } as never))),
          "InvalidValue",
          { model: "rich", field: "text" }
        )
        // record keys are user data, so the error does not contain them
        const Records = Topic.make("records", Schema.Record(Schema.String, Schema.Int))
        const error = yield* fails(Records.publish({ secret: 1.5 }), "InvalidValue", { field: "" })
        assert.notInclude(error.message, "secret")
      }))
      assert.deepEqual(yield* eventsUntilNow(events), [])
    }))

  test("a message that is too large is refused before it is sent", () =>
    Effect.gen(function*() {
      const events = yield* Text.subscribe()
      assert.strictEqual((yield* fails(Text.publish("é".repeat(50)), "InvalidValue", { model: "text" })).field, "")
      yield* Text.publish("é".repeat(49))
      assert.deepEqual(yield* takeEvents(events, 1), [messageEvent("é".repeat(49))])
    }).pipe(Effect.provide(backend.layer({ maximumValueBytes: 99 }))))

  test("a message of another schema is emitted as Undecodable, and the stream continues", () =>
    Effect.gen(function*() {
      const events = yield* Topic.make("count", Schema.Int.check(Schema.isGreaterThan(0))).subscribe()
      const structs = yield* Topic.make("count", Schema.Struct({ n: Schema.Struct({ m: Schema.Int }) })).subscribe()
      const foreign = Topic.make("count", Schema.String)
      for (const text of ["one", "0", "1", "", "{\"n\":{\"m\":\"secret\"}}", "2"]) yield* foreign.publish(text)
      const found = yield* takeEvents(events, 6)
      assert.deepEqual(found.map((event) => event._tag === "Message" ? event.value : event._tag), [
        "Undecodable",
        "Undecodable",
        1,
        "Undecodable",
        "Undecodable",
        2
      ])
      const [, , , , nested] = yield* takeEvents(structs, 6)
      assert.isTrue(nested?._tag === "Undecodable" && nested.field === "n.m" && !nested.issue.includes("secret"))
    }))

  test("`messages` emits values only, and skips messages that cannot be decoded", () =>
    Effect.gen(function*() {
      const fiber = yield* Effect.forkChild(
        Stream.runCollect(Stream.take(Count.messages(), 3)),
        { startImmediately: true }
      )
      const foreign = Topic.make("count", Schema.String)
      // publish repeatedly, because the stream does not tell when it has subscribed
      const publishing = yield* Effect.forkChild(
        Effect.forever(
          Effect.andThen(Effect.andThen(foreign.publish("no number"), foreign.publish("7")), Effect.sleep(5))
        )
      )
      assert.deepEqual(yield* Fiber.join(fiber), [7, 7, 7])
      yield* Fiber.interrupt(publishing)
    }))

  // -------------------------------------------------------------------------------------------------------------------
  // Subscriptions
  // -------------------------------------------------------------------------------------------------------------------

  test("a subscription receives all messages published after it, however late they are read, and none published before", () =>
    Effect.gen(function*() {
      for (let i = 0; i < 30; i++) {
        yield* Count.publish(-1)
        const { close, events } = yield* closableSubscription(Count)
        yield* Count.publish(i)
        yield* Effect.sleep(i)
        assert.deepEqual(yield* takeEvents(events, 1), [messageEvent(i)])
        yield* close
        yield* Count.publish(-2)
        assert.deepEqual(yield* Stream.runCollect(events), [])
      }
    }))

  test("a later run of the stream receives the messages that an earlier run has not taken", () =>
    Effect.gen(function*() {
      const events = yield* Count.subscribe()
      yield* Atomic.all(Array.from({ length: 100 }, (_, i) => Count.publish(i)))
      for (let i = 0; i < 100; i++) assert.deepEqual(yield* takeEvents(events, 1), [messageEvent(i)])
      // a run that is interrupted while it waits takes no message
      const fiber = yield* Effect.forkChild(takeEvents(events, 1), { startImmediately: true })
      yield* Fiber.interrupt(fiber)
      yield* Count.publish(100)
      assert.deepEqual(yield* takeEvents(events, 1), [messageEvent(100)])
    }))

  test("closing the scope ends the stream, even while another fiber waits for it, and ends no other stream", () =>
    Effect.gen(function*() {
      const { close, events } = yield* closableSubscription(Text)
      const stays = yield* Text.subscribe()
      const received = yield* Deferred.make<void>()
      const collected = Stream.runCollect(Stream.tap(events, () => Deferred.succeed(received, undefined)))
      const waiting = yield* Effect.forkChild(collected, { startImmediately: true })
      yield* Text.publish("one")
      assert.deepEqual(yield* takeEvents(stays, 1), [messageEvent("one")])
      // a transport may deliver to each subscription in its own time
      yield* Deferred.await(received)
      yield* close
      yield* Text.publish("two")
      assert.deepEqual(yield* Fiber.join(waiting), [messageEvent("one")])
      assert.deepEqual(yield* takeEvents(stays, 1), [messageEvent("two")])
    }))

  test("a subscription ends when its layer is closed", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const services = yield* Scope.provide(Layer.build(backend.layer()), scope)
      const events = yield* Effect.provide(Text.subscribe(), services)
      const told = { one: yield* Deferred.make<void>(), two: yield* Deferred.make<void>() }
      const heard = Stream.tap(events, (event) =>
        event._tag === "Message" ? Deferred.succeed(told[event.value as "one" | "two"], undefined) : Effect.void)
      const waiting = yield* Effect.forkChild(Stream.runCollect(heard), { startImmediately: true })
      yield* Effect.provide(Text.publish("one"), services)
      // a message in flight may also reach a subscription that is created meanwhile
      yield* Deferred.await(told.one)
      const [first] = yield* takeEvents(yield* Effect.provide(subscriptionWithMessage, services), 1)
      assert.deepEqual(first, messageEvent("two"))
      // subscriptions may receive a message at different times
      yield* Deferred.await(told.two)
      yield* Scope.close(scope, Exit.void)
      assert.deepEqual(yield* Fiber.join(waiting), [messageEvent("one"), messageEvent("two")])
    }))

  test("a slow subscriber keeps the newest messages and receives Missed in place of the dropped ones", () =>
    Effect.gen(function*() {
      const slow = yield* Count.subscribe({ bufferSize: 3 })
      const fast = yield* Count.subscribe()
      const publish = (from: number, to: number) =>
        Effect.gen(function*() {
          for (let i = from; i <= to; i++) yield* Count.publish(i)
          // the fast subscriber has received every message
          assert.deepEqual(
            yield* takeEvents(fast, to - from + 1),
            Array.from({ length: to - from + 1 }, (_, i) => messageEvent(from + i))
          )
          yield* Effect.sleep(20)
        })
      yield* publish(1, 3)
      assert.deepEqual(yield* takeEvents(slow, 3), [1, 2, 3].map(messageEvent))
      yield* publish(4, 10)
      assert.deepEqual(yield* takeEvents(slow, 4), [{ _tag: "Missed" }, ...[8, 9, 10].map(messageEvent)])
      yield* publish(11, 12)
      assert.deepEqual(yield* takeEvents(slow, 2), [11, 12].map(messageEvent))
      const one = yield* Count.subscribe({ bufferSize: 1 })
      yield* publish(1, 5)
      assert.deepEqual(yield* takeEvents(one, 2), [{ _tag: "Missed" }, messageEvent(5)])
    }))

  test("a buffer size that is no positive integer is an invalid option, and undefined is the default", () =>
    Effect.gen(function*() {
      for (const bufferSize of [0, -1, 0.5, NaN, Infinity]) {
        const { reason } = yield* Effect.flip(Count.subscribe({ bufferSize }))
        assert.strictEqual(reason._tag, "InvalidOption")
        assert.strictEqual(reason.message, "Option `bufferSize`: expected an integer of at least 1")
        const streamed = yield* Effect.flip(Stream.runDrain(Count.events({ bufferSize })))
        assert.strictEqual(streamed.reason._tag, "InvalidOption")
      }
      yield* Effect.asVoid(Effect.scoped(Count.subscribe({ bufferSize: undefined })))
    }))

  test("each of fifty subscribers that come and go receives consecutive messages without gaps", () =>
    Effect.gen(function*() {
      let published = 0
      const publishing = yield* Effect.forkChild(
        Effect.forever(Effect.andThen(Effect.suspend(() => Count.publish(published++)), Effect.sleep(1)))
      )
      yield* concurrently(Array.from({ length: 50 }, (_, i) =>
        Effect.gen(function*() {
          yield* Effect.sleep(i * 2)
          const values = yield* Stream.runCollect(Stream.take(Count.messages(), 10))
          assert.deepEqual(values, Array.from({ length: 10 }, (_, j) => values[0]! + j))
        })))
      yield* Fiber.interrupt(publishing)
    }))

  // -------------------------------------------------------------------------------------------------------------------
  // Names
  // -------------------------------------------------------------------------------------------------------------------

  test("topics of different names, with any characters, are different channels", () =>
    Effect.gen(function*() {
      const names = [
        "a",
        "A",
        "a:b",
        "a%3Ab",
        "{a}",
        "*",
        "?",
        "[a]",
        " ",
        "\n",
        "\u0000",
        "é🙂",
        "__proto__",
        "x".repeat(2000)
      ]
      const subscriptions = yield* Effect.forEach(names, (name) => Topic.make(name, Schema.String).subscribe())
      for (const name of names) yield* Topic.make(name, Schema.String).publish(name)
      for (const [i, events] of subscriptions.entries()) {
        yield* Topic.make(names[i]!, Schema.String).publish("end")
        assert.deepEqual(yield* takeEvents(events, 2), [messageEvent(names[i]!), messageEvent("end")])
      }
    }))

  test("an invalid topic name is refused when the topic is defined", () =>
    Effect.sync(() => {
      for (const name of ["", "\ud800", "a\udfff", "$lock", "$"]) {
        assert.throws(() => Topic.make(name, Schema.String), /this name/, JSON.stringify(name))
      }
    }))
}
