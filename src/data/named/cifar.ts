/** CIFAR-10 (Krizhevsky 2009): 50,000 + 10,000 colour pictures of 32 × 32 in ten classes. */
import { fail } from '../../core/errors.ts';
import { fromColumns } from '../arrays.ts';
import { hasFiles, type NamedFiles, type NamedOptions, obtainFiles } from '../files.ts';
import { parseCifar } from '../formats/cifar.ts';
import { imageFolder } from '../image-folder.ts';
import { openFiles } from '../open.ts';
import type { TrainAndTest } from './mnist.ts';

const classes = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'];
const publisher = 'https://www.cs.toronto.edu/~kriz/';
const archive = 'cifar-10-binary.tar.gz';
const folders = ['cifar10', 'cifar-10', 'CIFAR10'];

const binary: NamedFiles = {
  name: 'cifar10',
  folders,
  files: { archive: { names: [archive], remote: { url: publisher + archive, checksum: { kind: 'md5', value: 'c32a1d4ab5d03f1284b67883e8d87530' } } } },
  publisher,
};
/** The set as JPEG files, train/<class>/*.jpg and test/<class>/*.jpg, in one tar. */
const pictures: NamedFiles = {
  name: 'cifar10',
  folders: ['cifar10-images', ...folders],
  files: { archive: { names: ['cifar10-images-subset.tar', 'cifar10-images.tar'] } },
  publisher,
};

/**
 * Fields x float32 [32, 32, 3] in 0 … 1 and y int32 [] in 0 … 9. From the publisher's cifar-10-binary.tar.gz, or where that is not found from a tar of
 * JPEG files, which may be a part of the set and is decoded as it is read. Errors: not found, truncated or corrupt.
 */
export async function cifar10(options: NamedOptions = {}): Promise<TrainAndTest> {
  if (!(await hasFiles(binary, options.root)) && (await hasFiles(pictures, options.root))) {
    const { archive: path } = await obtainFiles(pictures, { ...options, download: false });
    const part = (under: string) => imageFolder(path, { under, classes, channels: 3 });
    return { train: await part('train'), test: await part('test') };
  }
  const { archive: path } = await obtainFiles(binary, options);
  const files = await openFiles(path, undefined, 'cifar10');
  const batch = async (wanted: RegExp) => {
    const found = files.entries.filter((entry) => wanted.test(entry.path));
    if (found.length === 0) fail('data', 'cifar10', `${path} holds no file like ${wanted.source}`, 'The file is corrupt; fetch it again.');
    const batches = await Promise.all(found.map(async (entry) => parseCifar(await files.read(entry.path), { name: `${path}/${entry.path}` })));
    const images = new Uint8Array(batches.reduce((sum, { images: { length } }) => sum + length, 0));
    let at = 0;
    for (const { images: part } of batches) {
      images.set(part, at);
      at += part.length;
    }
    const labels = Uint8Array.from(batches.flatMap(({ labels: part }) => [...part]));
    return fromColumns(
      [
        { name: 'x', shape: [32, 32, 3], dtype: 'float32', values: images, scale: 1 / 255 },
        { name: 'y', shape: [], dtype: 'int32', values: labels },
      ],
      classes,
    );
  };
  return { train: await batch(/data_batch_\d\.bin$/), test: await batch(/test_batch\.bin$/) };
}
