/**
 * Editors show documentation at the call of every public function and method, and short types on hover.
 */
import { afterAll, assert, beforeAll, it } from "@effect/vitest"
import { Effect, Exit, Schema, Scope } from "effect"
import * as Redlayer from "redlayer"
import * as Testing from "redlayer/testing"
import { describeMemory } from "../support/Backends.ts"
import * as LanguageServer from "./LanguageServer.ts"

const modules: Readonly<Record<string, object>> = { ...Redlayer, Testing }

/** A function, and no class or schema: these are documented where they are defined, and never called. */
const isFunction = (value: unknown): value is (...args: ReadonlyArray<never>) => unknown =>
  typeof value === "function" && !Schema.isSchema(value) && !/^class\b/.test(Function.prototype.toString.call(value))

/** Members that every Effect or every object has. Effect documents them. */
const inherited = ["pipe", "asEffect", "toJSON", "toString", "valueOf"]

/** Members that every struct of Effect has. A model of plain objects is one. */
const ofSchemas = ["annotate", "annotateKey", "check", "rebuild", "make", "makeOption", "makeEffect", "mapFields"]

const header = `
import { Effect, Schema } from "effect"
import { ${Object.keys(Redlayer).join(", ")} } from "redlayer"
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
  labels: Schema.Record(Schema.String, Schema.String),
  flags: Schema.Record(Schema.String, Schema.Boolean),
  bigs: Schema.Record(Schema.String, Schema.BigInt),
  waits: Schema.Record(Schema.String, Schema.Duration),
  board: Model.sortedSet(Schema.String)
}, { key: "name" }) {}
const Order = Model.make("language/Order", { id: Schema.String, total: Schema.Int }, { key: "id" })
const News = Topic.make("language/news", Schema.String)
const player = Player.ref("a")
declare const held: Lock.EntityHandle
`

describeMemory("the language service", () => {
  const scope = Scope.makeUnsafe()
  let editor: LanguageServer.Editor
  beforeAll(async () => {
    editor = await Effect.runPromise(Scope.provide(LanguageServer.make, scope))
  }, 60_000)
  afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))

  /** Replaces the file by a line for each item, and returns where the item ends in its line. */
  const lines = Effect.fnUntraced(function*(items: ReadonlyArray<string>, before: string, after: string) {
    let text = header
    const offsets = items.map((item, i) => {
      const begin = before.replace("#", String(i))
      const offset = text.length + begin.length + item.length
      text += `${begin}${item}${after}\n`
      return offset
    })
    yield* editor.edit(text)
    return offsets
  })

  /** The signatures of calls that have no documentation. Every call must have a signature, unless `isOptional`. */
  const undocumented = Effect.fnUntraced(function*(calls: ReadonlyArray<string>, isOptional: boolean) {
    const silent: Array<string> = []
    let count = 0
    const offsets = yield* lines(calls.map((call) => `${call}(`), "void ", ")")
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
      const functions = Object.entries(modules).flatMap(([module, exports]) =>
        Object.entries(exports).flatMap(([name, value]) => isFunction(value) ? [`${module}.${name}`] : [])
      )
      // these return a function that is called at once
      const second = [`Model.Class<Player>("x")`, `Model.extend<Player, typeof Player>(Player, "x")`]
      const { count, silent } = yield* undocumented([...functions, ...second], false)
      assert.deepStrictEqual(silent, [])
      assert.isAbove(count, 50)
    }), 60_000)

  it.live(
    "shows documentation at the call of every method of models, handles, topics and locks",
    () =>
      Effect.gen(function*() {
        const fields = [
          ..."title score ratio coins active level joined wait note best bytes badges friends counts board".split(" "),
          "stats.games",
          "stats.$",
          "counts.at(\"a\")",
          "labels.at(\"a\")",
          "flags.at(\"a\")",
          "bigs.at(\"a\")",
          "waits.at(\"a\")",
          "badges.at(0)",
          "badges.length()",
          "friends.size()",
          "score.value()",
          "coins.value()"
        ].map((field) => `player.${field}`)
        const targets = [...fields, "Order", "News", "held"]
        const offsets = yield* lines(targets.map((target) => `${target}.`), "void ", "x")
        const calls: Array<string> = []
        for (const [i, target] of targets.entries()) {
          const members = yield* editor.members(offsets[i]!)
          assert.isAbove(members.length, 0, target)
          calls.push(
            ...members.filter((name) => !inherited.includes(name) && !(target === "Order" && ofSchemas.includes(name)))
              .map((name) => `${target}.${name}`)
          )
        }
        const { count, silent } = yield* undocumented(calls, true)
        assert.deepStrictEqual(silent, [])
        assert.isAbove(count, 250)
      }),
    60_000
  )

  it.live("shows documentation on hover of every export, types and values", () =>
    Effect.gen(function*() {
      const names = Object.keys(modules)
      const silent: Array<string> = []
      const found = new Set<string>()
      const expected = new Set<string>()
      let count = 0
      for (const [before, after] of [["void ", ""], ["type T# = ", ""], ["type T# = ", ".x"]] as const) {
        const offsets = yield* lines(names.map((module) => `${module}.`), before, "x")
        const exports: Array<string> = []
        for (const [i, module] of names.entries()) {
          for (const name of yield* editor.completions(offsets[i]!)) exports.push(`${module}.${name}`)
        }
        const ends = yield* lines(exports, before, after)
        for (const [i, name] of exports.entries()) {
          expected.add(name)
          const { code, documentation } = yield* editor.hover(ends[i]! - 1)
          // a namespace is found only before a point, and everything else only without one
          if (code === "" || code.includes("/*unresolved*/")) continue
          count++
          found.add(name)
          if (documentation.trim() === "") silent.push(`${before}${name}${after}: ${code}`)
        }
      }
      assert.deepStrictEqual(silent, [])
      assert.deepStrictEqual([...expected].filter((name) => !found.has(name)), [])
      assert.isAbove(count, 200)
    }), 60_000)

  /** Typical expressions of a program. A hover on a reference shows all its fields, so it is not among them. */
  const hovers: ReadonlyArray<string> = [
    "player.title",
    "player.score",
    "player.level",
    "player.joined",
    "player.note",
    "player.best",
    "player.badges",
    "player.badges.at(0)",
    "player.friends",
    "player.counts",
    "player.counts.at(\"a\")",
    "player.board.range(0, 10)",
    "player.stats",
    "player.stats.games",
    "player.score.value().times(2)",
    "player.score.increment()",
    "player.counts.at(\"a\").increment()",
    "Condition.and(player.score.gte(10), player.badges.contains(\"a\"))",
    "Atomic.all({ score: player.score.increment(), badges: player.badges.append(\"a\") })",
    "player.badges.append(\"ten\").pipe(Atomic.when(player.score.gte(10)))",
    "Atomic.if(player.score.gte(10), { onTrue: player.score.get(), onFalse: Atomic.succeed(0) })",
    "Atomic.guard(player.score.gte(10), () => new Error(\"no\"))",
    "Atomic.orElse(player.score.decrement(), player.score.set(0))",
    "Atomic.ignoreMissing(player.score.increment())",
    "Atomic.commit(player.score.increment())",
    "Player.get(\"a\")",
    "Player.find(\"a\")",
    "Player.exists(\"a\")",
    "Player.pick(\"a\", [\"score\", \"title\"])",
    "Player.update(\"a\", { score: 1 })",
    "Player.modify(\"a\", (player) => player)",
    "Player.withLock(\"a\", () => Effect.void)",
    "Order.insert({ id: \"a\", total: 1 })",
    "Lock.acquire(\"nightly\")",
    "Lock.acquire(\"picture\", { on: player })",
    "Lock.withLock(\"nightly\", () => Effect.succeed(1))",
    "held",
    "News.publish(\"a\")",
    "News.events()",
    "RedisService.layer()"
  ]

  it.live("shows short types on hover of typical expressions", () =>
    Effect.gen(function*() {
      let text = header
      const ends = hovers.map((expression, i) => {
        const offset = text.length + `const x${i}`.length
        text += `const x${i} = ${expression}\n`
        return offset
      })
      yield* editor.edit(text)
      for (const [i, expression] of hovers.entries()) {
        const { code } = yield* editor.hover(ends[i]!)
        assert.match(code, /^const x\d+: ./, expression)
        assert.notMatch(code, /\bOmit<|\bany\b/, expression)
        assert.isAtMost(code.length, 160, `${expression}: ${code}`)
      }
    }), 60_000)
})
