// Loads the sample assistant with as many messages as wanted, by COPY or, where row-level security refuses that, by
// INSERT: rows as saveChat would have written them, made by the same functions. All in one transaction: a load that is
// killed leaves nothing. Never holds more than two batches of rows, the one that is being made and the one that the
// database is taking.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import { requireCount } from '../arguments.ts';
import { type BulkRows, type BulkTable, CopiedRows, InsertedRows, mayCopyInto } from '../bulk-rows.ts';
import { db } from '../database.ts';
import { encodeNewChat } from '../save-chat.ts';
import { chat, message, type User, user } from '../schema.ts';
import { uuidv7 } from '../uuid.ts';
import { type LoadedChats, type LoadedSample, type LoadOptions, loadSample } from './load.ts';
import { type ScaledChat, scaledChats } from './scaled-chats.ts';
import { longestPauseMs } from './ui-messages.ts';

export interface ScaledLoadOptions extends LoadOptions {
  /** How many messages there are to be in all. */
  messages: number;
}

/** How many messages there may be: ten million are a transaction of minutes, and 8 GB. */
export const messageLimits = { min: 1, max: 10_000_000 } as const;

/** Messages in a batch: a tenth of a second for a server, far within a statement's deadline, and 3 MB in memory. */
const batchMessages = 5000;

/**
 * Writes the sample assistant scaled up, or down, to so many messages: its users and their chats, then more of both.
 * Memories, tasks, reservations and protocols are the sample's own.
 * @returns what was written, or null when the database has a user: then nothing was
 * @throws InvalidArgumentError INVALID_LIMIT
 * @example await loadScaledSample({ messages: 1_000_000 });
 */
export async function loadScaledSample(options: ScaledLoadOptions): Promise<LoadedSample | null> {
  const total = requireCount('messages', options.messages, messageLimits.min, messageLimits.max);
  return loadSample(options, () => copyChats(total, options));
}

async function copyChats(total: number, { onProgress, signal }: LoadOptions): Promise<LoadedChats> {
  const maker = new BatchMaker(scaledChats(total), await db.select().from(user), await mayCopyInto(tables.messages));
  const written = { users: 0, chats: 0, messages: 0 };
  let batch = await maker.make(1);
  let counted = 0;
  while (batch.messages.rows > 0) {
    signal?.throwIfAborted();
    const { users, chats, messages } = batch;
    [batch] = await Promise.all([maker.make(batchMessages), writeBatch(batch)]);
    written.users += users.rows;
    written.chats += chats.rows;
    written.messages += messages.rows;
    if (written.chats >= 2 * counted) {
      await (counted === 0 ? countAll() : countChats());
      counted = written.chats;
    }
    onProgress?.({ done: written.messages, total });
  }
  await countAll(); // the embedded database has nobody who would do it later
  return written;
}

/**
 * A message's chat and parent are looked for with the plan of the moment when the tables were last analyzed, so it is
 * done here when there are twice as many chats: with the plan for a few, each message reads all chats. And at the very
 * first, because autovacuum may have seen the pages of a load under way, and so no row: a plan for an empty table made a
 * batch take 30 s once. It can't look again until this transaction ends.
 */
async function countChats(): Promise<void> {
  await db.execute(sql`analyze ${chat}`);
}

async function countAll(): Promise<void> {
  await db.execute(sql`analyze ${user}, ${chat}, ${message}`);
}

const tables = {
  users: {
    name: 'User',
    columns: { id: 'uuid', email: 'text', password: 'text', displayName: 'text', avatarUrl: 'text' },
  },
  chats: {
    name: 'Chat',
    columns: {
      ...{ id: 'uuid', userId: 'uuid', title: 'text', preview: 'text', messageCount: 'integer', headId: 'uuid' },
      ...{ digest: 'bytea', digestCount: 'integer', createdAt: 'timestamptz', updatedAt: 'timestamptz' },
    },
  },
  messages: {
    name: 'Message',
    columns: {
      ...{ id: 'uuid', userId: 'uuid', chatId: 'uuid', parentId: 'uuid', position: 'integer', role: 'text' },
      ...{ ownIdHash: 'bigint', body: 'json', createdAt: 'timestamptz' },
    },
  },
} satisfies Record<string, BulkTable>;

/** Rows that refer to nothing but each other and what was written before. */
class Batch {
  readonly users: BulkRows;
  readonly chats: BulkRows;
  readonly messages: BulkRows;

  constructor(isCopied: boolean) {
    const rowsOf = (table: BulkTable): BulkRows => (isCopied ? new CopiedRows(table) : new InsertedRows(table));
    this.users = rowsOf(tables.users);
    this.chats = rowsOf(tables.chats);
    this.messages = rowsOf(tables.messages);
  }
}

async function writeBatch({ users, chats, messages }: Batch): Promise<void> {
  if (users.rows > 0) await users.write();
  await chats.write();
  await messages.write();
}

class BatchMaker {
  private readonly samples: ReadonlyMap<string, User>;
  private readonly userIds: Map<string, string>;

  /** @param users the sample's own, which are there */
  constructor(
    private readonly chats: Generator<ScaledChat, void, void>,
    users: readonly User[],
    private readonly isCopied: boolean,
  ) {
    this.samples = new Map(users.map((one) => [one.email, one]));
    this.userIds = new Map(users.map(({ id, email }) => [email, id]));
  }

  /** The next chats with so many messages at least; none at the end. Pauses behind each chat, so that the database gets what it waits for. */
  async make(least: number): Promise<Batch> {
    const batch = new Batch(this.isCopied);
    while (batch.messages.rows < least) {
      const { value: next } = this.chats.next();
      if (!next) break;
      addChat(batch, next, this.userIds.get(next.userEmail) ?? this.addUser(batch, next));
      await nextTurn();
    }
    return batch;
  }

  /** A copy of the sample's user: with its hash, too, because making one of their own takes each 60 ms. */
  private addUser(batch: Batch, { userEmail, sampleEmail }: ScaledChat): string {
    const { password, displayName, avatarUrl } = this.samples.get(sampleEmail) as User;
    const id = uuidv7();
    batch.users.add([id, userEmail, password, displayName, avatarUrl]);
    this.userIds.set(userEmail, id);
    return id;
  }
}

/** The row of a chat, and those of its messages, with the times of when it was held. */
function addChat(batch: Batch, { id, title, createdAt, makeMessages }: ScaledChat, userId: string): void {
  const { messages, digest, digestCount, preview } = encodeNewChat(makeMessages());
  const timeOf = (position: number): string => new Date(createdAt.getTime() + position * longestPauseMs).toISOString();
  let parentId: string | null = null;
  for (const [position, { text, role, ownIdHash }] of messages.entries()) {
    const messageId = uuidv7();
    batch.messages.add([messageId, userId, id, parentId, String(position), role, ownIdHash, text, timeOf(position)]);
    parentId = messageId;
  }
  batch.chats.add([
    id,
    userId,
    title,
    preview,
    String(messages.length),
    parentId,
    digest && `\\x${digest}`,
    String(digestCount),
    timeOf(0),
    timeOf(messages.length - 1),
  ]);
}
