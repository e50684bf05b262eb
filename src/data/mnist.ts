/** MNIST (LeCun, Cortes, Burges): 60,000 + 10,000 handwritten digits, 28 × 28, from IDX files on disk. */
import { fail, showShape } from '../core/errors.ts';
import { fromColumns } from './arrays.ts';
import type { Dataset } from './dataset.ts';
import { type FindOptions, findFiles, hasFiles, readIdx } from './files.ts';

export interface TrainAndTest {
  readonly train: Dataset;
  readonly test: Dataset;
}

const digitNames = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];
const spellings = (stem: string, rank: number): readonly string[] => [`${stem}-idx${rank}-ubyte.gz`, `${stem}-idx${rank}-ubyte`, `${stem}.idx${rank}-ubyte`];

const location = (root?: string): FindOptions => ({
  name: 'mnist',
  folders: ['mnist', 'MNIST', 'MNIST/raw'],
  files: {
    trainImages: spellings('train-images', 3),
    trainLabels: spellings('train-labels', 1),
    testImages: spellings('t10k-images', 3),
    testLabels: spellings('t10k-labels', 1),
  },
  publisher: 'https://ossci-datasets.s3.amazonaws.com/mnist/',
  ...(root !== undefined && { root }),
});

/** True where mnist() finds its files. */
export const hasMnist = (root?: string): Promise<boolean> => hasFiles(location(root));

/**
 * Fields x float32 [28, 28, 1] in 0 … 1 and y int32 [] in 0 … 9. `root` (else GRADIX_DATA) is the folder of the four IDX files or its parent.
 * Errors: files not found, truncated or corrupt.
 */
export async function mnist({ root }: { readonly root?: string } = {}): Promise<TrainAndTest> {
  const paths = await findFiles(location(root));
  return { train: await pair(paths.trainImages, paths.trainLabels), test: await pair(paths.testImages, paths.testLabels) };
}

async function pair(imagesPath: string, labelsPath: string): Promise<Dataset> {
  const images = await readIdx(imagesPath);
  const labels = await readIdx(labelsPath);
  if (images.shape.length !== 3 || images.dtype !== 'uint8')
    fail('data', 'mnist', `${imagesPath} holds ${images.dtype} ${showShape(images.shape)}, not uint8 images [count, height, width]`);
  if (labels.shape.length !== 1 || labels.dtype !== 'uint8')
    fail('data', 'mnist', `${labelsPath} holds ${labels.dtype} ${showShape(labels.shape)}, not uint8 labels [count]`);
  if (labels.shape[0] !== images.shape[0])
    fail('data', 'mnist', `${images.shape[0]} images but ${labels.shape[0]} labels`, `${imagesPath} and ${labelsPath} do not belong together.`);
  const outside = labels.data.findIndex((label: number) => label > 9);
  if (outside >= 0) fail('data', 'mnist', `label ${labels.data[outside]} of example ${outside} in ${labelsPath} is outside 0 … 9`, 'The file is corrupt.');
  const [, height, width] = images.shape;
  return fromColumns(
    [
      { name: 'x', shape: [height, width, 1], dtype: 'float32', values: images.data, scale: 1 / 255 },
      { name: 'y', shape: [], dtype: 'int32', values: labels.data },
    ],
    digitNames,
  );
}
