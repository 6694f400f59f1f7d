// What there is to read: the same rows for this package and the driver alone, and in their own form for the others.

import { randomUUID } from 'node:crypto';
import { issueApiKey, saveChat, saveMemory } from '../db/queries.ts';
import { createTestUser } from '../db/testing/index.ts';
import type { Thread } from './langgraph.js';
import type { Peers } from './peers.ts';
import type { SpecWay } from './spec-way.ts';
import { asTexts, talkOf } from './talk.ts';

export interface ReadRows {
  email: string;
  userId: string;
  /** A chat of 50 messages, and one of 500. */
  chatId: string;
  longChatId: string;
  apiKey: string;
}

export async function prepareRows(): Promise<ReadRows> {
  const { id: userId, email } = await createTestUser();
  const [chatId, longChatId] = [randomUUID(), randomUUID()];
  await saveChat({ id: chatId, userId, messages: talkOf(50) });
  await saveChat({ id: longChatId, userId, messages: talkOf(500) });
  for (let i = 0; i < 60; i += 1) {
    await saveChat({ id: randomUUID(), userId, messages: talkOf(2) });
    await saveMemory({ userId, content: memoryAt(i) });
  }
  const { key: apiKey } = await issueApiKey({ userId, name: 'Laptop' });
  return { email, userId, chatId, longChatId, apiKey };
}

const memoryAt = (i: number): string => `Memory ${i}: prefers a window seat`;

/** Others, with the same rows in their own form. */
export interface OtherRows {
  spec: SpecWay;
  rows: ReadRows;
  /** A thread of 500 messages. */
  thread?: Thread | undefined;
}

export async function prepareOthers({ spec, langGraph }: Peers): Promise<OtherRows> {
  const email = 'dana@example.com';
  const userId = await spec.addUser(email);
  const [chatId, longChatId] = [randomUUID(), randomUUID()];
  await spec.saveChat({ id: chatId, userId, messages: talkOf(50) });
  await spec.saveChat({ id: longChatId, userId, messages: talkOf(500) });
  for (let i = 0; i < 60; i += 1) {
    await spec.saveChat({ id: randomUUID(), userId, messages: talkOf(2) });
    await spec.saveMemory({ userId, content: memoryAt(i) });
  }
  const thread = await langGraph?.newThread(asTexts(talkOf(500)));
  return { spec, rows: { email, userId, chatId, longChatId, apiKey: '' }, thread };
}
