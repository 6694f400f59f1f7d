// The benches run and say something, and what they compare with does what it should: with tiny efforts, and no figure
// is looked at.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { measureCommandLine } from '../../bench/command-line.ts';
import { measure } from '../../bench/main.ts';
import { openSpecWay } from '../../bench/spec-way.ts';
import { talkOf } from '../../bench/talk.ts';
import { createTestDatabase, type TestDatabase } from '../../db/testing/index.ts';

const url = inject('servers').at(0)?.url;

describe.runIf(url !== undefined)('on a server', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase({ url: url ?? '' });
  });
  afterAll(() => database?.close());

  test('every figure is a ratio, with what it is to', async () => {
    const { figures } = await measure(
      { groups: ['reads', 'keys', 'loads', 'turns', 'bytes'], peers: false, embedded: true },
      {
        rounds: 1,
        readMs: 20,
        seedMessages: 3000,
        apiKeys: 1000,
        searchedMessages: 3000,
        migrations: 10,
        backfilledRows: 20_000,
        changedRows: 20_000,
        longestThread: 0,
      },
    );
    expect(figures).toHaveLength(15);
    for (const { name, to, ratio, middle, target, embedded } of figures) {
      expect(Number.isFinite(ratio) && Number.isFinite(middle[0]) && to !== '', name).toBe(true);
      expect(target, name).toBeDefined();
      expect(name.startsWith('sent') || Number.isFinite(embedded), name).toBe(true); // it has no wire
    }
  }, 240_000);

  test('as a user, searching and deploying give ratios too', async () => {
    const { figures } = await measure(
      { groups: ['users', 'search', 'deploy'], peers: false, embedded: false },
      {
        rounds: 1,
        readMs: 20,
        seedMessages: 3000,
        apiKeys: 1000,
        searchedMessages: 1000,
        migrations: 10,
        backfilledRows: 2000,
        changedRows: 0,
        longestThread: 0,
      },
    );
    const groups = new Set(figures.map(({ group }) => group));
    expect(groups).toEqual(new Set(['Row-level security', 'Search', 'Deploying']));
    for (const { name, to, ratio, middle } of figures) {
      expect(Number.isFinite(ratio) && Number.isFinite(middle[0]) && to !== '', `${name} to ${to}`).toBe(true);
    }
  }, 240_000);

  test('the specification’s way gives back what was saved', async () => {
    const way = await openSpecWay(database.url ?? '');
    const chat = { id: crypto.randomUUID(), userId: crypto.randomUUID() };
    for (const length of [2, 4]) {
      await way.saveChat({ ...chat, messages: talkOf(length) });
      expect(await way.getChatById(chat)).toEqual({ messages: talkOf(length) });
    }
    const keys = await way.addApiKeys(3, 4);
    for (const key of keys) expect(await way.findValidApiKey(key)).not.toBeNull();
    expect(await way.findValidApiKey('another')).toBeNull();
    await way.close();
  });

  test('LangGraph keeps the turns that it is given', async ({ skip }) => {
    const peers = join(import.meta.dirname, '../../bench/node_modules/@langchain/langgraph');
    if (!existsSync(peers)) return skip('the peers are not installed: npm ci in bench/, or npm run bench');
    const { openLangGraph } = await import('../../bench/langgraph.js');
    const way = await openLangGraph(database.url ?? '');
    const thread = await way.newThread([
      { role: 'user', text: 'one' },
      { role: 'assistant', text: 'two' },
    ]);
    await thread.turn('three', 'four');
    await thread.turn('five', 'six');
    expect(await thread.texts()).toEqual(['one', 'two', 'three', 'four', 'five', 'six']);
    await way.close();
  });
});

test('the start of the command line is a ratio to that of Node', async () => {
  const [figure] = await measureCommandLine({ rounds: 1 });
  expect(figure).toMatchObject({ name: '`mytx --help`', to: '`node -e 0`: time', target: { most: 1.5 } });
  expect(figure?.ratio).toBeGreaterThan(0);
});
