/**
 * One of several processes that try to create the same entities at once: it connects, reports that, starts on a signal, and reports
 * what it has seen.
 */
import { Effect, Schema } from "effect"
import { Model, RedisService } from "redlayer"

export const Shared = Model.make("live/create/Shared", {
  id: Schema.String,
  by: Schema.Int,
  tags: Schema.ReadonlySet(Schema.String),
  counts: Schema.Record(Schema.String, Schema.Int)
}, { key: "id", timeToLive: { duration: "1 hour" } })

/** The report of a process for each entity: whether this process created it, and which process did. */
export type Seen = ReadonlyArray<{ readonly created: boolean; readonly by: number; readonly tags: number }>

const [url = "", me = "", rounds = ""] = process.argv.slice(2)

const entity = (id: string) => ({
  id,
  by: Number(me),
  tags: new Set([`${me}a`, `${me}b`]),
  counts: { [me]: 1 }
})

const tagsOf = (tags: ReadonlySet<string>) => [...tags].every((tag) => tag.length === 2) ? tags.size : -1

/** Each round begins at a time of its own, the same for all. */
const between = 10

const main = Effect.gen(function*() {
  // whatever is made by the first use is made before the race
  yield* Shared.find("none")
  yield* Effect.sync(() => process.send!("connected"))
  const start = yield* Effect.callback<number>((resume) => {
    process.once("message", (time) => resume(Effect.succeed(Number(time))))
  })
  const seen = yield* Effect.forEach(
    Array.from({ length: Number(rounds) }, (_, i) => i),
    (i) =>
      Effect.gen(function*() {
        yield* Effect.sleep(Math.max(0, start + i * between - Date.now()))
        const got = yield* Shared.getOrInsert(entity(`get${i}`))
        const ensured = yield* Shared.ensure(entity(`ensure${i}`))
        const { by, tags } = yield* Shared.get(`ensure${i}`)
        return [
          { created: got.created, by: got.entity.by, tags: tagsOf(got.entity.tags) },
          { created: ensured, by, tags: tagsOf(tags) }
        ]
      })
  )
  yield* Effect.callback<void>((resume) => {
    process.send!(seen.flat() satisfies Seen, () => resume(Effect.void))
  })
})

if (url !== "") {
  Effect.runPromise(Effect.provide(main, RedisService.layer({ url }))).then(
    () => process.disconnect(),
    (error) => {
      console.error(error)
      process.exit(1)
    }
  )
}
