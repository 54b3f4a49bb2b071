/** Structs with a default: they stay stored field by field, and what is missing of them reads as the default. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Model from "redlayer/Model"
import { RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import { stored } from "../assertions.ts"
import type { Test } from "../suite.ts"

class Point extends Schema.Class<Point>("Point")({ x: Schema.Int, y: Schema.Int }) {}

const Account = Model.make("DefaultedStruct", {
  id: Schema.String,
  purse: Schema.Struct({
    coins: Schema.Int,
    gems: Schema.Int.pipe(Model.withDefault(1)),
    nick: Schema.optionalKey(Schema.String),
    tags: Schema.Array(Schema.String),
    deep: Schema.Struct({ level: Schema.Int })
  }).pipe(Model.withDefault({ coins: 5, nick: "new", tags: ["made"], deep: { level: 3 } })),
  at: Point.pipe(Model.withDefault(new Point({ x: 1, y: 2 })))
}, { key: "id" })

const key = "DefaultedStruct:{a}"

const made = {
  id: "a",
  purse: { coins: 5, gems: 1, nick: "new", tags: ["made"], deep: { level: 3 } },
  at: new Point({ x: 1, y: 2 })
}

export const structDefaults = (test: Test): void => {
  test("a struct with a default is stored field by field, and its fields have handles", () =>
    Effect.gen(function*() {
      const account = yield* Account.insert({ id: "a" })
      assert.deepEqual(account, made)
      assert.isTrue(account.at instanceof Point)
      assert.deepEqual(yield* stored, {
        [key]: {
          "purse.coins": "5",
          "purse.gems": "1",
          "purse.nick": "new",
          "purse.deep.level": "3",
          "at.x": "1",
          "at.y": "2"
        },
        [`${key}:purse.tags`]: ["made"]
      })
      const { at, purse } = Account.ref("a")
      assert.strictEqual(yield* purse.coins.increment(), 6)
      assert.strictEqual(yield* purse.deep.level.decrement(), 2)
      assert.strictEqual(yield* purse.tags.append("more"), 2)
      assert.deepEqual(yield* at.$.get(), new Point({ x: 1, y: 2 }))
      yield* at.$.set(new Point({ x: 3, y: 4 }))
      yield* Account.update("a", { purse: { gems: 7 } })
      assert.deepEqual(yield* Account.get("a"), {
        id: "a",
        purse: { coins: 6, gems: 7, nick: "new", tags: ["made", "more"], deep: { level: 2 } },
        at: new Point({ x: 3, y: 4 })
      })
    }))

  test("a struct that an entity was stored without reads as its default, but for its optional fields and collections", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* raw.hashSet(key, { $v: "1" })
      const { purse } = Account.ref("a")
      assert.deepEqual(yield* Account.get("a"), {
        ...made,
        purse: { coins: 5, gems: 1, tags: [], deep: { level: 3 } }
      })
      assert.deepEqual(yield* purse.nick.get(), Option.none())
      assert.isTrue(yield* purse.coins.eq(5))
      assert.strictEqual(yield* purse.coins.increment(), 6)
      assert.strictEqual(yield* purse.deep.level.increment(), 4)
    }))

  test("a default of a struct that its schema refuses throws when the model is made", () =>
    Effect.sync(() => {
      assert.throws(
        () =>
          Model.make("RefusedStructDefault", {
            id: Schema.String,
            st: Schema.Struct({ few: Schema.Int.check(Schema.isLessThan(3)) }).pipe(Model.withDefault({ few: 9 }))
          }, { key: "id" }).ref("a"),
        /st\.few.*its default is invalid/
      )
    }))
}
