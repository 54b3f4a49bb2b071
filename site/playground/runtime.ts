/**
 * Runs one program, in a worker of its own, which the page ends when the program has to stop. The program comes as the body of an async function.
 */
import * as Formatter from "effect/Formatter"
import * as effect from "./effect.ts"
import type { RuntimeMessage } from "./messages.ts"
import * as redlayer from "./redlayer.ts"

const post = (message: RuntimeMessage): void => self.postMessage(message)

const format = (value: unknown): string => typeof value === "string" ? value : Formatter.format(value, { space: 2 })

for (const level of ["log", "info", "debug", "warn", "error"] as const) {
  console[level] = (...values: ReadonlyArray<unknown>) =>
    post({
      _tag: "Line",
      level: level === "warn" || level === "error" ? level : "log",
      text: values.map(format).join(" ")
    })
}

/** A module whose missing exports are reported by their names, because the playground does not have all of Effect. */
const complete = (name: string, module: object): object =>
  new Proxy(module, {
    get: (target, key) => {
      if (key in target || typeof key !== "string" || key === "__esModule" || key === "default") {
        return Reflect.get(target, key)
      }
      throw new Error(`the playground has no ${key} of ${name}`)
    }
  })

const modules: ReadonlyMap<string, object> = new Map<string, object>([
  ["effect", effect],
  ["redlayer", redlayer],
  ...Object.entries(effect).map(([name, module]) => [`effect/${name}`, module] as [string, object]),
  ...Object.entries(redlayer).map(([name, module]) => [`redlayer/${name}`, module] as [string, object])
])

const require = (name: string): object => {
  const found = modules.get(name)
  if (found === undefined) throw new Error(`the playground has no module "${name}"`)
  return complete(name, found)
}

const failed = (error: unknown): RuntimeMessage => {
  if (typeof error !== "object" || error === null) {
    return { _tag: "Failed", tag: "Error", message: format(error), fields: "" }
  }
  const { _tag, message, name } = error as { _tag?: unknown; message?: unknown; name?: unknown }
  const fields = Object.fromEntries(Object.entries(error).filter(([key]) => key !== "_tag" && key !== "message"))
  return {
    _tag: "Failed",
    tag: typeof _tag === "string" ? _tag : typeof name === "string" ? name : "Error",
    message: typeof message === "string" ? message : "",
    fields: typeof _tag === "string" && Object.keys(fields).length > 0 ? Formatter.format(fields, { space: 2 }) : ""
  }
}

const AsyncFunction = (async () => {}).constructor as new(...texts: Array<string>) => (
  ...values: Array<unknown>
) => Promise<void>

self.onmessage = async ({ data }: MessageEvent<string>) => {
  const start = performance.now()
  try {
    await new AsyncFunction("require", "exports", data)(require, {})
    post({ _tag: "Done", millis: performance.now() - start })
  } catch (error) {
    post(failed(error))
  }
}
