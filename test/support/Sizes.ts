/**
 * The sizes of tests with much data or many faults: small ones, so that the suite takes some minutes, and full ones with
 * `REDLAYER_FULL=1`, by which a change of the script or of queries is tested.
 */
export const isFull: boolean = process.env.REDLAYER_FULL === "1"

export const sized = (short: number, full: number): number => isFull ? full : short
