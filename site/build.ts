/**
 * Builds the site into `site/dist`, or serves it with `--dev`: then a change of a page is shown at once.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { makeApi, makeDeclarations } from "./api.ts"
import { makeAssets } from "./assets.ts"
import { DeadLinks, folder, makePages } from "./pages.ts"

const site = import.meta.dirname
const isDev = process.argv.includes("--dev")

Fs.rmSync(folder, { recursive: true, force: true })
try {
  makePages()
} catch (error) {
  if (!isDev || !(error instanceof DeadLinks)) throw error
  console.warn(error.message)
}
makeDeclarations()
await Promise.all([makeApi(), makeAssets()])

const VitePress = await import("vitepress")
if (isDev) {
  const server = await VitePress.createServer(site, { port: Number(process.env.PORT ?? 5173) })
  await server.listen()
  server.printUrls()
  for (const watched of ["docs", "README.md", "CHANGELOG.md"]) {
    Fs.watch(Path.join(site, "..", watched), { recursive: watched === "docs" }, () => {
      try {
        makePages()
      } catch (error) {
        console.warn(String(error))
      }
    })
  }
} else {
  await VitePress.build(site)
}
