/**
 * The table of README.md that compares redlayer with `MULTI`, with a script of one's own, with redis-om and with redlock: each cell is run on a
 * server, or names the test or the page that shows it. "n/a" is a job that the library is not for.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Schema, type Scope } from "effect"
import { existsSync, readFileSync } from "node:fs"
import { Client, type Repository, Schema as OmSchema } from "redis-om"
import { Atomic, Lock, Model, Query, RedisService } from "redlayer"
import Redlock from "redlock"
import { describeOwnServer } from "../support/Backends.ts"
import * as RawRedis from "../support/RawRedis.ts"
import * as RedisServer from "../support/RedisServer.ts"
import * as TcpProxy from "../support/TcpProxy.ts"

const columns = ["`MULTI`", "your own Lua", "redis-om", "redlock", "redlayer"] as const
type Column = typeof columns[number]

/** A page of others, or a test of this project by its file and its title. */
type Reference = string | readonly [file: string, title: string]

interface Cell {
  readonly text: string
  readonly reference?: Reference
  readonly run?: Effect.Effect<void, unknown, Scope.Scope>
}

const none: Cell = { text: "n/a" }
const cell = (text: string, proof: Reference | Effect.Effect<void, unknown, Scope.Scope>): Cell =>
  Effect.isEffect(proof) ? { text, run: proof } : { text, reference: proof }

const transactions = "https://redis.io/docs/latest/develop/using-commands/transactions/"
const scripts = "https://redis.io/docs/latest/develop/programmability/eval-intro/"
const lockPage = "https://redis.io/docs/latest/develop/clients/patterns/distributed-locks/"
const omPage = "https://github.com/redis/redis-om-node#readme"

const Product = Model.make("Product", {
  sku: Schema.String,
  name: Schema.String,
  stock: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)),
  sold: Schema.Int.pipe(Model.indexed)
}, { key: "sku" })
const lamp = { sku: "lamp", name: "Lamp", stock: 1, sold: 0 }

const start = Effect.gen(function*() {
  const server = yield* RedisServer.start({ unrestricted: true })
  return { server, raw: yield* RawRedis.make(server.url) }
})

/** A program over a layer of a new server. */
const ours = (
  program: Effect.Effect<void, unknown, RedisService.RedisService>,
  options: RedisService.LayerOptions = {}
) =>
  Effect.gen(function*() {
    const { server } = yield* start
    const services = yield* Layer.build(RedisService.layer({ ...options, url: server.url }))
    yield* Effect.provide(program, services)
  })

interface Lamp {
  [key: string]: number
  stock: number
  sold: number
}

/** A repository of redis-om, over the older client that it has of its own. */
const om = Effect.gen(function*() {
  const { raw, server } = yield* start
  const client = yield* Effect.acquireRelease(
    Effect.promise(() => new Client().open(server.url)),
    (client) => Effect.promise(() => client.close())
  )
  const schema = new OmSchema("Lamp", { stock: { type: "number" }, sold: { type: "number" } }, {
    dataStructure: "HASH"
  })
  return { raw, repository: client.fetchRepository(schema) as unknown as Repository<Lamp> }
})

const exec = (client: RawRedis.RawRedis["client"], ...commands: ReadonlyArray<Array<string>>) =>
  Effect.promise(() => commands.reduce((all, [name, ...args]) => all.call(name!, ...args), client.multi()).exec())

/** Sends `increment` while its reply is lost, sends it again, as a caller does who knows no better, and returns the count. */
const repeated = (increment: (raw: RawRedis.RawRedis) => Effect.Effect<unknown, unknown>) =>
  Effect.gen(function*() {
    const { raw, server } = yield* start
    const proxy = yield* TcpProxy.make(server)
    const through = yield* RawRedis.make(server.url.replace(/:\d+(\/|$)/, `:${proxy.port}$1`))
    yield* proxy.cutOnNext("reply")
    const first = yield* Effect.exit(increment(through))
    assert.isTrue(Exit.isFailure(first))
    yield* Effect.retry(increment(through), { times: 50 })
    return Number(yield* raw.call("GET", "n"))
  })

const rows: ReadonlyArray<readonly [job: string, cells: Readonly<Record<Column, Cell>>]> = [
  ["two requests at once lose no update", {
    "`MULTI`": cell(
      "with `WATCH`, and your retry loop",
      Effect.gen(function*() {
        const { raw, server } = yield* start
        const other = yield* RawRedis.make(server.url)
        const increment = (watches: boolean) =>
          Effect.gen(function*() {
            yield* raw.call("SET", "n", "0")
            if (watches) yield* raw.call("WATCH", "n")
            const [mine, theirs] = [yield* raw.call("GET", "n"), yield* other.call("GET", "n")]
            yield* other.call("SET", "n", String(Number(theirs) + 1))
            const answer = yield* exec(raw.client, ["set", "n", String(Number(mine) + 1)])
            return [yield* raw.call("GET", "n"), answer === null]
          })
        // one of the two is lost
        assert.deepStrictEqual(yield* increment(false), ["1", false])
        // it is refused, and must begin again
        assert.deepStrictEqual(yield* increment(true), ["1", true])
      })
    ),
    "your own Lua": cell(
      "yes",
      Effect.gen(function*() {
        const { raw } = yield* start
        const script = "redis.call('SET', KEYS[1], (redis.call('GET', KEYS[1]) or 0) + 1)"
        yield* Effect.forEach(Array(200), () => raw.call("EVAL", script, "1", "n"), { concurrency: "unbounded" })
        assert.strictEqual(yield* raw.call("GET", "n"), "200")
      })
    ),
    "redis-om": cell(
      "no",
      Effect.gen(function*() {
        const { repository } = yield* om
        const sell = async (entity: Lamp) => {
          entity.sold += 1
          await repository.save(entity)
        }
        yield* Effect.promise(async () => {
          await repository.save("lamp", { stock: 2, sold: 0 })
          const [mine, theirs] = [await repository.fetch("lamp"), await repository.fetch("lamp")]
          await sell(mine)
          await sell(theirs)
        })
        assert.strictEqual((yield* Effect.promise(() => repository.fetch("lamp"))).sold, 1)
      })
    ),
    "redlock": cell("while each holds the lock", lockPage),
    "redlayer": cell(
      "yes",
      ours(Effect.gen(function*() {
        yield* Product.insert(lamp)
        const sell = Product.ref("lamp").sold.increment()
        yield* Effect.forEach(Array(200), () => sell, { concurrency: "unbounded" })
        assert.strictEqual((yield* Product.get("lamp")).sold, 200)
      }))
    )
  }],
  ["a step that fails leaves nothing", {
    "`MULTI`": cell(
      "no: the others stand",
      Effect.gen(function*() {
        const { raw } = yield* start
        yield* exec(raw.client, ["set", "a", "1"], ["lpush", "a", "x"], ["set", "b", "2"])
        assert.deepStrictEqual(yield* raw.call("MGET", "a", "b"), ["1", "2"])
      })
    ),
    "your own Lua": cell(
      "no: what it wrote stands",
      Effect.gen(function*() {
        const { raw } = yield* start
        const script = "redis.call('SET', KEYS[1], 1); redis.call('LPUSH', KEYS[1], 'x')"
        yield* Effect.flip(raw.call("EVAL", script, "1", "a"))
        assert.strictEqual(yield* raw.call("GET", "a"), "1")
      })
    ),
    "redis-om": cell(
      "no",
      Effect.gen(function*() {
        const { repository } = yield* om
        yield* Effect.promise(() => repository.save("a", { stock: 1, sold: 0 }))
        yield* Effect.flip(Effect.tryPromise(() => repository.save("b", { stock: "none" as never, sold: 0 })))
        assert.strictEqual((yield* Effect.promise(() => repository.fetch("a"))).stock, 1)
      })
    ),
    "redlock": cell("no", "https://github.com/mike-marcacci/node-redlock#readme"),
    "redlayer": cell(
      "yes: the server undoes it",
      ours(Effect.gen(function*() {
        yield* Product.insert({ ...lamp, stock: 0 })
        const { sold, stock } = Product.ref("lamp")
        const error = yield* Effect.flip(Atomic.all([sold.increment(), stock.decrement()]))
        assert.strictEqual(error._tag, "OutOfBounds")
        assert.deepInclude(yield* Product.get("lamp"), { stock: 0, sold: 0 })
      }))
    )
  }],
  ["bounds and types are checked before a write", {
    "`MULTI`": cell(
      "no",
      Effect.gen(function*() {
        const { raw } = yield* start
        yield* exec(raw.client, ["hset", "lamp", "stock", "-1"], ["hset", "lamp", "sold", "many"])
        assert.deepStrictEqual(yield* raw.call("HMGET", "lamp", "stock", "sold"), ["-1", "many"])
      })
    ),
    "your own Lua": cell("as you write it", scripts),
    "redis-om": cell(
      "types, no bounds",
      Effect.gen(function*() {
        const { raw, repository } = yield* om
        yield* Effect.promise(() => repository.save("lamp", { stock: -1, sold: 0 }))
        assert.strictEqual(yield* raw.call("HGET", "Lamp:lamp", "stock"), "-1")
        yield* Effect.flip(Effect.tryPromise(() => repository.save("lamp", { stock: "none" as never, sold: 0 })))
      })
    ),
    "redlock": none,
    "redlayer": cell(
      "yes: from one schema",
      ours(Effect.gen(function*() {
        yield* Product.insert(lamp)
        const { sold, stock } = Product.ref("lamp")
        assert.strictEqual((yield* Effect.flip(stock.set(-1)))._tag, "InvalidValue")
        assert.strictEqual((yield* Effect.flip(sold.set(0.5)))._tag, "InvalidValue")
        assert.strictEqual((yield* Effect.flip(stock.decrement(2)))._tag, "OutOfBounds")
      }))
    )
  }],
  ["a holder whose lock has expired can't write", {
    "`MULTI`": none,
    "your own Lua": cell("as you write it", scripts),
    "redis-om": none,
    "redlock": cell(
      "no",
      Effect.gen(function*() {
        const { raw } = yield* start
        const redlock = new Redlock([raw.client], { retryCount: -1 })
        yield* Effect.promise(() => redlock.acquire(["lock"], 50))
        // the lease of the first holder ends, and another one has the lock
        const second = yield* Effect.promise(() => redlock.acquire(["lock"], 10_000))
        // the first holder has not noticed
        yield* raw.call("SET", "report", "of the first holder")
        assert.strictEqual(yield* raw.call("GET", "report"), "of the first holder")
        yield* Effect.promise(() => second.release())
      })
    ),
    "redlayer": cell(
      "yes: fenced",
      Effect.gen(function*() {
        const { raw, server } = yield* start
        const services = yield* Layer.build(RedisService.layer({ url: server.url }))
        yield* Effect.gen(function*() {
          yield* Product.insert(lamp)
          const product = Product.ref("lamp")
          const first = yield* Lock.acquire("report", { on: product, lease: "10 seconds", renew: false })
          // as if its lease had ended
          yield* raw.call("DEL", "Product:{lamp}:$lock:report")
          const error = yield* Effect.flip(Atomic.all([first.guard, product.sold.set(7)]))
          assert.strictEqual(error._tag, "LockLost")
          assert.strictEqual((yield* Product.get("lamp")).sold, 0)
        }).pipe(Effect.provide(services))
      })
    )
  }],
  ["after a lost reply, a repeat counts once", {
    "`MULTI`": cell(
      "no",
      Effect.gen(function*() {
        assert.strictEqual(
          yield* repeated(({ client }) => Effect.tryPromise(() => client.multi().incr("n").exec())),
          2
        )
      })
    ),
    "your own Lua": cell(
      "no",
      Effect.gen(function*() {
        const count = yield* repeated(({ call }) => call("EVAL", "return redis.call('INCR', KEYS[1])", "1", "n"))
        assert.strictEqual(count, 2)
      })
    ),
    "redis-om": none,
    "redlock": none,
    "redlayer": cell("yes: `exactlyOnce`", [
      "test/live/exactlyOnce.test.ts",
      "programs happen exactly once when connections are cut before the request and before the reply"
    ])
  }],
  ["queries, pages and ranks", {
    "`MULTI`": cell("by hand", "https://redis.io/docs/latest/develop/clients/patterns/indexes/"),
    "your own Lua": cell("by hand", "https://redis.io/docs/latest/develop/clients/patterns/indexes/"),
    "redis-om": cell(
      "with a search module",
      Effect.gen(function*() {
        const { repository } = yield* om
        const search = Effect.tryPromise(() => repository.search().where("sold").gt(0).return.all())
        assert.include(String((yield* Effect.flip(search)).cause), "unknown command")
      })
    ),
    "redlock": none,
    "redlayer": cell(
      "yes, on a plain server",
      ours(Effect.gen(function*() {
        yield* Product.insertMany([lamp, { ...lamp, sku: "rug", sold: 3 }])
        const { items } = yield* Query.page(Product.by.sold({ sold: { gt: 0 } }), { limit: 10 })
        assert.deepStrictEqual(items.map(({ sku }) => sku), ["rug"])
      }))
    )
  }],
  ["tests without a server, with the same results", {
    "`MULTI`": cell("no", transactions),
    "your own Lua": cell("no", scripts),
    "redis-om": cell("no", omPage),
    "redlock": cell("no", "https://github.com/mike-marcacci/node-redlock#readme"),
    "redlayer": cell("yes: `layerMemory`", [
      "test/differential/differential.test.ts",
      "random programs return and leave the same on a server and in memory"
    ])
  }]
]

const root = new URL("../../", import.meta.url)

describe("the comparison of README.md", () => {
  it("has the cells that are proven here, and no other", () => {
    const table = /<!-- comparison: test\/docs\/comparison\.test\.ts -->\n\n([\s\S]*?)\n\n<!-- \/comparison -->/.exec(
      readFileSync(new URL("README.md", root), "utf8")
    )?.[1]
    assert.isDefined(table)
    const lines = table.split("\n").map((line) => line.split("|").slice(1, -1).map((text) => text.trim()))
    assert.deepStrictEqual(lines.filter((_, i) => i !== 1), [
      ["", ...columns],
      ...rows.map(([job, cells]) => [job, ...columns.map((column) => cells[column].text)])
    ])
  })

  it("names tests that are there", () => {
    for (const [job, cells] of rows) {
      for (const column of columns) {
        const { reference, run, text } = cells[column]
        if (text === "n/a") continue
        assert.isTrue(reference !== undefined || run !== undefined, `${job}, ${column}`)
        if (reference === undefined || typeof reference === "string") continue
        const [file, title] = reference
        assert.isTrue(existsSync(new URL(file, root)), file)
        assert.include(readFileSync(new URL(file, root), "utf8"), `"${title}"`)
      }
    }
  })
})

describeOwnServer("the comparison of README.md", () => {
  for (const [job, cells] of rows) {
    for (const column of columns) {
      const { run, text } = cells[column]
      if (run !== undefined) it.live(`${job}, ${column}: ${text}`, () => run)
    }
  }
})
