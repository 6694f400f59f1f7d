// The hot statements find their rows through the index that was made for them: the plans that PostgreSQL makes for
// prepared statements (generic plans), with enough rows that it would read whole tables if it could do no better.
// It takes "userId" and "chatId" for independent of one another, expects one message of a chat of 10,000, and then
// any index that begins with the two looks as good as the right one: so the index is checked by its name.

import { sql } from 'drizzle-orm';
import { beforeAll, describe, expect, test } from 'vitest';
import { makeKeyText } from '../../db/api-key-format.ts';
import { configureEncryption } from '../../db/encryption/settings.ts';
import {
  getProtocolById,
  getProtocolsByUserId,
  listProtocols,
  listProtocolVersions,
  updateProtocol,
} from '../../db/protocol-queries.ts';
import {
  appendMessages,
  branchFrom,
  db,
  deleteApiKeyByIdAndUserId,
  deleteMemoryById,
  deleteTaskById,
  findMemoriesByContent,
  findValidApiKey,
  getApiKeysByUserId,
  getChatById,
  getChatsByUserId,
  getMemoriesByUserId,
  getReservationById,
  getTasksByUserId,
  getUser,
  listApiKeys,
  listChats,
  listMemories,
  listMessages,
  listTasks,
  renameChat,
  saveChat,
  saveMemory,
  selectBranch,
  transaction,
  updateApiKeyLastUsed,
  updateMemory,
  updateMessage,
  updateReservation,
  updateTaskStatus,
  verifyApiKey,
} from '../../db/queries.ts';
import { useSecrets } from '../../db/secrets.ts';
import { indexedColumns, readCatalogue } from './catalogue.ts';
import { keysOf } from './encryption/keys.ts';
import { newRecorder } from './recorder.ts';
import { useTestDatabase } from './test-database.ts';

const recorder = newRecorder();
useTestDatabase({ logger: recorder.logger });

/** The id of a row, known without reading it. Example: `idOf('chat', 1)`. */
function idOf(kind: string, ...numbers: number[]): string {
  const suffix = numbers.map((n) => n.toString(16).padStart(4, '0')).join('');
  const digit = { user: 1, chat: 2, message: 3, memory: 4, task: 5, protocol: 6, reservation: 7, key: 8, segment: 9 }[
    kind
  ];
  return `${digit}0000000-0000-4000-8000-${suffix.padStart(12, '0')}`;
}

/** The same in SQL, of numbers that SQL makes. */
function sqlIdOf(kind: string, ...numbers: string[]): string {
  const suffix = numbers.map((n) => `lpad(to_hex(${n}), 4, '0')`).join(' || ');
  return `('${idOf(kind).slice(0, 24)}' || lpad(${suffix}, 12, '0'))::uuid`;
}

/** Runs a call where memories are encrypted. */
function withKey(call: () => Promise<unknown>): () => Promise<unknown> {
  return async () => {
    useSecrets(keysOf('k1'));
    configureEncryption({ memories: true, transition: true });
    try {
      return await call();
    } finally {
      useSecrets();
      configureEncryption();
    }
  };
}

const long = 10_000;
const usual = 100;

/**
 * 100 users with 200 rows each of every kind and 4,900 without any; 100,000 messages: one chat of 10,000, 900 of 100.
 * Without the foreign keys' triggers, which would take most of the time, and tell nothing about plans.
 */
const data = [
  `insert into "User" (id, email) select ${sqlIdOf('user', 'g')}, 'user' || g || '@example.com'
    from generate_series(1, 5000) g`,
  `insert into "Chat" (id, "userId", "messageCount", "headId", "createdAt")
    select ${sqlIdOf('chat', 'g')}, ${sqlIdOf('user', 'g % 100 + 1')}, n,
      case when n > 0 then ${sqlIdOf('message', 'g', 'n - 1')} end, now() - g * interval '1 minute'
    from (select g, case when g = 1 then ${long} when g <= 901 then ${usual} else 0 end as n
      from generate_series(1, 20000) g) chats`,
  `insert into "Message" (id, "userId", "chatId", "parentId", position, role, "ownIdHash", body)
    select ${sqlIdOf('message', 'g', 'p')}, ${sqlIdOf('user', 'g % 100 + 1')}, ${sqlIdOf('chat', 'g')},
      case when p > 0 then ${sqlIdOf('message', 'g', 'p - 1')} end, p,
      case p % 2 when 0 then 'user' else 'assistant' end, g * 10000 + p,
      json_build_object('id', 'own-' || p, 'role', case p % 2 when 0 then 'user' else 'assistant' end,
        'content', 'Message ' || p || ' of a conversation about tea')
    from generate_series(1, 901) g, lateral generate_series(0, case when g = 1 then ${long} else ${usual} end - 1) p`,
  `insert into "Memory" (id, user_id, content, created_at)
    select ${sqlIdOf('memory', 'g')}, ${sqlIdOf('user', 'g % 100 + 1')}, 'memory ' || g, now() - g * interval '1 minute'
    from generate_series(1, 20000) g`,
  `insert into "Task" (id, user_id, description, created_at)
    select ${sqlIdOf('task', 'g')}, ${sqlIdOf('user', 'g % 100 + 1')}, 'task ' || g, now() - g * interval '1 minute'
    from generate_series(1, 20000) g`,
  `insert into "Reservation" (id, "userId", details)
    select ${sqlIdOf('reservation', 'g')}, ${sqlIdOf('user', 'g % 100 + 1')}, '{"flightNumber": "LY 315"}'
    from generate_series(1, 20000) g`,
  `insert into "ApiKey" (id, "userId", "hashedKey", name, prefix)
    select ${sqlIdOf('key', 'g')}, ${sqlIdOf('user', 'g % 100 + 1')}, 'hash ' || g, 'key',
      case when g > 100 then 'mytx_live_0000' end
    from generate_series(1, 20000) g`,
  `insert into "Protocol" (id, user_id, name, parts, version, created_at)
    select ${sqlIdOf('protocol', 'g')}, ${sqlIdOf('user', 'g % 100 + 1')}, 'protocol ' || g, '[{"content": "x"}]',
      case when g = 1 then 1000 else 1 end, now() - g * interval '1 minute'
    from generate_series(1, 20000) g`,
  `insert into "ProtocolVersion" (user_id, protocol_id, version, name, parts)
    select user_id, id, v, name, parts from "Protocol", lateral generate_series(1, version) v`,
  `insert into "SearchSegment" ("userId", id, kind, documents, "gramBits", "oldestAt", "newestAt")
    select ${sqlIdOf('user', 'g % 100 + 1')}, ${sqlIdOf('segment', 'g')}, case g % 5 when 0 then 'memory' else 'message' end,
      8192, 8, now() - g * interval '1 day', now() - (g - 1) * interval '1 day'
    from generate_series(1, 2000) g`,
  `insert into "SearchBlock" ("userId", "segmentId", number, bytes)
    select "userId", id, n, '' from "SearchSegment", generate_series(-10, 9) n`,
];

beforeAll(async () => {
  await transaction(async () => {
    await db.execute(sql.raw('set local session_replication_role = replica'));
    for (const insert of data) await db.execute(sql.raw(insert));
  });
  await db.execute(sql.raw('analyze'));
}, 300_000);

interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  Plans?: PlanNode[];
}

/** The generic plan of a statement, as the list of its nodes. */
async function planOf(statement: string): Promise<PlanNode[]> {
  const count = Math.max(0, ...[...statement.matchAll(/\$(\d+)/g)].map(([, n]) => Number(n)));
  const values = count === 0 ? '' : `(${Array(count).fill('null').join(', ')})`;
  const rows = await transaction(async () => {
    await db.execute(sql.raw('set local plan_cache_mode = force_generic_plan'));
    await db.execute(sql.raw(`prepare planned as ${statement}`));
    const explained = await db.execute<{ 'QUERY PLAN': { Plan: PlanNode }[] }>(
      sql.raw(`explain (format json) execute planned${values}`),
    );
    await db.execute(sql.raw('deallocate planned'));
    return explained;
  });
  const flat = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(flat)];
  return (rows[0]?.['QUERY PLAN'] ?? []).flatMap(({ Plan }) => flat(Plan));
}

/** What a plan reads: names of indexes in their order, and "all of <table>" where it reads a whole table. */
async function readsOf(statement: string): Promise<string[]> {
  const nodes = await planOf(statement);
  const reads = nodes.flatMap((node) => {
    const index = node['Index Name'];
    return index ?? (node['Node Type'] === 'Seq Scan' ? `all of ${node['Relation Name']}` : []);
  });
  return [...new Set(reads)].sort();
}

/** What the plans of all statements of a call read, one list for each. */
async function readsOfCall(call: () => Promise<unknown>): Promise<string[][]> {
  const sent = await recorder.during(call);
  const reads: string[][] = [];
  for (const statement of sent) {
    if (/^\s*(select|with|insert|update|delete)\b/i.test(statement)) reads.push(await readsOf(statement));
  }
  return reads;
}

const userId = idOf('user', 2);
/** The chat of 10,000 messages. */
const chatId = idOf('chat', 1);
const id = (kind: string): string => idOf(kind, 1);

type Call = [name: string, call: () => Promise<unknown>, reads: string[][]];

const chatOfUser = 'Chat_userId_id_key';
const chatPage = 'Chat_userId_createdAt_id_idx';
const byId = 'Message_pkey';
const path = 'Message_userId_chatId_position_key';
const byParent = 'Message_parentId_idx';
const byOwnId = 'Message_ownIdHash_chatId_idx';

const calls: Call[] = [
  ['getUser', () => getUser('user2@example.com'), [['User_email_key']]],
  ['getChatById', () => getChatById({ id: idOf('chat', 2) }), [['Chat_pkey', path]]],
  ['getChatById of a user', () => getChatById({ id: idOf('chat', 101), userId }), [[chatOfUser, path]]],
  ['getChatsByUserId', () => getChatsByUserId({ id: userId, limit: 2, offset: 2 }), [[chatPage, path]]],
  [
    'listChats',
    async () => listChats({ userId, cursor: (await listChats({ userId })).nextCursor }),
    [[chatPage], [chatPage]],
  ],
  ['renameChat', () => renameChat({ id: chatId, userId, title: 'x' }), [[chatOfUser]]],
  ['getMemoriesByUserId', () => getMemoriesByUserId({ userId }), [['Memory_user_id_created_at_id_idx']]],
  [
    'listMemories',
    async () => listMemories({ userId, cursor: (await listMemories({ userId })).nextCursor }),
    [['Memory_user_id_created_at_id_idx'], ['Memory_user_id_created_at_id_idx']],
  ],
  [
    'findMemoriesByContent',
    () => findMemoriesByContent({ userId, contentQuery: '7' }),
    [['Memory_unindexed_idx', 'SearchBlock_pkey', 'SearchSegment_pkey']],
  ],
  ['saveMemory', () => saveMemory({ userId, content: 'memory 1' }), [['Memory_user_id_content_key']]],
  [
    'saveMemory, encrypted',
    withKey(() => saveMemory({ userId, content: 'memory 1' })),
    [['Memory_user_id_content_index_key', 'Memory_user_id_content_key']],
  ],
  ['deleteMemoryById', () => deleteMemoryById({ id: id('memory'), userId }), [['Memory_pkey']]],
  [
    'updateMemory, encrypted',
    withKey(() => updateMemory({ id: id('memory'), userId, content: 'memory, changed' })),
    [['Memory_pkey', 'Memory_user_id_content_index_key', 'Memory_user_id_content_key']],
  ],
  ['getTasksByUserId', () => getTasksByUserId({ userId }), [['Task_user_id_created_at_id_idx']]],
  [
    'listTasks',
    async () => listTasks({ userId, cursor: (await listTasks({ userId })).nextCursor }),
    [['Task_user_id_created_at_id_idx'], ['Task_user_id_created_at_id_idx']],
  ],
  ['updateTaskStatus', () => updateTaskStatus({ id: id('task'), userId, status: 'completed' }), [['Task_pkey']]],
  ['deleteTaskById', () => deleteTaskById({ id: id('task'), userId }), [['Task_pkey']]],
  ['getProtocolsByUserId', () => getProtocolsByUserId({ userId }), [['Protocol_user_id_created_at_id_idx']]],
  [
    'listProtocols',
    async () => listProtocols({ userId, cursor: (await listProtocols({ userId })).nextCursor }),
    [['Protocol_user_id_created_at_id_idx'], ['Protocol_user_id_created_at_id_idx']],
  ],
  ['getProtocolById', () => getProtocolById({ id: id('protocol'), userId }), [['Protocol_user_id_id_key']]],
  [
    'updateProtocol',
    () => updateProtocol({ id: id('protocol'), userId, name: 'x' }),
    [['Protocol_pkey', 'Protocol_user_id_id_key']],
  ],
  ['listProtocolVersions', () => listProtocolVersions({ id: id('protocol'), userId }), [['ProtocolVersion_pkey']]],
  ['getReservationById', () => getReservationById({ id: id('reservation') }), [['Reservation_pkey']]],
  ['getReservationById of a user', () => getReservationById({ id: id('reservation'), userId }), [['Reservation_pkey']]],
  [
    'updateReservation',
    () => updateReservation({ id: id('reservation'), hasCompletedPayment: true }),
    [['Reservation_pkey']],
  ],
  ['getApiKeysByUserId', () => getApiKeysByUserId(userId), [['ApiKey_userId_createdAt_id_idx']]],
  ['verifyApiKey', () => verifyApiKey(makeKeyText('live').key), [['ApiKey_hashedKey_key', 'ApiKey_pkey']]],
  [
    'listApiKeys',
    async () => listApiKeys({ userId, cursor: (await listApiKeys({ userId, limit: 2 })).nextCursor }),
    [['ApiKey_userId_createdAt_id_idx'], ['ApiKey_userId_createdAt_id_idx']],
  ],
  [
    'a look for old keys',
    () => findValidApiKey('an old key that nobody has'),
    [['ApiKey_hashedKey_key', 'ApiKey_pkey'], ['ApiKey_legacy_idx'], ['ApiKey_hashedKey_key', 'ApiKey_pkey']],
  ],
  ['updateApiKeyLastUsed', () => updateApiKeyLastUsed(id('key')), [['ApiKey_pkey']]],
  ['deleteApiKeyByIdAndUserId', () => deleteApiKeyByIdAndUserId(id('key'), userId), [['ApiKey_pkey'], []]],
];

/** Calls that change the messages of a chat of 10,000: none of them reads the chat. */
const onLongChat: Call[] = [
  ['saveChat of a new chat', () => saveNew(['x']), [[chatOfUser, path], []]],
  ['saveChat that adds', () => saveNew(['x', 'y', 'z']), [[chatOfUser, path]]],
  [
    'saveChat that edits',
    () => saveNew(['x', 'z', 'y']),
    [[chatOfUser, path], [path], [chatOfUser], [chatOfUser, path], [path], [path], [chatOfUser, byId]],
  ],
  [
    'appendMessages',
    () => appendMessages({ chatId, userId, messages: [{ id: 'x', role: 'user', content: 'x' }] }),
    [['Chat_pkey', chatOfUser, byOwnId, byId]],
  ],
  [
    'updateMessage',
    () => updateMessage({ chatId, userId, id: idOf('message', 1, 77), message: { role: 'assistant', content: 'y' } }),
    [['Chat_pkey', chatOfUser, byId]],
  ],
  [
    'branchFrom',
    () => branchFrom({ chatId, userId, parentId: idOf('message', 1, 9990), messages: [{ role: 'user' }] }),
    [[chatOfUser], [byId], [path], [path], [chatOfUser, byId], [byId]],
  ],
  [
    'selectBranch',
    () => selectBranch({ chatId, userId, messageId: idOf('message', 1, 9992) }),
    [[chatOfUser], [byId], [path], [byId], [byParent, byId], [path], [byId], [path], [chatOfUser, byId]],
  ],
];

/** Saves a chat of one of the users, of texts. */
function saveNew(texts: string[]): Promise<unknown> {
  const messages = texts.map((content) => ({ role: 'user', content }));
  return saveChat({ id: idOf('chat', 65_000), userId, messages });
}

test.each(calls)('%s', async (_name, call, reads) => {
  expect(await readsOfCall(call)).toEqual(reads);
});

test.each(onLongChat)('%s', async (_name, call, reads) => {
  expect(await readsOfCall(call)).toEqual(reads);
});

test('listMessages reads the path for the page, and for each message its siblings', async () => {
  const page = async () =>
    listMessages({ chatId, userId, cursor: (await listMessages({ chatId, userId })).nextCursor });
  for (const reads of await readsOfCall(page)) {
    expect(reads).toContain(path);
    expect(reads.some((index) => index.includes('parentId'))).toBe(true);
    expect(reads.join()).not.toContain('all of');
  }
});

/**
 * What PostgreSQL runs by itself for each foreign key: it looks for the parent of a row that is written, and for
 * children of a row that is deleted (and, before, for another parent with the same key).
 */
describe('the check of a foreign key reads an index with all of its columns, or those that tell rows apart', () => {
  async function misread(): Promise<string[]> {
    const catalogue = await readCatalogue();
    const wrong: string[] = [];
    const check = async (
      name: string,
      table: string,
      columns: readonly string[],
      indexed: readonly string[] = columns,
    ): Promise<void> => {
      const condition = columns.map((column, i) => `$${i + 1} = "${column}"`).join(' and ');
      const reads = await readsOf(`select 1 from only "${table}" x where ${condition} for key share of x`);
      const complete = catalogue[table]?.indexes.filter(
        ({ partial, columns: own }) =>
          !partial && indexed.every((column) => own.slice(0, indexed.length).includes(column)),
      );
      if (!reads.every((read) => complete?.some((index) => index.name === read))) wrong.push(`${name}: ${reads}`);
    };
    for (const [table, { constraints }] of Object.entries(catalogue)) {
      for (const { name, columns, references } of constraints) {
        if (!references) continue;
        await check(`the children of ${name}`, table, columns, indexedColumns[name]);
        await check(`the parent of ${name}`, references.table, references.columns);
      }
    }
    return wrong;
  }

  test('of every table', async () => {
    expect(await misread()).toEqual([]);
  });
});
