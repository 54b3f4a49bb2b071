/**
 * Follows the README as a new user does: in an empty folder, with the packed packages and whatever the registry has today.
 * It needs the registry and a built package, and takes its time; `npm run check:install` runs it.
 */
import { Data, Effect } from "effect"
import { spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { fileURLToPath } from "node:url"
import { extract } from "./doctest.ts"
import * as RedisServer from "./RedisServer.ts"

class InstallError extends Data.TaggedError("InstallError")<{ readonly message: string }> {}

const root = fileURLToPath(new URL("../..", import.meta.url))
const readme = readFileSync(join(root, "README.md"), "utf8")
const { devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  readonly devDependencies: { readonly redis: string }
}
const conformanceReadme = readFileSync(join(root, "conformance/README.md"), "utf8")

/** Runs a command, shows what it says, and gives what it wrote to stdout. */
const run = (cwd: string, command: string, ...args: ReadonlyArray<string>): Effect.Effect<string, InstallError> =>
  Effect.suspend(() => {
    console.log(`$ ${[command, ...args].join(" ")}`)
    // what an `npm run` tells its children of its own package
    const env = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^(npm_package_|npm_config_local_prefix$|INIT_CWD$)/.test(name))
    )
    const { error, status, stdout } = spawnSync(command, args, {
      cwd,
      encoding: "utf8",
      env: { ...env, PATH: [join(cwd, "node_modules/.bin"), env.PATH].join(delimiter) },
      stdio: ["ignore", "pipe", "inherit"]
    })
    process.stdout.write(stdout ?? "")
    return status === 0
      ? Effect.succeed(stdout)
      : Effect.fail(new InstallError({ message: `${command}: ${error?.message ?? `exit code ${status}`}` }))
  })

const expect = (condition: boolean, message: string): Effect.Effect<void, InstallError> =>
  condition ? Effect.void : Effect.fail(new InstallError({ message }))

const program = Effect.gen(function*() {
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "redlayer-install-"))),
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
  )
  const install = /^npm install (redlayer .*)$/m.exec(readme)?.[1]?.split(" ")
  const source = extract("README.md", readme)[0]?.source
  const conformance = extract("conformance/README.md", conformanceReadme)[0]?.source
  if (install === undefined || source === undefined || conformance === undefined) {
    return yield* new InstallError({ message: "a README has no install command, or no example" })
  }
  const pack = ["npm", "pack", "--silent", "--pack-destination", folder] as const
  const packed = yield* run(root, ...pack, "--include-workspace-root", "--workspaces")
  const tarballs = packed.trim().split("\n").map((name) => join(folder, name))
  const tarball = tarballs.find((path) => /redlayer-\d[^/]*$/.test(path))!
  const conformanceTarball = tarballs.find((path) => /redlayer-conformance-[^/]*$/.test(path))!

  // `node` fetches its binary when it is installed
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module", allowScripts: { node: true } }))
  yield* run(
    folder,
    "npm",
    "install",
    "--no-audit",
    "--no-fund",
    ...install.map((name) => name === "redlayer" ? tarball : name),
    conformanceTarball,
    "node@24",
    "typescript"
  )
  const version = yield* run(folder, "node", "--version")
  yield* expect(version.startsWith("v24."), "this is another node")
  yield* run(folder, "npm", "ls", "redlayer", ...install.slice(1), "typescript")

  yield* expect(!existsSync(join(folder, "node_modules/redis")), "the optional peer `redis` was installed")

  writeFileSync(join(folder, "main.ts"), source)
  yield* run(folder, "tsc", "--init")
  yield* run(folder, "tsc", "--noEmit")
  const output = yield* run(folder, "node", "main.ts")
  yield* expect(output.includes("sold out"), "the example does not print its result")

  writeFileSync(join(folder, "conformance.ts"), conformance)
  yield* run(folder, "tsc", "--noEmit")
  yield* run(folder, "node", "conformance.ts")

  if (RedisServer.findBinary() === undefined) {
    console.log("There is no redis-server or valkey-server: the example ran in memory only")
  } else {
    const server = yield* RedisServer.start()
    const layer = `RedisService.layer({ url: ${JSON.stringify(server.url)} })`
    writeFileSync(join(folder, "server.ts"), source.replace("RedisService.layerMemory", layer))
    yield* run(folder, "tsc", "--noEmit")
    const onServer = yield* run(folder, "node", "server.ts")
    yield* expect(onServer === output, "the example gives another result on a server")

    yield* run(folder, "npm", "install", "--no-audit", "--no-fund", `redis@${devDependencies.redis}`)
    const options = `{ url: ${JSON.stringify(server.url)} }`
    const overNodeRedis = `RedisService.layerTransport({ keyPrefix: "node-redis:" }).pipe(
  Layer.provide(NodeRedisTransport.layer(${options}))
)`
    const imports =
      `import { Layer } from "effect"\nimport * as NodeRedisTransport from "redlayer/NodeRedisTransport"\n`
    writeFileSync(join(folder, "nodeRedis.ts"), imports + source.replace("RedisService.layerMemory", overNodeRedis))
    yield* run(folder, "tsc", "--noEmit")
    yield* expect((yield* run(folder, "node", "nodeRedis.ts")) === output, "node-redis gives another result")
  }
  console.log("README.md holds for a new user")
})

await Effect.runPromise(
  Effect.scoped(program).pipe(
    Effect.catch((error) =>
      Effect.sync(() => {
        console.error(error.message)
        process.exitCode = 1
      })
    )
  )
)
