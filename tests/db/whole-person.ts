// A person with rows in every table: branches, protocols of several versions, keys of all kinds, and what search made.

import { randomUUID } from 'node:crypto';
import { hash } from '@node-rs/bcrypt';
import { eq } from 'drizzle-orm';
import { saveProtocol, updateProtocol } from '../../db/protocol-queries.ts';
import type { ProtocolPart } from '../../db/protocols-schema.ts';
import {
  addTask,
  branchFrom,
  createApiKeyRecord,
  createReservation,
  createUser,
  db,
  issueApiKey,
  listMessages,
  revokeApiKey,
  rotateApiKey,
  saveChat,
  saveMemory,
  selectBranch,
  updateTask,
  verifyApiKey,
} from '../../db/queries.ts';
import { chat, memories, searchBlock, searchSegment, user } from '../../db/schema.ts';
import { flight } from './flight.ts';

export const password = 'correct horse battery staple';

export interface WholePerson {
  userId: string;
  email: string;
  chatId: string;
  /** A key that is valid. */
  key: string;
}

/** @param mark is in every text of this person's */
export async function newWholePerson(mark: string = randomUUID().slice(0, 8)): Promise<WholePerson> {
  const email = `${mark}-${randomUUID().slice(0, 8)}@example.com`.toLowerCase();
  const [made] = await createUser(email, password);
  const userId = made?.id ?? '';
  await db
    .update(user)
    .set({ displayName: `${mark} Levi`, avatarUrl: 'https://example.com/a.png' })
    .where(eq(user.id, userId));
  const chatId = await addChats(userId, mark);
  await saveMemory({ userId, content: `${mark} likes green tea, "quoted", \\ and 🍞\n` });
  await saveMemory({ userId, content: `${mark} ב` });
  await db.update(memories).set({ searchDigest: randomUUID() }).where(eq(memories.userId, userId));
  const [task] = await addTask({ userId, description: `${mark} renews`, dueAt: new Date('2027-01-31T12:00:00.123Z') });
  await updateTask({ id: task?.id ?? '', userId, status: 'completed' });
  await createReservation({ id: randomUUID(), userId, details: { ...flight, passengerName: mark, extra: [1, null] } });
  const parts: ProtocolPart[] = [{ content: mark, seconds: 2.5 }];
  const [protocol] = await saveProtocol({ userId, name: `${mark} evening`, parts });
  await updateProtocol({ id: protocol?.id ?? '', userId, description: 'slower', parts: [{ content: 'Breathe.' }] });
  return { userId, email, chatId, key: await addKeys(userId, mark) };
}

async function addChats(userId: string, mark: string): Promise<string> {
  const id = randomUUID();
  const strange = {
    id: 'q1',
    role: 'user',
    content: `${mark} \u0000 \ud800 "\\`,
    2: 'b',
    parts: [{ z: 1e21, a: -0.5 }],
  };
  await saveChat({
    id,
    userId,
    messages: [strange, { id: 'a1', role: 'assistant', content: 'first' }, { role: 'user' }],
  });
  await saveChat({ id, userId, messages: [strange, { id: 'a2', role: 'assistant', content: 'second' }] });
  const { items } = await listMessages({ chatId: id, userId });
  await branchFrom({ chatId: id, userId, parentId: items[0]?.id ?? null, messages: [{ role: 'assistant', n: 3 }, {}] });
  await branchFrom({ chatId: id, userId, parentId: null, messages: [{ role: 'user', content: 'another beginning' }] });
  await selectBranch({ chatId: id, userId, messageId: items[1]?.id ?? '' });
  await saveChat({ id: randomUUID(), userId, messages: [] });
  await db
    .update(chat)
    .set({ title: `${mark} talks`, indexedCount: 2 })
    .where(eq(chat.id, id));
  const [segment] = await db
    .insert(searchSegment)
    .values({ userId, kind: 'message', documents: 2, gramBits: 0, oldestAt: new Date(), newestAt: new Date() })
    .returning();
  await db.insert(searchBlock).values({ userId, segmentId: segment?.id ?? '', number: 0, bytes: Buffer.from(mark) });
  return id;
}

async function addKeys(userId: string, mark: string): Promise<string> {
  const rateLimit = { limit: 1000, windowSeconds: 3600 };
  const issued = await issueApiKey({ userId, name: `${mark} laptop`, scopes: ['a:b', 'c:d'], rateLimit });
  await verifyApiKey(issued.key);
  const rotated = await rotateApiKey({ id: issued.record.id, userId });
  await revokeApiKey({ id: rotated.record.id, userId });
  await createApiKeyRecord({ userId, hashedKey: await hash(`${mark} old key`, { cost: 4 }), name: `${mark} old` });
  return issued.key;
}
