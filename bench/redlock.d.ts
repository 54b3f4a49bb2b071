/** The part of redlock that the benchmark uses, because the `exports` of redlock hide its types. */
declare module "redlock" {
  import type { Redis } from "ioredis"

  interface Settings {
    readonly retryCount: number
  }

  export default class Redlock {
    constructor(clients: Iterable<Redis>, settings: Settings)
    acquire(resources: Array<string>, millis: number): Promise<{ readonly release: () => Promise<unknown> }>
  }
}
