/**
 * Takes the items of a queue, one after the other, until it is killed. Each delivery is noted, with the server's time, before the work.
 */
import { Effect, Layer, Schema } from "effect"
import * as PersistedQueue from "effect/persistence/PersistedQueue"
import { Atomic, EffectPersistedQueue, Model, RedisService } from "redlayer"

/** The notes of the workers. They are in a slot of their own, so to note is a program of its own. */
export const Noted = Model.make("QueueNotes", {
  id: Schema.String,
  deliveries: Schema.Array(Schema.String),
  times: Schema.Array(Schema.Date),
  done: Schema.Array(Schema.String)
}, { key: "id" })

export const options: EffectPersistedQueue.Options = {
  lockExpiration: "2 seconds",
  lockRefreshInterval: "200 millis",
  pollInterval: "50 millis"
}

export const queueOf = PersistedQueue.make({ name: "work", schema: Schema.Int, maxAttempts: 1000 })

export const serviceOf = (url: string, nodes: string) =>
  nodes === "" ? RedisService.layer({ url }) : RedisService.layerCluster({ nodes: nodes.split(",") })

export const queueLayer = PersistedQueue.layer.pipe(Layer.provide(EffectPersistedQueue.layer(options)))

const [, file = "", url = "", nodes = ""] = process.argv

const main = Effect.gen(function*() {
  const queue = yield* queueOf
  const { deliveries, done, times } = Noted.ref("all")
  return yield* queue.take((item, { attempts }) =>
    Effect.gen(function*() {
      yield* Atomic.all([deliveries.append(`${item} ${attempts} ${process.pid}`), times.append(Atomic.now)])
      // the work
      yield* Effect.sleep(20 + item % 7 * 10)
      yield* done.append(`${item}`)
    })
  ).pipe(Effect.forever)
})

if (/queueWorker\.\w+$/.test(file)) {
  process.send?.("started")
  Effect.runPromise(Effect.provide(main, Layer.provideMerge(queueLayer, serviceOf(url, nodes)))).catch((error) => {
    console.error(error)
    process.exit(1)
  })
}
