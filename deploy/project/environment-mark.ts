// The name of its environment, kept in the database itself: a URL may be copied to the wrong place, a database knows what
// it is. One row of mytx_deploy.environment; a mark that can't be read is an error, never "there is none".

import { DeployError } from '../errors.ts';
import { type DeploySession, orUnreadable, type PostgresFailure } from '../session.ts';

const table = 'mytx_deploy.environment';

/**
 * The environment's name that the database has; undefined where it was never marked.
 * @throws DeployError ENVIRONMENT_UNREADABLE for what PostgreSQL refuses; a broken connection stays what it is
 */
export function readMark(session: DeploySession): Promise<string | undefined> {
  return orUnreadable(
    (cause) => markUnreadable('read from', cause),
    async () => {
      if (!(await tableExists(session))) return undefined;
      const [row] = await session.query(`select name from ${table}`);
      return row?.name ?? undefined;
    },
  );
}

/**
 * Marks the database with the name of its environment, in the place of the one it has. Call it under the lock of deploys.
 * @returns the name it had before
 * @throws DeployError ENVIRONMENT_UNREADABLE
 */
export async function writeMark(session: DeploySession, name: string): Promise<string | undefined> {
  const before = await readMark(session);
  if (before === name) return before;
  await orUnreadable(
    (cause) => markUnreadable('written to', cause),
    async () => {
      if (!(await tableExists(session))) await createTable(session);
      await session.query(
        `insert into ${table} (name) values ($1::text)
        on conflict (is_only_row) do update set name = excluded.name, marked_at = now()`,
        [name],
      );
    },
  );
  return before;
}

/**
 * Refuses a database that is marked as another environment's. One without a mark is let through.
 * @throws DeployError ENVIRONMENT_MISMATCH, ENVIRONMENT_UNREADABLE
 */
export async function requireMark(session: DeploySession, name: string): Promise<void> {
  const marked = await readMark(session);
  if (marked === undefined || marked === name) return;
  throw new DeployError({
    code: 'ENVIRONMENT_MISMATCH',
    message: `this database is marked as "${marked}", and "${name}" was asked for; nothing was changed`,
    hint: `Look at which database the URL of ${name} names. Where this one was renamed: update ${table} set name = '${name.replaceAll("'", "''")}';`,
    details: { marked, asked: name },
  });
}

async function tableExists(session: DeploySession): Promise<boolean> {
  // Not to_regclass: it fails for a role that may not look into the schema, and for one that is not there it does not.
  const [row] = await session.query(
    `select exists (
      select from pg_catalog.pg_class c
      join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where n.nspname = 'mytx_deploy'
        and c.relname = 'environment'
    )::text as found`,
  );
  return row?.found === 'true';
}

function createTable(session: DeploySession): Promise<void> {
  return session.script(`
    create schema if not exists mytx_deploy;
    create table if not exists ${table} (
      is_only_row boolean primary key default true check (is_only_row),
      name text not null,
      marked_at timestamptz not null default now()
    );
  `);
}

function markUnreadable(what: string, cause: PostgresFailure): DeployError {
  return new DeployError({
    code: 'ENVIRONMENT_UNREADABLE',
    message: `the environment's name can't be ${what} ${table} (SQLSTATE ${cause.code}: ${cause.message})`,
    hint: `Run as the owner of the schema mytx_deploy, or grant this role usage on it and select on ${table}.`,
    cause,
  });
}
