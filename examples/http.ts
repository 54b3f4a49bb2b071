/**
 * An HTTP API over Effect's own router: visits of a page, counted exactly.
 *
 * `test/docs/examples.test.ts` runs it. To serve it, provide a server, such as `NodeHttpServer.layer` of `@effect/platform-node`.
 */
import { Effect, Layer, Schema } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"
import { Model, type RedisService } from "redlayer"

class Page extends Model.Class<Page>("Page")({
  path: Schema.String,
  visits: Schema.Int.pipe(Model.withDefault(0))
}, { key: "path" }) {}

const pagePath = HttpRouter.schemaPathParams(Schema.Struct({ path: Schema.String }))

/** `PUT /pages/:path` creates a page, if it is missing. */
const create = Effect.gen(function*() {
  const { path } = yield* pagePath
  const created = yield* Page.ensure({ path })
  return HttpServerResponse.empty({ status: created ? 201 : 204 })
})

/** `POST /pages/:path/visits` counts a visit, and returns the number of visits. */
const visit = Effect.gen(function*() {
  const { path } = yield* pagePath
  const visits = yield* Page.ref(path).visits.increment()
  return yield* HttpServerResponse.json({ visits })
}).pipe(
  Effect.catchTags({
    EntityNotFound: () => Effect.succeed(HttpServerResponse.empty({ status: 404 })),
    // 503 asks the client to retry, which is safe because nothing was applied
    RedisServiceError: ({ isRetryable }) =>
      Effect.succeed(HttpServerResponse.empty({ status: isRetryable ? 503 : 500 }))
  })
)

const routes = Layer.mergeAll(
  HttpRouter.add("PUT", "/pages/:path", create),
  HttpRouter.add("POST", "/pages/:path/visits", visit)
)

/** The API over a service, which is built once: `RedisService.layerMemory`, or `RedisService.layerConfig()` for a server. */
export const api = <E>(service: Layer.Layer<RedisService.RedisService, E>) =>
  routes.pipe(HttpRouter.provideRequest(service))
