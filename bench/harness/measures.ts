/**
 * The units that rows are measured in.
 */
import type { Definition } from "./compare.ts"

type Measure = Pick<Definition, "unit" | "better" | "measure" | "warmUp">

/** Operations per second. */
export const perSecond: Measure = {
  unit: "op/s",
  better: "higher",
  measure: ({ operations, seconds }) => operations / seconds,
  warmUp: 100_000
}

/** The processor time of the client per operation. */
export const cpu: Measure = {
  unit: "µs CPU/op",
  better: "lower",
  measure: ({ cpu, operations }) => cpu / operations,
  warmUp: 100_000
}

/** The median time of one operation. The work must be `timed`. */
export const latency: Measure = {
  unit: "µs p50",
  better: "lower",
  measure: ({ latency }) => latency,
  warmUp: 20_000
}

/** The time of the server in scripts per operation. */
export const serverTime: Measure = {
  unit: "µs server/op",
  better: "lower",
  measure: ({ operations, server }) => server.scripts / operations,
  warmUp: 20_000
}
