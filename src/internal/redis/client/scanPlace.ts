/**
 * The cursors of a scan over a cluster. Nodes come and go while a scan lasts, so it is by slots that it knows what it has seen.
 */

const slots = 16_384

/**
 * Where a scan is: at a cursor of a node, after all keys of the slots that are done.
 *
 * @internal
 */
export interface ScanPlace {
  readonly cursor: string
  /** The name of the node. Undefined: the scan begins. */
  readonly node: string | undefined
  readonly done: Slots
}

/** @internal */
export class Slots {
  private readonly bits: Uint8Array
  readonly isEmpty: boolean

  constructor(bits: Uint8Array, isEmpty: boolean) {
    this.bits = bits
    this.isEmpty = isEmpty
  }

  has(slot: number): boolean {
    return (this.bits[slot >> 3]! & 1 << (slot & 7)) !== 0
  }

  /** These slots, and those for which `has` holds. */
  or(has: (slot: number) => boolean): Slots {
    const bits = this.bits.slice()
    for (let slot = 0; slot < slots; slot++) if (has(slot)) bits[slot >> 3]! |= 1 << (slot & 7)
    return new Slots(bits, false)
  }

  toString(): string {
    return this.isEmpty ? "" : Buffer.from(this.bits).toString("base64")
  }
}

/** @internal */
export const parsePlace = (text: string): ScanPlace => {
  const [, cursor = "0", node, done = ""] = /^(\d+)(?:@(.*)@(.*))?$/.exec(text) ?? []
  const bits = done === "" ? new Uint8Array(slots / 8) : Buffer.from(done, "base64")
  return { cursor, node, done: new Slots(bits, done === "") }
}

/** @internal */
export const formatPlace = ({ cursor, done, node }: ScanPlace): string => `${cursor}@${node}@${done}`
