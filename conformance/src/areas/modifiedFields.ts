/** `Model.modify` writes exactly the fields that changed, for every kind of field. */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as HashSet from "effect/HashSet"
import type * as Model from "redlayer/Model"
import { RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import { changedKeys, equalUnordered, unchanged } from "../assertions.ts"
import type { Test } from "../suite.ts"
import { EveryKind, everyKindKey, noMembers, severalMembers } from "../support/collectionModels.ts"
import { alice, Color, email, Medal, Player } from "../support/entityModels.ts"

const { optBig: _, ...withoutBig } = severalMembers
const { age: __, ...ageless } = alice
const { nick: ___, ...nickless } = alice

/** A change of one or more fields, and the stored fields and keys that it writes. */
const bagChanges: ReadonlyArray<readonly [change: Partial<typeof severalMembers>, ...written: ReadonlyArray<string>]> =
  [
    [{}],
    [{ n: 2 }, "n"],
    [{ ratio: 0.1 + 0.2 }, "ratio"],
    [{ big: -(2n ** 63n) }, "big"],
    [{ date: new Date(2) }, "date"],
    [{ utc: DateTime.makeUnsafe(3) }, "utc"],
    [{ wait: Duration.nanos(5n) }, "wait"],
    [{ list: ["b", "a", "a", "c"] }, ":list"],
    [{ list: ["a", "b", "a", "c", "c"] }, ":list"],
    [{ list: ["a", "b", "a"] }, ":list"],
    [{ list: [] }, ":list"],
    [{ set: new Set(["a", "b", "", "other"]) }, ":set"],
    [{ set: new Set(["a"]) }, ":set"],
    [{ set: new Set() }, ":set"],
    [{ hashSet: HashSet.make(1, 2, 4) }, ":hashSet"],
    [{ hashSet: HashSet.empty() }, ":hashSet"],
    // the same keys and values, but swapped
    [{ record: { a: 2, b: 1, "": 3 } }, ":record"],
    [{ record: { a: 1, c: 2, "": 3 } }, ":record"],
    [{ record: {} }, ":record"],
    [{ map: new Map([[new Date(1), "b"], [new Date(2), "a"]]) }, ":map"],
    [{ map: new Map([[new Date(3), "a"], [new Date(2), "b"]]) }, ":map"],
    [{ hashMap: HashMap.make([1, false], [2, true], [3, true]) }, ":hashMap"],
    [{ hashMap: HashMap.make([1, true]) }, ":hashMap"],
    [{
      sorted: [{ member: "a", score: -Infinity }, { member: "b", score: 1 }, { member: "c", score: 1 }]
    }, ":sorted"],
    [{ sorted: [{ member: "c", score: -Infinity }] }, ":sorted"],
    [{ sorted: [] }, ":sorted"],
    [{ nested: { ...severalMembers.nested, set: new Set([{ x: 1, y: 3 }, { x: 2 }]) } }, ":nested.set"],
    [{ nested: { ...severalMembers.nested, bigs: { b: 1n, a: -(2n ** 63n) } } }, ":nested.bigs"],
    [{ nested: { ...severalMembers.nested, waits: {}, sorted: [] } }, ":nested.sorted", ":nested.waits"],
    [{ optInt: 2 }, "optInt"],
    [{ optInt: undefined as any }, "optInt"],
    [{ optDate: undefined as any, n: 7, list: ["x"] }, ":list", "n", "optDate"],
    [{ nullInt: null }, "nullInt"],
    [{ nullText: "" }, "nullText"]
  ]

const playerChanges: ReadonlyArray<readonly [change: Partial<typeof Player.Type>, ...written: ReadonlyArray<string>]> =
  [
    [{}],
    [{ title: "" }, "title"],
    [{ level: 0 }, "level"],
    [{ ratio: NaN }, "ratio"],
    [{ active: false }, "active"],
    [{ role: "user" }, "role"],
    [{ color: Color.Red }, "color"],
    [{ email: email("b@example.org") }, "email"],
    [{ avatar: new Uint8Array([1]) }, "avatar"],
    [{ tags: ["", "x", "x"] }, ":tags"],
    [{ scores: [1.5, -2] }, ":scores"],
    [{ medals: [new Medal({ name: "gold", points: 4 })] }, ":medals"],
    // in a class or a nested struct, only the leaf that changed is written
    [{ best: new Medal({ name: "silver", points: 3 }) }, "best.points"],
    [{ home: { ...alice.home, geo: { ...alice.home.geo, lon: 7 } } }, "home.geo.lon"],
    [{ home: { ...alice.home, geo: { ...alice.home.geo, names: ["Berne"] } } }, ":home.geo.names"],
    [{ pair: ["p", 2] }, "pair"],
    [{ choice: 1 }, "choice"],
    [{ choice: { a: true } }, "choice"],
    [{ bag: { one: 2, two: 1 } }, ":bag"],
    [{ note: "" }, "note"],
    [{ age: undefined }, "age"],
    [{ extra: { x: 2 } }, "extra"],
    [{ blob: { a: 1, b: [2, 1] } }, "blob"]
  ]

/** Without keys whose value is undefined, because these keys are absent. */
const withoutUndefined = (entity: object): object =>
  Object.fromEntries(Object.entries(entity).filter(([, value]) => value !== undefined))

export const modifiedFields = (test: Test): void => {
  test("equal values are not written, however they are built", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* EveryKind.insert(severalMembers)
      yield* EveryKind.insert({ ...noMembers, id: "bare" })
      const reversed = <A>(values: Iterable<A>) => [...values].reverse()
      yield* unchanged(Effect.gen(function*() {
        equalUnordered(yield* EveryKind.modify("b", (bag) => bag), severalMembers)
        equalUnordered(yield* EveryKind.modify("b", (bag) => Effect.succeed({ ...bag })), severalMembers)
        equalUnordered(yield* EveryKind.modify("b", () => severalMembers), severalMembers)
        equalUnordered(yield* EveryKind.modify("bare", (bag) => ({ ...bag, n: 1 })), { ...noMembers, id: "bare" })
        const built = yield* EveryKind.modify("b", (bag) => ({
          ...bag,
          date: new Date(bag.date),
          list: [...bag.list],
          set: new Set(reversed(bag.set)),
          hashSet: HashSet.fromIterable(reversed(bag.hashSet)),
          record: Object.fromEntries(reversed(Object.entries(bag.record))),
          map: new Map(reversed(bag.map)),
          hashMap: HashMap.fromIterable(reversed(bag.hashMap)),
          sorted: reversed(bag.sorted),
          nested: {
            ...bag.nested,
            // one member, given by two equal objects
            set: new Set([{ y: 3, x: 2 }, { x: 1 }, { x: 1 }]),
            waits: { b: Duration.nanos(1n), a: Duration.millis(1000) }
          }
        }))
        assert.strictEqual(built.nested.set.size, 3)
      }))
      yield* EveryKind.update("b", { ratio: 0 })
      yield* unchanged(EveryKind.modify("b", (bag) => ({ ...bag, ratio: -0 })))
      // nothing is written, so no conflict is possible, even if the entity was deleted meanwhile
      const gone = yield* EveryKind.modify("b", (bag) => Effect.as(raw.delete(everyKindKey), bag))
      assert.strictEqual(gone.n, 1)
    }))

  test("changes that `f` makes in place are written too", () =>
    Effect.gen(function*() {
      yield* EveryKind.insert(severalMembers)
      yield* Player.insert(alice)
      const bag = yield* EveryKind.modify("b", (bag) => {
        bag.date.setTime(5)
        return bag
      })
      equalUnordered(bag, { ...severalMembers, date: new Date(5) })
      equalUnordered(yield* EveryKind.get("b"), bag)
      const paint = (player: Player) =>
        Effect.sync(() => {
          player.avatar[0]!++
          return player
        })
      const painted = yield* Player.modify("alice", paint)
      assert.strictEqual(painted.avatar[0], alice.avatar[0]! + 1)
      assert.deepEqual(yield* Player.get("alice"), painted)
      yield* Player.withLock("alice", paint)
      assert.strictEqual((yield* Player.get("alice")).avatar[0], alice.avatar[0]! + 2)
    }))

  test("for every kind of field only the changes are written, and the version grows by one", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      const check = Effect.fnUntraced(function*(
        model: Model.Any,
        before: { readonly id?: string; readonly name?: string },
        change: object,
        written: ReadonlyArray<string>
      ) {
        const id = before.id ?? before.name
        const title = JSON.stringify(written)
        yield* model.put(before)
        const stored = yield* raw.dump
        const next = model === EveryKind ? withoutUndefined({ ...before, ...change }) : { ...before, ...change }
        const given = yield* model.modify(id, () => next)
        equalUnordered(withoutUndefined(given), withoutUndefined(next), title)
        equalUnordered(withoutUndefined(yield* model.get(id)), withoutUndefined(next), title)
        const after = yield* raw.dump
        assert.deepEqual(
          changedKeys(stored, after),
          (written.length === 0 ? [] : [...written, "$v"]).sort(),
          title
        )
        const key = Object.keys(stored).find((key) => key.endsWith("}"))!
        const versions = [stored, after].map((dump) => BigInt((dump[key].content as { readonly $v: string }).$v))
        assert.strictEqual(versions[1]! - versions[0]!, written.length === 0 ? 0n : 1n, title)
        // and the change is reverted
        equalUnordered(withoutUndefined(yield* model.modify(id, () => before)), withoutUndefined(before), title)
        assert.deepEqual(changedKeys(stored, yield* raw.dump), written.length === 0 ? [] : ["$v"], title)
      })
      for (const [change, ...written] of bagChanges) yield* check(EveryKind, severalMembers, change, written)
      yield* check(EveryKind, withoutBig, { optBig: 5n }, ["optBig"])
      yield* check(
        EveryKind,
        noMembers,
        severalMembers,
        Object.entries(severalMembers).flatMap(([name, value]) =>
          name === "id" || (noMembers as Record<string, unknown>)[name] === value ? [] : [name]
        ).flatMap((name) =>
          name === "nested"
            ? ["set", "bigs", "waits", "sorted"].map((part) => `:nested.${part}`)
            : /^(list|.*set|record|.*map|sorted)$/i.test(name)
            ? [`:${name}`]
            : [name]
        )
      )
      yield* EveryKind.delete("b")
      for (const [change, ...written] of playerChanges) yield* check(Player, alice, change, written)
      yield* check(Player, ageless, { age: 0 }, ["age"])
      yield* check(Player, nickless, { nick: "" }, ["nick"])
    }))

  test("a modify writes a stored value that is spelled in another way as the library spells it, also if it changes nothing", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      const others = {
        leaf: raw.hashSet(everyKindKey, { ratio: "1.50" }),
        member: Effect.andThen(
          raw.delete(`${everyKindKey}:nested.set`),
          raw.setAdd(`${everyKindKey}:nested.set`, "{\"y\":3,\"x\":2}")
        ),
        score: Effect.andThen(
          raw.delete(`${everyKindKey}:nested.sorted`),
          raw.sortedAdd(`${everyKindKey}:nested.sorted`, "[1, \"a\"]", "1")
        ),
        value: raw.hashSet(`${everyKindKey}:nested.waits`, { a: "1000000000" })
      }
      yield* EveryKind.insert(severalMembers)
      for (const store of Object.values(others)) yield* store
      const before = yield* raw.dump
      const read = yield* EveryKind.get("b")
      // the server compares texts
      const { set } = EveryKind.ref("b").nested
      assert.isFalse(yield* set.has({ x: 2, y: 3 }))
      yield* EveryKind.modify("b", (bag) => bag)
      const after = yield* raw.dump
      assert.deepEqual(changedKeys(before, after), ["$v", ":nested.set", ":nested.sorted", "ratio"].sort())
      assert.deepEqual(after[`${everyKindKey}:nested.set`]!.content, ["{\"x\":2,\"y\":3}"])
      assert.deepEqual(after[`${everyKindKey}:nested.sorted`]!.content, ["[1,\"a\"]", "1"])
      assert.strictEqual(yield* raw.hashGet(everyKindKey, "ratio"), "1.5")
      equalUnordered(yield* EveryKind.get("b"), read)
      assert.isTrue(yield* set.has({ x: 2, y: 3 }))
      // now nothing is left to write
      yield* unchanged(EveryKind.modify("b", (bag) => bag))
    }))

  test("a modify that changes nothing keeps what newer code added to a JSON value", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* EveryKind.insert(severalMembers)
      yield* raw.delete(`${everyKindKey}:nested.set`)
      yield* raw.setAdd(`${everyKindKey}:nested.set`, "{\"x\":2,\"added\":true}", "{\"x\": 3}")
      yield* EveryKind.modify("b", (bag) => ({ ...bag, n: bag.n + 1 }))
      assert.deepEqual(yield* raw.setRead(`${everyKindKey}:nested.set`), ["{\"x\": 3}", "{\"x\":2,\"added\":true}"])
    }))
}
