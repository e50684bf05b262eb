/** Cyclic redundancy checks of 32 bits, reflected: CRC-32 (ISO 3309, in PNG and gzip) and CRC-32C (Castagnoli 1993, in TFRecord). */

function tableOf(polynomial: number): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    return crc;
  });
}

function checker(polynomial: number): (bytes: Uint8Array) => number {
  const table = tableOf(polynomial);
  return (bytes) => {
    let crc = ~0;
    for (let i = 0; i < bytes.length; i++) crc = table[(crc ^ bytes[i]) & 255] ^ (crc >>> 8);
    return ~crc >>> 0;
  };
}

export const crc32 = checker(0xedb88320);
export const crc32c = checker(0x82f63b78);
