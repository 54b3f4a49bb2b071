// Link shortener: a thousand clicks at once are counted exactly.
import { Console, Effect, Schema } from "effect"
import { Atomic, Model, RedisService } from "redlayer"

const Link = Model.make("Link", {
  code: Schema.String,
  url: Schema.String,
  clicks: Schema.Int.pipe(Model.withDefault(0)),
  recent: Schema.Array(Schema.String).pipe(Model.withDefault([]))
}, { key: "code" })

// one program, and one round trip: the count, and the last three who clicked
const click = (code: string, visitor: string) => {
  const link = Link.ref(code)
  return Atomic.all({
    clicks: link.clicks.increment(),
    recent: link.recent.append(visitor, { keep: 3 })
  })
}

const program = Effect.gen(function*() {
  yield* Link.insert({ code: "docs", url: "https://effect.website" })
  const visitors = Array.from({ length: 1000 }, (_, i) => `visitor ${i + 1}`)
  yield* Effect.forEach(visitors, (visitor) => click("docs", visitor), { concurrency: "unbounded" })
  const { clicks, recent } = yield* Link.get("docs")
  yield* Console.log(`${clicks} clicks`)
  yield* Console.log("the last ones:", recent)

  // an operation on a field never creates an entity
  yield* click("nosuch", "alice").pipe(
    Effect.catchTag("EntityNotFound", (error) => Console.log(`404: ${error.model} ${error.id}`))
  )
})

await Effect.runPromise(program.pipe(Effect.provide(RedisService.layerMemory)))
