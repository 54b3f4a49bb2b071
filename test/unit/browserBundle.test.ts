/**
 * A bundle for browsers of the library and the memory layer is small, names no module of Node, and runs without Node's globals.
 */
import { assert, describe, it } from "@effect/vitest"
import { build, type BuildOptions, type BuildResult, type Metafile } from "esbuild"
import { builtinModules } from "node:module"
import { fileURLToPath } from "node:url"
import { createContext, runInContext } from "node:vm"
import { gzipSync } from "node:zlib"

const root = fileURLToPath(new URL("../..", import.meta.url))

const options = {
  bundle: true,
  format: "iife",
  globalName: "result",
  platform: "browser",
  target: "es2022",
  minify: true,
  write: false,
  metafile: true,
  conditions: ["redlayer-source"],
  logLevel: "silent"
} satisfies BuildOptions

const bundle = (contents: string): Promise<BuildResult<typeof options>> =>
  build({ ...options, stdin: { contents, resolveDir: root, loader: "ts" } })

const nodeModules = new Set(builtinModules)

/** The modules that a bundle leaves to its platform, and the files of the library that are for servers alone. */
const foreign = ({ metafile }: { readonly metafile: Metafile }): ReadonlyArray<string> => [
  ...Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path)),
  ...Object.values(metafile.inputs).flatMap(({ imports }) => imports.map(({ path }) => path)).filter((path) =>
    path.startsWith("node:") || nodeModules.has(path) || /\bioredis\b|\blua\.generated\b/.test(path)
  )
]

/** Runs a bundle whose globals are those that browsers have too. */
const run = async ({ outputFiles: [file] }: BuildResult<typeof options>): Promise<unknown> => {
  const {
    AbortController,
    TextDecoder,
    TextEncoder,
    URL,
    clearTimeout,
    crypto,
    performance,
    queueMicrotask,
    setTimeout
  } = globalThis
  const context = createContext({
    AbortController,
    TextDecoder,
    TextEncoder,
    URL,
    clearTimeout,
    console,
    crypto,
    performance,
    queueMicrotask,
    setTimeout
  })
  runInContext(file!.text, context)
  // objects of the context have other prototypes
  return JSON.parse(JSON.stringify(await runInContext("result.default", context)))
}

const program = `
import { Effect, Schema, Stream } from "effect"
import { Atomic, EffectReactivity, Lock, Model, Query, RedisService } from "redlayer"

const Product = Model.make("Product", {
  sku: Schema.String,
  stock: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)),
  buyers: Schema.Array(Schema.String)
}, { key: "sku", indexes: { byStock: ["stock"] } })

const buy = (sku: string, buyer: string) => {
  const product = Product.ref(sku)
  return Atomic.all({ left: product.stock.decrement(), buyers: product.buyers.append(buyer) })
}

const all = Effect.gen(function*() {
  yield* Product.insert({ sku: "lamp", stock: 1, buyers: [] })
  const bought = yield* buy("lamp", "alice")
  const refused = yield* Effect.flip(buy("lamp", "bob"))
  const locked = yield* Lock.withLock("job", () => Effect.succeed("done"))
  const query = Product.query((product) => product.stock.gte(0))
  const ids = yield* Stream.runCollect(Query.ids(query))
  const plan = yield* Query.explain(query)
  return { bought, refused: refused._tag, locked, ids, plan: plan.bytesOfAnEntry > 0, lamp: yield* Product.get("lamp") }
})

const refused = RedisService.layer({ url: "redis://127.0.0.1:6379" })

export default Effect.runPromise(Effect.all({
  memory: Effect.provide(all, RedisService.layerMemory),
  reactivity: Effect.as(Effect.provide(Effect.void, EffectReactivity.layer()), true).pipe(Effect.provide(RedisService.layerMemory)),
  server: Effect.flip(Effect.provide(all, refused)).pipe(Effect.map((error) => error.reason._tag))
}))
`

describe("a bundle for browsers", () => {
  it("of a first program names no module of Node, and is below 250 kB gzipped with Effect", async () => {
    const bundled = await bundle(`
      import { Effect, Schema } from "effect"
      import { Atomic, Model, RedisService } from "redlayer"
      export { Atomic, Effect, Model, Schema }
      export const layer = RedisService.layerMemory
    `)
    assert.deepStrictEqual(foreign(bundled), [])
    const { length } = gzipSync(bundled.outputFiles[0]!.contents)
    console.log(`redlayer in memory, with Effect, for browsers: ${Math.round(length / 1000)} kB gzipped`)
    assert.isBelow(length, 250_000)
  })

  it("runs programs, locks, queries and subscriptions without a global of Node, and says that it has no servers", async () => {
    const bundled = await bundle(program)
    assert.deepStrictEqual(foreign(bundled), [])
    assert.deepStrictEqual(await run(bundled), {
      memory: {
        bought: { left: 0, buyers: 1 },
        refused: "OutOfBounds",
        locked: "done",
        ids: ["lamp"],
        plan: true,
        lamp: { sku: "lamp", stock: 0, buyers: ["alice"] }
      },
      reactivity: true,
      server: "Unsupported"
    })
  })

  it("that takes the files for servers is found", async () => {
    const bundled = await build({
      ...options,
      platform: "node",
      stdin: { contents: `export { RedisService } from "redlayer"`, resolveDir: root, loader: "ts" }
    })
    for (const name of ["crypto", "net", "ioredis", "lua.generated"]) {
      assert.isTrue(foreign(bundled).some((path) => path.includes(name)), name)
    }
  })
})
