/**
 * What is told of programs and calls to tracers and metrics: names, numbers, and the tags of errors. No error is attached, since
 * errors have ids and keys, and those of callers may have values.
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
import { scripts } from "./scripts.ts"
import type { Batch } from "./wire.ts"

/** @internal */
export type Spans = "call" | "program" | "none"

/** The boundaries, in seconds, that OpenTelemetry's conventions give. */
const boundaries = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10]

/** How many spans of programs a call is linked to. */
const mostLinks = 32

const operationOf = (access: Access): string => scripts[access].readOnly ? "EVALSHA_RO" : "EVALSHA"

/** One series for each combination of attributes: made once, since to make one costs more than to update it. */
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

const programs = memoize((outcome) =>
  Metric.counter("redlayer.programs", {
    description: "Programs, by what their callers were told",
    incremental: true,
    attributes: { outcome }
  })
)

const done = programs("done")
const failed = programs("failed")

const durations = memoize((operation) =>
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
 * What became of a call.
 *
 * @internal
 */
export type Trouble = RedisServiceErrorReason | { readonly _tag: "Defect" }

/** The first word of the server's message, where it is known. */
const codeOf = (reason: Trouble): string | undefined => {
  switch (reason._tag) {
    case "AccessDenied":
    case "ServerUnavailable":
      return reason.code
    case "ScriptFailed":
      // of a reply that is none
      return reason.code === "REPLY" ? undefined : reason.code
    case "CrossSlot":
      return "CROSSSLOT"
    case "OutOfMemory":
      return "OOM"
    default:
      return undefined
  }
}

/** Of an error that is not ours, only the name of its type is shown. */
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
 * Who commits a program, where that is traced.
 *
 * @internal
 */
export class Committer {
  readonly context: Context.Context<never>
  /** the program's own span, where it has one */
  readonly program: OpenSpan | undefined

  constructor(context: Context.Context<never>, program: OpenSpan | undefined) {
    this.context = context
    this.program = program
  }

  /** what a call is a part of */
  get span(): Tracer.AnySpan | undefined {
    return this.program?.span ?? visible(Context.getOrUndefined(this.context, Tracer.ParentSpan))
  }
}

/** A span that is not to be seen stands for the one around it. */
const visible = (span: Tracer.AnySpan | undefined): Tracer.AnySpan | undefined => {
  if (span === undefined || !Context.get(span.annotations, Tracer.DisablePropagation)) return span
  return span._tag === "Span" && span.parent._tag === "Some" ? visible(span.parent.value) : undefined
}

/** @internal */
export interface Traced {
  readonly committer: Committer | undefined
}

/**
 * A call, from its first sending until nothing of it is left to wait for.
 *
 * @internal
 */
export interface CallRecord {
  readonly operation: string
  /** of `performance.now()` */
  readonly since: number
  readonly open: OpenSpan | undefined
}

/** @internal */
export interface TelemetryOptions {
  /** of the layer */
  readonly context: Context.Context<never>
  readonly spans: Spans
  readonly server: ServerAddress | undefined
}

/** @internal */
export class Telemetry {
  private readonly context: Context.Context<never>
  private readonly spans: Spans
  private readonly attributes: Readonly<Record<string, unknown>>
  /** of the layer; undefined where its spans would go nowhere */
  private readonly tracer: Tracer.Tracer | undefined
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

  /** The fiber that commits a program now, where spans of it go anywhere. Without a tracer this must cost next to nothing. */
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

  /** What the caller of a program is about to be told. */
  told(committer: Committer | undefined, exit: Exit.Exit<unknown, unknown>): void {
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

  /** Its caller has gone. */
  left(committer: Committer | undefined): void {
    this.count("interrupted")
    committer?.program?.end(undefined, Exit.interrupt())
  }

  private count(outcome: string): void {
    programs(outcome).updateUnsafe(1, this.context)
  }

  /** Adds to the counter what was gathered: once for many programs, and before their callers go on. */
  flush(): void {
    if (this.done > 0) done.updateUnsafe(this.done, this.context)
    if (this.failed > 0) failed.updateUnsafe(this.failed, this.context)
    this.done = this.failed = 0
  }

  begin(access: Access, entries: ReadonlyArray<Traced>, slot: number | undefined, since: number): CallRecord {
    const operation = operationOf(access)
    return { operation, since, open: this.spans === "none" ? undefined : this.open(operation, entries, slot) }
  }

  private open(operation: string, entries: ReadonlyArray<Traced>, slot: number | undefined): OpenSpan | undefined {
    const first = entries.find(({ committer }) => committer !== undefined)?.committer
    if (first === undefined) return undefined
    const spans = new Set(entries.map(({ committer }) => committer?.span))
    const options: Tracer.SpanOptionsNoTrace = {
      kind: "client",
      attributes: {
        ...this.attributes,
        "db.operation.name": operation,
        // one is no batch
        ...(entries.length > 1 ? { "db.operation.batch.size": entries.length } : undefined),
        ...(slot === undefined ? undefined : { "redlayer.slot": slot })
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
      links: around.slice(0, mostLinks).map((span) => ({ span, attributes: {} })),
      ...(around.some(({ sampled }) => sampled) ? undefined : { sampled: false })
    }, Context.add(this.context, Tracer.Tracer, Context.get(first.context, Tracer.Tracer)))
    const back = [{ span: open.span, attributes: {} }]
    for (const { committer } of entries) committer?.program?.span.addLinks(back)
    return open
  }

  /** What is sent, at the first time. */
  sent({ open }: CallRecord, { argument, keys }: Batch): void {
    if (open === undefined) return
    let bytes = Buffer.byteLength(argument)
    for (const key of keys) bytes += Buffer.byteLength(key)
    open.span.attribute("redlayer.bytes", bytes)
  }

  /**
   * @param attempts how often it was sent
   * @param reason why not all of its programs have an answer
   */
  end({ open, operation, since }: CallRecord, attempts: number, reason: Trouble | undefined): void {
    const seconds = (performance.now() - since) / 1000
    durations(operation)(reason?._tag ?? "").updateUnsafe(seconds, this.context)
    if (open === undefined) return
    open.span.attribute("redlayer.attempts", attempts)
    if (reason === undefined) return open.end(undefined, Exit.void)
    const code = codeOf(reason)
    if (code !== undefined) open.span.attribute("db.response.status_code", code)
    open.end(reason._tag, Exit.fail(reason._tag))
  }
}
