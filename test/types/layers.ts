/**
 * The options of layers: those of ioredis that a layer takes, and no others.
 */
import { Config, type Layer, type Redacted, Schema } from "effect"
import { type IoRedis, Model, RedisService, type RedisServiceError } from "redlayer"
import { type Equals, holds } from "./equals.ts"

const live = RedisService.layer({
  url: "redis://h",
  tls: {},
  db: 1,
  family: 4,
  protocol: 2,
  connectTimeout: 1,
  username: "u"
})
holds<
  Equals<typeof live, Layer.Layer<RedisService.RedisService | IoRedis.IoRedis, RedisServiceError.RedisServiceError>>
>()

// @ts-expect-error: Sentinel is not supported
RedisService.layer({ sentinels: [{ host: "h" }] })
// @ts-expect-error: it would decide what is sent twice
RedisService.layer({ reconnectOnError: () => true })
// @ts-expect-error
RedisService.layer({ lazyConnect: true })
// @ts-expect-error
RedisService.layer({ stringNumbers: true })
// @ts-expect-error
RedisService.layer({ maxRetriesPerRequest: 20 })
// @ts-expect-error
RedisService.layer({ port: "6379" })

const configured = RedisService.layerConfig({
  url: Config.Redacted("URL"),
  db: 2,
  batch: { programs: Config.Int("N") }
})
holds<
  Equals<
    typeof configured,
    Layer.Layer<RedisService.RedisService | IoRedis.IoRedis, RedisServiceError.RedisServiceError | Config.ConfigError>
  >
>()
declare const wrapped: Config.Wrap<RedisService.LayerOptions>
RedisService.layerConfig(wrapped)
declare const whole: Config.Config<RedisService.LayerOptions>
RedisService.layerConfig(whole)
declare const password: Config.Config<Redacted.Redacted>
RedisService.layerConfig({ password })
// @ts-expect-error: a Config of another type
RedisService.layerConfig({ port: Config.String("PORT") })
// @ts-expect-error
RedisService.layerConfig({ sentinels: Config.succeed([]) })

const Visit = Model.make("TypedVisit", { id: Schema.String, at: Schema.Date.pipe(Model.indexed) }, { key: "id" })
class Session extends Model.Class<Session>("TypedSession")({ id: Schema.String, at: Schema.Date }, {
  key: "id",
  slot: { partitions: 3 },
  indexes: { at: ["at"] }
}) {}
const Plain = Model.make("TypedUnindexed", { id: Schema.String }, { key: "id" })
RedisService.layer({ sweepEvery: { every: "1 hour", models: [Visit, Session] } })
RedisService.layerMemoryWith({ sweepEvery: { every: "1 hour", models: [Visit, Session] } })
RedisService.layerConfig({ sweepEvery: { every: "1 hour", models: [Visit, Session] } })
RedisService.layerConfig({ sweepEvery: { every: Config.Duration("SWEEP"), models: Config.succeed([Visit, Session]) } })
// @ts-expect-error: a model without an index has nothing to sweep
RedisService.layer({ sweepEvery: { every: "1 hour", models: [Plain] } })
// @ts-expect-error: how often?
RedisService.layer({ sweepEvery: { models: [Visit] } })
