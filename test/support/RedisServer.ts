/**
 * Real Redis servers for tests: each on a free port of the loopback interface, in a directory of its own, and gone
 * with its scope. Who connects without a name has the rights of docs/server.md, and no others; a `RawRedis` has all.
 */
import { Data, Effect, Schedule, type Scope } from "effect"
import { type ChildProcessByStdio, spawn } from "node:child_process"
import { accessSync, constants, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs"
import * as Net from "node:net"
import { tmpdir } from "node:os"
import { delimiter, join, resolve } from "node:path"
import type { Readable } from "node:stream"
import * as Tls from "node:tls"
import type { Certificates } from "./Certificates.ts"
import { withLiveClock } from "./LiveClock.ts"
import * as RawRedis from "./RawRedis.ts"
import * as Rights from "./Rights.ts"

const host = "127.0.0.1"

/** How long a server may take to answer its first PING, and how long it may take to stop before it is killed. */
const startMillis = 10_000
const stopMillis = 3000

/** Only the end of a server's log is kept. */
const logLimit = 64 * 1024

/** A server did not start, did not stop or is not what it should be. `message` ends with the server's log. */
export class RedisServerError extends Data.TaggedError("RedisServerError")<{
  readonly message: string
  /** Another process took the port between its choice and the server's start. */
  readonly portTaken: boolean
  readonly cause?: unknown
}> {}

export interface StartOptions {
  /** More command line arguments, such as `["--maxmemory", "1mb"]`; they win over `config`. */
  readonly args?: ReadonlyArray<string> | undefined
  /** The text of a configuration file. */
  readonly config?: string | undefined
  /** Starts the server as a node of a cluster. It has no slots: see {@link assignAllSlots}. */
  readonly cluster?: boolean | undefined
  /** The cluster as the node knows it when it starts: the text of its `nodes.conf`. Implies `cluster`. */
  readonly nodesConf?: string | ((ports: { readonly port: number; readonly busPort: number }) => string) | undefined
  /** A directory of the caller, which stays. Otherwise a temporary one is made and removed. */
  readonly dir?: string | undefined
  /** A port of the caller's choice, for a server that must come back where another one was. */
  readonly port?: number | undefined
  /** The port of the cluster bus. Default: a free one. */
  readonly busPort?: number | undefined
  /** The prefix of all layers, a glob, to which the rights are then limited. */
  readonly keyPrefix?: string | undefined
  /** The password of those who connect without a name. */
  readonly password?: string | undefined
  /** Those who connect without a name may do everything too. */
  readonly unrestricted?: boolean | undefined
  /** More variables of its environment, such as a locale. */
  readonly env?: Readonly<Record<string, string>> | undefined
  /** The server speaks TLS only. */
  readonly certificates?: Certificates | undefined
}

export interface RedisServer {
  /** Without a name and a password. */
  readonly url: string
  readonly host: string
  readonly port: number
  readonly pid: number
  readonly binary: string
  readonly directory: string
  /** The end of what the server has written to its log so far. */
  readonly log: Effect.Effect<string>
  /** Stops the server now: SIGTERM, and SIGKILL when that is not enough. Does nothing when it has gone already. */
  readonly stop: Effect.Effect<void>
  /** Sends a signal; when it is one that ends a process, waits until the process has ended. */
  readonly kill: (signal: NodeJS.Signals) => Effect.Effect<void, RedisServerError>
}

type Child = ChildProcessByStdio<null, Readable, Readable>

interface Running {
  readonly child: Child
  readonly pid: number
  readonly log: () => string
}

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    // absent, or in a directory of the PATH that is closed to this user
    return false
  }
}

/** The path of the first of these programs that is on the PATH. */
export const onPath = (...names: ReadonlyArray<string>): string | undefined => {
  const directories = (process.env.PATH ?? "").split(delimiter).filter((directory) => directory !== "")
  return names.flatMap((name) => directories.map((directory) => join(directory, name))).find(isExecutable)
}

/**
 * The path of the server that tests start: `REDLAYER_TEST_SERVER`, or else `redis-server` or `valkey-server` if one is on the PATH. A
 * wrapper must `exec` the server, because tests signal the process that they have started.
 */
export const findBinary = (): string | undefined => {
  const chosen = process.env.REDLAYER_TEST_SERVER ?? ""
  // a server starts in a directory of its own
  return chosen === "" ? onPath("redis-server", "valkey-server") : resolve(chosen)
}

/** A port of the loopback interface that was free a moment ago. */
export const freePort: Effect.Effect<number, RedisServerError> = Effect.callback((resume) => {
  const server = Net.createServer()
  server.once(
    "error",
    (cause) =>
      resume(Effect.fail(new RedisServerError({ message: `no free port: ${cause.message}`, portTaken: false, cause })))
  )
  server.listen(0, host, () => {
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    server.close(() => resume(Effect.succeed(port)))
  })
})

// ---------------------------------------------------------------------------------------------------------------------
// Nothing outlives the process that started it
// ---------------------------------------------------------------------------------------------------------------------

interface Guarded {
  readonly child: Child
  /** Removed with the server; undefined for a directory of the caller. */
  readonly directory: string | undefined
}

const guarded = new Set<Guarded>()
let listening = false

const killAll = () => {
  for (const { child, directory } of guarded) {
    child.kill("SIGKILL")
    if (directory !== undefined) {
      rmSync(directory, { recursive: true, force: true })
    }
  }
}

// A process that is itself killed runs no exit handler, and a test runner kills workers that do not end. This shell
// waits on a pipe of ours: a line means that the server has ended, the end of the pipe means that we have.
const watchdog = `trap '' INT TERM HUP; read -r _ || { kill -KILL "$1"; [ -z "$2" ] || rm -rf -- "$2"; }`

const guard = (entry: Guarded, pid: number): void => {
  guarded.add(entry)
  if (!listening) {
    listening = true
    process.on("exit", killAll)
  }
  const shell = spawn("/bin/sh", ["-c", watchdog, "watchdog", String(pid), entry.directory ?? ""], {
    stdio: ["pipe", "ignore", "ignore"]
  })
  // without a shell the exit handler is all there is
  shell.on("error", () => {})
  shell.stdin.on("error", () => {})
  shell.unref()
  if (shell.stdin instanceof Net.Socket) {
    shell.stdin.unref()
  }
  entry.child.once("exit", () => {
    guarded.delete(entry)
    shell.stdin.end("ended\n")
  })
}

// ---------------------------------------------------------------------------------------------------------------------
// Processes
// ---------------------------------------------------------------------------------------------------------------------

const hasExited = (child: Child): boolean => child.exitCode !== null || child.signalCode !== null

/** True when the process ended within the bound. */
const awaitExit = (child: Child, millis: number): Effect.Effect<boolean> =>
  Effect.callback<boolean>((resume) => {
    if (hasExited(child)) {
      return resume(Effect.succeed(true))
    }
    const onExit = () => {
      clearTimeout(timer)
      resume(Effect.succeed(true))
    }
    const timer = setTimeout(() => {
      child.off("exit", onExit)
      resume(Effect.succeed(false))
    }, millis)
    child.once("exit", onExit)
    return Effect.sync(() => {
      clearTimeout(timer)
      child.off("exit", onExit)
    })
  })

const terminate = Effect.fnUntraced(function*(child: Child) {
  if (hasExited(child)) {
    return
  }
  // a server that a test has stopped would not see the SIGTERM
  child.kill("SIGCONT")
  child.kill("SIGTERM")
  if (!(yield* awaitExit(child, stopMillis))) {
    child.kill("SIGKILL")
    yield* awaitExit(child, stopMillis)
  }
})

const launch = (
  binary: string,
  args: ReadonlyArray<string>,
  directory: string,
  ownDirectory: boolean,
  env: StartOptions["env"]
): Effect.Effect<Running, RedisServerError> =>
  Effect.callback((resume) => {
    const child = spawn(binary, args, {
      cwd: directory,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"]
    })
    let log = ""
    const append = (chunk: string) => {
      log = (log + chunk).slice(-logLimit)
    }
    child.stdout.setEncoding("utf8").on("data", append)
    child.stderr.setEncoding("utf8").on("data", append)
    child.once("error", (cause) =>
      resume(Effect.fail(
        new RedisServerError({ message: `${binary} could not be run: ${cause.message}`, portTaken: false, cause })
      )))
    const pid = child.pid
    if (pid !== undefined) {
      guard({ child, directory: ownDirectory ? directory : undefined }, pid)
      resume(Effect.succeed({ child, pid, log: () => log }))
    }
  })

// ---------------------------------------------------------------------------------------------------------------------
// Waiting until a server answers
// ---------------------------------------------------------------------------------------------------------------------

/** Everything that the server answers to PING and INFO, on a connection of its own. */
const probe = (port: number, certificates: Certificates | undefined): Effect.Effect<string, RedisServerError> =>
  Effect.callback((resume) => {
    const socket = certificates === undefined
      ? Net.connect({ host, port })
      : Tls.connect({ host, port, ca: certificates.authority })
    let text = ""
    const fail = (reason: string) =>
      resume(Effect.fail(new RedisServerError({ message: `no PONG on port ${port}: ${reason}`, portTaken: false })))
    socket.setEncoding("latin1")
    socket.setTimeout(1000, () => socket.destroy(new Error("no answer within a second")))
    // inline commands, and QUIT so that the end of the stream is the end of the answers
    socket.on(
      certificates === undefined ? "connect" : "secureConnect",
      () => socket.write("PING\r\nINFO server\r\nQUIT\r\n")
    )
    socket.on("data", (chunk: string) => {
      text += chunk
      // a Sentinel knows no QUIT
      if (/^\+PONG.*process_id:\d+\r/s.test(text)) resume(Effect.succeed(text))
    })
    socket.on("error", (error) => fail(error.message))
    socket.on("close", () =>
      // a server that asks for a password has started as well
      /^(\+PONG|-NOAUTH|-NOPERM)/.test(text) ? resume(Effect.succeed(text)) : fail(JSON.stringify(text.slice(0, 200))))
    return Effect.sync(() => socket.destroy())
  })

const awaitReady = (
  running: Running,
  port: number,
  certificates: Certificates | undefined
): Effect.Effect<void, RedisServerError> => {
  // the log arrives on pipes and may be complete only after the exit
  const crashed = Effect.callback<never, RedisServerError>((resume) => {
    const fail = () =>
      resume(Effect.fail(
        new RedisServerError({
          message: `the server ended at its start (${running.child.signalCode ?? running.child.exitCode}); its log:\n` +
            running.log(),
          portTaken: running.log().includes("Address already in use")
        })
      ))
    if (hasExited(running.child) && running.child.stdout.readableEnded && running.child.stderr.readableEnded) {
      return fail()
    }
    running.child.once("close", fail)
    return Effect.sync(() => running.child.off("close", fail))
  })
  const answers = probe(port, certificates).pipe(
    Effect.filterOrFail(
      // when another server took the port, it is that one which answers
      (text) => Number(/process_id:(\d+)/.exec(text)?.[1] ?? running.pid) === running.pid,
      () => new RedisServerError({ message: `another server answers on port ${port}`, portTaken: true })
    ),
    Effect.retry({ schedule: Schedule.spaced("20 millis"), while: () => !hasExited(running.child) }),
    // the crash is the better explanation, and it will be reported in a moment
    Effect.catch((error) => hasExited(running.child) ? Effect.never : Effect.fail(error)),
    Effect.timeoutOrElse({
      duration: startMillis,
      orElse: () =>
        Effect.fail(
          new RedisServerError({
            message: `the server did not answer PING within ${startMillis} ms; its log:\n${running.log()}`,
            portTaken: false
          })
        )
    })
  )
  return Effect.raceFirst(answers, crashed).pipe(Effect.asVoid)
}

// ---------------------------------------------------------------------------------------------------------------------
// Starting
// ---------------------------------------------------------------------------------------------------------------------

const ending: ReadonlySet<NodeJS.Signals> = new Set(["SIGTERM", "SIGKILL", "SIGINT", "SIGQUIT", "SIGABRT", "SIGSEGV"])

const startOnce = Effect.fnUntraced(
  function*(options: StartOptions): Effect.fn.Return<RedisServer, RedisServerError, Scope.Scope> {
    const binary = findBinary()
    if (binary === undefined) {
      return yield* new RedisServerError({
        message: "neither redis-server nor valkey-server is on the PATH",
        portTaken: false
      })
    }
    const port = options.port ?? (yield* freePort)
    const busPort = options.busPort ?? (yield* freePort)
    const ownDirectory = options.dir === undefined
    const directory = options.dir ?? (yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "redlayer-redis-"))),
      (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
    ))
    mkdirSync(directory, { recursive: true })
    const configFile = join(directory, "redis.conf")
    if (options.config !== undefined) {
      writeFileSync(configFile, options.config)
    }
    if (options.nodesConf !== undefined) {
      writeFileSync(
        join(directory, "nodes.conf"),
        typeof options.nodesConf === "string" ? options.nodesConf : options.nodesConf({ port, busPort })
      )
    }
    const { certificates } = options
    const cluster = options.cluster === true || options.nodesConf !== undefined
    const settings: Array<[name: string, value: string]> = [
      ["bind", host],
      ["port", certificates === undefined ? String(port) : "0"],
      ["dir", directory],
      ["save", ""],
      ["appendonly", "no"]
    ]
    if (cluster) {
      settings.push(
        ["cluster-enabled", "yes"],
        ["cluster-config-file", "nodes.conf"],
        // by default the bus is on the port plus 10000, which may not exist
        ["cluster-port", String(busPort)],
        ["cluster-announce-ip", host],
        // nodes that exist only in a nodes.conf must not count as failed while a test talks about them
        ["cluster-node-timeout", "60000"],
        // the slots that a node does have are served while others are missing
        ["cluster-require-full-coverage", "no"],
        ["masteruser", Rights.admin.username],
        ["masterauth", Rights.admin.password]
      )
    }
    const running = yield* Effect.acquireRelease(
      launch(
        binary,
        [
          ...(options.config === undefined ? [] : [configFile]),
          ...settings.flatMap(([name, value]) => [`--${name}`, value]),
          ...(certificates?.serverArgs(port) ?? []),
          ...Rights.serverArgs(options.unrestricted === true ? "unrestricted" : options),
          ...(options.args ?? [])
        ],
        directory,
        ownDirectory,
        options.env
      ),
      (running) => terminate(running.child)
    )
    yield* awaitReady(running, port, certificates)
    const { child, pid } = running
    return {
      url: `${certificates === undefined ? "redis" : "rediss"}://${host}:${port}`,
      host,
      port,
      pid,
      binary,
      directory,
      log: Effect.sync(running.log),
      stop: terminate(child),
      kill: Effect.fnUntraced(function*(signal) {
        if (hasExited(child)) {
          return
        }
        child.kill(signal)
        if (ending.has(signal) && !(yield* awaitExit(child, stopMillis))) {
          return yield* new RedisServerError({
            message: `process ${pid} did not end within ${stopMillis} ms of ${signal}; its log:\n${running.log()}`,
            portTaken: false
          })
        }
      })
    }
  }
)

/** Starts a server, waits until it answers, and stops it with the scope. */
export const start = (options: StartOptions = {}): Effect.Effect<RedisServer, RedisServerError, Scope.Scope> =>
  startOnce(options).pipe(
    Effect.retry({ times: 5, while: (error) => error.portTaken && options.port === undefined }),
    withLiveClock
  )

const withRawRedis = <A>(
  server: Pick<RedisServer, "url">,
  use: (redis: RawRedis.RawRedis) => Effect.Effect<A, RawRedis.RawRedisError | RedisServerError>
): Effect.Effect<A, RedisServerError> =>
  Effect.flatMap(RawRedis.make(server.url), use).pipe(
    Effect.scoped,
    Effect.catchTag("RawRedisError", (cause) =>
      Effect.fail(
        new RedisServerError({ message: `${cause.command} failed: ${cause.message}`, portTaken: false, cause })
      )),
    withLiveClock
  )

/**
 * Waits until a cluster node says that the cluster is up.
 *
 * A node says so no sooner than two seconds after its start, so allow a test that starts one some ten seconds.
 */
export const awaitClusterOk = (server: Pick<RedisServer, "url">): Effect.Effect<void, RedisServerError> =>
  withRawRedis(server, (redis) =>
    redis.call("CLUSTER", "INFO").pipe(
      Effect.filterOrFail(
        (info) => String(info).includes("cluster_state:ok"),
        (info) => new RedisServerError({ message: `the cluster is not up:\n${String(info)}`, portTaken: false })
      ),
      Effect.retry({
        schedule: Schedule.spaced("50 millis"),
        times: 200,
        while: (error) => error._tag === "RedisServerError"
      }),
      Effect.asVoid
    ))

/** Gives all slots to a cluster node that has none, and waits until it serves them. */
export const assignAllSlots = (server: Pick<RedisServer, "url">): Effect.Effect<void, RedisServerError> =>
  withRawRedis(server, (redis) => redis.call("CLUSTER", "ADDSLOTSRANGE", "0", "16383")).pipe(
    Effect.andThen(awaitClusterOk(server))
  )

/** Starts a cluster of one node that has all slots. */
export const startCluster = (options: StartOptions = {}): Effect.Effect<RedisServer, RedisServerError, Scope.Scope> =>
  start({ ...options, cluster: true }).pipe(Effect.tap(assignAllSlots))
