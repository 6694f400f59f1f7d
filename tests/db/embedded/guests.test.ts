// Owner and guests of an embedded database share its one session: in one line, for whole transactions, and without a
// trace of one in the next one's turn.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import postgres from 'postgres';
import { beforeAll, describe, expect, test } from 'vitest';
import { defaultDeadlines } from '../../../db/connection/deadlines.ts';
import { deploySession } from '../../../db/connection/deploy-session.ts';
import { serverEngine } from '../../../db/connection/server.ts';
import { parseServerUrl } from '../../../db/connection/url.ts';
import { parseMessage, queryMessage, syncMessage } from '../../../db/embedded/wire.ts';
import { db, transaction, withDeadline } from '../../../db/index.ts';
import { applyMigrations } from '../../../deploy/apply.ts';
import { closeBehindTests, newFolder, newOwner, type Owner, RawClient } from './embedded-owner.ts';
import { endNeighbours, Neighbour, runNeighbour } from './neighbour.ts';

endNeighbours();
closeBehindTests();

const idleMs = 1500;
let owner: Owner;
beforeAll(async () => {
  owner = await newOwner({ deadlines: { idleInTransactionMs: idleMs } });
  await owner.run('create table account (name text primary key, balance int not null)');
  await owner.run('create table line (who text, at int generated always as identity)');
});

describe('an insert of the owner while a guest is in a transaction that it rolls back', () => {
  test('without our line, by pglite-socket alone, is rolled back with it', async () => {
    const client = await PGlite.create();
    await client.exec('create table line (who text)');
    const server = new PGLiteSocketServer({ db: client, port: 0, maxConnections: 2 });
    const listening = new Promise<number>((resolve) => {
      server.addEventListener('listening', (event) => resolve((event as CustomEvent<{ port: number }>).detail.port));
    });
    await server.start();
    const port = await listening;
    const guest = postgres({ host: '127.0.0.1', port, username: 'postgres', database: 'postgres', max: 1 });
    const reserved = await guest.reserve();
    await reserved`begin`;
    await reserved`insert into line values ('guest')`;
    await client.query(`insert into line values ('owner')`); // acknowledged
    await reserved`rollback`;
    expect((await client.query('select who from line')).rows).toEqual([]); // and lost
    reserved.release();
    await guest.end({ timeout: 1 });
    await server.stop();
    await client.close();
  });

  test('waits for its end, and stays', async () => {
    const guest = await owner.client().reserve();
    await guest`begin`;
    await guest`insert into line (who) values ('guest')`;
    const events: string[] = [];
    const inserted = owner.run(`insert into line (who) values ('owner')`).then(() => events.push('owner'));
    await sleep(200);
    events.push('rollback');
    await guest`rollback`;
    await inserted;
    expect(events).toEqual(['rollback', 'owner']);
    expect(await owner.run('select who from line')).toEqual([{ who: 'owner' }]);
    guest.release();
  });

  test('and so does a guest’s while the owner is in one', async () => {
    const guest = owner.client();
    await owner.run('truncate line');
    let inserted: Promise<unknown> = Promise.resolve();
    const rolledBack = owner.database.run(() =>
      transaction(async () => {
        await db.execute(`insert into line (who) values ('owner')`);
        inserted = Promise.resolve(guest`insert into line (who) values ('guest')`);
        await sleep(200);
        throw new Error('rolled back');
      }),
    );
    await expect(rolledBack).rejects.toThrow('rolled back');
    await inserted;
    expect(await owner.run('select who from line')).toEqual([{ who: 'guest' }]);
  });
});

test('two guests in processes of their own and the owner move money at once: no cent is lost', async () => {
  await owner.run(`insert into account select 'a' || i, 100 from generate_series(0, 3) i`);
  const transfers = (count: number, seed: number): string => `
    for (let i = 0; i < ${count}; i += 1) {
      const [from, to] = [(i + ${seed}) % 4, (i * 3 + ${seed} + 1) % 4];
      if (from === to) continue;
      await transaction(async () => {
        const [a] = await db.execute("select balance from account where name = 'a" + from + "'");
        const [b] = await db.execute("select balance from account where name = 'a" + to + "'");
        await new Promise((resolve) => setTimeout(resolve, i % 3));
        await db.execute('update account set balance = ' + (a.balance - 7) + " where name = 'a" + from + "'");
        await db.execute('update account set balance = ' + (b.balance + 7) + " where name = 'a" + to + "'");
        if (i % 5 === 0) throw new Error('changed my mind');
      }).catch((error) => { if (error.message !== 'changed my mind') throw error; });
    }`;
  const guest = (seed: number): Promise<string> =>
    runNeighbour(`
      const { createDatabase, db, transaction } = await load('db/index.ts');
      const database = await createDatabase({ url: ${JSON.stringify(owner.url)} });
      await database.run(async () => { ${transfers(60, seed)} });
      await database.close();
      console.log('moved');`);
  let isDone = false;
  const guests = Promise.all([guest(1), guest(2)]).finally(() => {
    isDone = true;
  });
  let owned = 0;
  while (!isDone) {
    await owner.database.run(() =>
      transaction(async () => {
        const [from] = await db.execute<{ balance: number }>(`select balance from account where name = 'a0'`);
        await sleep(1);
        await db.execute(`update account set balance = ${(from?.balance ?? 0) - 1} where name = 'a0'`);
        await db.execute(`update account set balance = balance + 1 where name = 'a3'`);
      }),
    );
    owned += 1;
  }
  expect(await guests).toEqual(['moved', 'moved']);
  expect(owned).toBeGreaterThan(10);
  expect(await owner.run('select sum(balance)::int as total from account')).toEqual([{ total: 400 }]);
});

describe('a guest that does not end its transaction', () => {
  test('because it was killed: it is rolled back, and the line goes on', async () => {
    await owner.run('truncate line');
    const guest = new Neighbour(`
      const { createDatabase, db, transaction } = await load('db/index.ts');
      const database = await createDatabase({ url: ${JSON.stringify(owner.url)} });
      await database.run(() => transaction(async () => {
        await db.execute("insert into line (who) values ('guest')");
        console.log('inside');
        await new Promise((resolve) => setTimeout(resolve, 60_000));
      }));`);
    await guest.says('inside');
    const startMs = performance.now();
    const waiting = owner.run('select who from line');
    await guest.end('SIGKILL');
    expect(await waiting).toEqual([]);
    expect(performance.now() - startMs).toBeLessThan(idleMs);
  });

  test('because it says nothing any more: it is sent away after the time that there is for that', async () => {
    await owner.run('truncate line');
    const guest = await RawClient.begin(owner.socketPath);
    guest.send(queryMessage(`begin; insert into line (who) values ('guest')`));
    await guest.untilReady();
    const startMs = performance.now();
    expect(await owner.run('select who from line')).toEqual([]);
    expect(performance.now() - startMs).toBeGreaterThan(idleMs - 100);
    expect(performance.now() - startMs).toBeLessThan(idleMs * 3);
    expect(await guest.untilReady()).toEqual([{ type: 'E', text: expect.stringContaining('C25P03') }]);
  });

  test('because its transaction failed and it is gone', async () => {
    const guest = await RawClient.begin(owner.socketPath);
    guest.send(parse('', 'select 1 / 0'), bind('', ''), execute()); // and no Sync
    await sleep(100);
    guest.socket.destroy();
    expect(await owner.run('select 1 as one')).toEqual([{ one: 1 }]);
    expect(await owner.client()`select 2 as two`).toEqual([{ two: 2 }]);
  });

  test('but is only slow is not sent away', async () => {
    const guest = await owner.client().reserve();
    await guest`begin`;
    for (let i = 0; i < 4; i += 1) {
      await sleep(idleMs / 2);
      await guest`select ${i}::int`;
    }
    await guest`commit`;
    guest.release();
  });
});

describe('of a guest nobody sees', () => {
  /** What one session leaves, and how the next one looks for it; a row means that it is there. */
  const traces: [string, string[], string][] = [
    ['temporary tables', ['create temp table left_over (a int)'], `select 1 from pg_class where relname = 'left_over'`],
    ['settings', [`set search_path to nowhere`], `select 1 where current_setting('search_path') = 'nowhere'`],
    ['a time zone', [`set time zone 'Asia/Tokyo'`], `select 1 where current_setting('TimeZone') <> 'UTC'`],
    ['a role', ['set role pg_monitor'], `select 1 where current_user <> 'postgres'`],
    ['prepared statements', ['prepare left_over as select 1'], 'select 1 from pg_prepared_statements where from_sql'],
    [
      'open cursors',
      ['declare left_over cursor with hold for select 1'],
      `select 1 from pg_cursors where name = 'left_over'`,
    ],
    ['what it listens for', ['listen left_over'], 'select 1 from pg_listening_channels()'],
  ];

  test.each(traces)('%s', async (_, statements, look) => {
    const [first, second] = [await RawClient.begin(owner.socketPath), owner.client()];
    for (const statement of statements) {
      first.send(queryMessage(statement));
      expect((await first.untilReady()).at(0)?.type).not.toBe('E');
    }
    first.send(queryMessage(look));
    expect((await first.untilReady()).map(({ type }) => type)).toContain('D'); // still there, while nobody else came
    expect(await second.unsafe(look)).toEqual([]);
    first.send(queryMessage(statements.join(';')));
    await first.untilReady();
    expect(await owner.run(look)).toEqual([]);
    expect(await owner.run(`select 'gone'::text as what`)).toEqual([{ what: 'gone' }]);
  });

  test('advisory locks: while it has one nobody else has a turn, and a guest that leaves leaves none', async () => {
    const first = await RawClient.begin(owner.socketPath);
    first.send(queryMessage('select pg_advisory_lock(42)'));
    await first.untilReady();
    const waiting = owner.run(`select count(*)::int as locks from pg_locks where locktype = 'advisory'`);
    const isWaiting = await Promise.race([waiting.then(() => false), sleep(300).then(() => true)]);
    expect(isWaiting).toBe(true);
    first.socket.end();
    expect(await waiting).toEqual([{ locks: 0 }]);
  });

  test('nor it of the owner’s', async () => {
    await owner.run(`set application_name = 'the owner'`);
    await owner.run('create temp table of_owner (a int)');
    const guest = owner.client();
    expect(await guest`select current_setting('application_name') as name`).not.toEqual([{ name: 'the owner' }]);
    expect(await guest`select 1 from pg_class where relname = 'of_owner'`).toEqual([]);
  });

  test('the settings it began with are there in each of its turns, and the time zone it was told', async () => {
    const guest = owner.client({ connection: { application_name: 'a guest', TimeZone: 'Asia/Tokyo' } });
    for (let turn = 0; turn < 3; turn += 1) {
      const [row] = await guest`
        select current_setting('application_name') as name, current_setting('TimeZone') as zone`;
      expect(row).toEqual({ name: 'a guest', zone: 'Asia/Tokyo' });
      expect(await owner.run(`select current_setting('TimeZone') as zone`)).toEqual([{ zone: 'UTC' }]);
    }
    const refused = await RawClient.begin(owner.socketPath, { no_such_setting: 'x' });
    refused.send(queryMessage('select 1'));
    expect((await refused.untilReady()).at(-1)).toMatchObject({ type: 'E', text: expect.stringContaining('C42704') });
  });
});

describe('the protocol', () => {
  test('statements that a guest prepared are there in its next turn, and gone when it closed them', async () => {
    const guest = await RawClient.begin(owner.socketPath);
    guest.send(parse('mine', 'select 40 + $1::int'), syncMessage);
    expect(typesOf(await guest.untilReady())).toBe('1Z');
    for (let turn = 0; turn < 3; turn += 1) {
      await owner.run('select 1');
      guest.send(bind('', 'mine', '2'), execute(), syncMessage);
      const replies = await guest.untilReady();
      expect(typesOf(replies)).toBe('2DCZ');
      expect(replies[1]?.text).toContain('42');
    }
    guest.send(close('mine'), syncMessage);
    await guest.untilReady();
    await owner.run('select 1');
    guest.send(bind('', 'mine', '2'), execute(), syncMessage);
    expect(typesOf(await guest.untilReady())).toBe('EZ');
  });

  test('a driver that prepares what it sends notices nothing of the turns', async () => {
    const guests = [owner.client({ prepare: true }), owner.client({ prepare: true })];
    for (let turn = 0; turn < 20; turn += 1) {
      const answers = await Promise.all(guests.map((guest, i) => guest`select ${turn * 2 + i}::int as answer`));
      expect(answers).toEqual([[{ answer: turn * 2 }], [{ answer: turn * 2 + 1 }]]);
      await owner.run('select 1');
    }
  });

  test('a statement that fails in the middle of a round ends the round, and not the next one', async () => {
    const guest = await RawClient.begin(owner.socketPath);
    for (let round = 0; round < 2; round += 1) {
      guest.send(
        ...[parse('', 'select 1'), bind('', ''), execute()],
        ...[parse('', 'selct 2'), bind('', ''), execute()],
        ...[parse('', 'select 3'), bind('', ''), execute(), syncMessage],
        ...[parse('', 'select 4'), bind('', ''), execute(), syncMessage],
      );
      expect(typesOf(await guest.untilReady())).toBe('12DCEZ');
      const next = await guest.untilReady();
      expect(typesOf(next)).toBe('12DCZ');
      expect(next[2]?.text).toContain('4');
      expect(await owner.run('select 5 as five')).toEqual([{ five: 5 }]);
    }
  });

  test('statements sent without waiting for answers are answered in their order', async () => {
    const guest = owner.client();
    const answers = await Promise.allSettled([
      ...[1, 2, 3].map((i) => guest`select ${i}::int as i`),
      guest`select 1 / 0`,
      ...[4, 5].map((i) => guest`select ${i}::int as i`),
    ]);
    expect(answers.map((one) => (one.status === 'fulfilled' ? one.value[0]?.i : one.reason.code))).toEqual([
      1,
      2,
      3,
      '22012',
      4,
      5,
    ]);
  });

  test('rows and parameters of five million bytes pass whole', async () => {
    const guest = owner.client();
    const text = 'äbc'.repeat(1_300_000);
    const [row] = await guest`select ${text}::text as text, length(${text}) as length`;
    expect(row?.length).toBe(text.length);
    expect(row?.text === text).toBe(true);
    const rows = await guest`select i, repeat('x', 50) as filling from generate_series(1, 100000) i`;
    expect(rows).toHaveLength(100_000);
    expect(rows.at(-1)).toEqual({ i: 100_000, filling: 'x'.repeat(50) });
  });

  test('a guest that does not read its answer keeps nobody waiting', async () => {
    const guest = await RawClient.begin(owner.socketPath);
    guest.socket.pause();
    guest.send(queryMessage(`select repeat('x', 10000000)`));
    await sleep(200);
    const startMs = performance.now();
    expect(await owner.run('select 1 as one')).toEqual([{ one: 1 }]);
    expect(performance.now() - startMs).toBeLessThan(idleMs);
    guest.socket.resume();
    expect(typesOf(await guest.untilReady())).toBe('TDCZ');
  });

  test('COPY FROM STDIN and timers, which would end PostgreSQL, are refused, also for the owner', async () => {
    const guest = await RawClient.begin(owner.socketPath);
    guest.send(parse('copies', 'copy account from stdin'), bind('', 'copies'), execute(), syncMessage);
    expect(await guest.untilReady()).toContainEqual({ type: 'E', text: expect.stringContaining('C0A000') });
    await owner.run('select 1');
    guest.send(bind('', 'copies'), execute(), syncMessage); // prepared anew, and still refused
    expect(await guest.untilReady()).toContainEqual({ type: 'E', text: expect.stringContaining('C0A000') });
    guest.send(queryMessage('set idle_in_transaction_session_timeout = 10'));
    expect(await guest.untilReady()).toContainEqual({ type: 'E', text: expect.stringContaining('C0A000') });
    await expect(owner.run('copy account from stdin')).rejects.toMatchObject({
      code: 'STATEMENT_FAILED',
      details: { sqlState: '0A000' },
    });
    expect(await owner.run('select 1 as one')).toEqual([{ one: 1 }]);
  });
});

test('a migration through the socket has the session to itself; one that fails takes nobody’s writes with it', async () => {
  await owner.run('truncate line');
  const folder = migrationsOf({
    '0001_slow': 'create table migrated (a int); --> statement-breakpoint\nselect pg_sleep(0.3);',
    '0002_wrong': `insert into line (who) values ('migration'); --> statement-breakpoint\nselect 1 / 0;`,
  });
  const engine = serverEngine(parseServerUrl(owner.url), defaultDeadlines, 1);
  const connection = engine.connect();
  const failed = applyMigrations(deploySession(connection), { folder }).catch((error: unknown) => error);
  const inserts: Promise<unknown>[] = [];
  for (let i = 0; i < 10; i += 1) {
    inserts.push(owner.run(`insert into line (who) values ('owner')`));
    await sleep(20);
  }
  expect(await failed).toMatchObject({ code: 'MIGRATION_FAILED', details: { applied: ['0001_slow'] } });
  await Promise.all(inserts);
  expect(await owner.run('select who, count(*)::int as rows from line group by who')).toEqual([
    { who: 'owner', rows: 10 },
  ]);
  expect(await owner.run('select count(*)::int as rows from migrated')).toEqual([{ rows: 0 }]);
  await connection.close();
});

test('guests are not under the deadline of whoever opened the database', async () => {
  const stop = new AbortController();
  const opened = await withDeadline({ signal: stop.signal }, () => newOwner());
  stop.abort();
  expect(await opened.client()`select 1 as one`).toEqual([{ one: 1 }]);
  await opened.database.close();
});

test('a guest that finds too many in line is told so, and may ask again', async () => {
  const busy = await newOwner({ maxWaiting: 0 });
  const guest = busy.client();
  await guest`select 1`;
  let refused: unknown;
  await busy.database.run(() =>
    transaction(async () => {
      refused = await guest`select 1`.catch((error: unknown) => error);
    }),
  );
  expect(refused).toMatchObject({ code: '53300' });
  expect(await guest`select 1 as one`).toEqual([{ one: 1 }]);
  await busy.database.close();
});

const typesOf = (replies: readonly { type: string }[]): string => replies.map(({ type }) => type).join('');

function message(type: string, body: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  return Buffer.concat([Buffer.from(type), length, body]);
}

const parse = parseMessage;
const execute = (): Buffer => message('E', Buffer.from('\0\0\0\0\0'));
const close = (name: string): Buffer => message('C', Buffer.from(`S${name}\0`));

/** A bind message with parameters as texts. */
function bind(portal: string, statement: string, ...values: string[]): Buffer {
  const count = Buffer.alloc(2);
  count.writeInt16BE(values.length);
  const parameters = values.map((value) => {
    const length = Buffer.alloc(4);
    length.writeInt32BE(Buffer.byteLength(value));
    return Buffer.concat([length, Buffer.from(value)]);
  });
  return message(
    'B',
    Buffer.concat([Buffer.from(`${portal}\0${statement}\0\0\0`), count, ...parameters, Buffer.from('\0\0')]),
  );
}

function migrationsOf(files: Record<string, string>): string {
  const folder = newFolder();
  mkdirSync(join(folder, 'meta'));
  const entries = Object.keys(files).map((tag, idx) => ({ idx, tag, when: 1_900_000_000_000 + idx }));
  writeFileSync(join(folder, 'meta/_journal.json'), JSON.stringify({ entries }));
  for (const [tag, text] of Object.entries(files)) writeFileSync(join(folder, `${tag}.sql`), text);
  return folder;
}
