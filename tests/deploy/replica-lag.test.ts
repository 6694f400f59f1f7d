// A backfill waits for a replica that is behind, and goes on when that has caught up.

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { type DeployEvent, deploy } from '../../db/deployment.ts';
import { chooseInstallations, findInstallations, isFound } from '../servers/installations.ts';
import { startReplica } from '../servers/replica.ts';
import { startServer } from '../servers/server.ts';
import { journalFolder, onNewDatabase, removeFolders, statements } from './own-database.ts';

afterAll(removeFolders);

const installations = chooseInstallations(findInstallations(), process.env.MYTX_TEST_SERVERS).filter(isFound);

describe.each(installations.slice(-1))('on PostgreSQL $version', (installation) => {
  test('it waits while the replica is further behind than may be', { timeout: 120_000 }, async () => {
    const server = await startServer(installation);
    const replica = await startReplica(installation, server);
    try {
      await onNewDatabase(server.url('postgres'), async ({ url, sql }) => {
        const wide = statements(
          'create table wide (id int primary key, n int not null default 0, filling text)',
          `insert into wide select n, 0, repeat('x', 200) from generate_series(1, 200000) n`,
        );
        const files = [
          { tag: '0000_wide', when: 1000, sql: wide },
          { tag: '0001_fill', when: 2000, sql: '-- mytx:backfill batch=500\nupdate wide set n = n + 1' },
        ];
        await deploy({ url, migrationsFolder: journalFolder(files.slice(0, 1)) });
        await replica.caughtUp();
        await replica.pause();
        const events: DeployEvent[] = [];
        const deployed = deploy({
          url,
          migrationsFolder: journalFolder(files),
          replicaLagBytes: 1024 * 1024,
          onEvent: (event) => events.push(event),
        });
        while (!events.some(({ type }) => type === 'throttle')) await sleep(50);
        const done = async (): Promise<number> => (await sql`select count(*)::int as n from wide where n = 1`)[0]?.n;
        const before = await done();
        await sleep(1200);
        expect(await done()).toBe(before);
        expect(before).toBeLessThan(200_000);
        await replica.resume();
        expect(await deployed).toMatchObject({ applied: ['0001_fill'] });
        expect(await done()).toBe(200_000);
      });
    } finally {
      await replica.stop();
      await server.stop();
    }
  });
});
