// mytx encrypt: from the plaintext of the sample to a first key, and on to a second one.

import { expect, test } from 'vitest';
import { createDatabase, db, useSecrets } from '../../db/index.ts';
import { keysOf } from '../db/encryption/keys.ts';
import { cleanUpCommands, type Ended, mytx, newFolder } from './command.ts';

cleanUpCommands();
const folder = newFolder();
const patient = { timeout: 180_000 };

function encrypt(args: readonly string[], keys: readonly string[], more: Record<string, string> = {}): Promise<Ended> {
  const env = { MYTX_ENCRYPTION_KEYS: keysOf(...keys).encryptionKeys, MYTX_ENCRYPT_MEMORIES: '1', ...more };
  return mytx(['encrypt', ...args], { folder, env });
}

const transition = { MYTX_ENCRYPTION_TRANSITION: '1' };
const linesOf = ({ stdout }: Ended): string[] => stdout.trimEnd().split('\n');

test(
  'without a key a start says what is stored as plaintext, and there is nothing to encrypt with',
  patient,
  async () => {
    const started = await mytx(['start', '--once'], { folder });
    expect(started.stderr).toContain(
      'warning: MYTX_ENCRYPTION_KEYS is not set: the details of reservations are stored as plaintext\n',
    );
    expect(started.exitCode).toBe(0);
    const refused = await mytx(['encrypt'], { folder });
    expect(refused.stderr).toContain('error ENCRYPTION_KEY_MISSING: ');
    expect(refused.exitCode).toBe(1);
  },
);

test('plaintext is counted and left, until the transition allows it', patient, async () => {
  const dry = await encrypt(['--dry-run'], ['k1'], transition);
  expect(linesOf(dry)).toEqual([
    'target: embedded, .mytx/database',
    'key: k1',
    '',
    'column               rows  to encrypt',
    'Reservation.details     6           6',
    'Memory.content         30          30',
    '',
    'nothing was written: this was a dry run',
  ]);
  expect(dry.exitCode).toBe(0);
  const left = await encrypt(['--json'], ['k1']);
  expect(JSON.parse(left.stdout)).toMatchObject({
    ok: false,
    command: 'encrypt',
    data: null,
    error: {
      code: 'ENCRYPTION_INCOMPLETE',
      message: expect.stringMatching(
        /^not everything is encrypted with the key "k1": Reservation.details: 6 in plaintext \(such as the row [0-9a-f-]{36}\); Memory.content: 30 in plaintext \(such as the row [0-9a-f-]{36}\)$/,
      ),
    },
  });
  expect(left.exitCode).toBe(1);
});

test('everything is encrypted, once, and again with the next key', patient, async () => {
  const first = await encrypt(['--rows-per-second', '1000'], ['k1'], transition);
  expect(linesOf(first).slice(3)).toEqual([
    'column               rows  encrypted now',
    'Reservation.details     6              6',
    'Memory.content         30             30',
    '',
    'done: everything is encrypted with this key',
  ]);
  expect(first.stderr).toContain('warning: MYTX_ENCRYPTION_TRANSITION is on: ');
  const rotated = await encrypt(['--json'], ['k2', 'k1']);
  expect(JSON.parse(rotated.stdout)).toMatchObject({
    ok: true,
    data: { keyId: 'k2', isComplete: true, isDryRun: false, columns: [{ rewritten: 6 }, { rewritten: 30 }] },
    warnings: [],
  });
  expect(JSON.parse((await encrypt(['--json'], ['k2'])).stdout).data.columns).toMatchObject([
    { rewritten: 0 },
    { rewritten: 0 },
  ]);
  useSecrets(keysOf('k2'));
  const database = await createDatabase({ folder: `${folder}/.mytx`, socket: false });
  await database.run(async () => {
    const reservations = await db.query.reservation.findMany();
    expect(reservations.every(({ details }) => details.seats.length > 0)).toBe(true);
    expect((await db.query.memories.findMany()).some(({ content }) => content.includes('Pixel'))).toBe(true);
  });
  await database.close();
  useSecrets();
});

test('a rate that is none is refused before anything is opened', async () => {
  const { exitCode, stderr } = await encrypt(['--rows-per-second', '0'], ['k1']);
  expect(stderr).toContain('It must be a whole number from 1 to 1,000,000.');
  expect(exitCode).toBe(2);
});
