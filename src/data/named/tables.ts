/** Small tables in scikit-learn's form: the first line says rows, features and class names, then come features and the number of the class. */
import { fail } from '../../core/errors.ts';
import { fromColumns } from '../arrays.ts';
import type { Dataset } from '../dataset.ts';
import { type NamedFiles, type NamedOptions, obtainFiles } from '../files.ts';
import { parseCsv } from '../formats/csv.ts';
import { fileBytes } from '../open.ts';
import { tableDataset } from '../table.ts';

const publisher = 'https://raw.githubusercontent.com/scikit-learn/scikit-learn/1.5.2/sklearn/datasets/data/';

const table = (name: string, file: string, sha256: string, folders: readonly string[] = ['tabular', name]): NamedFiles => ({
  name,
  folders,
  files: { table: { names: [file], remote: { url: publisher + file, checksum: { kind: 'sha256', value: sha256 } } } },
  publisher,
});

async function read(files: NamedFiles, options: NamedOptions): Promise<{ readonly path: string; readonly text: string }> {
  const { table: path } = await obtainFiles(files, options);
  return { path, text: new TextDecoder().decode(await fileBytes(path, files.name)) };
}

async function classTable(files: NamedFiles, options: NamedOptions): Promise<Dataset> {
  const { path, text } = await read(files, options);
  const [rows, features, ...classes] = text
    .slice(0, Math.max(0, text.indexOf('\n')))
    .trim()
    .split(',');
  const parsed = parseCsv(text, { header: false, skipLines: 1, separator: ',', name: path });
  if (parsed.rows !== Number(rows) || parsed.columns.length !== Number(features) + 1)
    fail('data', files.name, `${path} announces ${rows} rows of ${features} features but holds ${parsed.rows} of ${parsed.columns.length - 1}`);
  return tableDataset(parsed, { classes }, path);
}

const irisFiles = table('iris', 'iris.csv', 'f13ffa8fdd56fd8e6c8d16d4081a3fbd3114bcd0aae4256c43205169cd9d1449');
const wineFiles = table('wine', 'wine_data.csv', '10e8a802908b34f86e5da8ce962f3c806694bc98450a18f61851af59f324bede');
const cancerFiles = table('breastCancer', 'breast_cancer.csv', 'fed3eb72d0575ef6192293f5093c6e801b1476b577d0386bf4455504522172ed');
const digitFiles = table('opticalDigits', 'digits.csv.gz', '09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22', ['optdigits', 'opticalDigits']);

/** Fisher's irises (1936): 150 flowers, x float32 [4] in cm, y one of three species. */
export const iris = (options: NamedOptions = {}): Promise<Dataset> => classTable(irisFiles, options);

/** Wines by their chemistry (Forina et al. 1991): 178 bottles, x float32 [13], y one of three growers. */
export const wine = (options: NamedOptions = {}): Promise<Dataset> => classTable(wineFiles, options);

/** Breast tumours (Wolberg, Street, Mangasarian 1995): 569 cases, x float32 [30], y malignant or benign. */
export const breastCancer = (options: NamedOptions = {}): Promise<Dataset> => classTable(cancerFiles, options);

/** Optical digits (Alpaydin, Kaynak 1998): 1,797 handwritten digits, x float32 [8, 8, 1] in 0 … 1, y 0 … 9. */
export async function opticalDigits(options: NamedOptions = {}): Promise<Dataset> {
  const { path, text } = await read(digitFiles, options);
  const { columns, rows } = parseCsv(text, { header: false, separator: ',', name: path });
  if (columns.length !== 65) fail('data', 'opticalDigits', `${path} has ${columns.length} columns, not 64 pixels and the digit`);
  const pixels = new Uint8Array(rows * 64);
  for (let p = 0; p < 64; p++) for (let row = 0; row < rows; row++) pixels[row * 64 + p] = columns[p].values[row];
  return fromColumns(
    [
      { name: 'x', shape: [8, 8, 1], dtype: 'float32', values: pixels, scale: 1 / 16 },
      { name: 'y', shape: [], dtype: 'int32', values: Int32Array.from(columns[64].values) },
    ],
    ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
  );
}
