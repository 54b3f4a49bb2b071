/**
 * The messages from a worker to the comparison that started it.
 */

/** The measurements of one turn. */
export interface Sample {
  readonly operations: number
  readonly seconds: number
  /** of all threads of the process, in microseconds */
  readonly cpu: number
  /** the median, in microseconds; NaN where nothing was recorded */
  readonly latency: number
}

export type Answer = { readonly sample?: Sample; readonly error?: string }
