/** Collections expire with their entity, whether they are created later or exist already. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Atomic from "redlayer/Atomic"
import type * as Model from "redlayer/Model"
import { RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import type { Operation } from "../assertions.ts"
import type { Backend, Test } from "../suite.ts"
import { keysOf, minutes, timeOf } from "../support/time.ts"
import {
  Accessed,
  type AnyModel,
  Fixed,
  hour,
  Immortal,
  keyOf,
  keysFor,
  lifeOf,
  models,
  renewedHour,
  withCollections,
  withoutCollections,
  Written
} from "../support/timeToLiveModels.ts"

type Ref = Model.Ref<AnyModel>

/** Every operation that creates a collection which was empty. */
const creatingOperations: { readonly [name: string]: (ref: Ref, model: AnyModel, id: string) => Operation } = {
  "list.append": ({ list }) => list.append("x"),
  "list.append, with keep": ({ list }) => list.append(["x", "y"], { keep: 1 }),
  "list.prepend": ({ list }) => list.prepend("x"),
  "list.insert": ({ list }) => list.insert(0, "x"),
  "list.set": ({ list }) => list.set(["x"]),
  "set.add": ({ set }) => set.add(["x", "y"]),
  "set.set": ({ set }) => set.set(new Set(["x"])),
  "map.put": ({ map }) => map.put("x", 1),
  "map.putAll": ({ map }) => map.putAll({ x: 1 }),
  "map.set": ({ map }) => map.set({ x: 1 }),
  "map.at.set": ({ map }) => map.at("x").set(1),
  "map.at.setIfAbsent": ({ map }) => map.at("x").setIfAbsent(1),
  "map.at.getAndSet": ({ map }) => map.at("x").getAndSet(1),
  "map.at.increment": ({ map }) => map.at("x").increment(),
  "sorted.add": ({ sorted }) => sorted.add("x", 1),
  "sorted.addAll": ({ sorted }) => sorted.addAll([{ member: "x", score: 1 }]),
  "sorted.increment": ({ sorted }) => sorted.increment("x"),
  "sorted.set": ({ sorted }) => sorted.set([{ member: "x", score: 1 }]),
  "home.tags.append": ({ home }) => home.tags.append("x"),
  "home.$.set": ({ home }) => home.$.set({ city: "Basel", tags: ["x"] }),
  update: (_, model, id) => model.update(id, { list: ["x"], set: new Set(["x"]), home: { tags: ["x"] } }),
  put: (_, model, id) => model.put(withCollections(id))
}

export const timeToLiveCollections = (live: Test, backend: Backend): void => {
  const { expires, pass, test } = timeOf(live, backend)

  for (const [name, appear] of Object.entries(creatingOperations)) {
    test(`a new collection expires with its entity: ${name}`, () =>
      Effect.gen(function*() {
        const raw = yield* RawStore
        /** Asserts that all keys expire with the hash, including the new collection. */
        const check = (model: AnyModel, id: string, millis: number | undefined) =>
          Effect.gen(function*() {
            const keys = Object.keys(keysOf(yield* raw.dump, keyOf(model, id)))
            assert.isAbove(keys.length, 1)
            yield* expires(keys, millis)
          })
        const doing = (model: AnyModel, id: string) => appear(model.ref(id), model, id)
        yield* Fixed.insert(withoutCollections("x"))
        yield* pass(minutes(20))
        const before = yield* raw.expiresAt(keyOf(Fixed, "x"))
        yield* doing(Fixed, "x")
        yield* check(Fixed, "x", minutes(40))
        assert.strictEqual(yield* raw.expiresAt(keyOf(Fixed, "x")), before)
        for (const model of [Written, Accessed]) {
          yield* model.insert(withoutCollections("renewed"))
          yield* pass(minutes(20))
          yield* doing(model, "renewed")
          yield* check(model, "renewed", renewedHour)
        }
        // the same for a model without a time to live
        yield* Immortal.insert(withoutCollections("stays"))
        yield* doing(Immortal, "stays")
        yield* check(Immortal, "stays", undefined)
        yield* Immortal.insert(withoutCollections("said"), { timeToLive: "10 minutes" })
        yield* doing(Immortal, "said")
        yield* check(Immortal, "said", minutes(10))
        yield* Immortal.insert(withoutCollections("by-hand"))
        yield* Immortal.expire("by-hand", "10 minutes")
        const at = Option.getOrThrow(Option.fromUndefinedOr(yield* raw.expiresAt(keyOf(Immortal, "by-hand"))))
        yield* raw.expireAt(keyOf(Immortal, "by-hand"), at - minutes(5))
        yield* doing(Immortal, "by-hand")
        yield* check(Immortal, "by-hand", minutes(5))
        // in programs, before and after the expiry changes
        yield* Immortal.insert(withoutCollections("before"))
        yield* Atomic.all([doing(Immortal, "before"), Immortal.expire("before", "10 minutes")])
        yield* check(Immortal, "before", minutes(10))
        yield* Immortal.insert(withoutCollections("after"))
        yield* Atomic.all([Immortal.expire("after", "10 minutes"), doing(Immortal, "after")])
        yield* check(Immortal, "after", minutes(10))
        yield* Fixed.insert(withoutCollections("persists"))
        yield* Atomic.all([Fixed.persist("persists"), doing(Fixed, "persists")])
        yield* check(Fixed, "persists", undefined)
        yield* Atomic.all([Fixed.insert(withoutCollections("born")), doing(Fixed, "born")])
        yield* check(Fixed, "born", hour)
        // the collections are emptied and filled again, in one program and in two
        const { list, map, set, sorted } = Fixed.ref("refilled")
        const empty = Atomic.all([
          list.clear(),
          map.clear(),
          set.clear(),
          sorted.clear(),
          Fixed.ref("refilled").home.tags.clear()
        ])
        yield* Fixed.insert(withCollections("refilled"), { timeToLive: "10 minutes" })
        yield* Atomic.all([empty, doing(Fixed, "refilled")])
        yield* check(Fixed, "refilled", minutes(10))
        yield* empty
        yield* expires([keyOf(Fixed, "refilled")], minutes(10))
        yield* doing(Fixed, "refilled")
        yield* check(Fixed, "refilled", minutes(10))
      }))
  }

  test("leftover keys under the name of a new entity are removed or expire with it", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      const soon = (yield* Clock.currentTimeMillis) + minutes(30)
      for (const model of models) {
        for (const id of ["stays", "expires"]) {
          const key = `${keyOf(model, id)}:list`
          yield* raw.listPush(key, "old")
          if (id === "expires") yield* raw.expireAt(key, soon)
          yield* model.insert(withCollections(id))
          yield* expires(keysFor(model, id), lifeOf(model))
          assert.deepEqual(yield* raw.listRead(key), ["a", "b"])
          yield* model.delete(id)
          yield* raw.listPush(key, "old")
          yield* model.put(withoutCollections(id))
          yield* expires([keyOf(model, id)], lifeOf(model))
        }
      }
    }))
}
