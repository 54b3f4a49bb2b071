/**
 * Waits until replicas have what a server has written, on a connection of its own, because `WAIT` holds up its connection.
 *
 * The server that is asked must be the one that ran the call, and not one that took its place: both connections ask who it is, and
 * the names must be equal. A `SET` goes before each `WAIT`, because a server waits only for what the same connection has written;
 * replicas that have it have everything before it.
 */
import * as Effect from "effect/Effect"
import { Command, type Redis } from "ioredis"
import type { Replication } from "../../../RedisTransport.ts"

/** The longest `WAIT`, because those that come meanwhile, perhaps for fewer replicas, wait for its end. */
const sliceMillis = 100

/** How long the last answer may take beyond the time, because servers look at their timers only ten times a second. */
const graceMillis = 150

/** Undefined: it is not known yet, or cannot be asked. */
type RunId = string | undefined

interface Waiting extends Replication {
  readonly runId: RunId
  readonly until: number
  /** The most replicas that were confirmed. Undefined: the server could not be asked. */
  confirmed: number | undefined
  readonly end: () => void
}

const ignore = (): void => {}

const ask = (client: Redis, name: string, args: ReadonlyArray<string> = []): Promise<unknown> =>
  Promise.resolve(client.sendCommand(new Command(name, [...args], { replyEncoding: "utf8" })))

/** The name that a server gave itself when it started. */
const runIdOf = (client: Redis): Promise<RunId> =>
  ask(client, "INFO", ["server"]).then((info) => /^run_id:(\w+)/m.exec(String(info))?.[1], () => undefined)

/** @internal */
export class Replicas {
  private readonly open: () => Redis
  private readonly main: Redis
  /** The name of the server, for as long as the connection lasts. */
  private runId: Promise<RunId> | undefined
  private side: Redis | undefined
  private sideRunId: RunId
  private isAsking = false
  private readonly waiting = new Set<Waiting>()

  /** @param open makes a second client of the same server, which is not connected yet */
  constructor(main: Redis, open: () => Redis) {
    this.main = main
    this.open = open
    main.on("close", () => {
      this.runId = undefined
    })
    main.once("end", () => this.side?.disconnect())
  }

  /** Asks the server who it is. Call it before the call that writes is sent, and on the same connection. */
  identify(): Promise<RunId> {
    this.runId ??= runIdOf(this.main)
    if (this.side === undefined) this.connect()
    return this.runId
  }

  /** Returns how many replicas have what the server has written, when enough have it or the time is over. */
  wait(of: Promise<RunId>, { count, key, timeout }: Replication): Effect.Effect<number> {
    return Effect.flatMap(Effect.promise(() => of), (runId) =>
      Effect.callback<number>((resume) => {
        const end = () => {
          clearTimeout(timer)
          this.waiting.delete(self)
          resume(Effect.succeed(self.confirmed ?? 0))
        }
        const timer = setTimeout(end, timeout + graceMillis)
        const self: Waiting = {
          count,
          key,
          timeout,
          runId,
          until: performance.now() + timeout,
          confirmed: undefined,
          end
        }
        if (runId === undefined) return end()
        this.waiting.add(self)
        this.next()
        return Effect.sync(() => {
          clearTimeout(timer)
          this.waiting.delete(self)
        })
      }))
  }

  private connect(): void {
    const side = this.side = this.open()
    side.on("ready", () => {
      runIdOf(side).then((runId) => {
        this.sideRunId = runId
        this.next()
      })
    })
    side.on("close", () => {
      this.sideRunId = undefined
    })
    side.connect().catch(ignore)
  }

  private next(): void {
    const { side, sideRunId } = this
    if (this.isAsking || side === undefined || sideRunId === undefined || this.waiting.size === 0) return
    const round = [...this.waiting].filter(({ runId }) => runId === sideRunId)
    // it is connected to another server than the calls
    if (round.length === 0) return side.disconnect(true)
    this.isAsking = true
    const now = performance.now()
    const count = Math.min(...round.map((self) => self.count))
    const millis = Math.max(1, Math.min(sliceMillis, ...round.map(({ until }) => Math.floor(until - now))))
    const answered = (confirmed: number | undefined, all: ReadonlyArray<Waiting> = round): void => {
      this.isAsking = false
      for (const self of all) {
        if (confirmed !== undefined) self.confirmed = Math.max(self.confirmed ?? 0, confirmed)
        if (confirmed === undefined || confirmed >= self.count || performance.now() >= self.until) self.end()
      }
      this.next()
    }
    const failed = (error: Error, all: ReadonlyArray<Waiting>): void => {
      if (error.name === "ReplyError") return answered(undefined, all)
      // the connection broke: the next one asks again
      this.isAsking = false
    }
    const [first] = round
    const written = ask(side, "SET", [first!.key, "", "PX", "1"])
    const waited = ask(side, "WAIT", [String(count), String(millis)])
    waited.catch(ignore)
    written.then(
      () => waited.then((confirmed) => answered(Number(confirmed)), (error: Error) => failed(error, round)),
      // the slot of the key is no longer there: those of the others may be
      (error: Error) => failed(error, [first!])
    )
  }
}
