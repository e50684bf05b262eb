/** Why tests of studies in files are skipped: there is no SQLite. GRADIX_REQUIRE=sqlite makes that an error. */
import { environmentVariable } from '../../src/core/debug.ts';
import { sqlite } from '../../src/search/database-node.ts';

export const withoutSqlite: string | undefined = await sqlite('tests').then(
  () => undefined,
  () => `Node ${process.versions.node} has no SQLite, and better-sqlite3 is not installed`,
);
if (withoutSqlite && environmentVariable('GRADIX_REQUIRE')?.includes('sqlite')) throw new Error(`SQLite is required: ${withoutSqlite}`);
export const skipNote = withoutSqlite === undefined ? '' : ` (skipped: ${withoutSqlite})`;

/** What a process wrote to stderr, without the line by which Node says that its SQLite is new. */
export const complaints = (text: string): string => text.replace(/\(node:\d+\) ExperimentalWarning: SQLite .*\n\(Use .*\n/, '');
