/** What gradix asks of the place where files are kept: a disk (files-node.ts) or what a browser gives a page's origin (files-web.ts). Errors name the operation and the path. */
export interface FileSystem {
  /** Makes a folder and its parents, where they are not there. */
  makeFolder(path: string, operation: string): Promise<void>;
  /** The names in a folder, sorted. */
  listFolder(path: string, operation: string): Promise<string[]>;
  fileExists(path: string | URL): Promise<boolean>;
  /** Writes files of one folder so that at every moment, also when the program is killed, each path holds either the old contents or the new. */
  writeFiles(files: readonly NewFile[], operation: string): Promise<void>;
  /** Opens a file to append to after its first `keep` bytes; what follows them is cut off. Errors: it is shorter than that. */
  openLog(path: string, operation: string, keep: number): Promise<LogFile>;
  readBytes(path: string | URL, operation: string): Promise<Uint8Array>;
  /** Opens a file to read parts of it. */
  openFile(path: string | URL, operation: string): Promise<OpenFile>;
  /** Gives a file's present contents a second name, which stays when the first is replaced. */
  keepAs(path: string, name: string, operation: string): Promise<void>;
  /** A file that is not there is no error. */
  removeFile(path: string, operation: string): Promise<void>;
}

/** What a file is to hold, and the files of the same folder that are to hold the same. */
export interface NewFile {
  readonly path: string;
  readonly contents: Uint8Array | string | readonly Uint8Array[];
  readonly copies?: readonly string[];
}

/** A file that grows. */
export interface LogFile {
  /** Its length, bytes. */
  readonly length: number;
  append(contents: Uint8Array | string): Promise<void>;
}

/** A file that is read. */
export interface OpenFile {
  readonly size: number;
  read(start: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}
