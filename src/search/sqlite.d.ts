/** The parts of Node's own SQLite (which the types of Node 20 do not have) and of the package better-sqlite3 (without types of its own) that database-node.ts uses. */
declare module 'node:sqlite' {
  export class DatabaseSync {
    constructor(path: string);
    exec(statements: string): void;
    prepare(statement: string): {
      run(...parameters: readonly unknown[]): { readonly changes: number };
      get(...parameters: readonly unknown[]): unknown;
      all(...parameters: readonly unknown[]): unknown[];
    };
    close(): void;
  }
}
declare module 'better-sqlite3' {
  import { DatabaseSync } from 'node:sqlite';
  export = DatabaseSync;
}
