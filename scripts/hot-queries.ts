// npm run queries:dump: tests/golden/hot-queries.sql, the SQL that each function of the data layer sends, in the order
// it sends it. Recorded from real calls on an embedded database, so that a changed statement shows in the diff.

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { hash } from '@node-rs/bcrypt';
import {
  addTask,
  appendMessages,
  branchFrom,
  changePassword,
  closeDatabase,
  configurePasswords,
  createApiKeyRecord,
  createReservation,
  createUser,
  deleteAllChats,
  deleteApiKeyByIdAndUserId,
  deleteChatById,
  deleteMemoryById,
  deleteProtocolById,
  deleteTaskById,
  dropSearchIndex,
  eraseUser,
  exportUser,
  findMemoriesByContent,
  findValidApiKey,
  getApiKeysByUserId,
  getChatById,
  getChatsByUserId,
  getMemoriesByUserId,
  getProtocolById,
  getProtocolsByUserId,
  getReservationById,
  getTasksByUserId,
  getUser,
  importUser,
  indexForSearch,
  issueApiKey,
  listApiKeys,
  listAuditEvents,
  listChats,
  listLegacyApiKeys,
  listMemories,
  listMessages,
  listProtocols,
  listProtocolVersions,
  listTasks,
  openDatabase,
  type Page,
  renameChat,
  restoreProtocolVersion,
  revokeApiKey,
  rotateApiKey,
  saveChat,
  saveMemory,
  saveProtocol,
  searchMemories,
  searchMessages,
  selectBranch,
  transaction,
  updateApiKeyLastUsed,
  updateMemory,
  updateMessage,
  updateProtocol,
  updateReservation,
  updateTask,
  updateTaskDescription,
  updateTaskStatus,
  verifyApiKey,
  verifyPassword,
} from '../db/index.ts';
import { type Generator, runAsCommand } from './generated-file.ts';

const header = `-- What each function of the data layer sends to the database, statement by statement.
-- A long one stands where it is sent first. Written by \`npm run queries:dump\` from calls on an embedded database;
-- do not edit.
`;

export const hotQueries: Generator = {
  command: 'npm run queries:dump',
  generate: async () => new Map([['tests/golden/hot-queries.sql', await recordAll()]]),
};

/** Runs a call and writes the statements that it sent under a heading. */
type Record = <T>(heading: string, call: () => Promise<T>) => Promise<T>;

async function recordAll(): Promise<string> {
  const statements: string[] = [];
  const firstUse = new Map<string, string>();
  const write = (statement: string, heading: string): string => {
    const before = firstUse.get(statement);
    if (before !== undefined && statement.includes('\n')) return `-- (a statement of "${before}")\n`;
    firstUse.set(statement, heading);
    return `${statement};\n`;
  };
  await openDatabase({ folder: 'memory', logger: ({ statement }) => statements.push(withoutRandomNames(statement)) });
  let text = header;
  const record: Record = async (heading, call) => {
    statements.length = 0;
    const result = await call();
    text += `\n-- ${heading}\n${statements.map((statement) => write(statement, heading)).join('')}`;
    return result;
  };
  try {
    const [user] = await recordUsers(record);
    const userId = idOf(user);
    await recordChats(record, userId);
    await recordMessages(record, userId);
    await recordMemories(record, userId);
    await recordSearch(record, userId);
    await recordTasks(record, userId);
    await recordReservations(record, userId);
    await recordApiKeys(record, userId);
    await recordProtocols(record, userId);
    await recordPerson(record, userId);
  } finally {
    await closeDatabase();
  }
  return text;
}

async function recordUsers(record: Record): Promise<{ id: string }[]> {
  const written = await record('createUser', () => createUser('dana@example.com', 'correct horse'));
  await record('getUser', () => getUser('dana@example.com'));
  const signIn = { email: 'dana@example.com', password: 'correct horse' };
  await record('verifyPassword', () => verifyPassword(signIn));
  configurePasswords({ cost: 11 });
  await record('verifyPassword: with a hash of a lower cost than is configured', () => verifyPassword(signIn));
  configurePasswords();
  await record('changePassword', () => changePassword({ userId: idOf(written[0]), password: 'another horse' }));
  return written;
}

async function recordChats(record: Record, userId: string): Promise<void> {
  const id = randomUUID();
  const hello = { role: 'user', content: 'Hello' };
  const half = { id: 'a1', role: 'assistant', content: 'Hi' };
  const whole = { id: 'a1', role: 'assistant', content: 'Hi there' };
  const more = { role: 'user', content: 'How are you?' };
  await record('saveChat: a new chat', () => saveChat({ id, messages: [hello, half], userId }));
  await record('saveChat: the last message completed', () => saveChat({ id, messages: [hello, whole], userId }));
  await record('saveChat: one message more', () => saveChat({ id, messages: [hello, whole, more], userId }));
  await record('saveChat: nothing new', () => saveChat({ id, messages: [hello, whole, more], userId }));
  await record('saveChat: an edited message, which begins a branch', () =>
    saveChat({ id, messages: [{ role: 'user', content: 'Good morning' }], userId }),
  );
  await record('getChatById', () => getChatById({ id }));
  await record('getChatById: with userId', () => getChatById({ id, userId }));
  await record('getChatsByUserId', () => getChatsByUserId({ id: userId }));
  await saveChat({ id: randomUUID(), messages: [], userId });
  await recordPages('listChats', record, (cursor) => listChats({ userId, limit: 1, cursor }));
  await record('renameChat', () => renameChat({ id, userId, title: 'Mornings' }));
  await record('deleteChatById', () => deleteChatById({ id: randomUUID() }));
  await record('deleteChatById: with userId', () => deleteChatById({ id, userId }));
  await record('deleteAllChats', () => deleteAllChats({ userId }));
}

async function recordMessages(record: Record, userId: string): Promise<void> {
  const chatId = randomUUID();
  const key = { chatId, userId };
  await saveChat({ id: chatId, messages: [], userId });
  const question = [{ role: 'user', content: 'When does it leave?' }];
  const [first] = await record('appendMessages', () => appendMessages({ ...key, messages: question }));
  const answer = [{ role: 'assistant', content: 'At' }];
  const rowIds = [randomUUID()];
  await record('appendMessages: repeated with its rowIds', async () => {
    await appendMessages({ ...key, messages: answer, rowIds });
    return appendMessages({ ...key, messages: answer, rowIds });
  });
  const id = rowIds[0] as string;
  await record('updateMessage: an answer', () =>
    updateMessage({ ...key, id, message: { role: 'assistant', content: 'At nine' } }),
  );
  await record('updateMessage: a question, on which the preview may depend', () =>
    updateMessage({ ...key, id: idOf(first), message: { role: 'user', content: 'When does the train leave?' } }),
  );
  await recordPages('listMessages', record, (cursor) => listMessages({ ...key, limit: 1, cursor }));
  await record('branchFrom', () => branchFrom({ ...key, parentId: idOf(first), messages: answer }));
  await record('selectBranch', () => selectBranch({ ...key, messageId: id }));
}

async function recordMemories(record: Record, userId: string): Promise<void> {
  const [memory] = await record('saveMemory', () => saveMemory({ userId, content: 'Likes green tea' }));
  await record('saveMemory: a text that is there', () => saveMemory({ userId, content: 'Likes green tea' }));
  await saveMemory({ userId, content: 'Is allergic to peanuts' });
  await record('getMemoriesByUserId', () => getMemoriesByUserId({ userId }));
  await record('findMemoriesByContent', () => findMemoriesByContent({ userId, contentQuery: 'tea' }));
  await recordPages('listMemories', record, (cursor) => listMemories({ userId, limit: 1, cursor }));
  const key = { id: idOf(memory), userId };
  await record('updateMemory', () => updateMemory({ ...key, content: 'Likes black tea' }));
  await record('deleteMemoryById', () => deleteMemoryById(key));
}

async function recordSearch(record: Record, userId: string): Promise<void> {
  const chatId = randomUUID();
  await saveChat({ id: chatId, messages: [{ role: 'user', content: 'Green tea' }], userId });
  await sleep(5); // where both are of one millisecond, the second page has a statement less
  await appendMessages({ chatId, messages: [{ role: 'assistant', content: 'Black tea' }], userId });
  await record('searchMessages: nothing is indexed', () => searchMessages({ userId, query: 'tea' }));
  await record('indexForSearch: with userId', () => indexForSearch({ userId }));
  await recordPages('searchMessages', record, (cursor) => searchMessages({ userId, query: 'tea', limit: 1, cursor }));
  await record('searchMemories', () => searchMemories({ userId, query: 'peanuts' }));
  await record('findMemoriesByContent: indexed', () => findMemoriesByContent({ userId, contentQuery: 'peanuts' }));
  await record('indexForSearch: of all users, when there is nothing to index', () => indexForSearch({}));
  await record('indexForSearch: the eighth small segment makes one of all', async () => {
    for (let i = 0; i < 8; i += 1) {
      await saveMemory({ userId, content: `tea of kind ${i}` });
      await indexForSearch({ userId });
    }
  });
  await record('dropSearchIndex', () => dropSearchIndex({ userId }));
}

async function recordTasks(record: Record, userId: string): Promise<void> {
  const [task] = await record('addTask', () => addTask({ userId, description: 'Renew the passport' }));
  await addTask({ userId, description: 'Book a flight' });
  const key = { id: idOf(task), userId };
  await record('addTask: repeated with its id', () => addTask({ ...key, description: 'Renew the passport' }));
  await record('getTasksByUserId', () => getTasksByUserId({ userId }));
  await recordPages('listTasks', record, (cursor) => listTasks({ userId, limit: 1, cursor }));
  await record('updateTaskStatus', () => updateTaskStatus({ ...key, status: 'completed' }));
  await record('updateTaskDescription', () => updateTaskDescription({ ...key, description: 'Renew both passports' }));
  await record('updateTask', () =>
    updateTask({ ...key, status: 'pending', description: 'Renew it', dueAt: new Date('2027-01-31T12:00:00Z') }),
  );
  await record('deleteTaskById', () => deleteTaskById(key));
}

async function recordReservations(record: Record, userId: string): Promise<void> {
  const id = randomUUID();
  const stop = { cityName: 'Lisbon', airportCode: 'LIS', timestamp: '2027-03-01T09:00:00Z' };
  const details = {
    seats: ['12A'],
    flightNumber: 'TP 1234',
    departure: stop,
    arrival: { ...stop, cityName: 'Porto', airportCode: 'OPO' },
    passengerName: 'Dana',
    totalPriceInUSD: 120,
  };
  await record('createReservation', () => createReservation({ id, userId, details }));
  await record('createReservation: repeated', () => createReservation({ id, userId, details }));
  await record('getReservationById', () => getReservationById({ id }));
  await record('getReservationById: with userId', () => getReservationById({ id, userId }));
  await record('updateReservation', () => updateReservation({ id, hasCompletedPayment: true }));
  await record('updateReservation: with userId', () => updateReservation({ id, hasCompletedPayment: true, userId }));
}

async function recordApiKeys(record: Record, userId: string): Promise<void> {
  const issued = await record('issueApiKey', () => issueApiKey({ userId, name: 'Laptop', scopes: ['chats:read'] }));
  await record('verifyApiKey', () => verifyApiKey(issued.key, { scopes: ['chats:read'] }));
  const next = await record('rotateApiKey', () => rotateApiKey({ id: issued.record.id, userId }));
  await recordPages('listApiKeys', record, (cursor) => listApiKeys({ userId, limit: 1, cursor }));
  await record('revokeApiKey', () => revokeApiKey({ id: next.record.id, userId }));
  await record('revokeApiKey: again', () => revokeApiKey({ id: next.record.id, userId }));
  const oldKey = `mytx_${'0'.repeat(64)}`;
  const args = { userId, hashedKey: await hash(oldKey, { cost: 4 }), name: 'Laptop' };
  const [key] = await record('createApiKeyRecord', () => createApiKeyRecord(args));
  await createApiKeyRecord({ ...args, hashedKey: await hash('a short one', { cost: 4 }) });
  await record('listLegacyApiKeys', () => listLegacyApiKeys({}));
  await record('getApiKeysByUserId', () => getApiKeysByUserId(userId));
  await record('findValidApiKey: an old key, which is upgraded', () => findValidApiKey(oldKey));
  await record('findValidApiKey: again', () => findValidApiKey(oldKey));
  await record('findValidApiKey: an old key that is too short for that', () => findValidApiKey('a short one'));
  await record('findValidApiKey: a key that nobody has', () => findValidApiKey('another key'));
  await record('updateApiKeyLastUsed', () => updateApiKeyLastUsed(idOf(key)));
  await record('deleteApiKeyByIdAndUserId', () => deleteApiKeyByIdAndUserId(idOf(key), userId));
}

async function recordProtocols(record: Record, userId: string): Promise<void> {
  const parts = [{ content: 'Breathe in.' }];
  const [saved] = await record('saveProtocol', () => saveProtocol({ userId, name: 'Evening', parts }));
  await saveProtocol({ userId, name: 'Morning', parts });
  const key = { id: idOf(saved), userId };
  await record('saveProtocol: repeated with its id', () => saveProtocol({ ...key, name: 'Evening', parts }));
  await record('getProtocolById', () => getProtocolById(key));
  await record('getProtocolsByUserId', () => getProtocolsByUserId({ userId }));
  await recordPages('listProtocols', record, (cursor) => listProtocols({ userId, limit: 1, cursor }));
  await record('updateProtocol', () => updateProtocol({ ...key, name: 'Night' }));
  await record('updateProtocol: nothing new', () => updateProtocol({ ...key, name: 'Night' }));
  await recordPages('listProtocolVersions', record, (cursor) => listProtocolVersions({ ...key, limit: 1, cursor }));
  await record('restoreProtocolVersion', () => restoreProtocolVersion({ ...key, version: 1 }));
  await record('deleteProtocolById', () => deleteProtocolById(key));
  await record('transaction: one inside another', () =>
    transaction(() => transaction(() => getUser('dana@example.com'))),
  );
}

async function recordPerson(record: Record, userId: string): Promise<void> {
  const lines: string[] = [];
  const readAll = async (): Promise<void> => {
    for await (const line of exportUser({ userId, includeSecrets: true })) lines.push(line);
  };
  await record('exportUser', readAll);
  await record('eraseUser', () => eraseUser({ userId }));
  await record('importUser', () => importUser(lines));
  await recordPages('listAuditEvents', record, (cursor) => listAuditEvents({ limit: 1, cursor }));
  await recordPages('listAuditEvents: of a person', record, (cursor) => listAuditEvents({ userId, limit: 1, cursor }));
}

async function recordPages<T>(
  name: string,
  record: Record,
  list: (cursor: string | null) => Promise<Page<T>>,
): Promise<void> {
  const { nextCursor } = await record(`${name}: first page`, () => list(null));
  await record(`${name}: next page`, () => list(nextCursor));
}

/** Each cursor has a name of its own. */
function withoutRandomNames(statement: string): string {
  return statement.replaceAll(/"mytx_[0-9a-f-]{36}"/g, '"mytx_<id>"');
}

function idOf(row: { id: string } | undefined): string {
  if (!row) throw new Error('a call that writes a row gave none back');
  return row.id;
}

await runAsCommand(import.meta.url, hotQueries);
