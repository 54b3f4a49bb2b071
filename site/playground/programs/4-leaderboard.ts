// Leaderboard: an index, which every write keeps, ranks the players.
import { Console, Effect, Option, Schema } from "effect"
import { Atomic, Model, RedisService } from "redlayer"

const Player = Model.make("Player", {
  name: Schema.String,
  score: Schema.Int.pipe(Model.indexed)
}, { key: "name" })

// the new score and the new rank, in one round trip
const win = (name: string, points: number) =>
  Atomic.all({
    score: Player.ref(name).score.increment(points),
    rank: Player.rank(name, "score")
  })

const show = Effect.gen(function*() {
  for (const { name, score } of yield* Player.top("score", 3)) {
    yield* Console.log(`  ${name.padEnd(6)} ${score}`)
  }
})

const program = Effect.gen(function*() {
  yield* Player.insertMany([
    { name: "ann", score: 30 },
    { name: "bob", score: 20 },
    { name: "carol", score: 20 },
    { name: "dave", score: 10 }
  ])
  yield* show
  const { rank, score } = yield* win("dave", 15)
  yield* Console.log(`dave has ${score}, and is number ${Option.getOrThrow(rank)}`)
  yield* show
})

await Effect.runPromise(program.pipe(Effect.provide(RedisService.layerMemory)))
