/**
 * The choice of the server for programs that only read.
 */
import { Command, type Redis } from "ioredis"
import type { ServerReply } from "../../../RedisTransport.ts"
import { isNoScript } from "../classify.ts"
import type { Connection } from "./connection.ts"
import type { Reads } from "./topologies.ts"

/**
 * A server that can be read from.
 *
 * @internal
 */
export interface Readable {
  readonly client: Redis
  readonly connection: Connection
  readonly pace: Pace
}

/** About how often the time of an answer is measured. */
const periodMillis = 5000

/** How long a replica is not read from after it has refused. */
const avoidMillis = 1000

/** A server is left for another one only if that is faster by so much, because both are measured with an error. */
const advantage = 0.8

/**
 * How fast a server answers, and whether it refuses.
 *
 * @internal
 */
export class Pace {
  /** Milliseconds, smoothed. Undefined: not measured yet. */
  millis: number | undefined
  private avoidedUntil = -Infinity
  private readonly client: Redis
  private timer: ReturnType<typeof setTimeout> | undefined

  constructor(client: Redis, isMeasured: boolean) {
    this.client = client
    if (!isMeasured) return
    client.on("ready", () => this.measure())
    client.on("close", () => clearTimeout(this.timer))
  }

  /** Notes what the server has replied: after a refusal it is not read from for `avoidMillis`. */
  note(reply: ServerReply): void {
    if (reply._tag === "Error" && !isNoScript(reply.message)) this.avoidedUntil = performance.now() + avoidMillis
  }

  isAvoided(): boolean {
    return performance.now() < this.avoidedUntil
  }

  private measure(): void {
    clearTimeout(this.timer)
    const sentAt = performance.now()
    const answer = this.client.sendCommand(new Command("PING")) as Promise<unknown>
    answer.then(() => {
      const millis = performance.now() - sentAt
      this.millis = this.millis === undefined ? millis : this.millis * 0.7 + millis * 0.3
    }, () => {})
    this.timer = setTimeout(() => this.measure(), periodMillis * (0.5 + Math.random()))
    this.timer.unref()
  }
}

const canRead = ({ connection, pace }: Readable): boolean => connection.isReady() && !pace.isAvoided()

/**
 * Returns the replica to read from. Undefined: the primary.
 *
 * @internal
 */
export const readerAmong = <R extends Readable>(
  reads: Reads,
  replicas: ReadonlyArray<R>,
  primary: R | undefined
): R | undefined => {
  const ready = replicas.filter(canRead)
  if (reads !== "nearest") return ready[0]
  let nearest = primary?.connection.isReady() === true ? primary : undefined
  for (const replica of ready) {
    if (nearest === undefined || (replica.pace.millis ?? Infinity) < (nearest.pace.millis ?? Infinity) * advantage) {
      nearest = replica
    }
  }
  return nearest === primary ? undefined : nearest
}

/**
 * The list from a random one on, so that the processes of an application read from different replicas.
 *
 * @internal
 */
export const turned = <A>(all: ReadonlyArray<A>): ReadonlyArray<A> => {
  const from = Math.floor(Math.random() * all.length)
  return [...all.slice(from), ...all.slice(0, from)]
}
