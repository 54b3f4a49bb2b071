/**
 * The site of the documentation, built once, in a browser: its pages, links and search, and the programs of its playground.
 *
 * `npm run test:site` runs all of it. The suite builds the site and follows its links, because a browser takes long.
 */
import { assert, layer, vi } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { execFile } from "node:child_process"
import { globSync, mkdirSync, mkdtempSync, readFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join, posix } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import type { BrowserContextOptions, Page } from "playwright-core"
import * as Browser from "../support/Browser.ts"
import { isFull } from "../support/Sizes.ts"
import * as StaticServer from "../support/StaticServer.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))
const dist = join(root, "site/dist")

/** `REDLAYER_SITE=built` takes the site that `npm run docs` has built. */
const build = Effect.promise(async () => {
  if (process.env.REDLAYER_SITE === "built") return
  await promisify(execFile)(process.execPath, ["-C", "redlayer-source", "site/build.ts"], {
    cwd: root,
    // the environment of a test is not that of a build
    env: { ...process.env, NODE_ENV: "production", VITEST: undefined },
    maxBuffer: 64 * 1024 * 1024
  })
})

/** A browser, and the site on a server. */
class Site extends Context.Service<Site, { readonly newPage: Browser.NewPage; readonly url: string }>()("Site") {
  static readonly layer = Layer.effect(
    Site,
    Effect.all({ newPage: Browser.start, url: Effect.andThen(build, StaticServer.start(dist)) }, { concurrency: 2 })
  )
}

const timeout = 300_000

const files = () => globSync("**/*.html", { cwd: dist }).sort()

const until = (check: () => Promise<void>, timeout = 20_000) =>
  Effect.promise(() => vi.waitFor(check, { timeout, interval: 50 }))

/** Runs in the page, whose types are not those of the tests. */
const evaluate = <A>(page: Page, script: string) => Effect.promise(() => page.evaluate<A>(script))

/** A page, and all that goes wrong on it: errors, failed requests, and requests to other hosts. */
const watched = Effect.fnUntraced(function*(options?: BrowserContextOptions) {
  const { newPage, url } = yield* Site
  const page = yield* newPage(options)
  const wrong: Array<string> = []
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") wrong.push(`${page.url()}: ${message.text()}`)
  })
  page.on("pageerror", (error) => wrong.push(`${page.url()}: ${error}`))
  page.on("requestfailed", (request) => {
    // the next page was opened before a prefetch had ended
    const why = request.failure()?.errorText
    if (why !== "net::ERR_ABORTED") wrong.push(`${page.url()}: ${request.url()} failed: ${why}`)
  })
  page.on("response", (response) => {
    if (response.status() >= 400) wrong.push(`${page.url()}: ${response.url()} is ${response.status()}`)
  })
  page.on("request", (request) => {
    if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(`${url}/`)) {
      wrong.push(`it asks ${request.url()}`)
    }
  })
  return { page, url, wrong }
})

/** Opens a page, and waits until its scripts run. */
const goto = (page: Page, url: string) =>
  Effect.promise(async () => {
    await page.goto(url)
    await page.waitForFunction("document.querySelector('#app')?.__vue_app__ !== undefined")
    if (url.endsWith("/playground.html")) await page.locator("#run").waitFor()
  })

const wide = { width: 1440, height: 900 }
const narrow = { width: 390, height: 844 }

const entities: Readonly<Record<string, string>> = {
  "&amp;": "&",
  "&quot;": "\"",
  "&#39;": "'",
  "&lt;": "<",
  "&gt;": ">"
}

const unescaped = (text: string): string => text.replaceAll(/&(?:amp|quot|#39|lt|gt);/g, (found) => entities[found]!)

/** The names that readers look for, and the page that the first result must be on. */
const named: ReadonlyArray<readonly [name: string, page: string]> = [
  ["fencing token", "locks"],
  ["withLock", "api/Lock"],
  ["OutOfBounds", "troubleshooting"],
  ["exactly once", "failure"],
  ["time to live", "time-to-live"],
  ["sorted sets", "sorted-sets"],
  ["leaderboard", "recipes/leaderboard"],
  ["rate limit", "recipes/rate-limit"],
  ["layerSentinel", "api/RedisService"],
  ["unique e-mail", "recipes/unique-email"],
  ["Sentinel failover", "sentinel"]
]

/** The programs of the playground, and the lines that each must write. */
const programs: ReadonlyArray<readonly [name: string, lines: ReadonlyArray<string>, end: RegExp]> = [
  ["links", ["1000 clicks", "\"visitor 1000\"", "404: Link nosuch"], /^Done in \d+ ms\.$/],
  ["stock", ["199 buyers", "\"stock\":0", "\"sold\":1"], /^Done in /],
  [
    "transfer",
    ["20 more: OutOfBounds", "alice still has 35", "NotEnough\n{\"coins\":35}"],
    /^Failed with NotEnough\.$/
  ],
  [
    "leaderboard",
    ["  ann    30\n  carol  20\n  bob    20\ndave has 25, and is number 2\n  ann    30\n  dave   25"],
    /^Done in /
  ],
  ["rate-limit", ["call 1\ncall 2\ncall 3\ntoo many calls\na second later: call 1"], /^Done in /]
]

const type = (page: Page, text: string) =>
  Effect.promise(async () => {
    await page.locator("#editor .cm-content").click()
    await page.keyboard.press("Control+End")
    await page.keyboard.insertText(text)
  })

Browser.describeBrowser("the site", () => {
  layer(Site.layer, { excludeTestServices: true, timeout: 300_000 })((it) => {
    /** The suite leaves this out. */
    const inFull = (...test: Parameters<typeof it.effect>): void => {
      if (isFull) it.effect(...test)
    }

    it.effect("no link or anchor of a page is dead", () =>
      Effect.sync(() => {
        const pages = new Map(
          files().map((file) => {
            // a parser of whole documents takes a second for some of them
            const html = readFileSync(join(dist, file), "utf8")
            return [file, {
              ids: new Set(
                Array.from(html.matchAll(/\sid="([^"]*)"/g), ([, id]) => decodeURIComponent(unescaped(id!)))
              ),
              links: Array.from(html.matchAll(/<a\s[^>]*?\bhref="([^"]*)"/g), ([, link]) => unescaped(link!))
            }] as const
          })
        )
        const dead: Array<string> = []
        let anchors = 0
        for (const [file, { links }] of pages) {
          for (const link of links) {
            if (/^(https?|mailto):/.test(link)) {
              continue
            }
            const [path, hash = ""] = decodeURIComponent(link).split("#", 2) as [string, string?]
            const found = path === ""
              ? file
              : (path.startsWith("/") ? path.slice(1) : posix.join(posix.dirname(file), path)).replace(
                /(^|\/)$/,
                "$1index.html"
              )
            const page = pages.get(found)
            if (page === undefined) {
              dead.push(`${file}: ${link}`)
            } else if (hash !== "") {
              anchors++
              if (!page.ids.has(hash)) dead.push(`${file}: ${link}`)
            }
          }
        }
        assert.deepStrictEqual([...new Set(dead)], [])
        assert.isAbove(pages.size, 50)
        assert.isAbove(anchors, 100)
      }), timeout)

    inFull(
      "every page loads without an error, asks no other host, has copy buttons, and fits narrow and wide screens",
      () =>
        Effect.gen(function*() {
          const { page, url, wrong } = yield* watched({ viewport: wide })
          const tooWide: Array<string> = []
          let blocks = 0
          for (const file of files().filter((file) => file !== "404.html")) {
            yield* goto(page, `${url}/${file}`)
            for (const viewport of [narrow, wide]) {
              yield* Effect.promise(() => page.setViewportSize(viewport))
              const width = yield* evaluate<number>(page, "document.documentElement.scrollWidth")
              if (width > viewport.width) tooWide.push(`${file} is ${width} of ${viewport.width} wide`)
            }
            const counts = yield* evaluate<[number, number]>(
              page,
              "['div[class*=language-]', 'div[class*=language-] > button.copy'].map((selector) => document.querySelectorAll(selector).length)"
            )
            assert.strictEqual(counts[0], counts[1], file)
            blocks += counts[0]
            assert.strictEqual(yield* evaluate<number>(page, "document.querySelectorAll('h1').length"), 1, file)
          }
          assert.deepStrictEqual(tooWide, [])
          assert.deepStrictEqual(wrong, [])
          assert.isAbove(blocks, 200)
        }).pipe(Effect.scoped),
      timeout
    )

    inFull("a code block is copied by its button", () =>
      Effect.gen(function*() {
        const { page, url } = yield* watched({ permissions: ["clipboard-read", "clipboard-write"] })
        yield* goto(page, `${url}/locks.html`)
        const block = page.locator("div.language-ts").first()
        yield* Effect.promise(async () => {
          await block.hover()
          await block.locator("button.copy").click()
        })
        yield* until(async () =>
          assert.strictEqual(
            await page.evaluate<string>("navigator.clipboard.readText()"),
            (await block.locator("code").textContent())!
          )
        )
      }).pipe(Effect.scoped), timeout)

    inFull("every page of the sidebar leads to the next one and back", () =>
      Effect.gen(function*() {
        const { page, url, wrong } = yield* watched({ viewport: wide })
        yield* goto(page, `${url}/transactions.html`)
        const heading = () => page.locator("main h1").textContent()
        const first = yield* Effect.promise(heading)
        const next = yield* Effect.promise(() => page.locator(".pager-link.next .title").textContent())
        yield* Effect.promise(() => page.locator(".pager-link.next").click())
        yield* until(async () => assert.include((await heading())!, next!))
        yield* Effect.promise(() => page.locator(".pager-link.prev").click())
        yield* until(async () => assert.strictEqual(await heading(), first))
        const ends = files().filter((file) => {
          const html = readFileSync(join(dist, file), "utf8")
          return /class="VPDoc\b/.test(html) && !/class="[^"]*\bpager-link\b/.test(html)
        })
        assert.deepStrictEqual(ends, [])
        assert.deepStrictEqual(wrong, [])
      }).pipe(Effect.scoped), timeout)

    inFull(
      "the search finds what readers look for, and its first result is the page of it",
      () =>
        Effect.gen(function*() {
          const { page, url, wrong } = yield* watched({ viewport: wide })
          yield* goto(page, `${url}/models.html`)
          yield* Effect.promise(() => page.keyboard.press("Control+k"))
          for (const [name, expected] of named) {
            yield* Effect.promise(() => page.locator(".search-input").fill(name))
            yield* until(async () => {
              const first = await page.locator(".VPLocalSearchBox .result").first().getAttribute("href")
              assert.strictEqual(first?.replace(/\.html(#.*)?$/, ""), `/${expected}`, name)
            })
          }
          const [name, expected] = named.at(-1)!
          yield* Effect.promise(() => page.locator(".search-input").fill(name))
          yield* Effect.promise(() => page.keyboard.press("Enter"))
          yield* until(async () => assert.include(page.url(), `/${expected}.html`))
          assert.deepStrictEqual(wrong, [])
        }).pipe(Effect.scoped),
      timeout
    )

    inFull("the menu and the search work by the keyboard", () =>
      Effect.gen(function*() {
        const { page, url, wrong } = yield* watched({ viewport: narrow })
        yield* goto(page, `${url}/locks.html`)
        const focusOn = Effect.fnUntraced(function*(selector: string) {
          for (let i = 0; i < 60; i++) {
            if (yield* evaluate<boolean>(page, `document.activeElement.matches(${JSON.stringify(selector)})`)) return
            yield* Effect.promise(() => page.keyboard.press("Tab"))
          }
          assert.fail(`${selector} is not reached by Tab`)
        })
        const press = (key: string) => Effect.promise(() => page.keyboard.press(key))
        yield* press("Tab")
        assert.strictEqual(yield* evaluate(page, "document.activeElement.textContent.trim()"), "Skip to content")

        // the menu of the pages, on a narrow screen
        yield* focusOn(".VPLocalNav button.menu")
        yield* press("Enter")
        yield* until(async () => assert.isTrue(await page.locator(".VPSidebar.open").isVisible()))
        yield* focusOn(".VPSidebar a[href='/queries.html']")
        yield* press("Enter")
        yield* until(async () =>
          assert.strictEqual(
            await page.locator("main h1").textContent().then((text) => text!.includes("Queries")),
            true
          )
        )

        // the menu of the site
        yield* focusOn(".VPNavBarHamburger")
        yield* press("Enter")
        yield* until(async () => assert.isTrue(await page.locator(".VPNavScreen").isVisible()))
        yield* focusOn(".VPNavScreen a[href='/playground.html']")
        yield* press("Enter")
        yield* until(async () => assert.include(page.url(), "/playground.html"))

        yield* press("Control+k")
        yield* until(async () => assert.isTrue(await page.locator(".search-input").isVisible()))
        yield* Effect.promise(() => page.keyboard.insertText("sorted sets"))
        yield* until(async () => assert.isTrue(await page.locator(".VPLocalSearchBox .result").first().isVisible()))
        yield* press("Escape")
        yield* until(async () => assert.isFalse(await page.locator(".VPLocalSearchBox").isVisible()))
        assert.deepStrictEqual(wrong, [])
      }).pipe(Effect.scoped), timeout)

    inFull("every program of the playground runs, and shows its result", () =>
      Effect.gen(function*() {
        const { page, url, wrong } = yield* watched({ viewport: wide })
        yield* goto(page, `${url}/playground.html`)
        const offered = yield* Effect.promise(() =>
          page.locator("#program option").evaluateAll((all) => all.map((one: any) => one.value))
        )
        assert.deepStrictEqual(offered, programs.map(([name]) => name))
        for (const [name, lines, end] of programs) {
          yield* Effect.promise(() => page.locator("#program").selectOption(name))
          yield* Effect.promise(() => page.locator("#run").click())
          yield* until(async () => assert.match((await page.locator("#state").textContent())!, end, name))
          const output = (yield* Effect.promise(() => page.locator("#output").textContent()))!
          for (const line of lines) assert.include(output, line, name)
          // their types are checked as they are chosen
          yield* until(
            async () => assert.strictEqual(await page.locator("#checking").textContent(), "The types are right."),
            60_000
          )
        }
        assert.deepStrictEqual(wrong, [])
      }).pipe(Effect.scoped), timeout)

    inFull(
      "the playground shows mistakes as they are typed, stops programs, and names the error of one that fails",
      () =>
        Effect.gen(function*() {
          const { page, url, wrong } = yield* watched({ viewport: narrow, colorScheme: "dark" })
          yield* goto(page, `${url}/playground.html`)
          const problems = () => page.locator("#problems li").allTextContents()
          const state = () => page.locator("#state").textContent()
          const reset = Effect.promise(() => page.locator("#reset").click())
          const run = Effect.promise(() => page.locator("#run").click())
          const untilProblem = (text: string) =>
            until(
              async () =>
                assert.isTrue((await problems()).some((problem) => problem.includes(text)), String(await problems())),
              60_000
            )

          // a field of the model that does not exist, and a value of another type
          yield* type(page, "\nLink.ref(\"a\").click.increment()\nconst code: number = \"a\"\n")
          yield* untilProblem("Property 'click' does not exist")
          yield* untilProblem("Type 'string' is not assignable to type 'number'")
          assert.isAbove(yield* Effect.promise(() => page.locator("#editor .cm-lintRange-error").count()), 0)
          yield* reset
          yield* until(async () => assert.deepStrictEqual(await problems(), []))

          // an error of the program that nothing handles is an error of its type
          yield* type(page, "\nconst left: Effect.Effect<number> = Link.ref(\"a\").clicks.increment()\n")
          yield* untilProblem("is not assignable to type 'Effect<number, never, never>'")
          yield* reset

          yield* type(page, "\nconst = 1\n")
          yield* until(async () => assert.isAbove((await problems()).length, 0))
          yield* run
          yield* until(async () => assert.strictEqual(await state(), "It does not run: it has a mistake."))
          yield* reset

          yield* type(page, "\nthrow new Error(\"thrown\")\n")
          yield* run
          yield* until(async () => assert.strictEqual(await state(), "Failed with Error."))
          assert.include((yield* Effect.promise(() => page.locator("#output").textContent()))!, "Error: thrown")
          yield* reset

          // a field may be missing: the error and its fields are shown
          yield* type(
            page,
            "\nawait Effect.runPromise(Link.get(\"nosuch\").pipe(Effect.provide(RedisService.layerMemory)))\n"
          )
          yield* run
          yield* until(async () => assert.strictEqual(await state(), "Failed with EntityNotFound."))
          assert.include((yield* Effect.promise(() => page.locator("#output").textContent()))!, "\"id\": \"nosuch\"")
          yield* reset

          // a server is out of reach
          yield* type(page, "\nawait Effect.runPromise(Link.get(\"a\").pipe(Effect.provide(RedisService.layer())))\n")
          yield* run
          yield* until(async () => assert.strictEqual(await state(), "Failed with RedisServiceError."))
          yield* reset

          yield* type(page, "\nwhile (true) {}\n")
          yield* run
          yield* until(async () => assert.include((await page.locator("#output").textContent())!, "404: Link nosuch"))
          yield* Effect.promise(() => page.locator("#stop").click())
          assert.strictEqual(yield* Effect.promise(state), "Stopped.")

          // one that no one stops is ended
          yield* run
          yield* until(
            async () => assert.match((await state())!, /^Ended, because it took longer than \d+ seconds\.$/),
            30_000
          )
          assert.deepStrictEqual(wrong, [])
        }).pipe(Effect.scoped),
      timeout
    )

    inFull("light and dark follow the reader's choice, pictures too", () =>
      Effect.gen(function*() {
        const shots = join(tmpdir(), "redlayer-site")
        mkdirSync(shots, { recursive: true })
        const folder = mkdtempSync(join(shots, "run-"))
        const backgrounds = new Set<string>()
        for (const colorScheme of ["light", "dark"] as const) {
          for (const viewport of [narrow, wide]) {
            const { page, url, wrong } = yield* watched({ colorScheme, viewport })
            const shot = (name: string) =>
              Effect.promise(async () => {
                mkdirSync(dirname(join(folder, name)), { recursive: true })
                await page.screenshot({ path: join(folder, `${name}-${colorScheme}-${viewport.width}.png`) })
              })
            for (
              const [name, file] of [["home", "index"], ["recipe", "recipes/rate-limit"], ["api", "api/Lock"], [
                "performance",
                "performance"
              ]] as const
            ) {
              yield* goto(page, `${url}/${file}.html`)
              if (name === "performance") {
                const picture = page.locator("main img[src*=performance]")
                yield* Effect.promise(() => picture.scrollIntoViewIfNeeded())
                yield* until(async () => assert.isAbove(await picture.evaluate((image: any) => image.naturalWidth), 0))
              }
              yield* shot(name)
            }
            const dark = yield* evaluate<boolean>(page, "document.documentElement.classList.contains('dark')")
            assert.strictEqual(dark, colorScheme === "dark")
            backgrounds.add(yield* evaluate<string>(page, "getComputedStyle(document.body).backgroundColor"))
            yield* Effect.promise(() => page.keyboard.press("Control+k"))
            yield* Effect.promise(() => page.locator(".search-input").fill("fencing token"))
            yield* Effect.promise(() => page.locator(".VPLocalSearchBox .result").first().waitFor())
            yield* shot("search")
            yield* goto(page, `${url}/playground.html`)
            yield* Effect.promise(() => page.locator("#program").selectOption("transfer"))
            yield* Effect.promise(() => page.locator("#run").click())
            yield* until(async () => assert.match((await page.locator("#state").textContent())!, /^Failed with /))
            yield* shot("playground")
            assert.deepStrictEqual(wrong, [])
          }
        }
        assert.strictEqual(backgrounds.size, 2)
      }).pipe(Effect.scoped), timeout)
  })
})
