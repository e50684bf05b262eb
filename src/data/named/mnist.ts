/** MNIST (LeCun, Cortes, Burges): 60,000 + 10,000 handwritten digits, 28 × 28, in IDX files; and Fashion-MNIST (Xiao, Rasul, Vollgraf 2017) in the same form. */
import { fail, showShape } from '../../core/errors.ts';
import { fromColumns } from '../arrays.ts';
import type { Dataset } from '../dataset.ts';
import { hasFiles, type NamedFile, type NamedFiles, type NamedOptions, obtainFiles, readIdx } from '../files.ts';

export interface TrainAndTest {
  readonly train: Dataset;
  readonly test: Dataset;
}

const digitNames = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];
const fashionNames = ['T-shirt/top', 'trouser', 'pullover', 'dress', 'coat', 'sandal', 'shirt', 'sneaker', 'bag', 'ankle boot'];

const parts = { trainImages: ['train-images', 3], trainLabels: ['train-labels', 1], testImages: ['t10k-images', 3], testLabels: ['t10k-labels', 1] } as const;
type Part = keyof typeof parts;

function filesAt(publisher: string, md5: Readonly<Record<Part, string>>): Record<Part, NamedFile> {
  const file = (part: Part): NamedFile => {
    const [stem, rank] = parts[part];
    const name = `${stem}-idx${rank}-ubyte`;
    return {
      names: [`${name}.gz`, name, `${stem}.idx${rank}-ubyte`],
      remote: { url: `${publisher}${name}.gz`, checksum: { kind: 'md5', value: md5[part] } },
    };
  };
  return { trainImages: file('trainImages'), trainLabels: file('trainLabels'), testImages: file('testImages'), testLabels: file('testLabels') };
}

const mnistPublisher = 'https://ossci-datasets.s3.amazonaws.com/mnist/';
const mnistFiles: NamedFiles = {
  name: 'mnist',
  folders: ['mnist', 'MNIST', 'MNIST/raw'],
  files: filesAt(mnistPublisher, {
    trainImages: 'f68b3c2dcbeaaa9fbdd348bbdeb94873',
    trainLabels: 'd53e105ee54ea40749a09fcbcd1e9432',
    testImages: '9fb629c4189551a2d022fa330f9573f3',
    testLabels: 'ec29112dd5afa0611ce80d1b7f02629c',
  }),
  publisher: mnistPublisher,
};

const fashionPublisher = 'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/';
const fashionFiles: NamedFiles = {
  name: 'fashionMnist',
  folders: ['fashion-mnist', 'fashionMnist', 'FashionMNIST', 'FashionMNIST/raw'],
  files: filesAt(fashionPublisher, {
    trainImages: '8d4fb7e6c68d591d4c3dfef9ec88bf0d',
    trainLabels: '25c81989df183df01b3e8a0aad5dffbe',
    testImages: 'bef4ecab320f06d8554ea6380940ec79',
    testLabels: 'bb300cfdad3c16e7a12a480ee83cd310',
  }),
  publisher: fashionPublisher,
  ownFolder: true,
};

/** True where mnist({ root }) finds its files. */
export const hasMnist = (root?: string): Promise<boolean> => hasFiles(mnistFiles, root);

/**
 * Fields x float32 [28, 28, 1] in 0 … 1 and y int32 [] in 0 … 9. `root` (else GRADIX_DATA) is the folder of the four IDX files or its parent;
 * without `root` they are fetched where they are not found. Errors: files not found, truncated or corrupt.
 */
export const mnist = (options: NamedOptions = {}): Promise<TrainAndTest> => idxSet(mnistFiles, digitNames, options);

/** Ten kinds of clothes in the form of MNIST. */
export const fashionMnist = (options: NamedOptions = {}): Promise<TrainAndTest> => idxSet(fashionFiles, fashionNames, options);

async function idxSet(files: NamedFiles, classes: readonly string[], options: NamedOptions): Promise<TrainAndTest> {
  const paths = await obtainFiles(files, options);
  const pair = (images: string, labels: string) => readPair(files.name, images, labels, classes);
  return { train: await pair(paths.trainImages, paths.trainLabels), test: await pair(paths.testImages, paths.testLabels) };
}

async function readPair(name: string, imagesPath: string, labelsPath: string, classes: readonly string[]): Promise<Dataset> {
  const images = await readIdx(imagesPath);
  const labels = await readIdx(labelsPath);
  if (images.shape.length !== 3 || images.dtype !== 'uint8')
    fail('data', name, `${imagesPath} holds ${images.dtype} ${showShape(images.shape)}, not uint8 images [count, height, width]`);
  if (labels.shape.length !== 1 || labels.dtype !== 'uint8')
    fail('data', name, `${labelsPath} holds ${labels.dtype} ${showShape(labels.shape)}, not uint8 labels [count]`);
  if (labels.shape[0] !== images.shape[0])
    fail('data', name, `${images.shape[0]} images but ${labels.shape[0]} labels`, `${imagesPath} and ${labelsPath} do not belong together.`);
  const outside = labels.data.findIndex((label: number) => label > 9);
  if (outside >= 0) fail('data', name, `label ${labels.data[outside]} of example ${outside} in ${labelsPath} is outside 0 … 9`, 'The file is corrupt.');
  const [, height, width] = images.shape;
  return fromColumns(
    [
      { name: 'x', shape: [height, width, 1], dtype: 'float32', values: images.data, scale: 1 / 255 },
      { name: 'y', shape: [], dtype: 'int32', values: labels.data },
    ],
    classes,
  );
}
