import { assert, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { RedisService } from "redlayer"
import { slotOf } from "../../src/internal/instruction/slot.ts"
import { crc16 } from "../../src/internal/text/crc16.ts"
import { escapeId } from "../../src/internal/text/escape.ts"
import { Problem } from "../../src/internal/text/problem.ts"
import { backends, describeMemory, describeOwnServer, describeRedis, redis, uniquePrefix } from "../support/Backends.ts"
import * as RawRedis from "../support/RawRedis.ts"
import * as RedisServer from "../support/RedisServer.ts"
import * as Differential from "./compareLayers.ts"
import * as Coverage from "./coverage.ts"
import * as Keys from "./keyNames.ts"
import * as Comparisons from "./oracles/comparisonOracle.ts"
import * as Integers from "./oracles/integerOracle.ts"
import * as Numbers from "./oracles/numberOracle.ts"
import * as Paths from "./paths.ts"
import { faults } from "./plantedFaults.ts"
import * as Plan from "./programShape.ts"
import { isRaised, limit, Random, runs, seed } from "./random.ts"
import { operations, popPrograms, storedTexts } from "./randomProgram.ts"
import { runsOfOneShape } from "./shapes.ts"
import * as State from "./storedState.ts"
import * as Undo from "./undo.ts"

const minutes = (n: number) => n * 60_000

/** The server of this run, under a prefix of its own. */
const server = Effect.fnUntraced(function*(name: string, options: RedisService.LayerOptions = {}) {
  const url = redis.url!
  const prefix = uniquePrefix(name)
  const raw = yield* RawRedis.make(url)
  const context = yield* Layer.build(RedisService.layer({ ...options, url, keyPrefix: prefix, deadline: "30 seconds" }))
  const target = State.redis(Context.get(context, RedisService.RedisService), raw, prefix)
  // to look for its keys among those of others takes time
  yield* Effect.addFinalizer(() => target.reset(new Map()))
  return target
})

const errors = [
  ..."EntityNotFound EntityExists UniqueViolation EntityCorrupted IndexOutOfRange InvalidValue WrongType Refused".split(
    " "
  ),
  ..."minimum exclusiveMinimum maximum exclusiveMaximum minLength maxLength minSize maxSize atLeast atMost".split(" ")
    .map((bound) => `OutOfBounds ${bound}`),
  ..."divisionByZero notFinite notWhole outOfRange".split(" ").map((reason) => `ArithmeticError ${reason}`)
]

/** Operations that never succeeded, errors that never came, ways never gone, classes of calls that were never made. */
const missing = (counts: Differential.Counts): ReadonlyArray<string> => [
  ...operations.filter((operation) => (counts.operations.get(operation)?.done ?? 0) === 0),
  ...errors.filter((error) => !counts.errors.has(error)),
  ...[...Plan.ways, ...Coverage.expected].filter((way) => !counts.ways.has(way)),
  ...(["read", "allowOom", "write"] as const).filter((access) => !counts.accesses.has(access))
]

const list = (counts: Iterable<readonly [name: string, count: unknown]>): string =>
  Array.from(counts, ([name, count]) => `${name} ${String(count)}`).sort().join(", ")

const print = ({ accesses, errors, operations, programs, ways }: Differential.Counts): void => {
  const both = Array.from(operations, ([name, { all, done }]) => [name, `${all}/${done}`] as const)
  console.log([
    `seed ${seed}: ${programs} programs`,
    `  operations, in programs / in programs that succeeded: ${list(both)}`,
    `  errors: ${list(errors)}`,
    `  by access: ${list(accesses)}`,
    `  ways: ${list(ways)}`
  ].join("\n"))
}

describeRedis("random programs", () => {
  it.live("random programs return and leave the same on a server and in memory", () =>
    Effect.gen(function*() {
      const { counts, mismatch } = yield* Differential.run(yield* server("differential"), {
        name: "differential",
        programs: runs(5000),
        missing
      })
      print(counts)
      if (mismatch !== undefined) assert.fail(mismatch)
      assert.deepStrictEqual(missing(counts), [])
    }), limit(minutes(5), 5000))

  it.live("random programs take every path of the script", () =>
    Effect.gen(function*() {
      const prefix = uniquePrefix("paths")
      const raw = yield* RawRedis.make(redis.url!)
      const counts = new Map<string, number>()
      const context = yield* Layer.build(
        RedisService.layerTransport({ keyPrefix: prefix, deadline: "30 seconds", batch: { programs: 6 } }).pipe(
          Layer.provide(Paths.layer(raw, counts))
        )
      )
      const target = State.redis(Context.get(context, RedisService.RedisService), raw, prefix)
      yield* Effect.addFinalizer(() => target.reset(new Map()))
      const { mismatch } = yield* Differential.run(target, { name: "paths", programs: runs(2500), twinChance: 0.8 })
      if (mismatch !== undefined) assert.fail(mismatch)
      const cases = ["a", "b", "c", "d"].flatMap((name) => runsOfOneShape(new Random(`shapes/${name}`)))
      const shapes = yield* Differential.separate(target, "shapes", cases)
      if (shapes.mismatch !== undefined) assert.fail(shapes.mismatch)
      assert.isAbove(shapes.failed, 100)
      console.log(`seed ${seed}: programs by path: ${list(counts)}`)
      for (const path of ["fast", "several", "single", "fields", "fastScore", "fieldsScore", "general"]) {
        assert.isAbove(counts.get(path) ?? 0, 10, path)
      }
    }), limit(minutes(2), 2500))

  it.live("programs of one shape agree, whatever is stored for one of them", () =>
    Effect.gen(function*() {
      const cases = Array.from(
        { length: Math.ceil(runs(1000) / 1000) },
        (_, i) => runsOfOneShape(new Random(`shapes/${i}`))
      ).flat()
      const { failed, mismatch, programs } = yield* Differential.separate(yield* server("shapes"), "shapes", cases)
      if (mismatch !== undefined) assert.fail(mismatch)
      assert.isAbove(programs, 1000)
      assert.isAbove(failed, 100)
    }), minutes(3))

  it.live.each([["many in a call", undefined], ["few in a call", 7], ["one in a call", 1]] as const)(
    "give and leave the same when they are committed at once, %s",
    ([name, programs]) =>
      Effect.gen(function*() {
        const target = yield* server("batch", programs === undefined ? {} : { batch: { programs } })
        const { counts, mismatch } = yield* Differential.run(target, { name, programs: 500, worlds: 300, rounds: 1 })
        if (mismatch !== undefined) assert.fail(mismatch)
        assert.isAtLeast(counts.programs, 500)
      }),
    minutes(1)
  )

  it.live("random programs agree whichever member the server picks from a set or a map", () =>
    Effect.gen(function*() {
      const cases = [popPrograms(new Random("taking"))]
      const { failed, mismatch, programs } = yield* Differential.separate(yield* server("taking"), "taking", cases)
      if (mismatch !== undefined) assert.fail(mismatch)
      assert.isAbove(failed, 50)
      assert.isAbove(programs - failed, 50)
    }), minutes(1))

  it.live("random programs agree whatever texts are stored", () =>
    Effect.gen(function*() {
      const cases = storedTexts(new Random("texts"))
      const { mismatch, programs } = yield* Differential.separate(yield* server("texts"), "texts", cases)
      if (mismatch !== undefined) assert.fail(mismatch)
      assert.isAbove(programs, 1000)
    }), minutes(1))
})

/** Faults that only one in some ten thousand programs shows: raised runs look for them too. */
const rare = new Set([
  "operands outlive what failed",
  "a result is loaded as its default",
  "what fails undoes all before it",
  "a read that renews nothing renews"
])

// each run of the suite looks for a third of the others
const third = new Random("faults").int(0, 2)
const sought = faults.filter(([wrong], i) => isRaised || !rare.has(wrong) && i % 3 === third)

// memory agrees with a server, as the programs above show, so it stands for one: what a fault changes is found sooner
describeMemory("random programs", () => {
  it.live.each(sought)(
    "differ when %s",
    ([wrong, fault]) =>
      Effect.gen(function*() {
        let found: string | undefined
        // what only a rare program shows may take more than one sequence of them
        for (let attempt = 1; attempt <= 4 && found === undefined; attempt++) {
          const name = `${wrong} ${attempt}`
          const { mismatch } = yield* Differential.run(State.memory(), { name, programs: 20_000, worlds: 40, fault })
          found = mismatch
        }
        assert.isDefined(found)
      }),
    minutes(4)
  )
})

for (const backend of backends) {
  const target = (name: string) => backend.name === "redis" ? server(name) : Effect.sync(State.memory)

  backend.describe("programs that fail", () => {
    it.live("a failing program leaves nothing behind, wherever it fails", () =>
      Effect.gen(function*() {
        const programs = Math.min(2000, runs(300))
        const { counts, mismatch } = yield* Undo.random(yield* target("undo"), { name: "undo", programs })
        console.log([
          `seed ${seed}, on ${backend.name}: ${counts.programs} failing programs, ${counts.wrote} of which had written`,
          `  at each of eight steps: ${counts.positions.join(" ")}`,
          `  by cause: ${list(counts.causes)}`,
          `  by access: ${list(counts.accesses)}`
        ].join("\n"))
        if (mismatch !== undefined) assert.fail(mismatch)
        assert.isAtLeast(counts.wrote, counts.programs / 2)
      }), minutes(5))

    it.live("a failing program leaves nothing behind, whatever its structure", () =>
      Effect.gen(function*() {
        const programs = Math.min(20_000, runs(2000))
        const { counts, mismatch } = yield* Undo.structured(yield* target("structured"), {
          name: "structured",
          programs
        })
        console.log(
          `seed ${seed}, on ${backend.name}: ${counts.programs} failing programs, ${counts.wrote} of which had written`
        )
        if (mismatch !== undefined) assert.fail(mismatch)
        assert.isAtLeast(counts.wrote, counts.programs / 10)
      }), minutes(5))

    it.live(
      "a failing program leaves nothing behind, with every operation and at each of its instructions",
      () =>
        Effect.gen(function*() {
          const { counts, mismatch } = yield* Undo.everywhere(yield* target("everywhere"), "everywhere")
          console.log([
            `seed ${seed}, on ${backend.name}: ${counts.programs} failing programs, ${counts.wrote} of which had written`,
            `  ${counts.attempts} programs that go on after a part of them has failed`,
            `  ${counts.operations.size} operations; by cause: ${list(counts.causes)}`
          ].join("\n"))
          if (mismatch !== undefined) assert.fail(mismatch)
          assert.strictEqual(counts.operations.size, operations.length)
        }),
      minutes(5)
    )
  })

  backend.describe("conditions", () => {
    it.live("a condition is true exactly if JavaScript says so", () =>
      Effect.gen(function*() {
        const found = yield* Comparisons.run(yield* target("comparisons"), {
          name: "comparisons",
          samples: runs(2000)
        })
        console.log(`seed ${seed}, on ${backend.name}: ${found.true} of ${found.conditions} conditions are true`)
        if (found.mismatch !== undefined) assert.fail(found.mismatch)
        assert.isAbove(found.true, found.conditions / 4)
        assert.isBelow(found.true, 3 * found.conditions / 4)
      }), minutes(5))
  })

  backend.describe("arithmetic", () => {
    it.live("arithmetic keeps every bound of the schema", () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* Numbers.bounds(yield* target("bounds")), [])
      }), minutes(1))

    it.live("arithmetic returns what JavaScript returns, to the last bit", () =>
      Effect.gen(function*() {
        const { counts, mismatch } = yield* Numbers.run(yield* target("numbers"), {
          name: "numbers",
          samples: 5 * runs(4000)
        })
        console.log(`seed ${seed}, on ${backend.name}: ${list(counts)}`)
        if (mismatch !== undefined) assert.fail(mismatch)
        for (const operation of Numbers.operations) {
          for (const field of ["number", "integer"]) {
            assert.isAbove(counts.get(`${field} ${operation} gives a number`) ?? 0, 0)
          }
        }
      }), minutes(5))

    it.live(
      "arithmetic on bigints and times returns what bigints return, to the ends of their ranges",
      () =>
        Effect.gen(function*() {
          const { counts, mismatch } = yield* Integers.run(yield* target("integers"), {
            name: "integers",
            samples: 2 * runs(4000)
          })
          console.log(`seed ${seed}, on ${backend.name}: ${list(counts)}`)
          if (mismatch !== undefined) assert.fail(mismatch)
          for (const operation of Integers.operations) {
            assert.isAbove(counts.get(`${operation} gives a result`) ?? 0, 0)
          }
        }),
      minutes(5)
    )
  })
}

describeMemory("keys", () => {
  it("a key holds any id and gives it back", () => {
    const random = new Random("ids")
    for (let i = 0; i < 20_000; i++) {
      const id = random.unicode(1, 40)
      const escaped = escapeId(id)
      if (escaped instanceof Problem) assert.fail(`${JSON.stringify(id)} is refused: ${escaped.issue}`)
      assert.notMatch(escaped, /[ {}:*?[\]^\\$"'`\u0000-\u001f\u007f]/)
      assert.strictEqual(Keys.unescape(escaped), id)
    }
  })

  it.effect("a key belongs to one entity alone", () =>
    Effect.gen(function*() {
      const random = new Random("keys")
      // what could break out of its place in a name, in all combinations; and anything
      const texts = [
        ...Keys.texts(["a", ":", "{", "}", "%", "25", "%3A", "list", "."], 3),
        ...Array.from({ length: 1000 }, () => random.unicode(1, 12))
      ]
      const owners = new Map<string, string>()
      for (const a of texts) {
        for (const { name, program } of Keys.cases(a, random.pick(texts))) {
          const keys = yield* Keys.keysOf(program)
          assert.strictEqual(keys.length, 3)
          for (const [i, key] of keys.entries()) {
            const owner = `${name} ${i}`
            const other = owners.get(key)
            if (other !== undefined && other !== owner) assert.fail(`${key} is of ${owner}, and of ${other}`)
            owners.set(key, owner)
          }
        }
      }
    }))

  it("keys are in the slots of the cluster specification's examples", () => {
    assert.strictEqual(crc16("123456789"), 0x31c3)
    assert.strictEqual(slotOf("foo"), 12182)
    assert.strictEqual(slotOf("{user1000}.following"), slotOf("user1000"))
    assert.strictEqual(slotOf("foo{}{bar}"), crc16("foo{}{bar}") % 16384)
    assert.strictEqual(slotOf("foo{{bar}}zap"), slotOf("{bar"))
    assert.strictEqual(slotOf("foo{bar}{zap}"), slotOf("bar"))
  })
})

describeOwnServer("keys", () => {
  it.live("keys of an entity share the slot that a server computes", () =>
    Effect.gen(function*() {
      const node = yield* RedisServer.start({ cluster: true })
      const raw = yield* RawRedis.make(node.url)
      const random = new Random("slots")
      const pipeline = raw.client.pipeline()
      const slots: Array<number> = []
      for (let i = 0; i < 500; i++) {
        for (const { name, program, slot } of Keys.cases(random.unicode(1, 12), random.unicode(1, 12))) {
          const keys = yield* Keys.keysOf(program)
          const tag = Keys.tagOf(keys[0]!)
          if ("tag" in slot) {
            assert.deepStrictEqual(tag.split(":").map(Keys.unescape), slot.tag, name)
          } else {
            assert.strictEqual(tag, `p${crc16(escapeId(slot.partitionOf) as string) % Keys.partitions}`, name)
          }
          for (const key of keys) {
            assert.strictEqual(slotOf(key), slotOf(tag), name)
            slots.push(slotOf(key))
            pipeline.call("CLUSTER", "KEYSLOT", key)
          }
        }
      }
      const replies = (yield* Effect.promise(() => pipeline.exec())) ?? []
      assert.deepStrictEqual(replies.map(([error, slot]) => error ?? Number(slot)), slots)
    }), minutes(1))
})
