/**
 * The checks of a transport to a server. The server's user needs the same rights as the user of a live layer.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { type Call, type ChannelEvent, RedisTransport, type ServerReply } from "../../RedisTransport.ts"
import { type Check, CheckFailed } from "./types.ts"

type Fail = (problem: string) => Effect.Effect<never, CheckFailed>
type Transport = RedisTransport["Service"]

/** A check that takes longer fails. */
const limit = "10 seconds"

/** Texts that a faulty client or protocol might change. */
const texts: ReadonlyArray<string> = [
  "",
  " ",
  "\u0000",
  "a\r\nb\n",
  "\"'\\",
  "0",
  "9007199254740993",
  "null",
  "\u00e9e\u0301\ufeff\ufffd\u{1f600}",
  "$5\r\n*1\r\n",
  "x".repeat(1_000_000)
]

const evaluate = (transport: Transport, script: string, argument: string, call: Partial<Call> = {}) =>
  transport.evaluate({ command: "EVAL", script: `#!lua\n${script}`, keys: [], argument, ...call })

const shown = (reply: ServerReply): string =>
  reply._tag === "Error"
    ? `the error ${JSON.stringify(reply.message)}`
    : `the text ${JSON.stringify(reply.text.slice(0, 100))}`

/** @internal */
export const transport = (prefix: string): ReadonlyArray<Check> => {
  const check = (
    name: string,
    body: (transport: Transport, fail: Fail) => Effect.Effect<unknown, unknown>
  ): Check => {
    const fail: Fail = (problem) => Effect.fail(new CheckFailed({ check: name, problem }))
    return {
      name,
      run: Effect.flatMap(RedisTransport, (transport) =>
        Effect.andThen(transport.ready, body(transport, fail)).pipe(
          Effect.matchEffect({
            onFailure: (error): Effect.Effect<void, CheckFailed> => {
              const found = error as { readonly _tag?: string; readonly outcome?: string }
              return found._tag === "CheckFailed"
                ? Effect.fail(error as CheckFailed)
                : fail(`it failed: ${found._tag} ${found.outcome ?? ""}`)
            },
            onSuccess: () => Effect.void
          }),
          Effect.timeoutOrElse({ duration: limit, orElse: () => fail(`it did not end within ${limit}`) })
        ))
    }
  }
  const text = (fail: Fail, reply: ServerReply, expected: string) =>
    reply._tag === "Text" && reply.text === expected
      ? Effect.void
      : fail(`expected the text ${JSON.stringify(expected.slice(0, 100))}, got ${shown(reply)}`)
  const error = (fail: Fail, reply: ServerReply, expected: RegExp) =>
    reply._tag === "Error" && expected.test(reply.message)
      ? Effect.void
      : fail(`expected an error ${expected.source}, got ${shown(reply)}`)
  const all = <A, E>(effects: ReadonlyArray<Effect.Effect<A, E>>) =>
    Effect.all(effects, { concurrency: "unbounded", discard: true })

  const checks: ReadonlyArray<Check> = [
    check("`ready` ends, also for ten callers at once", ({ ready }) => all(Array.from({ length: 10 }, () => ready))),
    check(
      "the argument and the reply keep every character",
      (transport, fail) =>
        Effect.forEach(texts, (argument) =>
          Effect.flatMap(
            evaluate(transport, "return ARGV[1]", argument),
            (reply) => text(fail, reply, argument)
          ))
    ),
    check("the script receives every key unchanged", (transport, fail) => {
      const keys = texts.slice(0, 9).map((key) => `${prefix}{check}${key}`)
      return Effect.flatMap(
        evaluate(transport, "return #KEYS .. ':' .. table.concat(KEYS, ARGV[1])", ",", { keys }),
        (reply) => text(fail, reply, `9:${keys.join(",")}`)
      )
    }),
    check(
      "an unknown digest returns the server's NOSCRIPT",
      (transport, fail) =>
        Effect.forEach(["EVALSHA", "EVALSHA_RO"] as const, (command) =>
          Effect.flatMap(
            evaluate(transport, "", "", { command, script: "0".repeat(40) }),
            (reply) => error(fail, reply, /^NOSCRIPT /)
          ))
    ),
    check("an error of the server is a reply with its message", (transport, fail) =>
      Effect.flatMap(
        evaluate(transport, "return redis.error_reply(ARGV[1])", "OOPS one two"),
        (reply) => error(fail, reply, /^OOPS one two/)
      )),
    check("a read-only call can't write", (transport, fail) =>
      Effect.flatMap(
        evaluate(transport, "return redis.call('HSET', KEYS[1], 'n', ARGV[1])", "", {
          command: "EVAL_RO",
          keys: [`${prefix}check`]
        }),
        (reply) => error(fail, reply, /./)
      )),
    check(
      "each of 500 concurrent calls has its own reply",
      (transport, fail) =>
        all(Array.from({ length: 500 }, (_, i) =>
          Effect.flatMap(
            evaluate(transport, "return ARGV[1]", `${i}`),
            (reply) => text(fail, reply, `${i}`)
          )))
    ),
    check("a call runs once, and an interrupted one does not affect the others", (transport, fail) => {
      const keys = [`${prefix}check:count`]
      const count = evaluate(transport, "return tostring(redis.call('HINCRBY', KEYS[1], 'n', 1))", "", { keys })
      const remove = evaluate(transport, "redis.call('UNLINK', KEYS[1]) return 'OK'", "", { keys })
      return Effect.gen(function*() {
        yield* remove
        for (let i = 1; i <= 20; i++) yield* text(fail, yield* count, `${i}`)
        for (let i = 0; i < 20; i++) {
          const fiber = yield* Effect.forkChild(count, { startImmediately: true })
          yield* Fiber.interrupt(fiber)
        }
        const last = yield* count
        const total = last._tag === "Text" ? Number(last.text) : 0
        if (!(total >= 21 && total <= 41)) return yield* fail(`expected a count of 21 to 41, got ${shown(last)}`)
      }).pipe(Effect.ensuring(Effect.ignore(remove)))
    }),
    check(
      "a subscription is confirmed, receives messages in order, and ends with its scope",
      (transport, fail) =>
        transport.subscribe === undefined ? Effect.void : receives(transport, fail, `${prefix}$topic:check`)
    )
  ]
  return checks
}

const receives = Effect.fnUntraced(function*(transport: Transport, fail: Fail, channel: string) {
  const publish = (message: string) =>
    evaluate(transport, "return tostring(redis.call('PUBLISH', ARGV[1], string.sub(ARGV[1], -1)))", channel + message)
  const events: Array<string> = []
  const confirmed = Deferred.makeUnsafe<void>()
  const done = Deferred.makeUnsafe<void>()
  const listener = (event: ChannelEvent): void => {
    events.push(event._tag === "Message" ? event.text : event._tag)
    if (event._tag === "Subscribed") Deferred.doneUnsafe(confirmed, Exit.void)
    if (events.length === 3) Deferred.doneUnsafe(done, Exit.void)
  }
  yield* Effect.scoped(Effect.gen(function*() {
    yield* transport.subscribe!(`${channel}a`, listener)
    yield* Deferred.await(confirmed)
    yield* publish("a")
    yield* publish("a")
    const all = yield* Effect.timeoutOption(Deferred.await(done), "5 seconds")
    if (Option.isNone(all) || events.join() !== "Subscribed,a,a") {
      return yield* fail(`expected Subscribed,a,a, received ${events.join()}`)
    }
  }))
  yield* publish("a")
  yield* transport.ready
  if (events.length !== 3) return yield* fail("it received a message after its scope had closed")
})
