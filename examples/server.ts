/**
 * An HTTP server over the sessions of session.ts, with Effect's router, and a graceful shutdown: after SIGTERM new connections are
 * refused, requests in flight are answered, then the connection to Redis is closed, and the process ends.
 *
 * Run it with Node: it takes `PORT`, and the place of its sessions from environment.ts. `test/docs/apps.test.ts` runs it in a process of
 * its own.
 */
import { Effect, Layer, Schema } from "effect"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { randomUUID } from "node:crypto"
import type { AddressInfo } from "node:net"
import { fileURLToPath } from "node:url"
import type { RedisService } from "redlayer"
import { placeOf } from "./environment.ts"
import { listen } from "./listen.ts"
import * as Session from "./session.ts"

const userPath = HttpRouter.schemaPathParams(Schema.Struct({ user: Schema.String }))
const sessionPath = HttpRouter.schemaPathParams(Schema.Struct({ user: Schema.String, token: Schema.String }))

/** `POST /users/:user/sessions` logs in. A real one checks a password, which is its body here. */
const logIn = Effect.gen(function*() {
  const { user } = yield* userPath
  const password = yield* HttpServerRequest.schemaBodyJson(Schema.Struct({ password: Schema.String }))
  if (password.password !== "secret") return HttpServerResponse.empty({ status: 401 })
  const token = randomUUID()
  yield* Session.start(user, token)
  return yield* HttpServerResponse.json({ token })
})

/** `GET /users/:user/sessions/:token` authenticates. */
const authenticate = Effect.gen(function*() {
  const { token, user } = yield* sessionPath
  const requests = yield* Session.authenticate(user, token)
  return yield* HttpServerResponse.json({ requests })
}).pipe(Effect.catchTag("SessionExpired", () => Effect.succeed(HttpServerResponse.empty({ status: 401 }))))

/** `DELETE /users/:user/sessions` logs out everywhere. */
const logOut = Effect.gen(function*() {
  const { user } = yield* userPath
  return yield* HttpServerResponse.json({ ended: yield* Session.endAll(user) })
})

const routes = Layer.mergeAll(
  HttpRouter.add("POST", "/users/:user/sessions", logIn),
  HttpRouter.add("GET", "/users/:user/sessions/:token", authenticate),
  HttpRouter.add("DELETE", "/users/:user/sessions", logOut)
)

/** The API over a service, which is built once. */
export const api = <E>(service: Layer.Layer<RedisService.RedisService, E>) =>
  routes.pipe(HttpRouter.provideRequest(service))

const main = Effect.gen(function*() {
  const { handler } = yield* Effect.acquireRelease(
    Effect.sync(() => HttpRouter.toWebHandler(api(placeOf(process.env).layer), { disableLogger: true })),
    ({ dispose }) => Effect.promise(dispose)
  )
  const server = yield* listen((request) => handler(request), Number(process.env.PORT ?? 3000))
  process.send?.({ port: (server.address() as AddressInfo).port })
  return yield* Effect.never
}).pipe(Effect.scoped)

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const fiber = Effect.runFork(main)
  process.once("SIGTERM", () => {
    // lets the process end, if it was started with a channel to its parent
    if (process.connected) process.disconnect()
    fiber.interruptUnsafe()
  })
}
