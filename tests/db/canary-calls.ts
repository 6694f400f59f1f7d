// The rows and the arguments that canaries are planted in: two people whose every text is one, and each query of
// query-calls.ts with one in each place that holds what somebody wrote, or a secret.

import { randomUUID } from 'node:crypto';
import { hashSync } from '@node-rs/bcrypt';
import { and, eq, sql } from 'drizzle-orm';
import { encodeCursor } from '../../db/cursor.ts';
import { configurePasswords } from '../../db/passwords.ts';
import { protocols, protocolVersions } from '../../db/protocols-schema.ts';
import { db } from '../../db/queries.ts';
import { apiKey, chat, memories, message, reservation, tasks, user } from '../../db/schema.ts';
import { type Canary, type CanaryName, newCanaries } from '../canaries.ts';
import { flight } from './flight.ts';
import { argumentsOf, goodValues, nameOf, type QueryCall, queryCalls, runQuery } from './query-calls.ts';
import { idOf, issuedKeyOf, type Owner, resetToTwoUsers } from './two-users.ts';

export const texts: Record<CanaryName, string> = newCanaries();

/** All that must not be heard. */
export const canaries: readonly Canary[] = [
  ...Object.entries(texts).map(([name, text]) => ({ name, text })),
  // Of a key the first four random characters are shown in lists.
  ...(['ada', 'bob'] as const).map((owner) => ({
    name: `API key of ${owner}`,
    text: issuedKeyOf(owner).replace(/^mytx_live_..../, ''),
  })),
];

export const secretTexts = {
  apiKeyPeppers: `p1:${texts.apiKeyPepper}`,
  encryptionKeys: `e1:${texts.encryptionKey}`,
  auditKeys: `a1:${texts.auditKey}`,
};

const messageWithCanaries = {
  role: 'user',
  content: texts.messageText,
  parts: [{ type: 'tool-call', toolName: 'book', args: { [texts.toolCallArgument]: texts.toolCallArgument } }],
};

/** In the place of what the two users have: their ids, with a canary in every text. */
export async function plantRows(): Promise<void> {
  await resetToTwoUsers();
  const bcrypt = (text: string): string => hashSync(text, { cost: 4 });
  const email = (owner: Owner): string => (owner === 'ada' ? '' : 'b') + addressWithCanary;
  for (const owner of ['ada', 'bob'] as const) {
    const userId = idOf('user', owner);
    const of = (text: string): ReturnType<typeof sql> => sql`${text} || id::text`;
    await db
      .update(user)
      .set({ email: email(owner), password: bcrypt(texts.password), displayName: texts.displayName })
      .where(eq(user.id, userId));
    await db.update(chat).set({ title: texts.chatTitle, preview: texts.messageText }).where(eq(chat.userId, userId));
    await db.update(message).set({ body: messageWithCanaries }).where(eq(message.userId, userId));
    await db
      .update(memories)
      .set({ content: of(texts.memory) })
      .where(and(eq(memories.userId, userId), sql`content_index is null`));
    await db.update(tasks).set({ description: texts.taskDescription }).where(eq(tasks.userId, userId));
    await db
      .update(reservation)
      .set({ details: { ...flight, passengerName: texts.passenger } })
      .where(eq(reservation.userId, userId));
    const parts = [{ content: texts.protocolPart }];
    const description = texts.protocolDescription;
    await db
      .update(protocols)
      .set({ name: texts.protocolName, description, parts })
      .where(eq(protocols.userId, userId));
    await db.update(protocolVersions).set({ description, parts }).where(eq(protocolVersions.userId, userId));
    await db.update(apiKey).set({ name: texts.apiKeyName }).where(eq(apiKey.userId, userId));
    await db
      .update(apiKey)
      .set({ hashedKey: bcrypt(owner === 'ada' ? texts.legacyApiKey : `${texts.legacyApiKey}b`) })
      .where(eq(apiKey.id, idOf('apiKey', owner)));
  }
}

export const addressWithCanary: string = `${texts.email}@example.com`.toLowerCase();

/** What stands in a field when all is right: the canary of what belongs there. */
function planted(call: QueryCall, field: string, good: unknown): unknown {
  const isProtocol = call.name.includes('Protocol');
  const byField: Readonly<Record<string, unknown>> = {
    email: addressWithCanary,
    password: texts.password,
    messages: [messageWithCanaries],
    message: messageWithCanaries,
    title: texts.chatTitle,
    content: texts.memory,
    contentQuery: texts.searchQuery,
    query: texts.searchQuery,
    description: isProtocol ? texts.protocolDescription : texts.taskDescription,
    details: { ...flight, passengerName: texts.passenger },
    parts: [{ content: texts.protocolPart }],
    name: isProtocol ? texts.protocolName : texts.apiKeyName,
    hashedKey: texts.legacyApiKey,
    rawKey: call.name === 'verifyApiKey' ? good : texts.legacyApiKey,
    scopes: [texts.argument],
  };
  return Object.hasOwn(byField, field) ? byField[field] : good;
}

/** Those that end what others work on come last. */
export const callsInOrder: readonly QueryCall[] = [
  ...queryCalls.filter(({ name }) => !isEnding(name)),
  ...queryCalls.filter(({ name }) => isEnding(name)),
];

function isEnding(name: string): boolean {
  return /^(erase|delete|revoke)/.test(name);
}

export type Values = Record<string, unknown>;

/** The values of a call's fields, right ones, with canaries. */
export function plantedValues(call: QueryCall): Values {
  return Object.fromEntries(
    Object.entries(goodValues(call)).map(([field, good]) => [field, planted(call, nameOf(field), good)]),
  );
}

export function run(call: QueryCall, values: Values = plantedValues(call)): Promise<unknown> {
  return runQuery(call.name, argumentsOf(call, values));
}

const isId = (value: unknown): value is string => typeof value === 'string' && /^[0-9a-f-]{36}$/.test(value);

/** With each of its ids in the place of another one, for which there is no row. */
export function* withIdsOfNothing(call: QueryCall): Generator<Values, void, void> {
  const values = plantedValues(call);
  for (const field of Object.keys(values)) if (isId(values[field])) yield { ...values, [field]: randomUUID() };
}

/** With the ids of rows that there are, where it makes rows. */
export function withTakenIds(call: QueryCall): Values {
  const table = /Memory|Task|Reservation|Protocol/.exec(call.name)?.[0].toLowerCase() as 'memory' | undefined;
  const values = plantedValues(call);
  for (const field of Object.keys(values)) {
    if (values[field] === idOf('none', 'ada')) values[field] = idOf(table ?? 'chat', 'ada');
    if (field === 'rowIds?') values[field] = [idOf('message', 'ada')];
  }
  return values;
}

/** Fields whose value an error may quote: an id, a number, a word of a closed set. What somebody wrote is never one. */
const quotable = /^(id|\w+Id|rowIds|limit|offset|graceSeconds|version|status)\??$/;

/** With what does not belong there in each of the other fields, a canary in all of it. */
export function* withWrongValues(call: QueryCall): Generator<Values, void, void> {
  const values = plantedValues(call);
  for (const field of Object.keys(values).filter((name) => !quotable.test(name))) {
    for (const wrong of wrongValues(nameOf(field))) yield { ...values, [field]: wrong };
  }
}

function* wrongValues(field: string): Generator<unknown, void, void> {
  const text = field === 'cursor' ? texts.cursor : texts.argument;
  yield* [text, text.repeat(5_000), `${text}\0${text}`, `${text}\ud83d`, [text], { [text]: text }, Object(text)];
  yield* [Symbol(text), new Map([[text, text]]), new Error(text), new Date(Number.NaN), Buffer.from(text), () => text];
  yield* [
    { [text]: Number.NaN },
    [{ role: text, content: { [text]: 1n } }],
    [{ content: { [text]: [Symbol(text)] } }],
    { ...flight, seats: text, passengerName: [text] },
    { ...flight, departure: { ...flight.departure, timestamp: text } },
    { limit: text, windowSeconds: text, [text]: text },
  ];
  if (field !== 'cursor') return;
  yield* [Buffer.from(text).toString('base64url'), encodeCursor('tasks', [text]), encodeCursor(text, [text])];
}

/** Hashes that take no time. */
export function usePasswordsOfTests(): void {
  configurePasswords({ cost: 4 });
}
