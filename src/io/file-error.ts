/** Errors of file systems, the disk's and a page's, in words. */
import { fail } from '../core/errors.ts';

/** What went wrong with a file, in words, with what to do. */
export function fileError(operation: string, path: string, error: unknown): never {
  const { code, name } = error as { code?: string | number; name?: string };
  const words: Record<string, readonly [string, string]> = {
    ENOENT: [`${path} does not exist`, 'Check the path.'],
    EACCES: [`no permission for ${path}`, 'Choose another folder or change its permissions.'],
    EPERM: [`no permission for ${path}`, 'Choose another folder or change its permissions.'],
    EROFS: [`${path} is on a read-only file system`, 'Choose another folder.'],
    ENOSPC: [`no space left on the disk of ${path}`, 'Free some space; what was saved before is untouched.'],
    EFBIG: [`${path} would be larger than this process may write`, 'Raise the limit (ulimit -f); what was saved before is untouched.'],
    EDQUOT: [`the disk quota for ${path} is used up`, 'Free some space; what was saved before is untouched.'],
    EISDIR: [`${path} is a folder`, 'Give the path of a file.'],
    ENOTDIR: [`a part of ${path} is a file, not a folder`, 'Choose another path.'],
    EEXIST: [`${path} exists and is not a folder`, 'Choose another path.'],
    EMFILE: [`too many files are open to open ${path}`, 'Raise the limit (ulimit -n).'],
    NotFoundError: [`${path} does not exist`, 'Check the path. In a page it is one of the files that pages of this origin have saved.'],
    TypeMismatchError: [`${path}, or a part of it, is a file where a folder is expected or the reverse`, 'Choose another path.'],
    QuotaExceededError: [
      `the browser gives this origin no more space for ${path}`,
      'Remove files that are no longer needed; what was saved before is untouched.',
    ],
  };
  const [problem, hint] = words[code ?? ''] ?? words[name ?? ''] ?? [`${path}: ${error instanceof Error ? error.message : String(error)}`, undefined];
  return fail('file', operation, problem, hint, error);
}
