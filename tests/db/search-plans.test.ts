// The statements of search find their rows by an index also under row-level security, where a text operator loses its own:
// plans made as mytx_user, with more rows than one would read all of.

import { sql } from 'drizzle-orm';
import { beforeAll, describe, expect, test } from 'vitest';
import { execute, transaction } from '../../db/database.ts';
import { asUser, db, findMemoriesByContent, indexForSearch, saveMemory, searchMessages } from '../../db/queries.ts';
import { memoriesAt, memoryState } from '../../db/search/memory-source.ts';
import { messageBody, messageState, messagesAt } from '../../db/search/message-source.ts';
import { documentsUntil, listsOf, lockSegments, segmentsOfUser } from '../../db/search/segment-rows.ts';
import { newUser, useTestDatabase } from './test-database.ts';

useTestDatabase();

let userId: string;

/** 25 users with 200 messages, 200 chats without any and 200 memories each. */
beforeAll(async () => {
  const users = await Promise.all(Array.from({ length: 25 }, newUser));
  userId = users[7] as string;
  const ids = sql`${`{${users.join(',')}}`}::uuid[]`;
  await db.execute(sql`
    with chats as (
      insert into "Chat" (id, "userId", "messageCount")
      select gen_random_uuid(), id, 20 from unnest(${ids}) id, generate_series(1, 10) n
      returning id, "userId"
    )
    insert into "Message" (id, "userId", "chatId", "parentId", position, role, body)
    select (md5(id::text || p))::uuid, "userId", id, case when p > 0 then md5(id::text || (p - 1))::uuid end, p, 'user',
      json_build_object('role', 'user', 'content', 'green tea ' || p)
    from chats, generate_series(0, 19) p`);
  await db.execute(sql`
    insert into "Memory" (id, user_id, content)
    select gen_random_uuid(), id, 'likes tea ' || n from unnest(${ids}) id, generate_series(1, 200) n`);
  await db.execute(sql`
    insert into "Chat" (id, "userId") select gen_random_uuid(), id from unnest(${ids}) id, generate_series(1, 200) n`);
  await indexForSearch({});
  await db.execute(sql`analyze`);
}, 120_000);

interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Index Cond'?: string;
  Plans?: PlanNode[];
}

/** What the generic plan of a statement reads: indexes by their names, and tables that it reads all of, or for one segment. */
async function readsOf(statement: string): Promise<string[]> {
  const count = Math.max(...[...statement.matchAll(/\$(\d+)/g)].map(([, n]) => Number(n)));
  const rows = await asUser(userId, async () => {
    await execute('set local plan_cache_mode = force_generic_plan', [], false);
    await execute(`prepare planned as ${statement}`, [], false);
    const values = Array(count).fill('null').join(', ');
    const explained = await db.execute<{ 'QUERY PLAN': { Plan: PlanNode }[] }>(
      sql.raw(`explain (format json) execute planned(${values})`),
    );
    await execute('deallocate planned', [], false);
    return explained;
  });
  const reads: string[] = [];
  const visit = (node: PlanNode): void => {
    const index = node['Index Name'];
    if (index) reads.push(index);
    if (index === 'SearchBlock_pkey' && !node['Index Cond']?.includes('number')) reads.push('all of SearchBlock');
    if (node['Node Type'] === 'Seq Scan') reads.push(`all of ${node['Relation Name']}`);
    node.Plans?.forEach(visit);
  };
  for (const { Plan } of rows[0]?.['QUERY PLAN'] ?? []) visit(Plan);
  return reads;
}

/** Few segments are few pages: PostgreSQL may read them all. */
const tables = ['Chat', 'Message', 'Memory', 'SearchBlock'];

describe('as mytx_user', () => {
  test.each([
    ['the state of messages', messageState.text, ['SearchBlock_pkey', 'Message_userId_chatId_position_key']],
    ['messages at places', messagesAt.text, ['SearchBlock_pkey', 'Message_userId_chatId_position_key']],
    ['one message', messageBody.text, ['Message_pkey']],
    ['the state of memories', memoryState.text, ['SearchBlock_pkey', 'Memory_unindexed_idx']],
    ['memories at places', memoriesAt.text, ['SearchBlock_pkey', 'Memory_pkey']],
    ['lists of segments', listsOf.text, ['SearchBlock_pkey']],
    ['the documents until a time', documentsUntil.text, ['SearchBlock_pkey']],
    ['segments', segmentsOfUser.text, []],
    ['segments to lock', lockSegments.text, []],
  ])('%s', async (_name, statement, indexes) => {
    const reads = await readsOf(statement);
    expect(reads).toEqual(expect.arrayContaining(indexes));
    for (const table of tables) expect(reads).not.toContain(`all of ${table}`);
  });

  test('a search finds what is the user’s, and nothing of another’s', async () => {
    const query = '"tea 17"';
    const own = await searchMessages({ userId, query });
    expect(own.items).toHaveLength(10);
    expect(await asUser(userId, () => searchMessages({ userId, query }))).toEqual(own);
    const other = await newUser();
    expect((await asUser(other, () => searchMessages({ userId, query }))).items).toEqual([]);
    expect(await asUser(other, () => findMemoriesByContent({ userId, contentQuery: 'tea' }))).toEqual([]);
  });

  test('what is not indexed is indexed, for the user alone', async () => {
    const other = await newUser();
    for (const id of [userId, other]) await saveMemory({ userId: id, content: 'something new' });
    expect(await asUser(other, () => indexForSearch({}))).toEqual({ messages: 0, memories: 1 });
    const [left] = await db.execute(sql`select count(*)::int as count from "Memory" where search_digest is null`);
    expect(left).toEqual({ count: 1 });
    expect(await asUser(userId, () => findMemoriesByContent({ userId, contentQuery: 'thing n' }))).toHaveLength(1);
  });

  test('a search in a transaction that may only read does without, also where much is not indexed', async () => {
    const reader = await newUser();
    await db.execute(sql`
      insert into "Memory" (id, user_id, content)
      select gen_random_uuid(), ${reader}::uuid, 'likes tea ' || n from generate_series(1, 600) n`);
    const find = (): Promise<unknown[]> => findMemoriesByContent({ userId: reader, contentQuery: 'tea 59' });
    expect(await transaction(find, { readOnly: true })).toHaveLength(11);
    expect(await db.execute(sql`select 1 from "SearchSegment" where "userId" = ${reader}`)).toHaveLength(0);
  });
});
