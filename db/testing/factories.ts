// Rows for tests, with plain values that are different each time. What a test is about is given; the rest is made up,
// the user too.

import { hash } from '@node-rs/bcrypt';
import { getTableColumns } from 'drizzle-orm';
import { digestOfKey } from '../api-key-digest.ts';
import { createApiKeyRecord, issueApiKey } from '../api-keys.ts';
import { db } from '../database.ts';
import { saveMemory } from '../memories.ts';
import { appendMessages, type MessagePlace } from '../messages.ts';
import { saveProtocol } from '../protocol-queries.ts';
import type { Protocol } from '../protocols-schema.ts';
import type { FlightReservation } from '../reservation-details.ts';
import { createReservation } from '../reservations.ts';
import { saveChat } from '../save-chat.ts';
import { type ApiKey, type ChatSummary, type Memory, type Reservation, type Task, type User, user } from '../schema.ts';
import { addTask } from '../tasks.ts';
import { uuidv7 } from '../uuid.ts';

/** The password of every user that `createTestUser` makes. */
export const testPassword = 'test-password-1';

/** bcrypt of `testPassword`, made beforehand: making one takes a twentieth of a second. */
const testPasswordHash = '$2b$10$Dujljcir77iOspI5XoDqD.dpmYBeMiPWyMSEpynM/KDKhM8bW4U8e';

let count = 0;

/** Text that no other row of this process has. */
function numbered(text: string): string {
  count += 1;
  return `${text} ${count}`;
}

function first<Row>(rows: readonly Row[]): Row {
  return rows[0] as Row;
}

/** The user that is given, or a new one. */
async function ownerOf({ userId }: { userId?: string }): Promise<string> {
  return userId ?? (await createTestUser()).id;
}

type NewUser = typeof user.$inferInsert;
const { password: _password, ...userColumns } = getTableColumns(user);

/** @example const dana = await createTestUser({ email: 'dana@example.com' }); // signs in with testPassword */
export async function createTestUser(values: Partial<NewUser> = {}): Promise<Omit<User, 'password'>> {
  const row: NewUser = {
    id: uuidv7(),
    email: `${numbered('user').replace(' ', '-')}-${uuidv7().slice(-12)}@example.com`,
    password: testPasswordHash,
    ...values,
  };
  return first(await db.insert(user).values(row).returning(userColumns));
}

/** A chat with a question and its answer, unless `messages` are given. */
export async function createTestChat(
  values: { id?: string; userId?: string; messages?: readonly unknown[] } = {},
): Promise<ChatSummary> {
  const messages = values.messages ?? [
    { role: 'user', content: numbered('Question') },
    { role: 'assistant', content: numbered('Answer') },
  ];
  return first(await saveChat({ id: values.id ?? uuidv7(), userId: await ownerOf(values), messages }));
}

/** Messages at the end of a chat, one unless `messages` are given; both chat and user are given, or neither. */
export async function createTestMessages(
  values: ({ chatId: string; userId: string } | { chatId?: never; userId?: string }) & {
    messages?: readonly object[];
  } = {},
): Promise<MessagePlace[]> {
  const userId = await ownerOf(values);
  const chatId = values.chatId ?? (await createTestChat({ userId, messages: [] })).id;
  const messages = values.messages ?? [{ role: 'user', content: numbered('Question') }];
  return appendMessages({ chatId, userId, messages });
}

export async function createTestMemory(values: { userId?: string; content?: string } = {}): Promise<Memory> {
  return first(await saveMemory({ userId: await ownerOf(values), content: values.content ?? numbered('Memory') }));
}

export async function createTestTask(values: Partial<Parameters<typeof addTask>[0]> = {}): Promise<Task> {
  return first(
    await addTask({ ...values, userId: await ownerOf(values), description: values.description ?? numbered('Task') }),
  );
}

export async function createTestReservation(
  values: { id?: string; userId?: string; details?: Partial<FlightReservation> } = {},
): Promise<Reservation> {
  const details: FlightReservation = {
    seats: ['12A'],
    flightNumber: 'TX100',
    departure: { cityName: 'Lisbon', airportCode: 'LIS', timestamp: '2026-05-01T08:00:00Z' },
    arrival: { cityName: 'Oslo', airportCode: 'OSL', timestamp: '2026-05-01T12:30:00Z' },
    passengerName: numbered('Passenger'),
    totalPriceInUSD: 240,
    ...values.details,
  };
  return first(await createReservation({ id: values.id ?? uuidv7(), userId: await ownerOf(values), details }));
}

/**
 * @param rawKey makes it a key of the original application, which is stored as a bcrypt hash; unless given it is issued
 * @returns the key as its user has it, and its record; `verifyApiKey(rawKey)` and `findValidApiKey(rawKey)` find it
 */
export async function createTestApiKey(
  values: { userId?: string; name?: string; rawKey?: string; scopes?: readonly string[] } = {},
): Promise<{ rawKey: string; record: ApiKey }> {
  const { name = numbered('Key'), rawKey, scopes = [] } = values;
  const userId = await ownerOf(values);
  if (rawKey !== undefined) {
    const hashedKey = await hash(rawKey, { cost: 4 }); // the least there is: tests protect nobody
    return { rawKey, record: first(await createApiKeyRecord({ userId, hashedKey, name })) };
  }
  const { key, record } = await issueApiKey({ userId, name, scopes, env: 'test' });
  const { id, createdAt, lastUsedAt } = record;
  return { rawKey: key, record: { id, userId, hashedKey: digestOfKey(key).digest, name, createdAt, lastUsedAt } };
}

export async function createTestProtocol(values: Partial<Parameters<typeof saveProtocol>[0]> = {}): Promise<Protocol> {
  const { name = numbered('Protocol'), parts = [{ content: numbered('Step') }] } = values;
  return first(await saveProtocol({ ...values, userId: await ownerOf(values), name, parts }));
}
