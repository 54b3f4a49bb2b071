/**
 * Serves a web handler, such as that of `HttpRouter.toWebHandler`, with Node's own server. `NodeHttpServer` of `@effect/platform-node`
 * does this too.
 */
import { Effect } from "effect"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
import type { ReadableStream } from "node:stream/web"

type Handler = (request: Request) => Promise<Response>

const answer = async (handler: Handler, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
  const { method = "GET", url = "/" } = incoming
  const hasBody = method !== "GET" && method !== "HEAD"
  const response = await handler(
    new Request(`http://localhost${url}`, {
      method,
      headers: Object.entries(incoming.headersDistinct).flatMap(([name, values]) =>
        (values ?? []).map((value): [string, string] => [name, value])
      ),
      ...(hasBody ? { body: Readable.toWeb(incoming) as ReadableStream, duplex: "half" } : undefined)
    } as RequestInit)
  )
  outgoing.writeHead(response.status, Object.fromEntries(response.headers))
  if (response.body === null) {
    outgoing.end()
  } else {
    // a stream begins before its first bytes, and is cancelled when the client has gone
    outgoing.flushHeaders()
    await pipeline(Readable.fromWeb(response.body as ReadableStream), outgoing)
  }
}

/** Listens until the scope closes, which waits for the requests in flight. */
export const listen = (handler: Handler, port: number) =>
  Effect.acquireRelease(
    Effect.callback<Server, Error>((resume) => {
      const server = createServer((incoming, outgoing) => {
        // after `close` a client could go on over the connection that it has
        outgoing.once("close", () => server.listening || server.closeIdleConnections())
        answer(handler, incoming, outgoing).catch(() => {
          if (outgoing.headersSent) outgoing.destroy()
          else outgoing.writeHead(500).end()
        })
      })
      server.once("error", (error) => resume(Effect.fail(error)))
      server.listen(port, () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.callback<void>((resume) => void server.close(() => resume(Effect.void)))
  )
