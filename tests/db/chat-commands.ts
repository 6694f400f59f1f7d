// Generated calls of every function on chats, by two users on three chat ids: each is made at the database and at the
// model (chat-model.ts), and what comes back is compared. check-chats.ts compares what is stored afterwards.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { expect } from 'vitest';
import {
  appendMessages,
  branchFrom,
  deleteAllChats,
  deleteChatById,
  getChatById,
  getChatsByUserId,
  listChats,
  listMessages,
  type MessagePlace,
  renameChat,
  saveChat,
  selectBranch,
  updateMessage,
} from '../../db/queries.ts';
import type { Chat, ChatSummary } from '../../db/schema.ts';
import { asJson, messages, texts, withKeysReversed } from './chat-messages.ts';
import { ChatModel, type Node, roleOf, storable } from './chat-model.ts';
import { readPages } from './pages.ts';

/** Two users, three chat ids, and the chats there should be. */
export interface World {
  readonly users: readonly [string, string];
  readonly chatIds: readonly [string, string, string];
  readonly chats: Map<string, ChatModel>;
  /** The last call with rowIds on each chat, to be made again. */
  readonly repeatable: Map<string, { messages: object[]; rowIds: string[] }>;
}

/** What a command does: to the world it leaves behind, and to the database. */
type Run<Args> = (
  world: World,
  args: Args & { userId: string; chatId: string; chat: ChatModel | undefined },
) => Promise<void>;

interface Place {
  by: 0 | 1;
  at: 0 | 1 | 2;
}

const place = {
  by: fc.constantFrom<(0 | 1)[]>(0, 0, 0, 0, 1),
  at: fc.constantFrom<(0 | 1 | 2)[]>(0, 0, 0, 0, 1, 2),
};

type Command = fc.AsyncCommand<World, unknown>;

/** `check` is run after the call and has the last word. */
function command<Args extends object>(
  name: string,
  args: fc.Arbitrary<Args>,
  run: Run<Args>,
  check: (world: World) => Promise<void>,
): fc.Arbitrary<Command> {
  return fc.tuple(fc.record(place), args).map(([where, own]: [Place, Args]) => ({
    check: () => true,
    run: async (world) => {
      const [userId, chatId] = [world.users[where.by], world.chatIds[where.at]];
      const found = world.chats.get(chatId);
      await run(world, { ...own, userId, chatId, chat: found?.owner === userId ? found : undefined });
      await check(world);
    },
    toString: () => `${name} by ${where.by} on chat ${where.at} ${fc.stringify(own)}`,
  }));
}

const few = fc.array(messages, { maxLength: 4 });
const number = fc.nat({ max: 40 });

const savedLists = [
  'unchanged',
  'reversed',
  'grown',
  'doubled',
  'shrunk',
  'edited',
  'completed',
  'new',
  'empty',
] as const;

function listToSave(path: readonly Node[], kind: (typeof savedLists)[number], at: number, given: object[]): object[] {
  const visible = path.map(({ body }) => body);
  const position = path.length === 0 ? 0 : at % path.length;
  switch (kind) {
    case 'unchanged':
      return visible;
    case 'reversed':
      return visible.map(withKeysReversed);
    case 'grown':
      return [...visible, ...given];
    case 'doubled':
      return [...visible, ...visible.slice(position, position + 3)];
    case 'shrunk':
      return visible.slice(0, position);
    case 'edited':
      return visible.map((message, i) => (i === position ? { ...message, edited: at } : message));
    case 'completed':
      return [...visible.slice(0, -1), { ...visible.at(-1), extra: `completed ${at}` }, ...given];
    case 'new':
      return given;
    case 'empty':
      return [];
  }
}

const save: Run<{ kind: (typeof savedLists)[number]; number: number; few: object[] }> = async (
  { chats },
  { userId, chatId, chat, kind, number: at, few: given },
) => {
  const list = listToSave(chat?.path ?? [], kind, at, given);
  const call = saveChat({ id: chatId, messages: list, userId });
  if (!chat && chats.has(chatId)) return expectCode(call, 'CHAT_NOT_FOUND');
  const saved = chat ?? new ChatModel(chatId, userId);
  saved.save(list);
  chats.set(chatId, saved);
  expectSummaries(await call, [saved]);
};

/** Messages that are there are given again, as they are or with their keys in another order. */
const append: Run<{ few: object[]; again: number[]; rowIds: 'none' | 'new' | 'last' }> = async (
  { repeatable },
  { userId, chatId, chat, few: given, again, rowIds: kind },
) => {
  const repeats = again.map((at) => pick(offPathFirst(chat), at)?.body ?? {});
  let list = [...given, ...repeats.map((body, i) => (i % 2 ? body : withKeysReversed(body)))];
  let rowIds: string[] | undefined = kind === 'none' ? undefined : list.map(() => randomUUID());
  const last = repeatable.get(chatId);
  if (kind === 'last' && last) ({ messages: list, rowIds } = last);
  if (rowIds) repeatable.set(chatId, { messages: list, rowIds });

  const call = appendMessages({ chatId, userId, messages: list, ...(rowIds && { rowIds }) });
  if (!chat) return expectCode(call, 'CHAT_NOT_FOUND');
  expectPlaces(chat.append(list, rowIds), await call);
};

const branch: Run<{ few: object[]; number: number; rowIds: 'none' | 'new' | 'last' }> = async (
  { repeatable },
  { userId, chatId, chat, few: given, number: at, rowIds: kind },
) => {
  let list = given;
  let rowIds: string[] | undefined = kind === 'none' ? undefined : list.map(() => randomUUID());
  const last = repeatable.get(`branch ${chatId}`);
  if (kind === 'last' && last) ({ messages: list, rowIds } = last);
  if (rowIds) repeatable.set(`branch ${chatId}`, { messages: list, rowIds });

  const parent = pick([null, ...offPathFirst(chat)], at);
  const call = branchFrom({
    chatId,
    userId,
    parentId: parent?.rowId ?? null,
    messages: list,
    ...(rowIds && { rowIds }),
  });
  if (!chat) return expectCode(call, 'CHAT_NOT_FOUND');
  expectPlaces(chat.branch(parent ?? null, list, rowIds), await call);
};

const select: Run<{ number: number }> = async (_world, { userId, chatId, chat, number: at }) => {
  const node = pick(offPathFirst(chat), at);
  const call = selectBranch({ chatId, userId, messageId: node?.rowId ?? randomUUID() });
  if (!chat) return expectCode(call, 'CHAT_NOT_FOUND');
  if (!node) return expectCode(call, 'MESSAGE_NOT_FOUND');
  chat.select(node);
  expectSummaries(await call, [chat]);
};

const update: Run<{ message: object; number: number }> = async (
  world,
  { userId, chatId, chat, message, number: at },
) => {
  // A stranger asks for a row that is there.
  const node = pick((chat ?? world.chats.get(chatId))?.nodes ?? [], at);
  const written = await updateMessage({ chatId, userId, id: node?.rowId ?? randomUUID(), message });
  if (!chat || !node) return void expect(written).toEqual([]);
  chat.update(node, message);
  expectPlaces([node], written);
};

const rename: Run<{ title: string | null }> = async (_world, { userId, chatId, chat, title }) => {
  if (chat) chat.title = title === null ? null : storable(title);
  expectSummaries(await renameChat({ id: chatId, userId, title }), chat ? [chat] : []);
};

const remove: Run<{ namesUser: boolean }> = async ({ chats }, { userId, chatId, chat, namesUser }) => {
  const target = namesUser ? chat : chats.get(chatId);
  const deleted = await deleteChatById({ id: chatId, ...(namesUser && { userId }) });
  expectSummaries(deleted, target ? [target] : []);
  if (target) chats.delete(chatId);
};

const removeAll: Run<object> = async (world, { userId }) => {
  const own = chatsOf(world, userId);
  expect(await deleteAllChats({ userId })).toBe(own.length);
  for (const { id } of own) world.chats.delete(id);
};

const get: Run<{ namesUser: boolean }> = async ({ chats }, { userId, chatId, chat, namesUser }) => {
  const found = await getChatById({ id: chatId, ...(namesUser && { userId }) });
  expectChats(
    found ? [found] : [],
    [namesUser ? chat : chats.get(chatId)].flatMap((one) => one ?? []),
  );
};

const getAll: Run<{ limit: number; offset: number }> = async (world, { userId, limit, offset }) => {
  expectChats(
    await getChatsByUserId({ id: userId, limit, offset }),
    chatsOf(world, userId).slice(offset, offset + limit),
  );
};

const list: Run<{ limit: number }> = async (world, { userId, limit }) => {
  const items = await readPages((cursor) => listChats({ userId, limit, cursor }));
  expectSummaries(items, chatsOf(world, userId));
};

const listPath: Run<{ limit: number }> = async (_world, { userId, chatId, chat, limit }) => {
  const pages: unknown[][] = [];
  await readPages(
    (cursor) => listMessages({ chatId, userId, limit, cursor }),
    async ({ items }) => pages.unshift(items.map(({ id }) => id)),
  );
  const path = chat?.path.map(({ rowId }) => rowId) ?? [];
  expect(pages.flat()).toEqual(path);
  for (const page of pages.slice(1)) expect(page).toHaveLength(limit);
};

/** Every function on chats, those that shape a tree more often than the others. */
export function chatCommands(check: (world: World) => Promise<void>): fc.Arbitrary<Iterable<Command>> {
  const rowIds = fc.constantFrom('none' as const, 'new' as const, 'last' as const);
  const saves = command('saveChat', fc.record({ kind: fc.constantFrom(...savedLists), number, few }), save, check);
  const appends = command(
    'appendMessages',
    fc.record({ few, again: fc.array(number, { maxLength: 3 }), rowIds }),
    append,
    check,
  );
  const branches = command('branchFrom', fc.record({ few, number, rowIds }), branch, check);
  const selects = command('selectBranch', fc.record({ number }), select, check);
  const updates = command('updateMessage', fc.record({ message: messages, number }), update, check);
  const titles = fc.option(texts.filter((text) => text !== '' && [...text].length <= 200));
  return fc.commands(
    [
      ...Array.from({ length: 16 }, () => saves),
      ...Array.from({ length: 8 }, () => appends),
      ...Array.from({ length: 5 }, () => [branches, selects, updates]).flat(),
      command('renameChat', fc.record({ title: titles }), rename, check),
      command('deleteChatById', fc.record({ namesUser: fc.boolean() }), remove, check),
      command('deleteAllChats', fc.record({}), removeAll, check),
      command('getChatById', fc.record({ namesUser: fc.boolean() }), get, check),
      command(
        'getChatsByUserId',
        fc.record({ limit: fc.nat({ max: 3 }).map((n) => n + 1), offset: fc.nat({ max: 3 }) }),
        getAll,
        check,
      ),
      command('listChats', fc.record({ limit: fc.integer({ min: 1, max: 3 }) }), list, check),
      command('listMessages', fc.record({ limit: fc.integer({ min: 1, max: 5 }) }), listPath, check),
    ],
    { maxCommands: 40, size: 'max' },
  );
}

function pick<T>(choices: readonly T[], at: number): T | undefined {
  return choices[at % Math.max(choices.length, 1)];
}

/** What is off the visible path and then all, so that the former is picked more often. */
function offPathFirst(chat: ChatModel | undefined): Node[] {
  if (!chat) return [];
  return [...chat.nodes.filter((node) => !chat.path.includes(node)), ...chat.nodes];
}

/** A user's chats, created last first. */
function chatsOf({ chats }: World, userId: string): ChatModel[] {
  const own = [...chats.values()].filter(({ owner }) => owner === userId);
  return own.sort((one, other) => other.createdAt - one.createdAt || (one.id < other.id ? 1 : -1));
}

async function expectCode(call: Promise<unknown>, code: string): Promise<void> {
  await expect(call).rejects.toMatchObject({ code });
}

function summaryOf(chat: ChatModel): object {
  return {
    id: chat.id,
    userId: chat.owner,
    title: chat.title,
    preview: chat.preview(),
    messageCount: chat.path.length,
  };
}

function expectSummaries(found: readonly ChatSummary[], expected: readonly ChatModel[]): void {
  const facts = found.map(({ createdAt, updatedAt, ...rest }) => {
    expect(updatedAt.getTime()).toBeGreaterThanOrEqual(createdAt.getTime());
    return rest;
  });
  assert.deepStrictEqual(facts, expected.map(summaryOf));
}

export function expectChats(found: readonly Chat[], expected: readonly ChatModel[]): void {
  expectSummaries(
    found.map(({ messages: _path, ...rest }) => rest),
    expected,
  );
  assert.deepStrictEqual(
    found.map(({ messages: path }) => path),
    expected.map(({ path }) => path.map(({ text }) => asJson(JSON.parse(text)))),
  );
}

/** Rows that are new tell their ids here. */
function expectPlaces(nodes: readonly Node[], places: readonly MessagePlace[]): void {
  for (const [i, node] of nodes.entries()) node.rowId ||= places[i]?.id ?? '';
  assert.deepStrictEqual(
    places.map(({ createdAt: _time, ...rest }) => rest),
    nodes.map((node) => ({
      id: node.rowId,
      parentId: node.parent?.rowId ?? null,
      position: node.position,
      role: roleOf(node),
    })),
  );
}
