/**
 * A headless Chromium: the one that `CHROMIUM` names, or one that is on the PATH. Without any the tests that need it are skipped, and the
 * run says so; on CI (`CI=true`) that is a failure.
 */
import { describe } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { type BrowserContextOptions, chromium, type Page } from "playwright-core"
import { onPath } from "./RedisServer.ts"

const named = process.env.CHROMIUM ?? ""
const binary = named === ""
  ? onPath("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
  : named

if (binary === undefined) {
  const notice = "NO BROWSER: every test of a page is SKIPPED in this run. " +
    "To run them install chromium, so that it is on the PATH, or let CHROMIUM name one."
  if (process.env.CI === "true") throw new Error(notice)
  process.stderr.write(`\n!!! ${notice}\n\n`)
}

/** A block of tests in a browser, skipped when there is none. */
export const describeBrowser = (name: string, body: () => void): void => {
  describe.skipIf(binary === undefined)(name, body)
}

/** A page of a new profile, which is closed with the scope. */
export type NewPage = (options?: BrowserContextOptions) => Effect.Effect<Page, never, Scope.Scope>

/** Starts a browser that ends with the scope. */
export const start: Effect.Effect<NewPage, never, Scope.Scope> = Effect.map(
  Effect.acquireRelease(
    Effect.promise(() =>
      chromium.launch({
        ...(binary === undefined ? undefined : { executablePath: binary }),
        // Chromium refuses its sandbox to root
        args: process.getuid?.() === 0 ? ["--no-sandbox"] : []
      })
    ),
    (browser) => Effect.promise(() => browser.close())
  ),
  (browser) => (options = {}) =>
    Effect.acquireRelease(
      Effect.promise(() => browser.newContext(options)),
      (context) => Effect.promise(() => context.close())
    ).pipe(
      Effect.flatMap((context) => {
        context.setDefaultTimeout(15_000)
        return Effect.promise(() => context.newPage())
      })
    )
)
