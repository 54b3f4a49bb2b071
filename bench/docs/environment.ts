/**
 * The machine and the versions of a run that is about to begin.
 */
import { Redis } from "ioredis"
import { readFileSync } from "node:fs"
import * as Os from "node:os"
import { type Machine, root, type Stored } from "./stored.ts"

const libraries = ["effect", "ioredis", "redis", "redis-om", "redlock", "redis-semaphore"]

const versionOf = (library: string): string =>
  (JSON.parse(readFileSync(`${root}/node_modules/${library}/package.json`, "utf8")) as { readonly version: string })
    .version.replace(/^v/, "")

const serverOf = async (url: string): Promise<readonly [name: string, version: string]> => {
  const redis = new Redis(url)
  const info = await redis.info("server")
  redis.disconnect()
  const valkey = /^valkey_version:(.+?)\r?$/m.exec(info)?.[1]
  return valkey === undefined ? ["Redis", /^redis_version:(.+?)\r?$/m.exec(info)![1]!] : ["Valkey", valkey]
}

export const environment = async (url: string): Promise<Omit<Stored, "results">> => {
  const machine: Machine = {
    processor: Os.cpus()[0]?.model.trim() ?? "unknown",
    cores: Os.availableParallelism(),
    gigabytes: Math.round(Os.totalmem() / 2 ** 30),
    system: `${Os.type()} ${Os.arch()}`,
    load: Math.round(Os.loadavg()[0]! * 10) / 10
  }
  const [name, version] = await serverOf(url)
  const versions = Object.fromEntries(libraries.map((library) => [library, versionOf(library)]))
  return {
    date: new Date().toISOString().slice(0, 10),
    machine,
    versions: { [name]: version, "Node.js": process.versions.node, ...versions }
  }
}
