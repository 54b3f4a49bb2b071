/**
 * CRC16 (XMODEM) of UTF-8: the checksum that decides the slot of a key on a cluster.
 */
const table = Uint16Array.from({ length: 256 }, (_, i) => {
  let crc = i << 8
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1
  return crc & 0xffff
})

const encoder = new TextEncoder()

/** @internal */
export const crc16 = (text: string): number => {
  let crc = 0
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    // only ASCII is its own UTF-8, and most keys are ASCII
    if (unit > 127) return crc16OfBytes(encoder.encode(text))
    crc = ((crc << 8) & 0xffff) ^ table[(crc >> 8) ^ unit]!
  }
  return crc
}

const crc16OfBytes = (bytes: Uint8Array): number => {
  let crc = 0
  for (const byte of bytes) crc = ((crc << 8) & 0xffff) ^ table[(crc >> 8) ^ byte]!
  return crc
}
