/**
 * SQLite as sqlite-node.ts needs it: Node's own (`node:sqlite`, from Node 22.13 on), else the package better-sqlite3 (optional, loaded when it is first needed).
 * What is used of them is the same in both, so everything else is written once.
 */
import { fail } from '../core/errors.ts';

export type Database = InstanceType<Driver>;
type Driver = typeof import('node:sqlite').DatabaseSync;

/** Milliseconds to wait for other processes' transactions. */
const patience = 60_000;

/** Undefined where there is no SQLite. */
async function findDriver(): Promise<Driver | undefined> {
  const own = await import('node:sqlite').then(
    ({ DatabaseSync }) => DatabaseSync,
    () => undefined,
  );
  if (own !== undefined) return own;
  return import('better-sqlite3').then(
    ({ default: installed }) => installed,
    () => undefined,
  );
}

/** SQLite's way to open a file. Errors: there is no SQLite. */
export async function sqlite(operation: string): Promise<(path: string) => Database> {
  const Driver = await findDriver();
  if (Driver === undefined)
    fail(
      'state',
      operation,
      'studies in files are kept by SQLite, which Node has from 22.13 on, and older ones by the package better-sqlite3, which is not installed',
      'Use Node 22.13 or later, or run: npm install better-sqlite3@12',
    );
  return (path) => {
    const database = new Driver(path);
    database.exec(`pragma busy_timeout = ${patience}`);
    return database;
  };
}

/** Runs statements that belong together, with the file locked against other writers from the first on; undoes them when one throws. */
export function transaction<T>(database: Database, body: () => T): T {
  database.exec('begin immediate');
  try {
    const result = body();
    database.exec('commit');
    return result;
  } catch (error) {
    try {
      database.exec('rollback');
    } catch {
      // SQLite has undone it already, as it does when the disk is full.
    }
    throw error;
  }
}
