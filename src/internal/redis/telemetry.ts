/**
 * Spans and metrics of programs and calls. They contain names, numbers, and the tags of errors, but never an error itself, because
 * errors hold ids and keys, and a caller's errors may hold values.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as References from "effect/References"
import * as Tracer from "effect/Tracer"
import { isRedisServiceError, type RedisServiceErrorReason } from "../../RedisServiceError.ts"
import type { ServerAddress } from "../../RedisTransport.ts"
import type { Access } from "../instruction/ops.ts"
import type { Program } from "../instruction/program.ts"
import type { Place } from "./place.ts"
import { scripts } from "./scripts.ts"
import type { Batch } from "./wire.ts"

/** @internal */
export type Spans = "call" | "program" | "none"

/** The boundaries of a duration's histogram, in seconds, as OpenTelemetry's conventions recommend them. */
const boundaries = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10]

/** The greatest number of programs' spans to which the span of a call is linked. */
const maximumLinks = 32

const operationOf = (access: Access): string => scripts[access].readOnly ? "EVALSHA_RO" : "EVALSHA"

/** Keeps one metric for each combination of attributes, because making a metric costs more than updating it. */
const memoize = <A>(make: (name: string) => A): (name: string) => A => {
  const made = new Map<string, A>()
  return (name) => {
    let one = made.get(name)
    if (one === undefined) {
      one = make(name)
      made.set(name, one)
    }
    return one
  }
}

const counterOf = memoize((outcome) =>
  Metric.counter("redlayer.programs", {
    description: "Programs, by their outcome",
    incremental: true,
    attributes: { outcome }
  })
)

const done = counterOf("done")
const failed = counterOf("failed")

const durationOf = memoize((operation) =>
  memoize((error) =>
    Metric.histogram("db.client.operation.duration", {
      description: "Duration of database client operations",
      boundaries,
      attributes: {
        unit: "s",
        "db.system.name": "redis",
        "db.operation.name": operation,
        ...(error === "" ? undefined : { "error.type": error })
      }
    })
  )
)

/**
 * Why a call, or one of its programs, has no answer.
 *
 * @internal
 */
export type Trouble = RedisServiceErrorReason | { readonly _tag: "Defect" }

/** The first word of the server's message, if it is known. */
const codeOf = (reason: Trouble): string | undefined => {
  switch (reason._tag) {
    case "AccessDenied":
    case "ServerUnavailable":
      return reason.code
    case "ScriptFailed":
      // not a word of the server: the reply was unreadable
      return reason.code === "REPLY" ? undefined : reason.code
    case "CrossSlot":
      return "CROSSSLOT"
    case "OutOfMemory":
      return "OOM"
    default:
      return undefined
  }
}

/** The tag of an error. It is all that is shown of an error that is not the library's. */
const tagOf = (error: unknown): string => {
  if (isRedisServiceError(error)) return error.reason._tag
  const tag: unknown = typeof error === "object" && error !== null && "_tag" in error ? error._tag : undefined
  return typeof tag === "string" ? tag : "_OTHER"
}

class OpenSpan {
  readonly span: Tracer.Span
  private readonly context: Context.Context<never>

  constructor(name: string, options: Tracer.SpanOptionsNoTrace, context: Context.Context<never>) {
    this.span = Effect.runSyncWith(context)(Effect.makeSpan(name, options))
    this.context = context
  }

  end(error: string | undefined, exit: Exit.Exit<unknown, unknown>): void {
    if (error !== undefined) this.span.attribute("error.type", error)
    const isTimed = Context.get(this.context, References.TracerTimingEnabled)
    this.span.end(isTimed ? Context.get(this.context, Clock.Clock).currentTimeNanosUnsafe() : 0n, exit)
  }
}

/**
 * The fiber that commits a program, if it is traced.
 *
 * @internal
 */
export class Committer {
  readonly context: Context.Context<never>
  /** The span of the program. Unset unless each program has one. */
  readonly program: OpenSpan | undefined

  constructor(context: Context.Context<never>, program: OpenSpan | undefined) {
    this.context = context
    this.program = program
  }

  /** The span to which a call belongs. */
  get span(): Tracer.AnySpan | undefined {
    return this.program?.span ?? visible(Context.getOrUndefined(this.context, Tracer.ParentSpan))
  }
}

/** The span itself, or the nearest visible one around it if it must not be propagated. */
const visible = (span: Tracer.AnySpan | undefined): Tracer.AnySpan | undefined => {
  if (span === undefined || !Context.get(span.annotations, Tracer.DisablePropagation)) return span
  return span._tag === "Span" && span.parent._tag === "Some" ? visible(span.parent.value) : undefined
}

/** @internal */
export interface Traced {
  readonly committer: Committer | undefined
}

/**
 * The report of one call, from its first attempt until it closes.
 *
 * @internal
 */
export interface CallRecord {
  readonly operation: string
  /** The time (of `performance.now`) of the first attempt. */
  readonly since: number
  readonly open: OpenSpan | undefined
  /** How often the call was sent. */
  attempts: number
  /** Why the first program that failed has no answer. */
  trouble: Trouble | undefined
}

/** @internal */
export interface TelemetryOptions {
  /** The context of the layer. */
  readonly context: Context.Context<never>
  readonly spans: Spans
  readonly server: ServerAddress | undefined
}

/** @internal */
export class Telemetry {
  private readonly context: Context.Context<never>
  private readonly spans: Spans
  private readonly attributes: Readonly<Record<string, unknown>>
  /** The tracer of the layer. Undefined if it is the native one, which exports no spans. */
  private readonly tracer: Tracer.Tracer | undefined
  /** Outcomes that are not in the counters yet. */
  private done = 0
  private failed = 0

  constructor({ context, server, spans }: TelemetryOptions) {
    this.context = context
    this.spans = spans
    this.attributes = {
      "db.system.name": "redis",
      ...(server?.database === undefined ? undefined : { "db.namespace": String(server.database) }),
      ...(server === undefined ? undefined : { "server.address": server.address }),
      ...(server?.port === undefined ? undefined : { "server.port": server.port })
    }
    const tracer = Context.get(context, Tracer.Tracer)
    this.tracer = tracer === Tracer.nativeTracer ? undefined : tracer
  }

  /**
   * The current fiber, which commits a program. Undefined if there is no tracer that exports spans: then this must cost almost
   * nothing.
   */
  committer(program: Program): Committer | undefined {
    if (this.spans === "none") return undefined
    const fiber = Fiber.getCurrent()
    if (fiber === undefined) return undefined
    const { tracer = this.tracer, tracerEnabled } = fiber.cache
    if (tracer === undefined || tracer === Tracer.nativeTracer || !tracerEnabled) return undefined
    const context = fiber.cache.tracer === undefined
      ? Context.add(fiber.context, Tracer.Tracer, tracer)
      : fiber.context
    if (this.spans === "call") return new Committer(context, undefined)
    const open = new OpenSpan("redlayer.program", {
      kind: "client",
      attributes: {
        ...this.attributes,
        "redlayer.access": program.access,
        "redlayer.instructions": program.instructions.length
      }
    }, context)
    return new Committer(context, open)
  }

  /** Counts the outcome of a program, just before its caller resumes. */
  completed(committer: Committer | undefined, exit: Exit.Exit<unknown, unknown>): void {
    if (Exit.isSuccess(exit)) {
      this.done++
      committer?.program?.end(undefined, Exit.void)
      return
    }
    const [reason] = exit.cause.reasons
    const error = reason?._tag === "Fail" ? reason.error : undefined
    const tag = reason?._tag === "Fail" ? tagOf(error) : "Defect"
    if (reason?._tag !== "Fail") this.count("died")
    else if (isRedisServiceError(error)) this.count(tag)
    else this.failed++
    committer?.program?.end(tag, Exit.fail(tag))
  }

  /** Counts a program whose caller was interrupted. */
  interrupted(committer: Committer | undefined): void {
    this.count("interrupted")
    committer?.program?.end(undefined, Exit.interrupt())
  }

  private count(outcome: string): void {
    counterOf(outcome).updateUnsafe(1, this.context)
  }

  /** Adds the outcomes to the counters: once for many programs, and before their callers resume. */
  flush(): void {
    if (this.done > 0) done.updateUnsafe(this.done, this.context)
    if (this.failed > 0) failed.updateUnsafe(this.failed, this.context)
    this.done = this.failed = 0
  }

  /** Opens the report, and the span, of a call that is sent for the first time. */
  begin(access: Access, programs: ReadonlyArray<Traced>, place: Place, since: number): CallRecord {
    const operation = operationOf(access)
    const open = this.spans === "none" ? undefined : this.open(operation, programs, place)
    return { operation, since, open, attempts: 0, trouble: undefined }
  }

  private open(operation: string, programs: ReadonlyArray<Traced>, place: Place): OpenSpan | undefined {
    const first = programs.find(({ committer }) => committer !== undefined)?.committer
    if (first === undefined) return undefined
    const spans = new Set(programs.map(({ committer }) => committer?.span))
    const options: Tracer.SpanOptionsNoTrace = {
      kind: "client",
      attributes: {
        ...this.attributes,
        "db.operation.name": operation,
        // a batch has two programs at least
        ...(programs.length > 1 ? { "db.operation.batch.size": programs.length } : undefined),
        ...(typeof place === "number"
          ? { "redlayer.slot": place }
          : place === undefined
          ? undefined
          : { "redlayer.node": place })
      }
    }
    if (spans.size === 1) {
      const [parent] = spans
      return new OpenSpan(operation, { ...options, parent, root: parent === undefined }, first.context)
    }
    spans.delete(undefined)
    const around = Array.from(spans) as Array<Tracer.AnySpan>
    const open = new OpenSpan(operation, {
      ...options,
      root: true,
      links: around.slice(0, maximumLinks).map((span) => ({ span, attributes: {} })),
      ...(around.some(({ sampled }) => sampled) ? undefined : { sampled: false })
    }, Context.add(this.context, Tracer.Tracer, Context.get(first.context, Tracer.Tracer)))
    const back = [{ span: open.span, attributes: {} }]
    for (const { committer } of programs) committer?.program?.span.addLinks(back)
    return open
  }

  /** Notes the size of the first attempt. */
  sent({ open }: CallRecord, { argument, keys }: Batch): void {
    if (open === undefined) return
    let bytes = Buffer.byteLength(argument)
    for (const key of keys) bytes += Buffer.byteLength(key)
    open.span.attribute("redlayer.bytes", bytes)
  }

  /**
   * Ends the report of a call.
   *
   * @param trouble why the call failed, if no program of it has failed before
   */
  end(record: CallRecord, trouble: Trouble | undefined): void {
    const { attempts, open, operation, since } = record
    const reason = record.trouble ?? trouble
    const seconds = (performance.now() - since) / 1000
    durationOf(operation)(reason?._tag ?? "").updateUnsafe(seconds, this.context)
    if (open === undefined) return
    open.span.attribute("redlayer.attempts", attempts)
    if (reason === undefined) return open.end(undefined, Exit.void)
    const code = codeOf(reason)
    if (code !== undefined) open.span.attribute("db.response.status_code", code)
    open.end(reason._tag, Exit.fail(reason._tag))
  }
}
