/**
 * The dashboard of docs/grafana-dashboard.json asks for metrics and labels that a layer has, as Effect's own exporter names them.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Metric, Schema } from "effect"
import { PrometheusMetrics } from "effect/observability"
import { readFileSync } from "node:fs"
import { Model, RedisService, RedisTransport } from "redlayer"

const dashboard: {
  readonly panels: ReadonlyArray<{
    readonly title: string
    readonly description: string
    readonly targets: ReadonlyArray<{ readonly expr: string; readonly legendFormat: string }>
  }>
} = JSON.parse(readFileSync(new URL("../../docs/grafana-dashboard.json", import.meta.url), "utf8"))

const Counter = Model.make("Counter", { id: Schema.String, hits: Schema.Int }, { key: "id" })

/** A server that refuses every program, so that all labels are there. */
const Refusing = Layer.succeed(RedisTransport.RedisTransport, {
  ready: Effect.void,
  evaluate: ({ keys }) =>
    Effect.succeed(
      keys.length === 0
        ? { _tag: "Text", text: JSON.stringify(["redis_version:7.0.15", "maxmemory_policy:noeviction", {}]) }
        : { _tag: "Error", message: "OOM command not allowed" }
    ),
  server: { address: "redis.internal", port: 6379, database: 0 }
})

/** The samples of the exporter: names, and the labels of each. */
const samples = Counter.ref("home").hits.increment().pipe(
  Effect.provide(RedisService.layerTransport().pipe(Layer.provide(Refusing))),
  Effect.exit,
  Effect.andThen(PrometheusMetrics.format()),
  Effect.provideService(Metric.MetricRegistry, new Map()),
  Effect.map((text) =>
    new Map(
      [...text.matchAll(/^(\w+)\{(.*)\} /gm)].map(([, name, labels]) => [
        name!,
        new Set([...labels!.matchAll(/(\w+)="/g)].map(([, label]) => label!))
      ])
    )
  )
)

const expressions = dashboard.panels.flatMap(({ targets, title }) =>
  targets.map(({ expr, legendFormat }) => ({ title, expr, legendFormat }))
)

describe("the dashboard", () => {
  it.effect.each(expressions)("$title: $expr", ({ expr, legendFormat }) =>
    Effect.gen(function*() {
      const known = yield* samples
      const selectors = [...expr.matchAll(/\{__name__=~"([^"]+)"((?:, \w+!?[=~]+"[^"]*")*)\}/g)]
      assert.isAbove(selectors.length, 0)
      const grouped = [...expr.matchAll(/by \((\w+)\)/g)].map(([, label]) => label!)
      assert.deepStrictEqual(
        [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label!),
        legendFormat.includes("{{") ? grouped : []
      )
      for (const [, pattern, rest] of selectors) {
        const names = [...known.keys()].filter((name) => new RegExp(`^(?:${pattern})$`).test(name))
        assert.lengthOf(names, 1, pattern)
        const labels = [...rest!.matchAll(/, (\w+)/g)].map(([, label]) => label!)
        for (const label of [...labels, ...grouped]) {
          assert.isTrue(known.get(names[0]!)!.has(label), `${names[0]} ${label}`)
        }
      }
    }))

  it("explains each panel", () => {
    for (const { description, title } of dashboard.panels) assert.isAbove(description.length, 20, title)
  })
})
