/** Serves a folder of files, as a host of static sites does: `/` is `index.html`, and a missing file is a 404. */
import { Effect, type Scope } from "effect"
import { once } from "node:events"
import { readFile } from "node:fs/promises"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { extname, join, normalize, sep } from "node:path"

const types: ReadonlyMap<string, string> = new Map([
  [".css", "text/css"],
  [".html", "text/html; charset=utf-8"],
  [".js", "text/javascript"],
  [".json", "application/json"],
  [".svg", "image/svg+xml"],
  [".woff2", "font/woff2"]
])

/** Starts a server that ends with the scope. Returns its URL, without a slash at its end. */
export const start = (folder: string): Effect.Effect<string, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const server = createServer(async (request, response) => {
        const { pathname } = new URL(request.url!, "http://localhost")
        const path = normalize(decodeURIComponent(pathname.endsWith("/") ? `${pathname}index.html` : pathname))
        try {
          if (path.split(sep).includes("..")) throw new Error("outside of the folder")
          const content = await readFile(join(folder, path))
          response.writeHead(200, { "content-type": types.get(extname(path)) ?? "application/octet-stream" }).end(
            content
          )
        } catch {
          response.writeHead(404).end("no such file")
        }
      })
      server.listen(0, "127.0.0.1")
      await once(server, "listening")
      return server
    }),
    (server) =>
      Effect.promise(() => {
        server.closeAllConnections()
        return new Promise((resolve) => server.close(resolve))
      })
  ).pipe(Effect.map((server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`))
