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
