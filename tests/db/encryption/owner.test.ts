// Encrypting as an owner who is no superuser, whom the policies bind: on a server, as most applications log in.

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import {
  closeDatabase,
  configureEncryption,
  createReservation,
  db,
  getMemoriesByUserId,
  openDatabase,
  reencrypt,
  saveMemory,
  useSecrets,
} from '../../../db/index.ts';
import { createTestUser } from '../../../db/testing/factories.ts';
import { recordFigures } from '../../security/figures.ts';
import { findInstallations, isFound } from '../../servers/installations.ts';
import { flight } from '../flight.ts';
import { newOwnedDatabase, type OwnedDatabase } from '../owned-database.ts';
import { keysOf } from './keys.ts';

const [server] = inject('servers');

describe.skipIf(server === undefined)('on a server (none is here: see the skipped tests of tests/servers)', () => {
  let owned: OwnedDatabase;

  beforeAll(async () => {
    owned = await newOwnedDatabase(server?.url ?? '');
    await openDatabase({ url: owned.url });
  });
  afterAll(async () => {
    useSecrets();
    configureEncryption();
    await closeDatabase();
    await owned?.drop();
  });

  test('rows of all users are encrypted, and a dump has nothing of them', async ({ skip }) => {
    const installation = findInstallations()
      .filter(isFound)
      .find(({ version, binFolder }) => version >= (server?.version ?? 0) && existsSync(join(binFolder, 'pg_dump')));
    if (!installation) return skip('pg_dump is not here: npm’s servers come without it');
    const pgDump = join(installation.binFolder, 'pg_dump');
    const secrets: string[] = [];
    const userIds: string[] = [];
    for (let i = 0; i < 10; i += 1) {
      const { id: userId } = await createTestUser();
      userIds.push(userId);
      const [memory, passengerName] = [`canary memory ${i}`, `Canary Passenger ${i}`];
      await saveMemory({ userId, content: memory });
      await createReservation({ id: crypto.randomUUID(), userId, details: { ...flight, passengerName } });
      secrets.push(memory, passengerName);
    }
    const [policies] = await db.execute<{ isActive: boolean }>(
      sql`select row_security_active('"Memory"') as "isActive"`,
    );
    expect(policies).toEqual({ isActive: true });
    const found = (): string[] => {
      const dump = dumpWith(pgDump);
      return secrets.filter((secret) => dump.includes(secret));
    };
    const before = found();
    expect(before).toEqual(secrets);

    useSecrets(keysOf('k1'));
    configureEncryption({ memories: true, transition: true });
    expect(await reencrypt()).toMatchObject({ isComplete: true, columns: [{ rewritten: 10 }, { rewritten: 10 }] });
    configureEncryption({ memories: true });
    const after = found();
    recordFigures('dumped-plaintext', { marks: secrets.length, before: before.length, after: after.length });
    expect(after).toEqual([]);
    expect(await getMemoriesByUserId({ userId: userIds[3] as string })).toMatchObject([{ content: 'canary memory 3' }]);
  });

  function dumpWith(pgDump: string): string {
    return execFileSync(pgDump, ['--dbname', owned.superuserUrl, '--inserts'], {
      encoding: 'utf8',
      env: { ...process.env, PGCLIENTENCODING: 'UTF8' },
    });
  }
});
