/**
 * `redis-benchmark`, the load generator that comes with Redis, as a contender.
 */
import { Redis } from "ioredis"
import { execFile } from "node:child_process"
import { promisify } from "node:util"
import { scriptOf } from "./scripts.ts"
import type { Work } from "./work.ts"

const pipelined = 64

/** The number of requests of the first turn. */
const first = 128_000

/** The key of an entity: `redis-benchmark` writes random numbers of twelve digits. */
export const randomKey = (index: number): string => `plain:${String(index).padStart(12, "0")}`

/** Calls a script of `bench/scripts` on random entities, 64 calls in a pipeline on each of 50 connections. */
export const redisBenchmark = (script: string, entities: number, args: ReadonlyArray<string>): Work => async (url) => {
  const redis = new Redis(url)
  const sha = await redis.script("LOAD", scriptOf(script)) as string
  redis.disconnect()
  let perMilli: number | undefined
  return {
    turn: async ({ millis }) => {
      const wanted = perMilli === undefined ? first : perMilli * millis
      const requests = Math.ceil(wanted / pipelined) * pipelined
      const { hostname, port } = new URL(url)
      const options = ["-h", hostname, "-p", port, "-P", pipelined, "-n", requests, "-r", entities, "--csv"].map(String)
      const { stdout } = await promisify(execFile)("redis-benchmark", [
        ...options,
        "evalsha",
        sha,
        "1",
        "plain:__rand_int__",
        ...args
      ])
      const rate = Number(/",\s*"([\d.]+)"/.exec(stdout.trim().split("\n").at(-1)!)?.[1])
      if (!(rate > 0)) throw new Error(`redis-benchmark printed ${stdout}`)
      perMilli = rate / 1000
      // the processor time of another process cannot be read
      return { operations: requests, seconds: requests / rate, cpu: 0 }
    },
    close: async () => {}
  }
}
