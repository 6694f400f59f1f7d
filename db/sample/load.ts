// Loads the sample assistant into an empty database, in one transaction: a load that is killed leaves nothing.
// Never writes into a database that has a user. Whether a database may have the sample at all (its passwords are
// in the open) is decided by the caller.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { eq, sql } from 'drizzle-orm';
import { renameChat } from '../chats.ts';
import { db, transaction } from '../database.ts';
import { saveMemory } from '../memories.ts';
import { saveProtocol, updateProtocol } from '../protocol-queries.ts';
import type { FlightReservation } from '../reservation-details.ts';
import { createReservation, updateReservation } from '../reservations.ts';
import { saveChat } from '../save-chat.ts';
import { chat, message, user } from '../schema.ts';
import { addTask, updateTask } from '../tasks.ts';
import { createUser } from '../users.ts';
import { type SampleAssistant, type SampleChat, sampleAssistant } from './sample-assistant.ts';
import { longestPauseMs } from './ui-messages.ts';
import type { SampleUser } from './users.ts';

export interface LoadOptions {
  /** Told after each chat how many messages are written, of how many. */
  onProgress?(progress: { done: number; total: number }): void;
  /** Stops the load between two rows; nothing of it stays. */
  signal?: AbortSignal;
}

/** How many rows of each kind were written. */
export interface LoadedSample {
  users: number;
  chats: number;
  messages: number;
  memories: number;
  tasks: number;
  reservations: number;
  protocols: number;
}

/** The ids of users, by e-mail. */
export type UserIds = ReadonlyMap<string, string>;

/** What else than the sample's own users was written, and how many chats and messages. */
export type LoadedChats = Pick<LoadedSample, 'users' | 'chats' | 'messages'>;

/**
 * Writes the sample assistant with its default seed. Chats and reservations have the same ids on every machine.
 * @returns what was written, or null when the database has a user: then nothing was
 * @example await loadSampleAssistant({ onProgress: ({ done, total }) => console.error(`${done} of ${total}`) });
 */
export function loadSampleAssistant(options: LoadOptions = {}): Promise<LoadedSample | null> {
  return loadSample(options, ({ chats }, ids) => loadChats(chats, ids, options));
}

/** Writes the sample assistant, its chats in another way. */
export async function loadSample(
  { signal }: LoadOptions,
  writeChats: (sample: SampleAssistant, ids: UserIds) => Promise<LoadedChats>,
): Promise<LoadedSample | null> {
  if (await hasUsers()) return null;
  const sample = sampleAssistant();
  return transaction(async () => {
    // Two first starts at once both saw no user: the second waits here, and then sees the first one's.
    await db.execute(sql`lock table ${user} in share row exclusive mode`);
    if (await hasUsers()) return null;
    const ids = await loadUsers(sample.users);
    const written = await writeChats(sample, ids);
    signal?.throwIfAborted();
    return loadRest(sample, ids, written);
  });
}

async function hasUsers(): Promise<boolean> {
  return (await db.select({ id: user.id }).from(user).limit(1)).length > 0;
}

async function loadRest(sample: SampleAssistant, ids: UserIds, written: LoadedChats): Promise<LoadedSample> {
  const { users, memories, tasks, reservations, protocols } = sample;
  await loadMemories(sample, ids);
  await loadTasks(sample, ids);
  await loadReservations(sample, ids);
  await loadProtocols(sample, ids);
  return {
    ...written,
    users: users.length + written.users,
    memories: memories.length,
    tasks: tasks.length,
    reservations: reservations.length,
    protocols: protocols.length,
  };
}

/** All at once, because the hashes of their passwords are made side by side. */
async function loadUsers(users: readonly SampleUser[]): Promise<UserIds> {
  const entries = users.map(async ({ email, password, displayName, avatarUrl }): Promise<[string, string]> => {
    const id = writtenId(await createUser(email, password));
    await db.update(user).set({ displayName, avatarUrl }).where(eq(user.id, id));
    return [email, id];
  });
  return new Map(await Promise.all(entries));
}

async function loadChats(
  chats: readonly SampleChat[],
  ids: UserIds,
  { onProgress, signal }: LoadOptions,
): Promise<LoadedChats> {
  const total = chats.reduce((sum, { messages }) => sum + messages.length, 0);
  let done = 0;
  for (const sampleChat of chats) {
    signal?.throwIfAborted();
    await loadChat(sampleChat, idOf(ids, sampleChat));
    done += sampleChat.messages.length;
    onProgress?.({ done, total });
    await nextTurn(); // the embedded database's statements leave no gap in which a signal would be heard
  }
  return { users: 0, chats: chats.length, messages: done };
}

/** The messages, then the title and the times of when the chat was held, which saveChat takes for now. */
async function loadChat({ id, messages, title, createdAt }: SampleChat, userId: string): Promise<void> {
  await saveChat({ id, messages, userId });
  if (title !== null) await renameChat({ id, userId, title });
  const updatedAt = new Date(createdAt.getTime() + (messages.length - 1) * longestPauseMs);
  await db.update(chat).set({ createdAt, updatedAt }).where(eq(chat.id, id));
  const pause = sql`make_interval(secs => ${longestPauseMs / 1000}::integer)`;
  await db
    .update(message)
    .set({ createdAt: sql`${createdAt.toISOString()}::timestamptz + ${message.position} * ${pause}` })
    .where(eq(message.chatId, id));
}

async function loadMemories({ memories }: SampleAssistant, ids: UserIds): Promise<void> {
  for (const memory of memories) await saveMemory({ userId: idOf(ids, memory), content: memory.content });
}

async function loadTasks({ tasks }: SampleAssistant, ids: UserIds): Promise<void> {
  for (const task of tasks) {
    const userId = idOf(ids, task);
    const { description, status, dueAt } = task;
    const id = writtenId(await addTask({ userId, description, dueAt }));
    if (status !== 'pending') await updateTask({ id, userId, status });
  }
}

async function loadReservations({ reservations }: SampleAssistant, ids: UserIds): Promise<void> {
  for (const reservation of reservations) {
    const { id, hasCompletedPayment } = reservation;
    const details = reservation.details as FlightReservation;
    const userId = idOf(ids, reservation);
    await createReservation({ id, userId, details });
    if (hasCompletedPayment) await updateReservation({ id, userId, hasCompletedPayment });
  }
}

async function loadProtocols({ protocols }: SampleAssistant, ids: UserIds): Promise<void> {
  for (const protocol of protocols) {
    const userId = idOf(ids, protocol);
    const { name, description, parts, revisions } = protocol;
    const id = writtenId(await saveProtocol({ userId, name, description, parts }));
    for (const revision of revisions) await updateProtocol({ id, userId, ...revision });
  }
}

function idOf(ids: UserIds, { userEmail }: { userEmail: string }): string {
  return ids.get(userEmail) as string;
}

function writtenId(rows: readonly { id: string }[]): string {
  return (rows[0] as { id: string }).id;
}
