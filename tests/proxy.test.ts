// The proxy against real servers: what a fault leaves behind is asked of the server over a second, direct connection.
import { randomBytes } from 'node:crypto';
import postgres, { type Sql } from 'postgres';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { type FaultProxy, startProxy } from './proxy.ts';

const brokenConnection = { code: expect.stringMatching(/^(CONNECTION_CLOSED|ECONNRESET)$/) };

for (const { version, reason } of inject('missingServers')) test.skip(`PostgreSQL ${version}: ${reason}`);

describe.each(inject('servers'))('proxy before PostgreSQL $version', ({ url }) => {
  const database = `proxy_${randomBytes(6).toString('hex')}`;
  const directUrl = new URL(url);
  directUrl.pathname = database;
  let direct: Sql;
  let proxy: FaultProxy;
  let client: Sql;

  beforeAll(async () => {
    await onMaintenanceDatabase(url, (sql) => sql`create database ${sql(database)}`);
    direct = postgres(directUrl.href, { max: 1 });
    await direct`create table note (body text not null)`;
  });
  afterAll(async () => {
    await direct.end();
    await onMaintenanceDatabase(url, (sql) => sql`drop database ${sql(database)} with (force)`);
  });
  beforeEach(async () => {
    await direct`truncate note`;
    proxy = await startProxy({ target: { host: directUrl.hostname, port: Number(directUrl.port) } });
    client = postgres(urlThrough(proxy), { max: 1 });
  });
  afterEach(async () => {
    await client.end({ timeout: 0 });
    await proxy.stop();
  });

  function urlThrough({ port }: FaultProxy): string {
    const through = new URL(directUrl);
    through.port = String(port);
    return through.href;
  }

  async function savedNotes(): Promise<string[]> {
    const rows = await direct<{ body: string }[]>`select body from note order by body`;
    return rows.map(({ body }) => body);
  }

  test('passes statements and their replies on, and counts connections', async () => {
    expect(proxy.connectionCount).toBe(0);
    await client`insert into note (body) values (${'a'.repeat(1_000_000)})`;
    expect(await client`select length(body) from note`).toEqual([{ length: 1_000_000 }]);
    expect(proxy.connectionCount).toBe(1);
    await client.end();
    await expect.poll(() => proxy.connectionCount).toBe(0);
  });

  test('cuts before the reply to a statement, which has been done', async () => {
    const cut = proxy.cutOnReplyTo('insert into note');
    await expect(client`insert into note (body) values ('told by nobody')`).rejects.toMatchObject(brokenConnection);
    expect(await savedNotes()).toEqual(['told by nobody']);
    expect(cut.count).toBe(1);
  });

  test('cuts once where nothing else is asked for', async () => {
    const cut = proxy.cutOnReplyTo('insert into note');
    await expect(client`insert into note (body) values ('first')`).rejects.toMatchObject(brokenConnection);
    await client`insert into note (body) values ('second')`;
    expect(await savedNotes()).toEqual(['first', 'second']);
    expect(cut.count).toBe(1);
  });

  test('cuts as often as asked', async () => {
    const cut = proxy.cutOnReplyTo('insert into note', { times: 2 });
    await expect(client`insert into note (body) values ('first')`).rejects.toMatchObject(brokenConnection);
    await expect(client`insert into note (body) values ('second')`).rejects.toMatchObject(brokenConnection);
    await client`insert into note (body) values ('third')`;
    expect(await savedNotes()).toEqual(['first', 'second', 'third']);
    expect(cut.count).toBe(2);
  });

  test('cuts a statement with parameters when it has run, not when it has been described', async () => {
    const cut = proxy.cutOnReplyTo('insert into note');
    await expect(client`insert into note (body) values (${'described'})`).rejects.toMatchObject(brokenConnection);
    expect(await savedNotes()).toEqual(['described']);
    expect(cut.count).toBe(1);
  });

  test('finds the text in a parameter, across packets', async () => {
    const body = `${'a'.repeat(500_000)}needle${'b'.repeat(500_000)}`;
    const cut = proxy.cutOnReplyTo('needle');
    await expect(client`insert into note (body) values (${body})`).rejects.toMatchObject(brokenConnection);
    expect(await savedNotes()).toEqual([body]);
    expect(cut.count).toBe(1);
  });

  test('cuts before the reply to a commit that goes by the name of a prepared statement', async () => {
    await client.begin((sql) => sql`insert into note (body) values ('told')`);
    const cut = proxy.cutOnReplyTo('commit');
    const lost = client.begin((sql) => sql`insert into note (body) values ('told by nobody')`);
    await expect(lost).rejects.toMatchObject(brokenConnection);
    expect(await savedNotes()).toEqual(['told', 'told by nobody']);
    expect(cut.count).toBe(1);
  });

  test('passes the replies on that come before the one it cuts', async () => {
    await client`select 1`;
    const cut = proxy.cutOnReplyTo('insert into note');
    const results = await Promise.allSettled([
      client`select 'before' as place`.simple(),
      client`insert into note (body) values ('told by nobody')`.simple(),
    ]);
    expect(results).toEqual([
      { status: 'fulfilled', value: [{ place: 'before' }] },
      { status: 'rejected', reason: expect.objectContaining(brokenConnection) },
    ]);
    expect(await savedNotes()).toEqual(['told by nobody']);
    expect(cut.count).toBe(1);
  });

  test('drops all connections of the moment', async () => {
    const slow = client`select pg_sleep(60)`.execute();
    await expect.poll(() => direct`select from pg_stat_activity where query like 'select pg_sleep%'`).toHaveLength(1);
    proxy.dropAll();
    await expect(slow).rejects.toMatchObject(brokenConnection);
    expect(await client`select 1 as one`).toEqual([{ one: 1 }]);
  });

  test('refuses new connections until told otherwise, and keeps the old', async () => {
    await client`select 1`;
    const second = postgres(urlThrough(proxy), { max: 1 });
    await proxy.refuseNew(true);
    await expect(second`select 1`).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(await client`select 1 as one`).toEqual([{ one: 1 }]);
    await proxy.refuseNew(false);
    expect(await second`select 1 as one`).toEqual([{ one: 1 }]);
    await second.end();
  });

  test('cuts no more once it is disarmed', async () => {
    const cut = proxy.cutOnReplyTo('insert into note');
    cut.disarm();
    await client`insert into note (body) values ('told')`;
    expect(cut.count).toBe(0);
  });

  test('resets every connection, and says when each was accepted', async () => {
    await client`select 1`;
    const before = performance.now();
    proxy.resetAll();
    await expect.poll(() => proxy.connectionCount).toBe(0);
    expect(await client`select 1 as one`).toEqual([{ one: 1 }]);
    expect(proxy.acceptedAtMs).toHaveLength(2);
    expect(proxy.acceptedAtMs[0]).toBeLessThan(before);
    expect(proxy.acceptedAtMs[1]).toBeGreaterThanOrEqual(before);
  });

  test.each([
    ['to-server', []],
    ['to-client', ['swallowed']],
  ] as const)('swallows bytes %s while the socket stays open, and for good', async (direction, saved) => {
    await client`select 1`;
    proxy.setNetwork({ kind: 'black-hole', directions: [direction] });
    let hasSettled = false;
    const lost = client`insert into note (body) values ('swallowed')`.simple().finally(() => {
      hasSettled = true;
    });
    await expect.poll(savedNotes).toEqual(saved);
    const fresh = postgres(urlThrough(proxy), { max: 1, connect_timeout: 0.3, fetch_types: false });
    await expect(fresh`select 1`).rejects.toMatchObject({ code: 'CONNECT_TIMEOUT' });
    proxy.setNetwork(undefined);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(hasSettled).toBe(false);
    expect(proxy.connectionCount).toBe(1);
    proxy.dropAll();
    await expect(lost).rejects.toMatchObject(brokenConnection);
    expect(await client`select 1 as one`).toEqual([{ one: 1 }]);
  });

  test('delays what is sent, in order', async () => {
    await client`select 1`;
    proxy.setNetwork({ kind: 'delay', delayMs: 100, jitterMs: 100 });
    const startMs = performance.now();
    const answers = await Promise.all(Array.from({ length: 30 }, (_, n) => client`select ${n}::integer as n`));
    expect(answers.flat()).toEqual(Array.from({ length: 30 }, (_, n) => ({ n })));
    expect(performance.now() - startMs).toBeGreaterThan(100);
    proxy.setNetwork(undefined);
    expect(await client`select 1 as one`).toEqual([{ one: 1 }]);
  });

  test('cuts a connection when so many bytes have passed, the last ones torn off', async () => {
    await client`select 1`;
    proxy.setNetwork({ kind: 'cut', direction: 'to-server', afterBytes: 40 });
    const insert = client`insert into note (body) values ('too long for forty bytes')`.simple();
    await expect(insert).rejects.toMatchObject(brokenConnection);
    expect(await savedNotes()).toEqual([]);
    proxy.setNetwork(undefined); // or no connection would come about
    await client`select 1`;
    proxy.setNetwork({ kind: 'cut', direction: 'to-client', afterBytes: 1000 });
    const select = client`select repeat('x', 2000) as text`.simple();
    await expect(select).rejects.toMatchObject(brokenConnection);
    proxy.setNetwork(undefined);
    expect(await client`select 1 as one`).toEqual([{ one: 1 }]);
  });

  test('closes new connections at once and leaves the old ones be', async () => {
    await client`select 1`;
    proxy.setNetwork({ kind: 'close-at-start' });
    expect(await client`select 1 as one`).toEqual([{ one: 1 }]);
    const accepted = proxy.acceptedAtMs.length;
    const fresh = postgres(urlThrough(proxy), { max: 1, fetch_types: false });
    const waiting = fresh`select 1 as one`;
    void waiting.execute();
    await expect.poll(() => proxy.acceptedAtMs.length).toBeGreaterThan(accepted);
    proxy.setNetwork(undefined);
    expect(await waiting).toEqual([{ one: 1 }]);
    await fresh.end();
  });

  test('ends connections and listening when it stops', async () => {
    await client`select 1`;
    const slow = client`select pg_sleep(60)`.execute();
    await proxy.stop();
    await expect(slow).rejects.toMatchObject(brokenConnection);
    await expect(client`select 1`).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});

async function onMaintenanceDatabase(url: string, run: (sql: Sql) => PromiseLike<unknown>): Promise<void> {
  const sql = postgres(url, { max: 1 });
  await run(sql);
  await sql.end();
}
