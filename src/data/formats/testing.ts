/** For tests: writes tar archives. */
import { joined } from './bytes.ts';

/** An ustar archive; names over 100 bytes are written in GNU's way. */
export function encodeTar(files: Readonly<Record<string, Uint8Array>>): Uint8Array {
  const pieces: Uint8Array[] = [];
  const add = (name: string, type: string, bytes: Uint8Array) => pieces.push(header(name, type, bytes.length), padded(bytes));
  for (const [path, bytes] of Object.entries(files)) {
    const name = new TextEncoder().encode(path);
    if (name.length > 100) add('././@LongLink', 'L', name);
    add(path.slice(0, 100), '0', bytes);
  }
  return joined([...pieces, new Uint8Array(1024)]);
}

const padded = (bytes: Uint8Array): Uint8Array => joined([bytes, new Uint8Array((512 - (bytes.length % 512)) % 512)]);

function header(name: string, type: string, size: number): Uint8Array {
  const bytes = new Uint8Array(512);
  const put = (at: number, text: string) => bytes.set(new TextEncoder().encode(text), at);
  put(0, name);
  put(100, '0000644\0');
  put(124, `${size.toString(8).padStart(11, '0')}\0`);
  put(148, '        ');
  put(156, type);
  put(257, 'ustar\x0000');
  put(
    148,
    `${bytes
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
  );
  return bytes;
}
