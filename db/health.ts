// What mytx health says of a database, without changing it: never creates one, and applies no migration.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { runWith } from './connection/scope.ts';
import { checkHealth, type Health } from './database.ts';
import type { Target } from './development.ts';
import { type ConnectionCode, ConnectionError } from './errors.ts';
import { openUnchanged } from './opening.ts';
import { checkRowSecurity, type RowSecurityReport } from './row-security.ts';

export interface HealthReport extends Omit<Health, 'isHealthy' | 'error'> {
  /** Migrations that an embedded database lacks, and gets the next time that it is opened; a server that lacks one is an error. */
  pending: string[];
  /** What row-level security lacks; of a server, for in an embedded database its roles are always there. */
  rowSecurity?: RowSecurityReport;
  warnings: string[];
}

/**
 * Opens the database, asks how it is, and closes it.
 * @throws ConnectionError DATABASE_MISSING where there is no embedded database yet; EMBEDDED_IN_USE, with the way in,
 * where another process has it open; UNREACHABLE; SchemaError SCHEMA_BEHIND; and what the question failed with
 */
export async function inspectDatabase({ engine, options }: Target): Promise<HealthReport> {
  if (engine === 'embedded') requireDatabase(options.folder as string);
  const { database, warnings, pending } = await openUnchanged(options);
  try {
    const { isHealthy: _, error, ...health } = await runWith(database, checkHealth);
    if (error) throw notHealthy(error);
    const report: HealthReport = { ...health, pending, warnings };
    if (engine === 'server') report.rowSecurity = await runWith(database, checkRowSecurity);
    return report;
  } finally {
    await database.close();
  }
}

function requireDatabase(folder: string): void {
  const dataFolder = join(folder, 'database');
  if (existsSync(join(dataFolder, 'PG_VERSION'))) return;
  throw new ConnectionError(
    'DATABASE_MISSING',
    `there is no embedded database in ${dataFolder} yet`,
    'Make one with npx mytx start, or name a server in POSTGRES_URL.',
    { folder },
  );
}

function notHealthy({ code, message }: NonNullable<Health['error']>): ConnectionError {
  const hint = 'Look at the server and its log, and ask again: npx mytx health';
  return new ConnectionError(code as ConnectionCode, message, hint);
}
