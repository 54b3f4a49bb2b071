/** Versions of entities: reading them, and programs that are guarded by them. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Atomic from "redlayer/Atomic"
import * as Condition from "redlayer/Condition"
import * as Model from "redlayer/Model"
import { RawStore } from "redlayer/testing"
import * as assert from "../assert.ts"
import { concurrently, fails, type Operation, unchanged, wrongType } from "../assertions.ts"
import type { Test } from "../suite.ts"

const Team = Model.make("VersionsTeam", {
  name: Schema.String,
  points: Schema.Int.pipe(Model.withDefault(0)),
  players: Schema.Array(Schema.String).pipe(Model.withDefault([])),
  scores: Schema.Record(Schema.String, Schema.Int).pipe(Model.withDefault({}))
}, { key: "name" })

const hash = (name: string) => `VersionsTeam:{${name}}`

const versionOf = (text: string) => text as Model.Version

export const versions = (test: Test): void => {
  test("each program that writes an entity changes its version, and nothing else does", () =>
    Effect.gen(function*() {
      yield* Team.insertMany([{ name: "a", players: ["x"] }, { name: "b" }])
      const { players, points, scores } = Team.ref("a")
      const writes: ReadonlyArray<Operation> = [
        points.increment(),
        points.set(1),
        players.append("y"),
        players.at(0).set("z"),
        scores.at("k").increment(),
        Atomic.all([points.increment(), players.append("w"), scores.put("l", 2)]),
        Team.update("a", { points: 7 }),
        Team.put({ name: "a" })
      ]
      let version = yield* Team.version("a")
      for (const write of writes) {
        assert.isTrue(yield* Team.atVersion("a", version))
        yield* write
        assert.isFalse(yield* Team.atVersion("a", version))
        const next: Model.Version = yield* Team.version("a")
        assert.strictEqual(BigInt(next), BigInt(version) + 1n)
        version = next
      }
      const others: ReadonlyArray<Operation> = [
        Team.get("a"),
        points.get(),
        players.append([]),
        scores.remove("none"),
        Team.expire("a", "1 hour"),
        Team.persist("a"),
        Team.ref("b").points.increment(),
        Team.version("a")
      ]
      for (const other of others) yield* other
      const refused = Atomic.andThen(points.increment(), Atomic.guard(points.eq(0), () => "no" as const))
      assert.strictEqual(yield* Effect.flip(refused), "no")
      assert.strictEqual(yield* Team.version("a"), version)
      assert.isTrue(yield* Team.atVersion("a", version))
    }))

  test("`getVersioned` returns the entity with its version, and renews and fails as `get` does", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* Team.insert({ name: "a", players: ["x"] })
      const { entity, version } = yield* Team.getVersioned("a")
      assert.deepEqual(entity, yield* Team.get("a"))
      assert.strictEqual(version, yield* Team.version("a"))
      assert.strictEqual(version, yield* raw.hashGet(hash("a"), "$v"))
      yield* fails(Team.getVersioned("none"), "EntityNotFound", { model: "VersionsTeam", id: "none" })
      yield* raw.hashSet(hash("a"), { points: "many" })
      yield* fails(Team.getVersioned("a"), "EntityCorrupted", { field: "points" })
    }))

  test("in a program the version is the one that the writes before it leave", () =>
    Effect.gen(function*() {
      yield* Team.insert({ name: "a" })
      const before = yield* Team.version("a")
      const { players, points } = Team.ref("a")
      const [first, second, third, isOld] = yield* Atomic.all([
        Team.version("a"),
        Atomic.andThen(points.increment(), Team.version("a")),
        Atomic.andThen(players.append("x"), Team.version("a")),
        Team.atVersion("a", before)
      ])
      assert.strictEqual(first, before)
      assert.strictEqual(BigInt(second), BigInt(before) + 1n)
      assert.strictEqual(third, second)
      assert.isFalse(isOld)
      assert.strictEqual(yield* Team.version("a"), second)
      const created = yield* Atomic.andThen(Team.insert({ name: "b" }), Team.version("b"))
      assert.strictEqual(yield* Team.version("b"), created)
    }))

  test("a missing entity has no version: `version` fails, and `atVersion` is false", () =>
    Effect.gen(function*() {
      yield* fails(Team.version("none"), "EntityNotFound", { model: "VersionsTeam", id: "none" })
      assert.isFalse(yield* Team.atVersion("none", versionOf("0")))
      yield* Team.insert({ name: "a" })
      const version = yield* Team.version("a")
      const [, isThere] = yield* Atomic.all([Team.delete("a"), Team.atVersion("a", version)])
      assert.isFalse(isThere)
      yield* fails(Atomic.andThen(Team.delete("a"), Team.version("a")), "EntityNotFound")
      yield* Team.insert({ name: "a" })
      assert.isFalse(yield* Team.atVersion("a", version))
      assert.isAbove(Number(BigInt(yield* Team.version("a")) - BigInt(version)), 0)
      yield* Atomic.andThen(Team.delete("a"), Team.insert({ name: "a" }))
      assert.isFalse(yield* Team.atVersion("a", version))
    }))

  test("versions are exact to 64 bits, and an entity that was stored without a version has version 0", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      for (const version of ["9007199254740993", "9223372036854775807", "-9223372036854775808", "0"]) {
        yield* raw.hashSet(hash("a"), { $v: version, points: "1" })
        assert.strictEqual(yield* Team.version("a"), version)
        assert.strictEqual((yield* Team.getVersioned("a")).version, version)
        assert.isTrue(yield* Team.atVersion("a", versionOf(version)))
        assert.isFalse(yield* Team.atVersion("a", versionOf("9007199254740992")))
      }
      yield* raw.hashDelete(hash("a"), "$v")
      assert.strictEqual(yield* Team.version("a"), "0")
      assert.strictEqual((yield* Team.getVersioned("a")).version, "0")
      assert.isTrue(yield* Team.atVersion("a", versionOf("0")))
      assert.isFalse(yield* Team.atVersion("a", versionOf("1")))
      yield* Atomic.andThen(
        Atomic.guard(Team.atVersion("a", versionOf("0")), () => "no"),
        Team.ref("a").points.increment()
      )
      assert.strictEqual(yield* Team.version("a"), "1")
    }))

  test("a stored version that is no integer can't be read, and is nothing's version", () =>
    Effect.gen(function*() {
      const raw = yield* RawStore
      yield* raw.hashSet(hash("a"), { $v: "new", points: "1" })
      yield* unchanged(Effect.gen(function*() {
        yield* wrongType(Team.version("a"), { model: "VersionsTeam", id: "a", key: hash("a"), field: "" })
        yield* fails(Team.getVersioned("a"), "EntityCorrupted", { field: "$v" })
        assert.isFalse(yield* Team.atVersion("a", versionOf("0")))
      }))
    }))

  test("`atVersion` refuses what is no version", () =>
    Effect.gen(function*() {
      yield* Team.insert({ name: "a" })
      for (const version of ["", "01", "-0", "1.5", " 1", "1e3", "99999999999999999999", 1, 1n, undefined, null]) {
        yield* fails(Team.atVersion("a", version as any), "InvalidValue", { model: "VersionsTeam", id: "a" })
      }
    }))

  test("`atVersion` is a condition as any other", () =>
    Effect.gen(function*() {
      yield* Team.insertMany([{ name: "a" }, { name: "b" }])
      const [a, b] = yield* Atomic.all([Team.version("a"), Team.version("b")])
      const isSame = Condition.and(Team.atVersion("a", a), Team.atVersion("b", b))
      const { points } = Team.ref("a")
      assert.deepEqual(yield* Atomic.when(points.increment(), Condition.not(isSame)), Option.none())
      assert.deepEqual(yield* Atomic.when(points.increment(), isSame), Option.some(1))
      assert.isFalse(yield* isSame)
      assert.strictEqual(yield* Atomic.if(isSame, { onTrue: points.get(), onFalse: Team.ref("b").points.get() }), 0)
    }))

  test("of programs that were computed from the same versions of several entities, one succeeds", () =>
    Effect.gen(function*() {
      yield* Team.insertMany([{ name: "a", points: 30 }, { name: "b" }])
      const attempt = Effect.gen(function*() {
        const [a, b] = yield* Atomic.all([Team.getVersioned("a"), Team.getVersioned("b")])
        const half = Math.floor((a.entity.points - b.entity.points) / 2)
        yield* Effect.yieldNow
        yield* Atomic.all([
          Atomic.guard(
            Condition.and(Team.atVersion("a", a.version), Team.atVersion("b", b.version)),
            () => "changed" as const
          ),
          Team.ref("a").points.set(a.entity.points - half),
          Team.ref("b").points.set(b.entity.points + half),
          Team.ref("b").players.append(String(half))
        ])
      })
      const results = yield* concurrently(Array.from({ length: 10 }, () => Effect.result(attempt)))
      const [succeeded, failed] = [results.filter(Result.isSuccess), results.filter(Result.isFailure)]
      assert.isAtLeast(succeeded.length, 1)
      for (const { failure } of failed) assert.strictEqual(failure, "changed")
      const [a, b] = yield* Atomic.all([Team.get("a"), Team.get("b")])
      assert.deepEqual([a.points, b.points], [15, 15])
      assert.strictEqual(b.players.length, succeeded.length)
    }))
}
