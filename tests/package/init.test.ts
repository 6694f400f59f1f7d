// mytx init in applications that have the package installed, from the first look to a table of their own: the commands
// that it ends with are run, with the packages that they install.

import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { readBlocks } from '../docs/markdown.ts';
import { followTranscript } from '../docs/transcript.ts';
import { putFiles, readProjectFiles } from '../init/project-folder.ts';
import { migrationNames, nameBehindOurs, tableCount } from '../own-migrations.ts';
import {
  type Application,
  commonJsApplication,
  type Fixture,
  moduleApplication,
  newApplication,
  nextApplication,
} from './applications.ts';
import { type InstalledPackage, installPackage, type Ran, root, run } from './installed.ts';

const fixtures = [nextApplication, moduleApplication, commonJsApplication];

let installed: InstalledPackage;
beforeAll(async () => {
  installed = await installPackage();
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  await install(`npm install -D typescript@${devDependencies.typescript} @types/node@20 @types/react@19`);
  for (const command of new Set(fixtures.flatMap(({ installs }) => installs))) await install(command);
}, 300_000);
afterAll(() => installed?.remove());

/** Into the folder that all applications here have their packages from. */
async function install(command: string): Promise<void> {
  const line = command.replace(/\bmytx-ai\b/, installed.tarball);
  const quietly = `${line} --ignore-scripts --prefer-offline --no-audit --no-fund`;
  await succeed({ run: (text) => run('bash', ['-c', text], { cwd: installed.folder }) }, quietly);
}

async function succeed(application: Pick<Application, 'run'>, command: string): Promise<Ran> {
  const ran = await application.run(command);
  expect(ran.exitCode, `${command}\n${ran.stdout}${ran.stderr}`).toBe(0);
  return ran;
}

interface PlannedFile {
  path: string;
  action: string;
  diff?: string[];
}

/** The lines behind "next, in this order:". */
function commandsAtTheEnd(stdout: string): string[] {
  const [, end = ''] = stdout.split('next, in this order:\n');
  return end
    .trimEnd()
    .split('\n')
    .map((line) => line.trim().split(/ {2,}/)[0] ?? '');
}

const ours = migrationNames.length;
const ownMigration = nameBehindOurs('trips');
const ownTable = `
import { pgTable, text, uuid } from 'drizzle-orm/pg-core';

export const trip = pgTable('Trip', {
  id: uuid('id').primaryKey().defaultRandom(),
  city: text('city').notNull(),
});
`;

describe.each(fixtures)('$name', (fixture: Fixture) => {
  const { files, ending, installs, runner, description, script, work } = fixture;
  const migrate = `${runner} db/migrate.${ending}`;
  let application: Application;
  let planned: PlannedFile[];
  beforeAll(() => {
    application = newApplication(installed, fixture);
  });

  test('a dry run says what would be done, and writes nothing', async () => {
    const { stdout } = await succeed(application, 'npx mytx init --dry-run --json');
    const { ok, data } = JSON.parse(stdout);
    expect({ ok, written: data.written }).toEqual({ ok: true, written: [] });
    planned = data.plan;
    expect(readProjectFiles(application.folder)).toEqual(files);
  });

  test('without a terminal and without --yes it exits 2, names the flag, and writes nothing', async () => {
    const { exitCode, stdout, stderr } = await application.run('npx mytx init');
    expect(stdout).toContain(`target: ${application.folder} (${description})\n`);
    expect(stderr).toContain('error CONFIRMATION_NEEDED: this needs a yes');
    expect(stderr).toContain('the flag --yes is missing');
    expect(exitCode).toBe(2);
    expect(readProjectFiles(application.folder)).toEqual(files);
  });

  test('--yes writes what the dry run said, and nothing else', async () => {
    const { stdout } = await succeed(application, 'npx mytx init --yes');
    const after = readProjectFiles(application.folder);
    const created = planned.filter(({ action }) => action === 'create').map(({ path }) => path);
    const changed = planned.filter(({ action }) => action === 'change');
    expect(Object.keys(after).filter((path) => !(path in files))).toEqual([...created].sort());
    expect(Object.keys(after).filter((path) => path in files && after[path] !== files[path])).toEqual(
      changed.map(({ path }) => path).sort(),
    );
    for (const { path, diff = [] } of changed) {
      const lines = after[path]?.split('\n') ?? [];
      for (const line of diff.filter((one) => one.startsWith('+ '))) expect(lines).toContain(line.slice(2));
    }
    expect(commandsAtTheEnd(stdout)).toEqual([...installs, migrate, 'npx drizzle-kit generate']);
  });

  test('the commands it ends with make the tables, and find the schema in the migrations', async () => {
    const { stdout, stderr } = await succeed(application, migrate);
    expect(stdout, stderr).toMatch(
      new RegExp(`^target: embedded, \\.mytx/database\n(applied ${ours} of|nothing to do: all) ${ours} migrations`),
    );
    const generated = await succeed(application, 'npx drizzle-kit generate');
    expect(generated.stdout).toContain(`${tableCount} tables`);
    expect(generated.stdout).toContain('No schema changes, nothing to migrate');
  });

  test('run again it changes nothing, and says so', async () => {
    const before = readProjectFiles(application.folder);
    const { stdout } = await succeed(application, 'npx mytx init');
    expect(stdout).toContain('nothing to do: every file is there');
    expect(commandsAtTheEnd(stdout)).toContain(migrate);
    const { data } = JSON.parse((await succeed(application, 'npx mytx init --yes --json')).stdout);
    expect(data.written).toEqual([]);
    expect(new Set(data.plan.map(({ action }: PlannedFile) => action))).toEqual(new Set(['leave']));
    expect(readProjectFiles(application.folder)).toEqual(before);
  });

  test('a table of its own gets a migration behind ours, which is applied', async () => {
    const path = `db/schema.${ending}`;
    putFiles(application.folder, { [path]: readProjectFiles(application.folder)[path] + ownTable });
    const { stdout } = await succeed(application, 'npm run db:generate -- --name trips');
    expect(stdout).toContain(`${tableCount + 1} tables`);
    const sql = readProjectFiles(application.folder)[`lib/drizzle/${ownMigration}.sql`];
    expect(sql?.match(/^\w+ TABLE .*$/gm)).toEqual(['CREATE TABLE "Trip" (']);
    expect((await succeed(application, 'npm run db:migrate')).stdout).toContain(
      `applying ${ownMigration} (1 of 1)\napplied 1 of ${ours + 1} migrations`,
    );
    expect((await succeed(application, 'npx drizzle-kit generate')).stdout).toContain('No schema changes');
  });

  test('its code works with its own db/queries', async () => {
    putFiles(application.folder, { [script]: work });
    expect((await succeed(application, `${runner} ${script}`)).stdout).toBe('Lisbon 1\n');
  });

  describe.for(inject('servers').slice(-1))('on PostgreSQL $version', ({ url: serverUrl }) => {
    test('of .env.local the same', async () => {
      const name = `init_${randomUUID().replaceAll('-', '')}`;
      const admin = postgres(serverUrl, { max: 1, onnotice: () => {} });
      await admin.unsafe(`create database ${name}`);
      const url = Object.assign(new URL(serverUrl), { pathname: `/${name}` }).href;
      putFiles(application.folder, { '.env.local': `POSTGRES_URL=${url}\n` });
      const { host } = new URL(url);
      expect((await succeed(application, migrate)).stdout).toContain(
        [
          `target: ${host}/${name}`,
          ...[...migrationNames, ownMigration].map((one, index) => `applying ${one} (${index + 1} of ${ours + 1})`),
          `applied ${ours + 1} of ${ours + 1} migrations`,
        ].join('\n'),
      );
      expect((await succeed(application, migrate)).stdout).toContain(
        `nothing to do: all ${ours + 1} migrations are applied`,
      );
      expect((await succeed(application, `${runner} ${script}`)).stdout).toBe('Lisbon 1\n');
      putFiles(application.folder, { '.env.local': '' });
      await admin.unsafe(`drop database ${name} with (force)`);
      await admin.end();
    });
  });

  test('the files of mytx init are left as they are now', async () => {
    const before = readProjectFiles(application.folder);
    expect((await succeed(application, 'npx mytx init')).stdout).toContain('nothing to do: every file is there');
    expect(readProjectFiles(application.folder)).toEqual(before);
  });
});

describe.for(inject('missingServers'))('PostgreSQL $version', ({ reason }) => {
  test.skip(`is not here: ${reason}`);
});

describe('the Next.js application', () => {
  test('passes its strict type check with pages that use db/', async () => {
    const application = newApplication(installed, nextApplication);
    await succeed(application, 'npx mytx init --yes');
    const page = (userId: string): string => `import { getMemoriesByUserId } from '@/db/queries';
import type { Memory } from '@/db/schema';

export default async function Home() {
  const memories: Memory[] = await getMemoriesByUserId({ userId: ${userId} });
  return <main>{memories.map(({ id, content }) => <p key={id}>{content}</p>)}</main>;
}
`;
    putFiles(application.folder, {
      'app/page.tsx': page("'x'"),
      'work.ts': `${nextApplication.work}`,
      'db/schema.ts': `export * from 'mytx-ai/schema';${ownTable}`,
    });
    expect((await application.run('npx tsc --noEmit')).stdout).toBe('');
    putFiles(application.folder, { 'app/page.tsx': page('42') });
    expect((await application.run('npx tsc --noEmit')).stdout).toMatch(/^app\/page\.tsx\(5,\d+\): error TS2322: .*\n$/);
  });
});

test('docs/installing.md shows what is printed', async () => {
  const page = readBlocks(readFileSync(join(root, 'docs/installing.md'), 'utf8'));
  const transcripts = page.filter(({ language, options }) => language === 'console' && 'package' in options);
  const { folder, run } = newApplication(installed, nextApplication);
  const commands = await Promise.all(
    transcripts.map(({ text }) =>
      followTranscript(text, async (command) => {
        const { exitCode, stdout, stderr } = await run(command);
        return { exitCode, stdout: stdout.replaceAll(folder, '/home/dana/travel'), output: stdout + stderr };
      }),
    ),
  );
  expect(commands.flat()).toEqual(['npx mytx init --dry-run']);
});

/** Ends the process the hard way at its nth writing or renaming of a file. */
const killer = `
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
let left = Number(process.env.KILL_AT);
for (const name of ['writeFileSync', 'renameSync']) {
  const original = fs[name];
  fs[name] = (...args) => {
    if (--left < 0) process.kill(process.pid, 'SIGKILL');
    return original(...args);
  };
}
syncBuiltinESMExports();
`;

test('killed in the middle and run again, it ends the same', async () => {
  const whole = newApplication(installed, moduleApplication);
  await succeed(whole, 'npx mytx init --yes');
  const expected = readProjectFiles(whole.folder);
  const { files } = moduleApplication;
  const count = Object.keys(expected).length - Object.keys(files).length + 1; // package.json is changed
  const states = new Set<string>();
  putFiles(installed.folder, { 'killer.mjs': killer });
  const mytx = join(installed.folder, 'node_modules/.bin/mytx');
  // The first file, one in the middle and the last, while they are written and while they are put into their places.
  for (const at of [0, 5, count - 1, count, count + 3, 2 * count - 1]) {
    const application = newApplication(installed, moduleApplication);
    const killed = await application.run(`node --import ../killer.mjs ${mytx} init --yes; echo $?`, {
      KILL_AT: `${at}`,
    });
    expect(killed.stdout.trim().split('\n').at(-1), `${at}: ${killed.stderr}`).toBe('137');
    const half = readProjectFiles(application.folder);
    expect(half).not.toEqual(expected);
    states.add(Object.keys(half).join());
    const again = await succeed(application, 'npx mytx init --yes');
    expect(again.stdout).toMatch(/\nwritten: \d+ files?\n/);
    expect(readProjectFiles(application.folder)).toEqual(expected);
  }
  expect(states.size).toBe(6);
});
