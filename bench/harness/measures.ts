import type { Definition } from "./compare.ts"

type Measure = Pick<Definition, "unit" | "better" | "measure" | "warmUp">

export const perSecond: Measure = {
  unit: "op/s",
  better: "higher",
  measure: ({ operations, seconds }) => operations / seconds,
  warmUp: 200_000
}

/** The processor time of the client for one operation. */
export const cpu: Measure = {
  unit: "µs CPU/op",
  better: "lower",
  measure: ({ cpu, operations }) => cpu / operations,
  warmUp: 200_000
}

export const latency: Measure = {
  unit: "µs p50",
  better: "lower",
  measure: ({ latency }) => latency,
  warmUp: 20_000
}
