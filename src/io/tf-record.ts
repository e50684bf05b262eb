/** TFRecord framing (tensorflow.org/tutorials/load_data/tfrecord): length, its check, the data, their check. */
import { crc32c } from './crc.ts';
import { joined, littleEndian } from './protobuf.ts';

/** CRC-32C turned by 15 bits plus a constant, so that data which hold checks of their own are checked well. */
const masked = (bytes: Uint8Array): Uint8Array => {
  const crc = crc32c(bytes);
  return littleEndian(4, (view) => view.setUint32(0, (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0, true));
};

export function tfRecord(data: Uint8Array): Uint8Array {
  const length = littleEndian(8, (view) => view.setBigUint64(0, BigInt(data.length), true));
  return joined([length, masked(length), data, masked(data)]);
}
