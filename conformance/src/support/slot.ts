/** The hash slot of a key as Redis Cluster specifies it, computed independently of the library. */

const encoder = new TextEncoder()

/** CRC-16/XMODEM of the UTF-8 bytes of a text. */
const crc16 = (text: string): number => {
  let crc = 0
  for (const byte of encoder.encode(text)) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff
  }
  return crc
}

/** The slot, 0 to 16,383, of the text between the first braces of a key, or of the whole key if there is no such text. */
export const slotOf = (key: string): number => crc16(/^[^{]*\{([^}]+)\}/.exec(key)?.[1] ?? key) % 16384
