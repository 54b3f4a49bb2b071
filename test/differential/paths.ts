/**
 * Counts which path of the script ran each program. The script is as the layers send it, but for a count at each path.
 */
import { Effect, Layer } from "effect"
import { type Call, type PageReply, RedisTransport, type ServerReply } from "redlayer/RedisTransport"
import { scripts } from "../../src/internal/redis/scripts.ts"
import type { RawRedis } from "../support/RawRedis.ts"

/** The names of the paths, with the line of the script that each of them reaches once for a program, or for several. */
const places: Readonly<Record<string, readonly [line: string, count: string]>> = {
  fast: ["ordinal = ordinal + before - left", "before - left"],
  single: ["result, isGeneral = runSingle(op, KEYS[code[pc + 1]], spec, pc + 4)", "isGeneral and 0 or 1"],
  several: ["replySize, distance, left = replySize + 1 + count, distance + stride, left - 1", "1"],
  fields: ["base = base + count", "1"],
  fastScore: ["if isWritten and score then", "1"],
  fieldsScore: ["s.at, s.id, s.old = entries, id, old", "1"],
  general: ["pc = runGeneral(pc, count)", "1"]
}

export type Path = "fast" | "single" | "several" | "fields" | "fastScore" | "fieldsScore" | "general"

const counting = (text: string): string => {
  const [header, ...lines] = text.split("\n")
  const counted = lines.flatMap((line) => {
    const place = Object.entries(places).find(([, [known]]) => known === line)
    return place === undefined ? [line] : [line, `PATHS.${place[0]} = PATHS.${place[0]} + (${place[1][1]})`]
  })
  if (counted.length !== lines.length + Object.keys(places).length) {
    throw new Error("A path is not found once in the script")
  }
  const zero = Object.keys(places).map((name) => `${name} = 0`).join(", ")
  return [
    header,
    `local PATHS = { ${zero} }`,
    "local function batch()",
    ...counted,
    "end",
    "return batch() .. '\\n' .. cjson.encode(PATHS)"
  ].join("\n")
}

const texts = new Map(
  Object.values(scripts).flatMap(({ sha, text }) => [[sha, counting(text)], [text, counting(text)]])
)

/** A transport that counts the programs of each path in `counts`. */
export const layer = (
  { call }: RawRedis,
  counts: Map<string, number>
): Layer.Layer<RedisTransport> =>
  Layer.succeed(RedisTransport, {
    ready: Effect.void,
    scan: ({ count, cursor, match }) =>
      call("SCAN", cursor, "MATCH", match, "COUNT", String(count)).pipe(
        Effect.map((found): PageReply => {
          const [cursor, keys] = found as [string, ReadonlyArray<string>]
          return { _tag: "Page", cursor, keys }
        }),
        Effect.catch(({ message }) => Effect.succeed<PageReply>({ _tag: "Error", message }))
      ),
    evaluate: ({ argument, command, keys, script }: Call) => {
      const text = texts.get(script)
      const name = text === undefined ? command : command.endsWith("_RO") ? "EVAL_RO" : "EVAL"
      return call(name, text ?? script, String(keys.length), ...keys, argument).pipe(
        Effect.map((found): ServerReply => {
          const reply = String(found)
          if (text === undefined) return { _tag: "Text", text: reply }
          const at = reply.lastIndexOf("\n")
          for (const [path, count] of Object.entries<number>(JSON.parse(reply.slice(at + 1)))) {
            counts.set(path, (counts.get(path) ?? 0) + count)
          }
          return { _tag: "Text", text: reply.slice(0, at) }
        }),
        Effect.catch(({ message }) => Effect.succeed<ServerReply>({ _tag: "Error", message }))
      )
    }
  })
