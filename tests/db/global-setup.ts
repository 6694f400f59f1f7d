// vitest's globalSetup, behind tests/servers/global-setup.ts: makes once what each test file starts from, a migrated
// template database on every server and a snapshot of a migrated embedded database.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import type { TestProject } from 'vitest/node';
import { dumpEmbedded } from '../../db/embedded/engine.ts';
import { migrate } from '../../db/opening.ts';

export const templateName = 'mytx_template';

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
  await sql.unsafe(`create database ${templateName}`);
  await sql.end();
  await migrate({ url: Object.assign(new URL(url), { pathname: `/${templateName}` }).href });
}
