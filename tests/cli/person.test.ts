// mytx export, import and erase: to their end, refused, and killed in the middle, on the embedded database and on a server.

import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createDatabase, type DatabaseOptions } from '../../db/database.ts';
import { exportUserToFile, issueApiKey } from '../../db/queries.ts';
import { addLargePerson } from '../db/person/large-person.ts';
import { rowsOfPerson } from '../db/person-rows.ts';
import { createFromTemplate } from '../db/test-database.ts';
import { newWholePerson, type WholePerson } from '../db/whole-person.ts';
import { cleanUpCommands, mytx, newFolder, startMytx } from './command.ts';

cleanUpCommands();
const patient = { timeout: 180_000 };

interface Place {
  folder: string;
  env: Record<string, string>;
  options: DatabaseOptions;
}

function embeddedPlace(): Place {
  const folder = newFolder();
  return { folder, env: {}, options: { folder: join(folder, '.mytx') } };
}

async function within<T>({ options }: Place, work: () => Promise<T>): Promise<T> {
  const database = await createDatabase(options);
  return database.run(work).finally(() => database.close());
}

/** What both engines do alike. */
function verbs(newPlace: () => Promise<Place>): void {
  let place: Place;
  let person: WholePerson;
  beforeAll(async () => {
    place = await newPlace();
    person = await within(place, async () => {
      await newWholePerson();
      return newWholePerson('ZqDana');
    });
  }, 120_000);
  const rows = (userId = person.userId): Promise<Record<string, string[]>> => within(place, () => rowsOfPerson(userId));

  test('export by address, erase by id, import: the person is as before', async () => {
    const before = await rows();
    const exported = await mytx(['export', person.email, '--include-secrets', '--output', 'dana.jsonl'], place);
    expect(exported.stdout).toMatch(/^target: .*\nexported: 22 lines, [\d.]+ MB, of the user /);
    expect(exported.stdout).toContain('\nsecrets: the hash of the password and the digests of API keys are in it; ');
    expect(exported.stdout).toMatch(
      /\nfile: dana\.jsonl\nnext: npx mytx import dana\.jsonl, where this person is not\n$/,
    );
    expect(exported.stderr).toContain(' of 20 rows');
    expect(exported.exitCode).toBe(0);
    expect(statSync(join(place.folder, 'dana.jsonl')).mode & 0o777).toBe(0o600);

    const erased = await mytx(['erase', person.userId, '--yes'], place);
    expect(erased.stdout).toContain(`erased: the user ${person.userId}\nrows: `);
    expect(erased.stdout).toContain('Message 7, Chat 2, User 1\nwhat stays: the record that it was done, and backups');
    expect(erased.exitCode).toBe(0);
    expect(Object.values(await rows()).flat()).toEqual([]);

    const imported = await mytx(['import', 'dana.jsonl'], place);
    expect(imported.stdout).toContain(`imported: the user ${person.userId}\nrows: User 1, Chat 2, Message 7, `);
    expect(imported.exitCode).toBe(0);
    expect(await rows()).toEqual({ ...before, SearchSegment: [], SearchBlock: [] });

    const again = await mytx(['import', 'dana.jsonl', '--json'], place);
    expect(JSON.parse(again.stdout)).toMatchObject({ ok: false, command: 'import', error: { code: 'USER_EXISTS' } });
    expect(again.exitCode).toBe(1);
  }, 180_000);

  test('export to stdout is the lines alone', async () => {
    const { exitCode, stdout, stderr } = await mytx(['export', person.userId, '--stdout'], place);
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(22);
    expect(lines.map((line) => Object.keys(JSON.parse(line))[0])).toEqual([
      'format',
      ...Array(20).fill('table'),
      'end',
    ]);
    expect(stderr).toMatch(/^target: /);
    expect(exitCode).toBe(0);
  });

  test('--json is one envelope; a file is made whose name is the id', async () => {
    const { stdout } = await mytx(['export', person.userId, '--json'], place);
    const file = `person-${person.userId}.jsonl`;
    const { data, ...envelope } = JSON.parse(stdout);
    expect(envelope).toMatchObject({ ok: true, command: 'export', warnings: [], error: null });
    expect(data).toEqual({
      ...{ userId: person.userId, file, includesSecrets: false, lines: 22 },
      bytes: statSync(join(place.folder, file)).size,
    });
  });

  test('a file that was cut is refused with the number of the line: exit 3, and nothing is written', async () => {
    const whole = readFileSync(join(place.folder, 'dana.jsonl'), 'utf8').split('\n');
    writeFileSync(join(place.folder, 'cut.jsonl'), `${whole.slice(0, 5).join('\n')}\n`);
    await mytx(['erase', person.email, '--yes', '--json'], place);
    const { exitCode, stderr } = await mytx(['import', 'cut.jsonl'], place);
    expect(stderr).toContain('error IMPORT_REFUSED: line 6 is missing: the file was cut, ');
    expect(exitCode).toBe(3);
    expect(Object.values(await rows()).flat()).toEqual([]);
    expect((await mytx(['import', 'dana.jsonl', '--json'], place)).exitCode).toBe(0);
  }, 180_000);

  test('without a yes nothing is erased: exit 2 names the flag, and what would go', async () => {
    const before = await rows();
    const { exitCode, stderr } = await mytx(['erase', person.email], place);
    expect(stderr).toMatch(
      /error CONFIRMATION_NEEDED: this needs a yes, and there is no terminal to ask on; the flag --yes/,
    );
    expect(exitCode).toBe(2);
    expect(await rows()).toEqual(before);
  });

  test.each([
    [['export', 'nobody@example.com'], 'USER_NOT_FOUND', 1],
    [['erase', randomUUID(), '--yes'], 'USER_NOT_FOUND', 1],
    [['erase', 'dana', '--yes'], 'INVALID_ID', 1],
    [['import', 'nowhere.jsonl'], 'ENOENT', 1],
  ] as const)('%j: %s', async (args, code, exit) => {
    const { exitCode, stderr } = await mytx(args, place);
    expect(stderr).toContain(`error ${code}: `);
    expect(stderr).toMatch(/\nnext: .+\n$/);
    expect(exitCode).toBe(exit);
  });

  test.each(['SIGKILL', 'SIGINT'] as const)(
    'an import that gets %s in the middle leaves nothing',
    async (signal) => {
      const other = await newPlace();
      const file = join(other.folder, 'large.jsonl');
      const userId = await within(place, async () => {
        const id = await addLargePerson(5_000);
        await exportUserToFile(file, { userId: id });
        return id;
      });
      const text = readFileSync(file, 'utf8');
      const running = startMytx(['import', '-'], other);
      running.feed(text.slice(0, text.length / 2));
      await running.until('target: ');
      await sleep(1500); // it waits for the other half
      const { exitCode } = await running.end(signal);
      expect(exitCode).toBe(signal === 'SIGKILL' ? null : 130);
      await within(other, async () => {
        expect(Object.values(await rowsOfPerson(userId)).flat()).toEqual([]);
        await expect(issueApiKey({ userId, name: 'x' })).rejects.toMatchObject({ code: 'USER_NOT_FOUND' });
      });
      expect((await mytx(['import', 'large.jsonl', '--json'], other)).exitCode).toBe(0);
      expect((await within(other, () => rowsOfPerson(userId))).Message).toHaveLength(5_000);
    },
    180_000,
  );
}

describe('on the embedded database', patient, () => {
  verbs(async () => embeddedPlace());
});

// One version will do: what differs between them is below db/, whose tests run on all.
describe.each(inject('servers').slice(-1))('on PostgreSQL $version', patient, ({ url }) => {
  const maintenance = postgres(url, { max: 1, onnotice: () => {} });
  afterAll(() => maintenance.end());

  verbs(async () => {
    const name = `mytx_${randomUUID().replaceAll('-', '')}`;
    await createFromTemplate(maintenance, name);
    const POSTGRES_URL = Object.assign(new URL(url), { pathname: `/${name}` }).href;
    return { folder: newFolder(), env: { POSTGRES_URL }, options: { url: POSTGRES_URL } };
  });
});

describe('the command line', () => {
  test('has examples, and says what can’t be together', async () => {
    const folder = newFolder();
    for (const verb of ['export', 'import', 'erase']) {
      const { exitCode, stdout } = await mytx([verb, '--help'], { folder });
      expect(stdout).toMatch(new RegExp(`^Examples:\\n {2}npx mytx ${verb} `));
      expect(exitCode).toBe(0);
      expect((await mytx([verb], { folder })).exitCode).toBe(2);
    }
    const { exitCode, stderr } = await mytx(['export', 'x@example.com', '--stdout', '--json'], { folder });
    expect(stderr).toContain("option '--stdout' cannot be used with option '--json'");
    expect(exitCode).toBe(2);
    expect(readdirSync(folder)).toEqual([]);
  });
});
