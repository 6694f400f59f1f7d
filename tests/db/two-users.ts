// Two users with rows in every table, the same on every engine to the last byte: ids and times are fixed. Whatever
// belongs to the second one has his mark in it, so that a result can be searched for what is not the first one's.

import { hashSync } from '@node-rs/bcrypt';
import { sql } from 'drizzle-orm';
import { digestOfKey } from '../../db/api-key-digest.ts';
import { makeKeyText } from '../../db/api-key-format.ts';
import { protocols, protocolVersions } from '../../db/protocols-schema.ts';
import { db } from '../../db/queries.ts';
import { apiKey, auditEvent, chat, memories, message, reservation, tasks, user } from '../../db/schema.ts';
import { flight } from './flight.ts';
import { plainOwner } from './global-setup.ts';

export type Owner = 'ada' | 'bob';
export type Table = 'user' | 'chat' | 'message' | 'memory' | 'task' | 'reservation' | 'protocol' | 'apiKey' | 'none';

const tableDigits: Record<Table, number> = {
  user: 0,
  chat: 1,
  message: 2,
  memory: 3,
  task: 4,
  reservation: 5,
  protocol: 6,
  apiKey: 7,
  none: 8,
};

/** The id of a row, the same in every run; of `none`: an id that no row has. Never one that `uuidv7` makes. */
export function idOf(table: Table, owner: Owner, n = 0): string {
  return `00000000-0000-4000-8000-${owner === 'ada' ? 'a' : 'b'}${tableDigits[table]}${String(n).padStart(10, '0')}`;
}

export const isFixedId = (id: string): boolean => id.startsWith('00000000-0000-4000-8000-');

/** Whether the id is of a row of this user, in any table. */
export function isRowOf(owner: Owner, id: string): boolean {
  return id[24] === (owner === 'ada' ? 'a' : 'b') && id[25] !== String(tableDigits.none);
}

/** How many rows of each table a user has; messages are those of the first chat. */
export const rowCount = 4;

/** Is in every text of a user's, and must never be in another's results, nor in any error. */
export const secretOf = (owner: Owner): string => `Zq${owner}Secret`;

export const emailOf = (owner: Owner): string => `${secretOf(owner)}@example.com`;
export const keyOf = (owner: Owner): string => `${secretOf(owner)} raw key`;

const cheapestHash = { ada: hashSync(keyOf('ada'), { cost: 4 }), bob: hashSync(keyOf('bob'), { cost: 4 }) };

/** A key as `issueApiKey` makes it: of the user's second record. */
const issued = { ada: makeKeyText('live'), bob: makeKeyText('live') };
export const issuedKeyOf = (owner: Owner): string => issued[owner].key;

export const timeOf = (n: number): Date => new Date(Date.UTC(2024, 0, 1, 0, 0, n));

function rowsOf<Row>(make: (n: number) => Row): Row[] {
  return Array.from({ length: rowCount }, (_, n) => make(n));
}

async function insertRows(owner: Owner): Promise<void> {
  const userId = idOf('user', owner);
  const text = (n: number): string => `${secretOf(owner)} ${n} 100%_\\`;
  const parts = [{ content: text(0) }];
  await db.insert(user).values({ id: userId, email: emailOf(owner), password: text(0) });
  await db.insert(chat).values(
    rowsOf((n) => ({
      ...{ id: idOf('chat', owner, n), userId, title: text(n), createdAt: timeOf(n), updatedAt: timeOf(n) },
      ...(n === 0 && { messageCount: rowCount, headId: idOf('message', owner, rowCount - 1), preview: text(0) }),
    })),
  );
  await db.insert(message).values(
    rowsOf((n) => ({
      ...{ id: idOf('message', owner, n), userId, chatId: idOf('chat', owner), position: n, createdAt: timeOf(n) },
      ...{ parentId: n === 0 ? null : idOf('message', owner, n - 1), role: n % 2 ? 'assistant' : 'user' },
      body: { role: n % 2 ? 'assistant' : 'user', content: text(n) },
    })),
  );
  await db
    .insert(memories)
    .values(rowsOf((n) => ({ id: idOf('memory', owner, n), userId, content: text(n), createdAt: timeOf(n) })));
  await db
    .insert(tasks)
    .values(rowsOf((n) => ({ id: idOf('task', owner, n), userId, description: text(n), createdAt: timeOf(n) })));
  await db.insert(reservation).values(
    rowsOf((n) => ({
      ...{ id: idOf('reservation', owner, n), userId, createdAt: timeOf(n) },
      details: { ...flight, passengerName: text(n) },
    })),
  );
  const protocolRows = rowsOf((n) => ({ id: idOf('protocol', owner, n), userId, name: text(n), parts, version: 2 }));
  await db.insert(protocols).values(protocolRows.map((row, n) => ({ ...row, createdAt: timeOf(n) })));
  await db.insert(protocolVersions).values(
    protocolRows.flatMap(({ id: protocolId, ...row }) => [
      { ...row, protocolId, version: 1, name: `${secretOf(owner)} before` },
      { ...row, protocolId },
    ]),
  );
  await db.insert(apiKey).values(
    rowsOf((n) => ({
      ...{ id: idOf('apiKey', owner, n), userId, name: text(n), createdAt: timeOf(n) },
      hashedKey: n === 0 ? cheapestHash[owner] : `not bcrypt ${text(n)}`,
      ...(n === 1 && { hashedKey: digestOfKey(issuedKeyOf(owner)).digest, prefix: issued[owner].prefix }),
    })),
  );
}

/** Makes the running code's database hold the two users' rows and nothing else. */
export async function resetToTwoUsers(): Promise<void> {
  await db.delete(user);
  // Nobody may delete of it; an owner may truncate it, which takes longer than the superuser's deletion.
  await (plainOwner ? db.execute('truncate "AuditEvent"') : db.delete(auditEvent));
  await insertRows('ada');
  await insertRows('bob');
}

/** Changes when anything of a user's does. */
export async function fingerprintOf(owner: Owner): Promise<string> {
  const userId = idOf('user', owner);
  const [row] = await db.execute<{ all: string }>(sql`
    select md5(string_agg(line, chr(10) order by line)) as all
    from (
      select t::text as line from "User" t where id = ${userId}
      union all select t::text from "Chat" t where "userId" = ${userId}
      union all select t::text from "Message" t where "userId" = ${userId}
      union all select t::text from "Memory" t where user_id = ${userId}
      union all select t::text from "Task" t where user_id = ${userId}
      union all select t::text from "Reservation" t where "userId" = ${userId}
      union all select t::text from "Protocol" t where user_id = ${userId}
      union all select t::text from "ProtocolVersion" t where user_id = ${userId}
      union all select t::text from "ApiKey" t where "userId" = ${userId}
    ) lines`);
  return row?.all ?? '';
}
