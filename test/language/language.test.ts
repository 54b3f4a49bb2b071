/**
 * Editors show documentation at the call of every public function and method, and short types on hover.
 */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Redlayer from "redlayer"
import * as Testing from "redlayer/testing"
import { describeMemory } from "../support/Backends.ts"
import * as LanguageServer from "./LanguageServer.ts"

const modules: Readonly<Record<string, object>> = { ...Redlayer, Testing }

/** A function, and no class: classes are documented where they are defined, and never called. */
const isFunction = (value: unknown): value is (...args: ReadonlyArray<never>) => unknown =>
  typeof value === "function" && !/^class\b/.test(Function.prototype.toString.call(value))

/** Members that every Effect or every object has. */
const inherited = ["pipe", "asEffect", "toJSON", "toString", "valueOf"]

const header = `
import { Effect, Schema } from "effect"
import { Atomic, Condition, DomainError, EffectRedis, Field, IoRedis, Lock, Model, RedisService, RedisServiceError, RedisTransport, RetryPolicy, Topic } from "redlayer"
import * as Testing from "redlayer/testing"

class Player extends Model.Class<Player>("language/Player")({
  name: Schema.String,
  title: Schema.String,
  score: Schema.Int,
  ratio: Schema.Number,
  coins: Schema.BigInt,
  active: Schema.Boolean,
  level: Schema.Literals(["low", "high"]),
  joined: Schema.Date,
  wait: Schema.Duration,
  note: Schema.optionalKey(Schema.String),
  best: Schema.NullOr(Schema.Int),
  bytes: Schema.Uint8Array,
  stats: Schema.Struct({ games: Schema.Int, last: Schema.String }),
  badges: Schema.Array(Schema.String),
  friends: Schema.ReadonlySet(Schema.String),
  counts: Schema.Record(Schema.String, Schema.Int),
  board: Model.sortedSet(Schema.String)
}, { key: "name" }) {}
const Order = Model.make("language/Order", { id: Schema.String, total: Schema.Int }, { key: "id" })
const News = Topic.make("language/news", Schema.String)
const player = Player.ref("a")
declare const held: Lock.EntityHandle
`

describeMemory("the language service", () => {
  /** The signatures of calls without documentation. Every call must have a signature, unless `isOptional`. */
  const undocumented = Effect.fnUntraced(function*(
    editor: LanguageServer.Editor,
    calls: ReadonlyArray<string>,
    isOptional: boolean
  ) {
    const silent: Array<string> = []
    let count = 0
    let text = header
    const offsets = calls.map((call) => {
      const offset = text.length + `void ${call}(`.length
      text += `void ${call}()\n`
      return offset
    })
    yield* editor.edit(text)
    for (const [i, call] of calls.entries()) {
      const signatures = yield* editor.signatures(offsets[i]!)
      if (signatures.length > 0) count++
      else if (!isOptional) silent.push(`${call}: no signature`)
      for (const { documentation, label } of signatures) {
        if (documentation.trim() === "") silent.push(`${call}: ${label}`)
      }
    }
    return { count, silent }
  })

  it.live("shows documentation at the call of every public function", () =>
    Effect.gen(function*() {
      const editor = yield* LanguageServer.make
      const calls = Object.entries(modules).flatMap(([module, exports]) =>
        Object.entries(exports).flatMap(([name, value]) => isFunction(value) ? [`${module}.${name}`] : [])
      )
      const { count, silent } = yield* undocumented(editor, calls, false)
      assert.deepStrictEqual(silent, [])
      assert.isAbove(count, 50)
    }), 120_000)

  it.live(
    "shows documentation at the call of every method of models, handles, topics and locks",
    () =>
      Effect.gen(function*() {
        const editor = yield* LanguageServer.make
        const fields = [
          ..."title score ratio coins active level joined wait note best bytes badges friends counts board".split(" "),
          "stats.games",
          "stats.$",
          "counts.at(\"a\")",
          "badges.at(0)",
          "badges.length()",
          "friends.size()",
          "score.value()"
        ].map((field) => `player.${field}`)
        const targets = [...fields, "Order", "News", "held"]
        let text = header
        const offsets = targets.map((target) => {
          const offset = text.length + `void ${target}.`.length
          text += `void ${target}.x\n`
          return offset
        })
        yield* editor.edit(text)
        const calls: Array<string> = []
        for (const [i, target] of targets.entries()) {
          const members = yield* editor.members(offsets[i]!)
          assert.isAbove(members.length, 0, target)
          calls.push(...members.filter((name) => !inherited.includes(name)).map((name) => `${target}.${name}`))
        }
        const { count, silent } = yield* undocumented(editor, calls, true)
        assert.deepStrictEqual(silent, [])
        assert.isAbove(count, 200)
      }),
    120_000
  )

  const hovers: ReadonlyArray<string> = [
    "player.score.increment()",
    "player.badges",
    "player.counts.at(\"a\")",
    "player.stats.games",
    "Atomic.all({ score: player.score.increment(), badges: player.badges.append(\"a\") })",
    "player.badges.append(\"ten\").pipe(Atomic.when(player.score.gte(10)))",
    "Atomic.guard(player.score.gte(10), () => new Error(\"no\"))",
    "Player.get(\"a\")",
    "Player.pick(\"a\", [\"score\", \"title\"])",
    "Order.insert({ id: \"a\", total: 1 })",
    "Player.update(\"a\", { score: 1 })",
    "Atomic.orElse(player.score.decrement(), player.score.set(0))",
    "Lock.acquire(\"nightly\")",
    "Player.exists(\"a\")"
  ]

  it.live("shows short types on hover of typical expressions", () =>
    Effect.gen(function*() {
      const editor = yield* LanguageServer.make
      for (const expression of hovers) {
        const text = `${header}\nconst x`
        yield* editor.edit(`${text} = ${expression}`)
        const { code } = yield* editor.hover(text.length)
        assert.match(code, /^const x: ./, expression)
        assert.notMatch(code, /\bOmit<|\bany\b/, expression)
        assert.isAtMost(code.length, 160, `${expression}: ${code}`)
      }
    }), 60_000)
})
