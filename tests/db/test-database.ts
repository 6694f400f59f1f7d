// The database a test file works on: a private copy of a migrated, empty one, on the engine its project is for.
// Tests share it within a file and keep apart by making users of their own.

import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import postgres from 'postgres';
import { afterAll, beforeAll, inject } from 'vitest';
import { closeDatabase, type DatabaseOptions, db, openDatabase } from '../../db/database.ts';
import { user } from '../../db/schema.ts';
import { type RunningPgBouncer, startPgBouncer } from '../servers/pgbouncer.ts';
import { ownersUrl, plainOwner, templateName } from './global-setup.ts';

/** 'embedded', 'postgres-15', 'postgres-18'. */
export const engine: string = process.env.MYTX_TEST_ENGINE ?? 'embedded';
export const isEmbedded: boolean = engine === 'embedded';

/** With MYTX_TEST_POOLED=1 a server's databases are reached by way of a PgBouncer in transaction mode. */
const isPooled = process.env.MYTX_TEST_POOLED === '1' && !isEmbedded;
let pooler: Promise<RunningPgBouncer> | undefined;
if (isPooled) afterAll(async () => (await pooler)?.stop());

async function pooledUrl(name: string): Promise<string> {
  pooler ??= startPgBouncer({ serverUrl: serverUrl(), settings: { default_pool_size: 4 } });
  return `${(await pooler).url(name)}?pgbouncer=true`;
}

/** Options that open a new, migrated, empty database of this project's engine. */
export async function newDatabase(): Promise<DatabaseOptions> {
  if (isEmbedded) return { folder: 'memory', snapshot: new Blob([readFileSync(inject('snapshotFile'))]) };
  const maintenanceUrl = serverUrl();
  const name = `mytx_${randomUUID().replaceAll('-', '')}`;
  const sql = postgres(maintenanceUrl, { max: 1, onnotice: () => {} });
  await createFromTemplate(sql, name);
  await sql.end();
  return { url: isPooled ? await pooledUrl(name) : ownersUrl(databaseUrl(name)) };
}

/** Another file may be copying the template at this moment: 55006, again in a moment. */
export async function createFromTemplate(sql: postgres.Sql, name: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const owner = plainOwner ? ` owner ${plainOwner.name}` : '';
      await sql.unsafe(`create database ${name} template ${templateName}${owner}`);
      return;
    } catch (error) {
      if ((error as { code?: string }).code !== '55006' || attempt === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** The maintenance database of this project's server. */
export function serverUrl(): string {
  const server = inject('servers').find(({ version }) => engine === `postgres-${version}`);
  if (!server) throw new Error(`no server for ${engine}`);
  return server.url;
}

/** A database of this project's server, as the superuser. */
export function databaseUrl(name: string): string {
  return Object.assign(new URL(serverUrl()), { pathname: `/${name}` }).href;
}

/** Opens a new database as the default one for the tests of a file, and closes it behind them. */
export function useTestDatabase(extra: DatabaseOptions = {}): void {
  beforeAll(async () => {
    await openDatabase({ ...(await newDatabase()), ...extra });
  });
  afterAll(closeDatabase);
}

/** Adds a user without the cost of a password's hash. @returns the id */
export async function newUser(): Promise<string> {
  const id = randomUUID();
  await db.insert(user).values({ id, email: `${id.slice(0, 30)}@example.com` });
  return id;
}
