/** The Free Spoken Digit Dataset (Jackson et al.): 3,000 recordings of 0 … 9 by six speakers, 8 kHz. */
import { fail } from '../../core/errors.ts';
import { type AudioFolderOptions, audioFolder } from '../audio-folder.ts';
import { type NamedFiles, type NamedOptions, obtainFiles } from '../files.ts';
import { openFiles } from '../open.ts';
import type { TrainAndTest } from './mnist.ts';

const publisher = 'https://github.com/Jakobovski/free-spoken-digit-dataset';
const files: NamedFiles = {
  name: 'fsdd',
  folders: ['fsdd', 'free-spoken-digit-dataset'],
  files: {
    // An archive that the server packs anew for every revision has no lasting checksum; the recordings are counted instead.
    recordings: { names: ['fsdd.tar.gz', 'recordings.tar'], remote: { url: `${publisher}/archive/26eb9aaf76e81b692f806f9140c2d2777410d7a1.tar.gz` } },
  },
  publisher,
};

export const fsddSpeakers = ['george', 'jackson', 'lucas', 'nicolas', 'theo', 'yweweler'] as const;

export interface FsddOptions extends NamedOptions, Omit<AudioFolderOptions, 'under' | 'label' | 'classes'> {
  /** Test on this speaker and train on the others. Default: the official split, recordings 0 … 4 of every speaker and digit to test. */
  readonly leaveOut?: (typeof fsddSpeakers)[number];
}

const digitNames = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];

/** Features as of audioFolder, and y int32 [], the digit. Errors: not found, or not all 3,000 recordings. */
export async function fsdd({ leaveOut, root, download, onProgress, ...features }: FsddOptions = {}): Promise<TrainAndTest> {
  const { recordings: path } = await obtainFiles(files, {
    ...(root !== undefined && { root }),
    ...(download !== undefined && { download }),
    ...(onProgress && { onProgress }),
  });
  const archive = await openFiles(path, undefined, 'fsdd');
  const named = archive.entries.map((entry) => /(?:^|\/)([0-9])_([a-z]+)_(\d+)\.wav$/.exec(entry.path)).filter((found) => found !== null);
  if (named.length !== 3000)
    fail('data', 'fsdd', `${path} holds ${named.length} recordings, not 3000`, 'The file is truncated or another version; fetch it again.');
  if (leaveOut !== undefined && !fsddSpeakers.includes(leaveOut))
    fail('argument', 'fsdd', `there is no speaker ${leaveOut}`, `There are ${fsddSpeakers.join(', ')}.`);
  const part = (held: boolean) =>
    audioFolder(archive, {
      ...features,
      classes: digitNames,
      label: (entry) => {
        const found = /(?:^|\/)([0-9])_([a-z]+)_(\d+)\.wav$/.exec(entry);
        const tested = leaveOut === undefined ? Number(found?.[3]) < 5 : found?.[2] === leaveOut;
        return found && tested === held ? found[1] : undefined;
      },
    });
  return { train: await part(false), test: await part(true) };
}
