// Keys under load from several processes, on a server: a limit is exact, a revocation holds, a use costs hardly a write,
// and no copy of the database has a key.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { db, issueApiKey, revokeApiKey, verifyApiKey } from '../../../db/queries.ts';
import { createTestUser } from '../../../db/testing/factories.ts';
import { createTestDatabase, type TestDatabase } from '../../../db/testing/index.ts';
import { recordFigures } from '../../security/figures.ts';
import { findInstallations, isFound } from '../../servers/installations.ts';
import { rowOf } from '../stored-api-keys.ts';
import type { Check } from './verifier.ts';
import { startVerifiers, type Verifier } from './verifiers.ts';

const [server] = inject('servers');

describe.skipIf(server === undefined)('on a server (none is here: see the skipped tests of tests/servers)', () => {
  let database: TestDatabase;
  let userId: string;
  let url: string;

  beforeAll(async () => {
    database = await createTestDatabase({ url: server?.url ?? '', isDefault: true });
    url = database.url as string;
    userId = (await createTestUser()).id;
  });
  afterAll(() => database?.close());

  async function withVerifiers(count: number, work: (verifiers: Verifier[]) => Promise<void>): Promise<void> {
    const verifiers = await startVerifiers(count, url);
    try {
      await work(verifiers);
    } finally {
      await Promise.all(verifiers.map((verifier) => verifier.stop()));
    }
  }

  test('8 processes with 500 checks each at once: of a limit of 100 exactly 100 are let through', async () => {
    const rateLimit = { limit: 100, windowSeconds: 3600 };
    const [processes, checksEach] = [8, 500];
    const { key, record } = await issueApiKey({ userId, name: 'limited', rateLimit });
    await withVerifiers(processes, async (verifiers) => {
      const answers = await Promise.all(verifiers.map((one) => one.ask({ checkAtOnce: { key, times: checksEach } })));
      const sum: Record<string, number> = {};
      for (const answer of answers) {
        if (typeof answer !== 'object' || !('outcomes' in answer)) throw new Error('not what was asked');
        for (const [outcome, count] of Object.entries(answer.outcomes)) sum[outcome] = (sum[outcome] ?? 0) + count;
      }
      console.info(`8 processes x 500 checks, limit 100: ${JSON.stringify(sum)}`);
      const { ok: accepted = 0, rate_limited: refused = 0 } = sum;
      recordFigures('rate-limit', { processes, checksEach, limit: rateLimit.limit, accepted, refused });
      expect(sum).toEqual({ ok: 100, rate_limited: 3900 });
    });
    expect(await rowOf(record.id)).toMatchObject({ windowCount: 100 });
  }, 120_000);

  /** Each process checks every 15 ms: 200 a second together. */
  const everyMs = 15;

  test('100 revocations under 200 checks a second: none is let through that began behind it', async () => {
    const counts = { rounds: 0, before: 0, behind: 0, letThroughBehind: 0 };
    const processes = 3;
    await withVerifiers(processes, async (verifiers) => {
      const askAll = async (key: string | null): Promise<Check[]> => {
        const answers = await Promise.all(verifiers.map((one) => one.ask({ checkOn: { key, everyMs } })));
        return answers.flatMap((answer) => (typeof answer === 'object' && 'checks' in answer ? answer.checks : []));
      };
      for (; counts.rounds < 100; counts.rounds += 1) {
        // Every second one writes with each check.
        const rateLimit = counts.rounds % 2 === 0 ? null : { limit: 1_000_000, windowSeconds: 3600 };
        const { key, record } = await issueApiKey({ userId, name: 'to be revoked', rateLimit });
        await askAll(key);
        await sleep(60 + Math.random() * 30);
        await revokeApiKey({ id: record.id, userId });
        const revokedNs = process.hrtime.bigint();
        await sleep(80);
        const checks = await askAll(null);
        const behind = checks.filter(({ beganNs }) => BigInt(beganNs) > revokedNs);
        const before = checks.filter((check) => !behind.includes(check));
        counts.before += before.filter(({ outcome }) => outcome === 'ok').length;
        counts.behind += behind.length;
        counts.letThroughBehind += behind.filter(({ outcome }) => outcome !== 'revoked').length;
        expect(await rowOf(record.id)).toMatchObject({ revokedAt: expect.any(Date) });
      }
    });
    console.info(`revocations: ${JSON.stringify(counts)}`);
    const { rounds, behind, letThroughBehind: accepted } = counts;
    recordFigures('revocation', { rounds, processes, behind, accepted });
    expect(counts).toMatchObject({ rounds: 100, letThroughBehind: 0 });
    // The load was there, before and behind.
    expect(counts.before).toBeGreaterThan(500);
    expect(counts.behind).toBeGreaterThan(500);
  }, 180_000);

  test('10,000 checks of a key in a minute write it once or twice', async () => {
    const { key } = await issueApiKey({ userId, name: 'busy' });
    const writes = async (): Promise<number> => {
      await sleep(1200); // a session reports what it did once a second
      await db.execute(sql`select pg_stat_clear_snapshot()`);
      const [row] = await db.execute<{ n: string }>(sql`select sum(n_tup_upd) as n from pg_stat_user_tables
        where relname = 'ApiKey'`);
      return Number(row?.n);
    };
    const check = async (times: number): Promise<void> => {
      for (let i = 0; i < times; i += 1) expect((await verifyApiKey(key)).ok).toBe(true);
    };
    const before = await writes();
    const startMs = performance.now();
    await Promise.all(Array.from({ length: 20 }, () => check(500)));
    const minutes = (performance.now() - startMs) / 60_000;
    const written = (await writes()) - before;
    console.info(`10,000 checks: ${written} writes in ${(minutes * 60).toFixed(1)} s`);
    expect(written).toBeGreaterThan(0);
    expect(written).toBeLessThanOrEqual(Math.ceil(minutes) * 2);
  }, 120_000);

  test('a dump of 1,000 keys has none of them', async ({ skip }) => {
    const installation = findInstallations()
      .filter(isFound)
      .find(({ version, binFolder }) => version >= (server?.version ?? 0) && existsSync(join(binFolder, 'pg_dump')));
    if (!installation) return skip('pg_dump is not here: npm’s servers come without it');
    const keys: string[] = [];
    for (let i = 0; i < 1000; i += 1) keys.push((await issueApiKey({ userId, name: `key ${i}` })).key);
    const options = { maxBuffer: 2 ** 30, env: { ...process.env, PGCLIENTENCODING: 'UTF8' } };
    const { stdout } = await promisify(execFile)(join(installation.binFolder, 'pg_dump'), [url, '--inserts'], options);
    expect(stdout.split('key 999').length).toBe(2);
    // Neither the key nor the random part that is not shown.
    const found = keys.filter((key) => stdout.includes(key) || stdout.includes(key.slice(14, 42)));
    console.info(`1,000 keys in a dump of ${stdout.length} characters: ${found.length} found`);
    recordFigures('dumped-keys', { keys: keys.length, found: found.length });
    expect(found).toEqual([]);
  }, 120_000);
});
