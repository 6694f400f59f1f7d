// Drops what a Drizzle project's migrations made and applies them anew. For development: refuses a server that
// is not on this machine and any run with NODE_ENV=production. Tables of others in the same database stay.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ApplyReport, applyMigrations } from './apply.ts';
import { DeployError } from './errors.ts';
import { withDeployLock } from './lock.ts';
import type { DeploySession } from './session.ts';

export interface ResetOptions {
  folder: string;
  /** How the database is named in messages. */
  target: string;
  /** Whether the database is on this machine. */
  isLocal: boolean;
  isProduction: boolean;
}

export interface ResetReport extends ApplyReport {
  /** Tables that were there and were dropped. */
  dropped: string[];
}

interface Snapshot {
  tables?: Record<string, { schema?: string; name: string }>;
  enums?: Record<string, { schema?: string; name: string }>;
}

/** @throws DeployError RESET_REFUSED */
export async function resetDatabase(session: DeploySession, options: ResetOptions): Promise<ResetReport> {
  refuseOutsideDevelopment(options);
  const dropped = await withDeployLock(session, {}, () => dropAll(session, options.folder));
  return { ...(await applyMigrations(session, { folder: options.folder })), dropped };
}

/** @throws DeployError RESET_REFUSED. Ask before connecting, too: a refusal must not open or create anything. */
export function refuseOutsideDevelopment({
  target,
  isLocal,
  isProduction,
}: Pick<ResetOptions, 'target' | 'isLocal' | 'isProduction'>): void {
  if (isLocal && !isProduction) return;
  throw new DeployError({
    code: 'RESET_REFUSED',
    message: isLocal
      ? `NODE_ENV is production: ${target} is not reset`
      : `${target} is not on this machine: it is not reset`,
    hint: 'A reset deletes every row. Use it on a development database on this machine only.',
    details: { target },
  });
}

/** In one transaction: what fails leaves everything as it was. */
async function dropAll(session: DeploySession, folder: string): Promise<string[]> {
  const { tables, enums } = readSnapshots(folder);
  await session.script('begin');
  try {
    const existing = await existingTables(session, tables);
    for (const table of existing) await session.script(`drop table ${table} cascade`);
    for (const type of enums) await session.script(`drop type if exists ${type} cascade`);
    await session.script('drop table if exists drizzle.__drizzle_migrations');
    await session.script('commit');
    return existing;
  } catch (error) {
    await session.script('rollback').catch(() => {});
    throw error;
  }
}

async function existingTables(session: DeploySession, tables: readonly string[]): Promise<string[]> {
  const existing: string[] = [];
  for (const table of tables) {
    const [row] = await session.query('select to_regclass($1::text)::text as found', [table]);
    if (row?.found) existing.push(table);
  }
  return existing;
}

/** Every table and enum that any of the migrations' snapshots names, quoted. */
function readSnapshots(folder: string): { tables: string[]; enums: string[] } {
  const meta = join(folder, 'meta');
  const snapshots = readdirSync(meta)
    .filter((file) => file.endsWith('_snapshot.json'))
    .map((file) => JSON.parse(readFileSync(join(meta, file), 'utf8')) as Snapshot);
  const names = (kind: 'tables' | 'enums'): string[] => [
    ...new Set(snapshots.flatMap((snapshot) => Object.values(snapshot[kind] ?? {}).map(qualifiedName))),
  ];
  return { tables: names('tables'), enums: names('enums') };
}

function qualifiedName({ schema, name }: { schema?: string; name: string }): string {
  return [schema || 'public', name].map((part) => `"${part.replaceAll('"', '""')}"`).join('.');
}
