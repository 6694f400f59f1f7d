// Compares the chats that are stored, row by row, with the model's, and holds what must be true of them at any time.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { sql } from 'drizzle-orm';
import { db, getChatById, listMessages } from '../../db/queries.ts';
import { expectChats, type World } from './chat-commands.ts';
import { type ChatModel, type Node, roleOf } from './chat-model.ts';

interface ChatRow {
  id: string;
  userId: string;
  title: string | null;
  preview: string | null;
  messageCount: number;
  headId: string | null;
  digest: string | null;
  digestCount: number;
  createdAt: number;
  [column: string]: unknown;
}

interface MessageRow {
  id: string;
  chatId: string;
  parentId: string | null;
  position: number;
  active: boolean;
  role: string | null;
  text: string;
  [column: string]: unknown;
}

async function readRows(users: readonly string[]): Promise<{ chats: ChatRow[]; messages: MessageRow[] }> {
  const ours = sql`"userId" in ${users}`;
  const chats = await db.execute<ChatRow>(sql`
    select id, "userId", title, preview, "messageCount", "headId", encode(digest, 'hex') as digest, "digestCount",
      extract(epoch from "createdAt")::float8 as "createdAt"
    from "Chat"
    where ${ours}`);
  const messages = await db.execute<MessageRow>(sql`
    select id, "chatId", "parentId", position, active, role, body::text as text
    from "Message"
    where ${ours}
    order by "createdAt", id`);
  return { chats: [...chats], messages: [...messages] };
}

/** The whole of two users' chats. */
export async function checkChats(world: World): Promise<void> {
  const { chats, messages } = await readRows(world.users);
  assert.deepStrictEqual(new Set(chats.map(({ id }) => id)), new Set(world.chats.keys()));
  for (const row of chats) {
    const chat = world.chats.get(row.id) as ChatModel;
    checkMessages(
      chat,
      messages.filter(({ chatId }) => chatId === row.id),
    );
    checkChat(chat, row);
  }
}

/** ... and what the functions say of one of them. */
export async function checkReads(chat: ChatModel): Promise<void> {
  const found = await getChatById({ id: chat.id, userId: chat.owner });
  expectChats(found ? [found] : [], [chat]);
  const { items } = await listMessages({ chatId: chat.id, userId: chat.owner, limit: 1000 });
  assert.deepStrictEqual(
    items.map(({ createdAt: _time, ...rest }) => rest),
    chat.path.map((node) => ({
      id: node.rowId,
      parentId: node.parent?.rowId ?? null,
      position: node.position,
      role: roleOf(node),
      message: node.body,
      siblings: chat.siblings(node).map(({ rowId }) => rowId),
    })),
  );
}

function checkMessages(chat: ChatModel, rows: readonly MessageRow[]): void {
  learnIds(chat, rows);
  assert.deepStrictEqual(
    new Map(rows.map(({ chatId: _chat, id, ...rest }) => [id, rest])),
    new Map(chat.nodes.map((node) => [node.rowId, rowOf(node, chat)])),
  );
  checkPath(rows);
}

/** What one call adds is a path: its rows are known by their positions. */
function learnIds(chat: ChatModel, rows: readonly MessageRow[]): void {
  const known = new Set(chat.nodes.map(({ rowId }) => rowId));
  const fresh = rows.filter(({ id }) => !known.has(id));
  for (const node of chat.nodes) {
    if (node.rowId === '') node.rowId = fresh.find(({ position }) => position === node.position)?.id ?? '';
  }
}

function rowOf(node: Node, { path }: ChatModel): object {
  return {
    parentId: node.parent?.rowId ?? null,
    position: node.position,
    active: path.includes(node),
    role: roleOf(node),
    text: node.text,
  };
}

/** One active row for each position from 0 on, each the child of the one before. */
export function checkPath(rows: readonly Pick<MessageRow, 'id' | 'parentId' | 'position' | 'active'>[]): void {
  const active = rows.filter((row) => row.active).sort((one, other) => one.position - other.position);
  for (const [i, { position, parentId }] of active.entries()) {
    assert.deepStrictEqual({ position, parentId }, { position: i, parentId: active[i - 1]?.id ?? null });
  }
}

function checkChat(chat: ChatModel, row: ChatRow): void {
  chat.createdAt = row.createdAt;
  const { userId, title, preview, messageCount, headId, digest, digestCount } = row;
  assert.deepStrictEqual(
    { userId, title, preview, messageCount, headId },
    {
      userId: chat.owner,
      title: chat.title,
      preview: chat.preview(),
      messageCount: chat.path.length,
      headId: chat.path.at(-1)?.rowId ?? null,
    },
  );
  assert.ok(digestCount <= messageCount);
  assert.ok(
    digest === null ? digestCount === 0 : chat.sent.some((list) => isDigestOf(list, chat, digest, digestCount)),
    `the digest of ${digestCount} is of no list that was saved`,
  );
}

/** Whether a list that was saved begins with what is visible, and the digest is of that beginning's texts. */
function isDigestOf(list: readonly string[], { path }: ChatModel, digest: string, count: number): boolean {
  const beginning = list.slice(0, count);
  const isVisible = beginning.every((text, i) => isDeepStrictEqual(JSON.parse(text), path[i]?.body));
  return isVisible && sha256(beginning.join(',')) === digest;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
