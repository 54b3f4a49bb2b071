/**
 * Errors from the middle of a script, in the words of several servers: by its message no error proves that nothing was applied.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Exit, Layer } from "effect"
import { Atomic, RedisService } from "redlayer"
import { RedisTransport, type ServerReply } from "redlayer/RedisTransport"
import { mutate } from "../faults/plantedMutations.ts"
import { describeOwnServer } from "../support/Backends.ts"
import * as RawRedis from "../support/RawRedis.ts"
import * as Rights from "../support/Rights.ts"
import { reasonIs } from "./liveService.ts"
import { Account, ann, canary, serving, shown } from "./scriptedTransport.ts"

/** The end of the message of an error that a script has raised, on Redis 7. */
const origin = / ?script: [0-9a-f]{40}, on @user_script:\d+\./g

/** How servers word the same error. */
const wordings: Record<string, (message: string) => string> = {
  "Redis 7": (message) => message,
  // without the script's digest
  "Valkey 9.1": (message) =>
    message.replace(origin, " script: on @user_script:1.").replace(
      /ERR The user executing the script can't run this command or subcommand/g,
      "NOPERM ACL failure in script: User app has no permissions to run the 'ltrim' command"
    ),
  "a server that does not say where": (message) =>
    message.replace(origin, "").replace(
      /ERR The user executing the script can't run this command or subcommand/g,
      "NOPERM ACL failure: no permissions to run the 'ltrim' command"
    )
}

/** A service over a client of a user with the least rights, whose replies are reworded. */
const over = Effect.fnUntraced(function*(
  url: string,
  reword: (message: string) => string,
  options?: RedisService.ServiceOptions
) {
  const { call } = yield* RawRedis.make(url, { username: "app", password: canary })
  const transport = RedisTransport.of({
    ready: Effect.void,
    evaluate: ({ argument, command, keys, script }) =>
      call(command, script, String(keys.length), ...keys, argument).pipe(
        Effect.map((text): ServerReply => ({ _tag: "Text", text: reword(String(text)) })),
        Effect.catch(({ message }) => Effect.succeed<ServerReply>({ _tag: "Error", message: reword(message) }))
      )
  })
  const services = yield* Layer.build(
    Layer.provide(RedisService.layerTransport(options), Layer.succeed(RedisTransport, transport))
  )
  return <A, E>(self: Effect.Effect<A, E, RedisService.RedisService>) => Effect.provide(self, services)
})

describeOwnServer("an error in the middle of a script", () => {
  it.live.each(Object.keys(wordings))(
    "in the words of %s, a program that is half done for lack of a right is not reported as not applied",
    (name) =>
      Effect.gen(function*() {
        const { call, stored, url } = yield* serving()
        yield* call("ACL", "SETUSER", "app", ...Rights.least({ password: canary }))
        const run = yield* over(url, wordings[name]!)
        yield* run(Account.insert({ name: "bob", notes: ["x"] }))
        yield* call("ACL", "SETUSER", "app", "-ltrim")
        // at its end a program removes keys first, and then the items that have left
        const half = yield* Effect.exit(run(Atomic.all([ann.notes.shift(), Account.delete("bob")])))
        assert.strictEqual(reasonIs(half, "ScriptFailed").applied, "unknown")
        assert.strictEqual(yield* call("EXISTS", "Account:{bob}"), 0)
        // what was appended can't be taken back; a program of the same call is not affected
        const [broken, other] = yield* Effect.all([
          Effect.exit(run(Atomic.all([ann.notes.append("c"), ann.coins.decrement(9)]))),
          Effect.exit(run(ann.title.set("Ms")))
        ], { concurrency: "unbounded" })
        assert.strictEqual(reasonIs(broken, "ScriptFailed").applied, "unknown")
        assert.isFalse(reasonIs(broken, "ScriptFailed").isRetryable)
        assert.isTrue(Exit.isSuccess(other))
        assert.deepStrictEqual(yield* stored, ["5", "Ms", ["a", "b", "c"]])
        // what could not be undone is not undone later by another program either
        const later = yield* Effect.exit(run(Atomic.all([ann.notes.append("d"), ann.notes.at(9).set("x")])))
        assert.isTrue(Exit.isFailure(later))
        assert.deepStrictEqual((yield* stored)[2], ["a", "b", "c", "d"])
        // what can be undone is, and the error says so
        const denied = yield* Effect.exit(run(Atomic.all([ann.coins.increment(), ann.notes.shift()])))
        assert.isFalse(reasonIs(denied, "AccessDenied").applied)
        assert.notInclude(shown(denied), canary)
        assert.strictEqual((yield* stored)[0], "5")
      })
  )

  it.live.each(Object.keys(wordings))(
    "in the words of %s, programs whose outcomes the user may not save have an unknown outcome",
    (name) =>
      Effect.gen(function*() {
        const { call, stored, url } = yield* serving()
        yield* call("ACL", "SETUSER", "app", ...Rights.least({ password: canary }))
        yield* Effect.acquireRelease(Effect.sync(() => mutate("denied")), (end) => Effect.sync(end))
        const run = yield* over(url, wordings[name]!, { exactlyOnce: true })
        const [first, second] = yield* Effect.all([
          Effect.exit(run(ann.coins.increment())),
          Effect.exit(run(ann.title.set("Ms")))
        ], { concurrency: "unbounded" })
        for (const exit of [first, second]) assert.strictEqual(reasonIs(exit, "ScriptFailed").applied, "unknown")
        assert.deepStrictEqual(yield* stored, ["6", "Ms", ["a", "b"]])
      })
  )
})
