/**
 * Many entities in a process with little memory: it says how long each part took, and how much memory it had.
 */
import { Effect, Result, Schema, Stream } from "effect"
import { Model, RedisService } from "redlayer"

const Player = Model.make("live/bulk/Player", {
  id: Schema.String,
  name: Schema.String,
  email: Schema.String,
  level: Schema.Int,
  ratio: Schema.Number,
  active: Schema.Boolean,
  born: Schema.Date,
  role: Schema.Literals(["user", "admin"]),
  tags: Schema.ReadonlySet(Schema.String)
}, { key: "id" })

export interface Report {
  readonly part: string
  readonly done: number
  readonly good: number
  readonly millis: number
  /** of the heap, in MB, as it was used at most */
  readonly heap: number
}

const [where = "", count = ""] = process.argv.slice(2)
const total = Number(count)

function* ids(): Iterable<string> {
  for (let i = 0; i < total; i++) yield `player-${i}`
}

function* players() {
  let level = 0
  for (const id of ids()) {
    level++
    yield {
      id,
      name: `The name of ${id}`,
      email: `${id}@example.org`,
      level,
      ratio: level / 7,
      active: level % 2 === 0,
      born: new Date(level * 1000),
      role: level % 3 === 0 ? "admin" as const : "user" as const,
      tags: new Set([`tag${level % 10}`, "all"])
    }
  }
}

let heap = 0
const look = () => {
  heap = Math.max(heap, process.memoryUsage().heapUsed)
}

const report = <E, R>(part: string, self: Effect.Effect<{ readonly done: number; readonly good: number }, E, R>) =>
  Effect.gen(function*() {
    heap = 0
    const start = performance.now()
    const { done, good } = yield* self
    look()
    const message: Report = {
      part,
      done,
      good,
      millis: Math.round(performance.now() - start),
      heap: Math.round(heap / 2 ** 20)
    }
    yield* Effect.sync(() => process.send!(message))
  })

type Results = ReadonlyArray<Result.Result<unknown, unknown>>

const isGood = (result: Result.Result<unknown, unknown>) => Result.isSuccess(result) && result.success !== false

const whole = <E, R>(self: Effect.Effect<Results, E, R>) =>
  Effect.map(self, (results) => ({ done: results.length, good: results.filter(isGood).length }))

const streamed = <E, R>(self: Stream.Stream<Results[number], E, R>) =>
  Effect.suspend(() => {
    const seen = { done: 0, good: 0 }
    return Effect.as(
      Stream.runForEach(self, (result) =>
        Effect.sync(() => {
          seen.done++
          if (isGood(result)) seen.good++
        })),
      seen
    )
  })

const main = Effect.gen(function*() {
  const options = { onProgress: () => Effect.sync(look) }
  yield* report("insertMany", whole(Player.insertMany(players(), options)))
  yield* report("getMany", whole(Player.getMany(ids(), options)))
  yield* report("getManyStream", streamed(Player.getManyStream(Stream.fromIterable(ids()), options)))
  yield* report("deleteMany", whole(Player.deleteMany(ids(), options)))
  yield* report("insertManyStream", streamed(Player.insertManyStream(Stream.fromIterable(players()), options)))
  yield* report("getManyStream again", streamed(Player.getManyStream(ids(), options)))
  yield* report("deleteManyStream", streamed(Player.deleteManyStream(Stream.fromIterable(ids()), options)))
})

const layer = where === "memory" ? RedisService.layerMemory : RedisService.layer({ url: where })

Effect.runPromise(Effect.provide(main, layer)).then(
  () => process.disconnect(),
  (error) => {
    console.error(error)
    process.exit(1)
  }
)
