// The poolers that other tests stand on: each runs without root, comes back on its port, and leaves nothing behind.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import postgres from 'postgres';
import { describe, expect, inject, test } from 'vitest';
import { findPgBouncer, startPgBouncer } from './pgbouncer.ts';

const binary = findPgBouncer();
const hasProc = existsSync('/proc/self/status');
const noProc = hasProc ? '' : ' (skipped: this system has no /proc)';

if ('missing' in binary) test.skip(`PgBouncer: ${binary.missing}`);

test('a binary that was asked for and is not there is an error, not a skipped test', () => {
  expect(() => findPgBouncer('/nowhere/pgbouncer')).toThrow('MYTX_TEST_PGBOUNCER=/nowhere/pgbouncer is not there');
});

// One server will do: the pooler is the same before all of them.
describe.runIf(!('missing' in binary)).each(inject('servers').slice(0, 1))('before PostgreSQL $version', ({ url }) => {
  async function selectOne(pooledUrl: string): Promise<unknown> {
    const sql = postgres(pooledUrl, { max: 1, prepare: false, fetch_types: false });
    try {
      return [...(await sql`select 1 as one`)];
    } finally {
      await sql.end();
    }
  }

  test('answers, says which version it is, and comes back on the same port after kill -9', async () => {
    const pooler = await startPgBouncer({ serverUrl: url });
    const { port, pid } = pooler;
    expect(await selectOne(pooler.url('postgres'))).toEqual([{ one: 1 }]);
    expect(JSON.stringify(await pooler.command('show version'))).toContain('PgBouncer ');
    await pooler.kill();
    await expect(selectOne(pooler.url('postgres'))).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await pooler.restart();
    expect(pooler.port).toBe(port);
    expect(pooler.pid).not.toBe(pid);
    expect(await selectOne(pooler.url('postgres'))).toEqual([{ one: 1 }]);
    await pooler.stop();
    await pooler.stop();
    expect(existsSync(pooler.folder)).toBe(false);
  });

  test.skipIf(!hasProc)(`does not run as root${noProc}`, async () => {
    const pooler = await startPgBouncer({ serverUrl: url });
    const ids = /^Uid:\t(.*)$/m.exec(readFileSync(`/proc/${pooler.pid}/status`, 'utf8'))?.[1]?.split('\t');
    expect(ids).toHaveLength(4);
    expect(ids).not.toContain('0');
    await pooler.stop();
  });

  test('says why it did not start', async () => {
    await expect(startPgBouncer({ serverUrl: url, settings: { default_pool_size: 'many' } })).rejects.toThrow(
      /PgBouncer did not start: .*\n(.*\n)*.*default_pool_size/,
    );
  });

  test.skipIf(!hasProc)(`does not outlive a process that is killed${noProc}`, async () => {
    const script = `
      import { startPgBouncer } from ${JSON.stringify(new URL('./pgbouncer.ts', import.meta.url).href)};
      const pooler = await startPgBouncer({ serverUrl: ${JSON.stringify(url)} });
      await pooler.restart();
      process.stdout.write(pooler.pid + ' ' + pooler.folder, () => process.kill(process.pid, 'SIGKILL'));
    `;
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.on('data', (bytes) => {
      said += bytes;
    });
    await once(child, 'close');
    const [pid, folder = ''] = said.split(' ');
    expect(folder).toContain('mytx-pgbouncer-');
    await expect
      .poll(() => [existsSync(`/proc/${pid}`), existsSync(folder)], { timeout: 15_000 })
      .toEqual([false, false]);
  });
});
