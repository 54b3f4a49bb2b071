/**
 * The page of the leaderboard, in a browser: it shows the ranking that is stored, on one server in memory and on two that share a Redis,
 * and it works with the keyboard, without motion, in both colour schemes and on narrow screens.
 */
import { assert, it, layer, vi } from "@effect/vitest"
import { Context, DateTime, Effect, Layer, Option } from "effect"
import { fork } from "node:child_process"
import { once } from "node:events"
import { mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Page } from "playwright-core"
import { RedisService } from "redlayer"
import { Player, recordGameResult } from "../../examples/leaderboard/model.ts"
import { describeMemory, describeOwnServer } from "../support/Backends.ts"
import * as Browser from "../support/Browser.ts"
import * as RedisServer from "../support/RedisServer.ts"

const timeout = 60_000

/** A server of the example, in a process of its own. */
const startServer = Effect.fnUntraced(function*(redisUrl = "", port = 0) {
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      fork(new URL("../../examples/leaderboard/server.ts", import.meta.url), [], {
        execArgv: ["-C", "redlayer-source"],
        env: { ...process.env, PORT: String(port), REDIS_URL: redisUrl },
        stdio: ["ignore", "ignore", "inherit", "ipc"]
      })
    ),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )
  const exited = once(child, "exit")
  const [message] = yield* Effect.promise(() => Promise.race([once(child, "message"), exited]))
  assert.isDefined(message?.port, "the server has ended before it listened")
  const url = `http://127.0.0.1:${message.port}`
  return {
    url,
    port: Number(message.port),
    stop: Effect.promise(() => {
      child.kill("SIGTERM")
      return exited
    })
  }
})

const until = (check: () => Promise<void>) => Effect.promise(() => vi.waitFor(check, { timeout: 20_000, interval: 50 }))

interface Place {
  readonly rank: number
  readonly name: string
  readonly score: number
}

const numberOf = (text: string): number => Number(text.replace("−", "-").replaceAll(",", ""))

/** The top ten, as a reader sees them: by the place of the rows on the screen. */
const shown = async (page: Page): Promise<ReadonlyArray<Place>> =>
  (await page.locator("#top tr").evaluateAll((rows: ReadonlyArray<any>) =>
    rows.map((row) => ({
      top: row.offsetTop,
      texts: [".rank", ".name", ".points"].map((part) => row.querySelector(part).textContent)
    })).sort((a, b) => a.top - b.top).map(({ texts }) => texts)
  )).map(([rank, name, score]) => ({ rank: Number(rank), name: name!, score: numberOf(score!) }))

/** The ranking of players, whoever says their scores. Equal scores are in the order that the index has: the last name first. */
const rank = (players: ReadonlyArray<{ readonly name: string; readonly score: number }>): ReadonlyArray<Place> =>
  players.toSorted((a, b) => b.score - a.score || (a.name < b.name ? 1 : -1)).map(({ name, score }) => ({
    rank: 1 + players.filter((other) => other.score > score).length,
    name,
    score
  }))

const names = (url: string, league: string): Promise<ReadonlyArray<string>> =>
  fetch(`${url}/leagues/${league}/players`).then((response) => response.json() as Promise<ReadonlyArray<string>>)

/** One player, as the first event of the server has it. */
const playerOf = async (url: string, league: string, name: string): Promise<Place> => {
  const response = await fetch(`${url}/leagues/${league}/events?${new URLSearchParams({ player: name })}`)
  let text = ""
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk
    const data = /^event: board\ndata: (.*)\n\n/m.exec(text)?.[1]
    if (data !== undefined) return JSON.parse(data).player
  }
  throw new Error(`no board: ${text}`)
}

/** The ranking in memory: each player asked for alone, so that no top ten is believed. */
const storedInMemory = async (url: string, league: string): Promise<ReadonlyArray<Place>> => {
  const players = await Promise.all((await names(url, league)).map((name) => playerOf(url, league, name)))
  const ranking = rank(players)
  assert.deepStrictEqual(
    ranking.map(({ rank }) => rank),
    ranking.map(({ name }) => players.find((player) => player.name === name)!.rank)
  )
  return ranking
}

const untilShown = (page: Page, stored: () => Promise<ReadonlyArray<Place>>) =>
  until(async () => assert.deepStrictEqual(await shown(page), (await stored()).slice(0, 10)))

const untilLive = (page: Page) => Effect.promise(() => page.locator("#connection[data-state=live]").waitFor())

const open = Effect.fnUntraced(function*(page: Page, url: string, query = "?league=gold") {
  yield* Effect.promise(() => page.goto(`${url}/${query}`))
  yield* untilLive(page)
})

/** How many games the page has played. */
const countGames = (page: Page) => {
  const count = { games: 0 }
  page.on("response", (response) => {
    if (response.url().endsWith("/games") && response.status() === 200) count.games++
  })
  return count
}

const click = (page: Page, selector: string, times = 1) =>
  Effect.promise(async () => {
    for (let i = 0; i < times; i++) await page.locator(selector).click()
  })

const text = (page: Page, selector: string) => page.locator(selector).textContent()

/** Runs in the page, whose types are not those of the tests. */
const evaluate = <A>(page: Page, script: string) => Effect.promise(() => page.evaluate<A>(script))

/** Each text of the page, with the contrast to what is behind it. */
const contrasts = `(() => {
  const channels = (color) => {
    const [r, g, b, a = 1] = color.match(/[\\d.]+/g).map(Number)
    return { rgb: [r, g, b], a }
  }
  const luminance = ({ rgb }) => {
    const [r, g, b] = rgb.map((c) => c / 255).map((c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const behind = (element) => {
    for (let at = element; at !== null; at = at.parentElement) {
      const color = channels(getComputedStyle(at).backgroundColor)
      if (color.a === 1) return color
    }
  }
  return [...document.body.querySelectorAll("*")]
    .filter((element) => !element.matches("noscript, option") && element.checkVisibility() && element.closest("legend") === null)
    .filter((element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== ""))
    .map((element) => {
      const [a, b] = [luminance(channels(getComputedStyle(element).color)), luminance(behind(element))]
      return [element.textContent, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)]
    })
})()`

/** A browser and a server that the tests share, because both take seconds to start. */
class Shared extends Context.Service<Shared, { readonly newPage: Browser.NewPage; readonly url: string }>()("Shared") {
  static readonly layer = Layer.effect(
    Shared,
    Effect.all({ newPage: Browser.start, url: Effect.map(startServer(), ({ url }) => url) }, { concurrency: 2 })
  )
}

Browser.describeBrowser("the page of the leaderboard", () => {
  describeMemory("on one server", () => {
    layer(Shared.layer, { excludeTestServices: true, timeout })((it) => {
      it.effect(
        "the ranking shown is the ranking stored, after games of random and of chosen players",
        () =>
          Effect.gen(function*() {
            const { newPage, url } = yield* Shared
            const page = yield* newPage()
            const stored = () => storedInMemory(url, "gold")
            yield* open(page, url)
            const count = countGames(page)
            yield* click(page, "#play-random", 8)
            yield* Effect.promise(() => page.locator("#player").selectOption("Grace"))
            yield* until(async () => assert.strictEqual(await text(page, "#play-chosen"), "Let Grace win"))
            yield* click(page, "#play-chosen", 8)
            yield* until(async () => assert.strictEqual(count.games, 16))
            yield* untilShown(page, stored)
            const ranking = yield* Effect.promise(stored)
            const grace = ranking.find(({ name }) => name === "Grace")!
            assert.strictEqual(ranking.reduce((sum, { score }) => sum + score, 0), 0)
            assert.strictEqual(yield* Effect.promise(() => text(page, "#rank")), String(grace.rank))
            const neighbours = yield* Effect.promise(() => page.locator("#neighbours .name").allTextContents())
            const place = ranking.indexOf(grace)
            assert.deepStrictEqual(neighbours, ranking.slice(Math.max(0, place - 2), place + 3).map(({ name }) => name))

            // all the time, until it is switched off
            yield* click(page, "#keep-playing")
            yield* until(async () => assert.isAtLeast(count.games, 18))
            yield* click(page, "#keep-playing")
            yield* untilShown(page, stored)
          }).pipe(Effect.scoped),
        timeout
      )

      it.effect("names are text, whatever is in them", () =>
        Effect.gen(function*() {
          const { newPage, url } = yield* Shared
          const page = yield* newPage()
          const errors: Array<unknown> = []
          page.on("pageerror", (error) => errors.push(error))
          page.on("console", (message) => message.type() === "error" && errors.push(message.text()))
          yield* open(page, url)
          for (
            const name of [
              "<img src=x onerror=a()>",
              "</option><b>x",
              "__proto__",
              "\u202Eeno",
              "& \"'`${1}\\",
              "🎲?player=Ada#"
            ]
          ) {
            yield* Effect.promise(() => page.locator("#name").fill(name))
            yield* click(page, "#join button")
            yield* until(async () => {
              assert.strictEqual(await page.locator("#player").inputValue(), name)
              assert.strictEqual(await text(page, "#neighbours [aria-current] .name"), name)
              assert.strictEqual(await text(page, "#news"), `${name} has joined.`)
            })
            yield* click(page, "#play-chosen")
            yield* until(async () => assert.isTrue((await text(page, "#news"))!.startsWith(`${name} beat `)))
            yield* until(async () => assert.include((await text(page, "#record"))!, "1 won · 0 lost"))
          }
          assert.strictEqual(yield* evaluate(page, "document.querySelectorAll('main img, main b').length"), 0)
          yield* Effect.promise(() => page.reload())
          yield* until(async () => assert.strictEqual(await page.locator("#player").inputValue(), "🎲?player=Ada#"))
          yield* untilShown(page, () => storedInMemory(url, "gold"))
          assert.deepStrictEqual(errors, [])
        }).pipe(Effect.scoped), timeout)

      it.effect(
        "everything can be done with the keyboard, and the focus is seen and stays where it is while rows move",
        () =>
          Effect.gen(function*() {
            const { newPage, url } = yield* Shared
            const page = yield* newPage()
            yield* open(page, url)
            const press = (...keys: ReadonlyArray<string>) =>
              Effect.promise(async () => {
                for (const key of keys) await page.keyboard.press(key)
              })
            const focused = "(document.activeElement.labels?.[0] ?? document.activeElement).textContent.trim()"
            const isSeen = `['', 'label'].some((selector) => {
          const element = selector === '' ? document.activeElement : document.activeElement.closest(selector)
          return element !== null && element.checkVisibility({ opacityProperty: true }) &&
            getComputedStyle(element).outlineStyle === 'solid'
        })`
            const expectFocus = Effect.fnUntraced(function*(expected: string) {
              assert.strictEqual(yield* evaluate(page, focused), expected)
              assert.isTrue(yield* evaluate<boolean>(page, isSeen), `the focus on ${expected} is not seen`)
            })
            yield* press("Tab")
            yield* expectFocus("gold")
            yield* press("ArrowRight")
            yield* expectFocus("silver")
            yield* until(async () =>
              assert.strictEqual(await text(page, "#players"), "16 players in the silver league")
            )
            yield* untilShown(page, () => storedInMemory(url, "silver"))
            yield* press(...Array.from({ length: 10 }, () => "Tab"))
            const [last] = (yield* Effect.promise(() => shown(page))).slice(-1)
            yield* expectFocus(last!.name)
            yield* press("Enter")
            yield* until(async () => assert.strictEqual(await text(page, "#play-chosen"), `Let ${last!.name} win`))

            // others play meanwhile: the player rises to the first place with the focus
            yield* Effect.promise(async () => {
              while ((await playerOf(url, "silver", last!.name)).rank > 1) {
                await fetch(`${url}/leagues/silver/games`, {
                  method: "POST",
                  headers: { "content-type": "application/json" },
                  body: JSON.stringify({ winner: last!.name })
                })
              }
            })
            yield* untilShown(page, () => storedInMemory(url, "silver"))
            assert.strictEqual((yield* Effect.promise(() => shown(page)))[0]!.name, last!.name)
            yield* expectFocus(last!.name)

            const count = countGames(page)
            yield* press(...Array.from({ length: 10 }, () => "Tab"))
            yield* expectFocus("Play a game")
            yield* press("Enter", "Tab")
            yield* expectFocus(`Let ${last!.name} win`)
            yield* press("Space", "Tab")
            yield* expectFocus("Keep playing")
            yield* press("Space")
            yield* until(async () => assert.isAtLeast(count.games, 4))
            yield* press("Space", "Tab")
            yield* expectFocus("New player")
            yield* Effect.promise(() => page.keyboard.type("Zoe"))
            yield* press("Enter")
            yield* until(async () =>
              assert.strictEqual(await text(page, "#players"), "17 players in the silver league")
            )
            yield* press("Tab", "Tab")
            yield* expectFocus(yield* Effect.promise(async () => (await text(page, "#player"))!))
            assert.strictEqual(yield* Effect.promise(() => page.locator("#player").inputValue()), "Zoe")
          }).pipe(Effect.scoped),
        timeout
      )

      it.effect(
        "rows glide to their new places, but not for a reader who wants less motion",
        () =>
          Effect.gen(function*() {
            const { newPage, url } = yield* Shared
            const pages = yield* Effect.forEach(
              ["no-preference", "reduce"] as const,
              (reducedMotion) => newPage({ reducedMotion })
            )
            for (const page of pages) {
              yield* Effect.promise(() =>
                page.addInitScript(`
              window.moves = 0
              const { animate } = Element.prototype
              Element.prototype.animate = function(keyframes, options) {
                if (keyframes.some(({ transform }) => transform !== undefined)) window.moves++
                return animate.call(this, keyframes, options)
              }`)
              )
              yield* open(page, url)
            }
            const last = (yield* Effect.promise(() => shown(pages[0]!))).at(-1)!
            yield* Effect.promise(() => pages[0]!.locator("#player").selectOption(last.name))
            yield* until(async () => assert.strictEqual(await text(pages[0]!, "#play-chosen"), `Let ${last.name} win`))
            yield* click(pages[0]!, "#play-chosen", 10)
            for (const page of pages) yield* untilShown(page, () => storedInMemory(url, "gold"))
            const [moves, fewer] = yield* Effect.forEach(pages, (page) => evaluate<number>(page, "window.moves"))
            assert.isAbove(moves!, 0)
            assert.strictEqual(fewer, 0)
          }).pipe(Effect.scoped),
        timeout
      )

      it.effect(
        "a page whose server stops says so, and goes on by itself when there is one again",
        () =>
          Effect.gen(function*() {
            const server = yield* startServer()
            const { newPage } = yield* Shared
            const page = yield* newPage()
            yield* open(page, server.url)
            // the page watches, and the server ends nevertheless
            assert.deepStrictEqual(yield* server.stop, [0, null])
            yield* until(async () => assert.include((await text(page, "#connection"))!, "Reconnecting"))
            yield* click(page, "#play-random")
            yield* until(async () => assert.include((await text(page, "#news"))!, "did not answer"))
            const again = yield* startServer("", server.port)
            yield* untilLive(page)
            yield* click(page, "#play-random")
            yield* until(async () => assert.include((await text(page, "#news"))!, " beat "))
            yield* untilShown(page, () => storedInMemory(again.url, "gold"))
          }).pipe(Effect.scoped),
        timeout
      )

      it.effect("it fits and can be read, light and dark, narrow and wide", () =>
        Effect.gen(function*() {
          const { newPage, url } = yield* Shared
          const folder = join(tmpdir(), "redlayer-leaderboard")
          mkdirSync(folder, { recursive: true })
          for (const colorScheme of ["light", "dark"] as const) {
            for (const width of [390, 1440]) {
              const page = yield* newPage({ colorScheme, viewport: { width, height: width === 390 ? 844 : 900 } })
              const foreign: Array<string> = []
              page.on("request", (request) => {
                if (!request.url().startsWith(url) && !request.url().startsWith("data:")) {
                  foreign.push(request.url())
                }
              })
              yield* open(page, url, "?league=bronze&player=Hedy")
              yield* click(page, "#play-chosen")
              yield* until(async () => assert.notStrictEqual(await text(page, "#news"), ""))
              yield* untilShown(page, () => storedInMemory(url, "bronze"))
              yield* Effect.promise(() =>
                page.screenshot({ path: join(folder, `${colorScheme}-${width}.png`), fullPage: true })
              )
              assert.isAtMost(yield* evaluate<number>(page, "document.documentElement.scrollWidth"), width)
              assert.deepStrictEqual(foreign, [])
              const texts = yield* evaluate<ReadonlyArray<readonly [text: string, contrast: number]>>(page, contrasts)
              assert.isAbove(texts.length, 60)
              assert.deepStrictEqual(texts.filter(([, contrast]) => contrast < 4.5), [])
            }
          }
        }).pipe(Effect.scoped), timeout)
    })
  })

  describeOwnServer("on two servers that share a Redis", () => {
    it.live(
      "a game that is played on one page appears on the other, and both show the ranking stored",
      () =>
        Effect.gen(function*() {
          const dir = yield* Effect.acquireRelease(
            Effect.sync(() => mkdtempSync(join(tmpdir(), "redlayer-leaderboard-"))),
            (dir) => Effect.sync(() => rmSync(dir, { recursive: true }))
          )
          const persistent = { dir, args: ["--appendonly", "yes"] }
          const redis = yield* RedisServer.start(persistent)
          const service = yield* Layer.build(RedisService.layer({ url: redis.url }))
          const stored = () =>
            Effect.runPromiseWith(service)(Effect.gen(function*() {
              const players = yield* Player.top("byLeague", 1000, { within: { league: "gold" } })
              const read = yield* Effect.forEach(players, ({ name }) => Player.get(["gold", name]), {
                concurrency: "unbounded"
              })
              return rank(read)
            }))
          const [first, second] = [yield* startServer(redis.url), yield* startServer(redis.url)]
          const newPage = yield* Browser.start
          const pages = [yield* newPage(), yield* newPage()] as const
          yield* open(pages[0], first.url, "?league=gold&player=Ada")
          yield* open(pages[1], second.url, "?league=gold&player=Ada")
          const record = () => text(pages[1], "#record")
          const before = yield* Effect.promise(record)
          yield* click(pages[0], "#play-chosen")
          yield* until(async () => assert.notStrictEqual(await record(), before))
          yield* until(async () => assert.strictEqual(await record(), await text(pages[0], "#record")))
          for (const page of pages) yield* untilShown(page, stored)

          // both at once, and a third process that is no server
          const counts = pages.map(countGames)
          for (const page of pages) yield* click(page, "#keep-playing")
          for (const page of pages) yield* click(page, "#play-random", 5)
          yield* until(async () => {
            for (const { games } of counts) assert.isAtLeast(games, 7)
          })
          for (const page of pages) yield* click(page, "#keep-playing")
          yield* Effect.provideContext(
            recordGameResult(["gold", "Tony"], { won: true, points: 1000, at: DateTime.nowUnsafe() }),
            service
          )
          for (const page of pages) {
            yield* untilShown(page, stored)
            yield* until(async () => assert.strictEqual(await text(page, "#leader"), "Tony leads"))
          }

          // Redis goes, and comes back with what it had
          yield* redis.stop
          yield* until(async () => assert.include((await text(pages[0], "#connection"))!, "cannot read the ranking"))
          yield* RedisServer.start({ ...persistent, port: redis.port })
          yield* untilLive(pages[0])
          yield* click(pages[0], "#play-random")
          yield* until(async () => assert.include((await text(pages[0], "#news"))!, " beat "))
          for (const page of pages) yield* untilShown(page, stored)
          assert.deepStrictEqual(
            Option.getOrThrow(
              yield* Effect.provideContext(
                Player.rank(["gold", "Tony"], "byLeague", { within: { league: "gold" } }),
                service
              )
            ),
            1
          )
        }).pipe(Effect.scoped),
      timeout
    )
  })
})
