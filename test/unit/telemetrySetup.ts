/**
 * A service that records its spans and metrics, for the tests of telemetry.
 */
import { assert } from "@effect/vitest"
import { Context, Data, Effect, Exit, Layer, Metric, Option, Schema, Scope, Tracer } from "effect"
import { IoRedis, Model, RedisService } from "redlayer"
import * as Testing from "redlayer/testing"
import { range } from "../live/liveService.ts"
import * as RedisServer from "../support/RedisServer.ts"

export class Server extends Context.Service<Server, RedisServer.RedisServer>()("test/TelemetryServer") {
  static readonly layer = Layer.effect(Server, RedisServer.start())
}

export const Counter = Model.make("TelemetryCounter", {
  name: Schema.String,
  count: Schema.Int.pipe(Model.withDefault(0)),
  log: Schema.Array(Schema.String).pipe(Model.withDefault<ReadonlyArray<string>>([]))
}, { key: "name" })

export const { count, log } = Counter.ref("a")

export const start = { startImmediately: true } as const

export const recorder = () => {
  const spans: Array<Tracer.NativeSpan> = []
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      spans.push(span)
      return span
    }
  })
  const named = (name: RegExp) => spans.filter((span) => name.test(span.name))
  return {
    tracer,
    spans,
    calls: () => named(/^EVALSHA/),
    programs: () => named(/^redlayer\.program$/),
    clear: () => {
      spans.length = 0
    }
  }
}

export type Recorder = ReturnType<typeof recorder>

let prefixes = 0

export interface Setup extends RedisService.ServiceOptions {
  /** the tracer of the layer. Default: no tracer */
  readonly layerTracer?: Tracer.Tracer
}

/** A service over a transport that fails as told, with a tracer, and metrics of its own. */
export const setup = Effect.fnUntraced(function*({ layerTracer, ...options }: Setup = {}) {
  const { url } = yield* Server
  const recorded = recorder()
  const registry: Metric.MetricRegistry = new Map()
  const scope = yield* Scope.fork(yield* Effect.scope)
  const services = yield* RedisService.layerTransport({ keyPrefix: `telemetry${++prefixes}:`, ...options }).pipe(
    Layer.provideMerge(Testing.layerTransport()),
    Layer.provide(IoRedis.layerTransport),
    Layer.provide(RedisService.layer({ url })),
    Layer.build,
    Scope.provide(scope),
    Effect.provideService(Metric.MetricRegistry, registry),
    layerTracer === undefined ? (self) => self : Effect.withTracer(layerTracer)
  )
  const { usePlan } = Context.get(services, Testing.Faults)
  const untraced = <A, E>(self: Effect.Effect<A, E, RedisService.RedisService>) =>
    self.pipe(Effect.provide(services), Effect.provideService(Metric.MetricRegistry, registry))
  yield* untraced(Counter.insertMany(range(40).map((i) => ({ name: i === 0 ? "a" : `a${i}` }))))
  registry.clear()
  return {
    ...recorded,
    registry,
    usePlan,
    untraced,
    run: <A, E>(self: Effect.Effect<A, E, RedisService.RedisService>) =>
      Effect.withTracer(untraced(self), recorded.tracer),
    close: Scope.close(scope, Exit.void)
  }
})

export const countOf = (i: number) => Counter.ref(i === 0 ? "a" : `a${i}`).count

/** Several programs, each of a fiber with a span of its own, in one call. */
export const each = (spans: number) =>
  Effect.forEach(range(spans), (i) => Effect.withSpan(countOf(i).increment(), `request ${i}`), {
    concurrency: "unbounded"
  })

export const attributesOf = (span: Tracer.Span | undefined) => Object.fromEntries(span?.attributes ?? [])

export const parentOf = (span: Tracer.Span | undefined) =>
  span === undefined ? undefined : Option.getOrUndefined(span.parent)

export const exitOf = (span: Tracer.Span | undefined) =>
  span?.status._tag === "Ended" ? span.status.exit : assert.fail("the span was left open")

export const only = <A>(all: ReadonlyArray<A>): A => {
  assert.lengthOf(all, 1)
  return all[0]!
}

export const areEnded = ({ spans }: Pick<Recorder, "spans">) => {
  for (const { name, status } of spans) assert.strictEqual(status._tag, "Ended", name)
}

/** The series of a metric, by the attribute that tells them apart. */
export const seriesOf = (registry: Metric.MetricRegistry, id: string, attribute: string) => {
  const found = Metric.snapshotUnsafe(Context.make(Metric.MetricRegistry, registry))
    .filter((metric) => metric.id === id)
    .map(({ attributes, state }) => [
      attributes?.[attribute] ?? "",
      Number((state as { readonly count: number | bigint }).count)
    ])
  return Object.fromEntries(found) as Readonly<Record<string, number>>
}

export const outcomes = (registry: Metric.MetricRegistry) => seriesOf(registry, "redlayer.programs", "outcome")

export const Tolerant = Model.make("TelemetryTolerant", {
  name: Schema.String,
  kind: Schema.Literals(["a", "b"]).pipe(Model.withDefault<"a" | "b">("a"), Model.tolerant)
}, { key: "name" })

export class Short extends Data.TaggedError("Short")<{ readonly secret: string }> {}
