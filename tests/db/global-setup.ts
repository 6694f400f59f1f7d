// vitest's globalSetup, behind tests/servers/global-setup.ts: makes once what each test file starts from, a migrated
// template database on every server and a snapshot of a migrated embedded database. With MYTX_TEST_OWNER=plain the
// databases of the servers belong to a role that is no superuser, so that row-level security holds for who logs in.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import type { TestProject } from 'vitest/node';
import { dumpEmbedded } from '../../db/embedded/engine.ts';
import { migrate } from '../../db/opening.ts';

export const templateName = 'mytx_template';

/** Whom the databases belong to; undefined where that is the superuser. */
export const plainOwner: { name: string; password: string } | undefined =
  process.env.MYTX_TEST_OWNER === 'plain' ? { name: 'mytx_plain_owner', password: 'owned' } : undefined;

/** The URL of a database as its owner has it. @param url the superuser's */
export function ownersUrl(url: string): string {
  if (!plainOwner) return url;
  return Object.assign(new URL(url), { username: plainOwner.name, password: plainOwner.password }).href;
}

declare module 'vitest' {
  export interface ProvidedContext {
    /** The file of a snapshot of a migrated, empty embedded database. */
    snapshotFile: string;
  }
}

interface Shared {
  projects: number;
  folder: string;
  ready: Promise<void>;
}

const sharedKey = Symbol.for('mytx-ai.tests.templates');
const shared = globalThis as typeof globalThis & { [sharedKey]?: Shared | undefined };

export default async function setup(project: TestProject): Promise<() => void> {
  const urls = project.getProvidedContext().servers.map(({ url }) => url);
  shared[sharedKey] ??= prepare(urls);
  const ours = shared[sharedKey];
  ours.projects += 1;
  await ours.ready;
  project.provide('snapshotFile', join(ours.folder, 'snapshot.tar'));
  return () => {
    ours.projects -= 1;
    if (ours.projects > 0) return;
    shared[sharedKey] = undefined;
    rmSync(ours.folder, { recursive: true, force: true });
  };
}

function prepare(urls: readonly string[]): Shared {
  const folder = mkdtempSync(join(tmpdir(), 'mytx-tests-'));
  // Not at once: initdb holds the event loop for seconds, in which the servers' connections run out of time.
  const ready = Promise.all(urls.map(makeTemplate)).then(() => makeSnapshot(folder));
  return { projects: 0, folder, ready };
}

async function makeSnapshot(folder: string): Promise<void> {
  const database = join(folder, 'embedded');
  await migrate({ folder: database });
  const snapshot = await dumpEmbedded(database);
  writeFileSync(join(folder, 'snapshot.tar'), Buffer.from(await snapshot.arrayBuffer()));
  rmSync(database, { recursive: true });
}

async function makeTemplate(url: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  if (plainOwner) await makeOwner(sql, plainOwner);
  await sql.unsafe(`create database ${templateName}${plainOwner ? ` owner ${plainOwner.name}` : ''}`);
  await sql.end();
  await migrate({ url: ownersUrl(Object.assign(new URL(url), { pathname: `/${templateName}` }).href) });
}

/**
 * As an administrator makes one on a managed server: it makes no roles itself, and is a member of ours. Only that it may
 * leave out the look at foreign keys is beyond that: tests fill tables so.
 */
async function makeOwner(sql: postgres.Sql, { name, password }: NonNullable<typeof plainOwner>): Promise<void> {
  await sql.unsafe('create role mytx_user nologin; create role mytx_service nologin');
  await sql.unsafe(`create role ${name} login nosuperuser password '${password}' in role mytx_user, mytx_service`);
  await sql.unsafe(`grant set on parameter session_replication_role to ${name}`);
}
