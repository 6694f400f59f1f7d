// An application written against the documented functions and the callers they have always had: each is called with
// the arguments, and its result used in the way, that such an application does. It must compile and run unchanged.

import { randomUUID } from 'node:crypto';
import { hash, verify } from '@node-rs/bcrypt';
import { desc, eq } from 'drizzle-orm';
import {
  deleteProtocolById,
  getProtocolById,
  getProtocolsByUserId,
  saveProtocol,
  updateProtocol,
} from '../../db/protocol-queries.ts';
import type { Protocol } from '../../db/protocols-schema.ts';
import {
  addTask,
  createApiKeyRecord,
  createReservation,
  createUser,
  db,
  deleteApiKeyByIdAndUserId,
  deleteChatById,
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
  saveChat,
  saveMemory,
  updateApiKeyLastUsed,
  updateReservation,
  updateTaskDescription,
  updateTaskStatus,
} from '../../db/queries.ts';
import {
  type ApiKey,
  type Chat,
  type Memory,
  memories,
  type Reservation,
  type Task,
  type User,
  user,
} from '../../db/schema.ts';

/** The AI SDK's messages of its third version, as far as this application looks into them. */
type CoreMessage =
  | { role: 'system'; content: string }
  | { role: 'user'; content: string | Array<{ type: 'text'; text: string }> }
  | {
      role: 'assistant';
      content:
        | string
        | Array<
            { type: 'text'; text: string } | { type: 'tool-call'; toolCallId: string; toolName: string; args: unknown }
          >;
    }
  | { role: 'tool'; content: Array<{ type: 'tool-result'; toolCallId: string; toolName: string; result: unknown }> };

/** Registration and sign-in: who is there already is not added again; the hash is compared by the caller. */
export async function registerAndSignIn(email: string, password: string): Promise<User> {
  const [existing] = await getUser(email);
  if (!existing) await createUser(email, password);
  const users: Array<User> = await getUser(email);
  if (users.length === 0) throw new Error('no such user');
  // biome-ignore lint/style/noNonNullAssertion: as the original application has it
  if (!(await verify(password, users[0]!.password!))) throw new Error('wrong password');
  return users[0] as User;
}

/** A chat turn, the page of a chat, and the list of chats with a title made from the first message. */
export async function chatTurns(userId: string): Promise<{ id: string; titles: string[]; shown: CoreMessage[] }> {
  const id = randomUUID();
  const coreMessages: CoreMessage[] = [{ role: 'user', content: 'Find me a flight' }];
  const responseMessages: CoreMessage[] = [
    {
      role: 'assistant',
      content: [{ type: 'tool-call', toolCallId: 'call-1', toolName: 'searchFlights', args: { to: 'LIS' } }],
    },
    { role: 'tool', content: [{ type: 'tool-result', toolCallId: 'call-1', toolName: 'searchFlights', result: [] }] },
    { role: 'assistant', content: 'There is none today.' },
  ];
  await saveChat({ id, messages: [...coreMessages, ...responseMessages], userId });

  const chatFromDb = await getChatById({ id });
  if (!chatFromDb) throw new Error('not found');
  const chat: Chat = { ...chatFromDb, messages: chatFromDb.messages as Array<CoreMessage> };
  if (chat.userId !== userId) throw new Error('not yours');

  const history: Array<Chat> = await getChatsByUserId({ id: userId });
  const titles = history.map(({ messages }) => {
    const [first] = messages as Array<CoreMessage>;
    return typeof first?.content === 'string' ? first.content : 'Untitled';
  });
  return { id, titles, shown: chat.messages as Array<CoreMessage> };
}

export async function deleteChat(id: string, userId: string): Promise<string> {
  const chat = await getChatById({ id });
  // biome-ignore lint/style/noNonNullAssertion: as the original application has it
  if (chat!.userId !== userId) return 'Unauthorized';
  await deleteChatById({ id });
  return 'Chat deleted';
}

/** A reservation is made by a tool, paid by a form, and polled until it is paid. */
export async function bookAndPay(userId: string): Promise<{ before: boolean; answer: unknown; after: boolean }> {
  const props = {
    seats: ['12A'],
    flightNumber: 'TP1234',
    departure: { cityName: 'Haifa', airportCode: 'HFA', timestamp: '2026-12-01T08:00', gate: 'A1', terminal: '1' },
    arrival: { cityName: 'Lisbon', airportCode: 'LIS', timestamp: '2026-12-01T12:00', gate: 'B2', terminal: '2' },
    passengerName: 'Dana',
  };
  const id = randomUUID();
  await createReservation({ id, userId, details: { ...props, totalPriceInUSD: 240 } });
  const reservation = await getReservationById({ id });
  if (!reservation || reservation.userId !== userId) throw new Error('Unauthorized');
  const before: boolean = reservation.hasCompletedPayment;
  // What the answer of PATCH is made of: the client takes it for the row.
  const answer = JSON.parse(JSON.stringify(await updateReservation({ id, hasCompletedPayment: true }))) as Reservation;
  const paid = await getReservationById({ id });
  return { before, answer, after: paid?.hasCompletedPayment === true };
}

/** The tools of the assistant: each answers with what the row has. */
export async function runTools(userId: string): Promise<{ tasks: unknown[]; memories: Memory[] }> {
  const added: Array<Task> = await addTask({ userId, description: 'Pack' });
  const taskId = added[0]?.id ?? '';
  await updateTaskStatus({ id: taskId, userId, status: 'completed' });
  await updateTaskDescription({ id: taskId, userId, description: 'Pack the bag' });
  const tasks = (await getTasksByUserId({ userId })).map(({ id, description, status }) => ({
    taskId: id,
    description,
    status,
  }));
  await deleteTaskById({ id: taskId, userId });

  const saved = await saveMemory({ userId, content: 'Likes window seats' });
  const found: Array<Memory> = await findMemoriesByContent({ userId, contentQuery: 'window' });
  const all: Array<Memory> = await getMemoriesByUserId({ userId });
  if (found[0]?.id !== saved[0]?.id) throw new Error('not found again');
  await deleteMemoryById({ id: saved[0]?.id ?? '', userId });
  return { tasks, memories: all };
}

type ApiKeyRow = Awaited<ReturnType<typeof getApiKeysByUserId>>[number];

/** Keys: made and hashed by the caller, found by the raw key, deleted with a true count. */
export async function useApiKeys(userId: string): Promise<{ shown: unknown; deleted: number[] }> {
  const rawKey = `mytx_${randomUUID().replaceAll('-', '')}`;
  await createApiKeyRecord({ userId, hashedKey: await hash(rawKey, { cost: 4 }), name: 'laptop' });
  const keys: Array<ApiKey> = await getApiKeysByUserId(userId);
  const shown = keys.map(({ id, name, createdAt, lastUsedAt }: ApiKeyRow) => ({ id, name, createdAt, lastUsedAt }));
  const valid = await findValidApiKey(rawKey);
  if (valid === null || valid.userId !== userId) throw new Error('not valid');
  updateApiKeyLastUsed(valid.id).catch(() => {});
  const deleted: number[] = [
    await deleteApiKeyByIdAndUserId(valid.id, userId),
    await deleteApiKeyByIdAndUserId(valid.id, userId),
  ];
  return { shown, deleted };
}

/** The routes of protocols. */
export async function editProtocols(userId: string): Promise<{ list: Protocol[]; gone: Protocol | undefined }> {
  const parts: Array<{ content: string }> = [{ content: 'Breathe in' }, { content: 'Breathe out' }];
  const [saved] = await saveProtocol({ userId, name: 'Evening', parts });
  const id = saved?.id ?? '';
  await updateProtocol({ id, userId, name: 'Late evening' });
  const list: Array<Protocol> = await getProtocolsByUserId({ userId });
  await deleteProtocolById({ id, userId });
  const gone = await getProtocolById({ id, userId });
  return { list, gone };
}

/** Queries of one's own through `db`, as the walk-through writes them. */
export async function ownQueries(
  userId: string,
): Promise<{ written: unknown[]; contents: string[]; relation: number }> {
  const written = await db.insert(memories).values({ userId, content: 'by hand', createdAt: new Date() });
  const rows = await db.select().from(memories).where(eq(memories.userId, userId)).orderBy(desc(memories.createdAt));
  const withMemories = await db.query.user.findFirst({
    where: eq(user.id, userId),
    with: { memories: true, chats: true },
  });
  return { written, contents: rows.map(({ content }) => content), relation: withMemories?.memories.length ?? 0 };
}
