// Every query of db/queries.ts and db/protocol-queries.ts, with its arguments. One that is not here fails
// properties.test.ts.

import fc from 'fast-check';
import * as protocolQueries from '../../db/protocol-queries.ts';
import * as queries from '../../db/queries.ts';
import {
  cursor,
  details,
  dueAt,
  email,
  env,
  type Field,
  flag,
  graceSeconds,
  id,
  issuedKey,
  limit,
  message,
  messageList,
  newId,
  offset,
  parentId,
  parts,
  password,
  rateLimit,
  rawKey,
  rowIds,
  scopes,
  searchCursor,
  status,
  text,
  version,
  wrongObjects,
} from './query-arguments.ts';

export interface QueryCall {
  name: string;
  /** The fields of the argument object, or the arguments one by one, by their names; with `?` behind what is optional. */
  fields: Record<string, Field>;
  isPositional: boolean;
  writes: boolean;
  /** Of fewer runs than others: it makes a bcrypt hash, or compares with some. */
  isSlow: boolean;
}

const everything: Record<string, unknown> = { ...queries, ...protocolQueries };

/** What is exported beside queries, and tested elsewhere. */
export const noQueries = [
  'asUser',
  'checkHealth',
  'checkRowSecurity',
  'closeDatabase',
  'configureLimits',
  'configurePasswords',
  'exportUser',
  'exportUserToFile',
  'importUser',
  'openDatabase',
  'transaction',
  'withDeadline',
  'withPrimary',
  'writeExport',
];

export const exportedFunctions: string[] = Object.keys(everything).filter(
  (name) => typeof everything[name] === 'function',
);

/** Runs a query by its name with whatever arguments. */
export function runQuery(name: string, args: readonly unknown[]): Promise<unknown> {
  return (everything[name] as (...args: readonly unknown[]) => Promise<unknown>)(...args);
}

const read = (name: string, fields: Record<string, Field>): QueryCall => ({
  ...{ name, fields },
  ...{ isPositional: false, writes: false, isSlow: false },
});
const write = (name: string, fields: Record<string, Field>): QueryCall => ({ ...read(name, fields), writes: true });
const positional = (call: QueryCall): QueryCall => ({ ...call, isPositional: true });
const slow = (call: QueryCall): QueryCall => ({ ...call, isSlow: true });

const userId = id('user');

export const queryCalls: readonly QueryCall[] = [
  positional(read('getUser', { email })),
  slow(positional(write('createUser', { email, password }))),
  slow(read('verifyPassword', { email, password })),
  slow(write('changePassword', { userId, password })),
  slow(write('eraseUser', { userId })),
  read('listAuditEvents', { 'userId?': userId, 'limit?': limit, 'cursor?': cursor('auditEvents') }),

  write('saveChat', { id: id('chat'), messages: messageList, userId }),
  read('getChatById', { id: id('chat'), 'userId?': userId }),
  read('getChatsByUserId', { id: userId, 'limit?': limit, 'offset?': offset }),
  read('listChats', { userId, 'limit?': limit, 'cursor?': cursor('chats') }),
  write('renameChat', { id: id('chat'), userId, title: text(200) }),
  write('deleteChatById', { id: id('chat'), 'userId?': userId }),
  write('deleteAllChats', { userId }),

  write('appendMessages', { chatId: id('chat'), userId, messages: messageList, 'rowIds?': rowIds }),
  read('listMessages', { chatId: id('chat'), userId, 'limit?': limit, 'cursor?': cursor('messages') }),
  write('updateMessage', { chatId: id('chat'), userId, id: id('message'), message }),
  write('branchFrom', { chatId: id('chat'), userId, parentId, messages: messageList, 'rowIds?': rowIds }),
  write('selectBranch', { chatId: id('chat'), userId, messageId: id('message') }),

  write('saveMemory', { userId, content: text(10_000), 'id?': newId('memory') }),
  read('getMemoriesByUserId', { userId, 'limit?': limit, 'offset?': offset }),
  read('listMemories', { userId, 'limit?': limit, 'cursor?': cursor('memories') }),
  read('findMemoriesByContent', { userId, contentQuery: text(1000), 'limit?': limit, 'offset?': offset }),
  read('searchMessages', { userId, query: text(1000), 'limit?': limit, 'cursor?': searchCursor }),
  read('searchMemories', { userId, query: text(1000), 'limit?': limit, 'cursor?': searchCursor }),
  write('indexForSearch', { 'userId?': userId }),
  write('dropSearchIndex', { userId }),
  write('updateMemory', { id: id('memory'), userId, content: text(10_000) }),
  write('deleteMemoryById', { id: id('memory'), userId }),

  write('addTask', { userId, description: text(10_000), 'dueAt?': dueAt, 'id?': newId('task') }),
  read('getTasksByUserId', { userId, 'limit?': limit, 'offset?': offset }),
  read('listTasks', { userId, 'limit?': limit, 'cursor?': cursor('tasks') }),
  write('updateTask', { id: id('task'), userId, 'description?': text(10_000), 'status?': status, 'dueAt?': dueAt }),
  write('updateTaskStatus', { id: id('task'), userId, status }),
  write('updateTaskDescription', { id: id('task'), userId, description: text(10_000) }),
  write('deleteTaskById', { id: id('task'), userId }),

  write('createReservation', { id: newId('reservation'), userId, details }),
  read('getReservationById', { id: id('reservation'), 'userId?': userId }),
  write('updateReservation', { id: id('reservation'), hasCompletedPayment: flag, 'userId?': userId }),

  positional(read('getApiKeysByUserId', { userId })),
  write('createApiKeyRecord', { userId, hashedKey: text(255), name: text(100) }),
  positional(write('deleteApiKeyByIdAndUserId', { keyId: id('apiKey'), userId })),
  slow(positional(read('findValidApiKey', { rawKey }))),
  positional(write('updateApiKeyLastUsed', { keyId: id('apiKey') })),
  read('listLegacyApiKeys', { 'limit?': limit, 'offset?': offset }),
  read('listApiKeys', { userId, 'limit?': limit, 'cursor?': cursor('apiKeys') }),
  write('issueApiKey', {
    userId,
    name: text(100),
    'scopes?': scopes,
    'expiresAt?': dueAt,
    'rateLimit?': rateLimit,
    'env?': env,
  }),
  positional(read('verifyApiKey', { rawKey: issuedKey })),
  write('rotateApiKey', { id: id('apiKey'), userId, 'graceSeconds?': graceSeconds }),
  write('revokeApiKey', { id: id('apiKey'), userId }),

  write('saveProtocol', { userId, name: text(200), 'description?': text(10_000), parts, 'id?': newId('protocol') }),
  read('getProtocolsByUserId', { userId, 'limit?': limit, 'offset?': offset }),
  read('listProtocols', { userId, 'limit?': limit, 'cursor?': cursor('protocols') }),
  read('getProtocolById', { id: id('protocol'), userId }),
  write('updateProtocol', {
    id: id('protocol'),
    userId,
    'name?': text(200),
    'description?': text(10_000),
    'parts?': parts,
  }),
  write('deleteProtocolById', { id: id('protocol'), userId }),
  read('listProtocolVersions', { id: id('protocol'), userId, 'limit?': limit, 'cursor?': cursor('protocolVersions') }),
  write('restoreProtocolVersion', { id: id('protocol'), userId, version }),
];

export const isOptional = (field: string): boolean => field.endsWith('?');
export const nameOf = (field: string): string => field.replace('?', '');

/** The arguments of a call, from the values of its fields. */
export function argumentsOf({ isPositional, fields }: QueryCall, values: Record<string, unknown>): unknown[] {
  if (isPositional) return Object.keys(fields).map((field) => values[field]);
  return [Object.fromEntries(Object.entries(values).map(([field, value]) => [nameOf(field), value]))];
}

export function goodValues({ fields }: QueryCall): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([field, { good }]) => [field, good]));
}

/** Optional fields are left out now and then, and now and then the whole object is something else. */
export function generatedArguments(call: QueryCall): fc.Arbitrary<unknown[]> {
  const fields = Object.entries(call.fields);
  const values = fc.record(Object.fromEntries(fields.map(([field, { any }]) => [field, any])), {
    requiredKeys: fields.map(([field]) => field).filter((field) => call.isPositional || !isOptional(field)),
  });
  const usual = values.map((one) => argumentsOf(call, one));
  if (call.isPositional) return usual;
  return fc.oneof({ weight: 15, arbitrary: usual }, { weight: 1, arbitrary: wrongObjects.map((value) => [value]) });
}
