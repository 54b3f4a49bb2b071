/**
 * The messages that a worker sends to the process that started it.
 */

/** The measurements of one turn of one process. */
export interface Sample {
  readonly operations: number
  readonly seconds: number
  /** The processor time of all threads of the process, in microseconds. 0 if another process did the work. */
  readonly cpu: number
  /** The median latency, in microseconds. NaN if nothing was recorded. */
  readonly latency: number
}

export type Answer = { readonly sample?: Sample; readonly error?: string }
