/**
 * The scan of keys: pages of the transport, each with the deadline of a program. A page only reads, so it is asked for again until
 * there is an answer.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { ConnectionUnavailable, RedisServiceError, type RedisServiceErrorReason } from "../../RedisServiceError.ts"
import type { Page, PageReply, RedisTransport, TransportError } from "../../RedisTransport.ts"
import type { RedisService } from "../service.ts"
import { classify, isFinal, refusalOf } from "./classify.ts"

/** @internal */
export interface ScanOptions {
  readonly transport: RedisTransport["Service"]
  readonly keyPrefix: string
  /** Milliseconds until a page must be answered. */
  readonly deadline: number
  /** The scope of the service. After it there is no page. */
  readonly scope: Scope.Scope
}

/** How many keys the server looks at for a page, which takes it less than a millisecond. */
const count = 1000

type KeyPage = Extract<PageReply, { readonly _tag: "Page" }>

const fail = (reason: RedisServiceErrorReason) => Effect.fail(new RedisServiceError({ reason }))

/** @internal */
export const make = (options: ScanOptions): RedisService["Service"]["scan"] => {
  const { deadline, keyPrefix, scope, transport } = options
  const { scan } = transport
  if (scan === undefined) return undefined
  // a connection that is ending looks ready until its event; a cluster is ready though the node that is scanned is not
  const pause = transport.cluster === undefined ? Effect.yieldNow : Effect.sleep("20 millis")
  const ask = (page: Page): Effect.Effect<KeyPage, RedisServiceError> => {
    let last: RedisServiceErrorReason = new ConnectionUnavailable({})
    const again: Effect.Effect<KeyPage, RedisServiceError> = Effect.suspend(() =>
      scope.state._tag === "Closed"
        ? fail(new ConnectionUnavailable({ code: "CLOSED" }))
        : Effect.matchEffect(scan(page), { onFailure: wait, onSuccess: read })
    )
    const wait = (error: TransportError): Effect.Effect<KeyPage, RedisServiceError> => {
      last = refusalOf(error) ?? last
      if (isFinal(last)) return fail(last)
      return Effect.matchEffect(Effect.andThen(transport.ready, pause), {
        onFailure: wait,
        onSuccess: () => again
      })
    }
    const read = (reply: PageReply): Effect.Effect<KeyPage, RedisServiceError> => {
      if (reply._tag === "Page") return Effect.succeed(reply)
      last = classify(reply.message, [], true)
      return last._tag === "ServerUnavailable" ? Effect.delay(again, "50 millis") : fail(last)
    }
    return Effect.timeoutOrElse(again, { duration: deadline, orElse: () => fail(last) })
  }
  return (start) => {
    const match = `${(keyPrefix + start).replaceAll(/[*?[\]\\^]/g, "\\$&")}*`
    return Stream.paginate("0", (cursor) =>
      Effect.map(ask({ cursor, match, count }), (page) => {
        const keys = page.keys.map((key) => key.slice(keyPrefix.length))
        return [[keys], page.cursor === "0" ? Option.none() : Option.some(page.cursor)] as const
      }))
  }
}
