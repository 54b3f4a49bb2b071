/**
 * The blocks of tests, by what they run on. The reporter counts tests by the tag in the name of a block.
 */
import { describe, inject } from "@effect/vitest"
import { randomBytes } from "node:crypto"
import type { ProvidedRedis } from "./globalSetup.ts"

/** The shared Redis of this run. When `url` is undefined there is none. */
export const redis: ProvidedRedis = inject("redis")

/** Use `redis.url` inside tests and layers only, because the body of a block also runs when its tests are skipped. */
type Describe = (name: string, body: () => void) => void

/** A block of tests that need no Redis. */
export const describeMemory: Describe = (name, body) => {
  describe(`${name} [memory]`, body)
}

/** A block of tests on the shared Redis, skipped when there is none. They keep to keys under `redis.prefix`. */
export const describeRedis: Describe = (name, body) => {
  describe.skipIf(redis.url === undefined)(`${name} [redis]`, body)
}

/** A block of tests that start servers of their own (`RedisServer.start`), skipped when there is no binary. */
export const describeOwnServer: Describe = (name, body) => {
  describe.skipIf(!redis.canStart)(`${name} [redis]`, body)
}

export interface Backend {
  readonly name: "memory" | "redis"
  readonly describe: Describe
}

/** For suites that must hold on both. */
export const backends: ReadonlyArray<Backend> = [
  { name: "memory", describe: describeMemory },
  { name: "redis", describe: describeRedis }
]

// workers share the server, and threads share a process id
const worker = randomBytes(4).toString("hex")
let counter = 0

/** A key prefix on the shared server that no other test of this run has, whichever worker it runs in. */
export const uniquePrefix = (name: string): string => `${redis.prefix}${worker}-${++counter}:${name}:`
