// NotFoundError and ConflictError: what is in the tables stands against the call.

import type { ConflictCode, NotFoundCode } from '../../db/errors.ts';
import type { Entry } from '../error-catalogue.ts';

const notFound = {
  class: 'NotFoundError',
  written: 'Nothing.',
  repeat: 'Safe. It fails in the same way until the row is there.',
} as const;

const conflict = {
  class: 'ConflictError',
  written: 'Nothing.',
  repeat: 'Safe. It fails in the same way until the other row is gone.',
} as const;

export const rowErrors: Record<NotFoundCode | ConflictCode, Entry> = {
  CHAT_NOT_FOUND: {
    ...notFound,
    happened: 'There is no chat with this id that belongs to this user.',
    causes: [
      'the chat was deleted, perhaps by the same user in another window',
      'the chat belongs to somebody else: that looks the same on purpose',
      '`appendMessages` before the chat was created: only `saveChat` creates one',
    ],
    actions: [
      'Create the chat with `saveChat({ id, messages, userId })`.',
      'Take the user’s id from the session, never from the request’s body.',
      'In a web handler answer with 404.',
    ],
    example: {
      message: 'chatId is not the id of a chat of this user',
      hint: 'Create the chat with saveChat({ id, messages, userId }), or use an id from listChats.',
    },
  },
  KEY_NOT_FOUND: {
    ...notFound,
    happened: 'There is no valid API key with this id that belongs to this user, so there is none to rotate.',
    causes: [
      'the key was revoked or deleted, or has expired',
      'the id of another user’s key: that looks the same on purpose',
      'the key itself, or its prefix, in the place of the record’s id',
    ],
    actions: ['Issue a new key with `issueApiKey`.', 'Look with `listApiKeys({ userId })` at what there is.'],
    example: {
      message: 'id is not the id of a valid API key of this user',
      hint: 'Take an id of listApiKeys whose key is neither revoked nor expired, or issue a new key with issueApiKey.',
    },
  },
  MESSAGE_NOT_FOUND: {
    ...notFound,
    happened: 'The chat has no message with this row id.',
    causes: ['the id inside the message (the SDK’s) instead of the row’s id', 'a row of another chat'],
    actions: ['Use `id` of an item of `listMessages` or `appendMessages`, or one of its `siblings`.'],
    example: {
      message: 'there is no message with this id in the chat',
      hint: 'Use the id of an item of listMessages, or one of its siblings.',
    },
  },
  USER_NOT_FOUND: {
    ...notFound,
    happened: 'A row was to be written for a user who is not there.',
    causes: [
      'the user was deleted while a session lived on',
      'a database that was reset under a running application',
      'the id of another environment’s user',
    ],
    actions: ['End the session and let the user sign in again.', 'Create the user with `createUser(email, password)`.'],
    example: {
      message: 'userId is not the id of a user',
      hint: 'Create the user first: createUser(email, password).',
    },
  },
  EMAIL_TAKEN: {
    ...conflict,
    happened: 'A user with this e-mail address is there, in whatever case it was written.',
    causes: ['the person has an account already', 'the form was sent twice'],
    actions: ['Offer to sign in instead. `getUser(email)` finds the row.'],
    example: {
      message: 'a user with this e-mail address is there already',
      hint: 'Sign in as that user, or take another address.',
    },
  },
  ID_TAKEN: {
    ...conflict,
    happened: 'The id that was given belongs to a row with other contents, or to another user’s row.',
    causes: [
      'an id that was used before',
      'a repeated call with the same id and other contents: with the same contents it returns the row there is',
    ],
    actions: ['Make a new id with `crypto.randomUUID()`, or leave `id` out where it is optional.'],
    example: {
      message: 'id is the id of another row',
      hint: 'Make a new id with crypto.randomUUID(), or leave it out where it is optional.',
    },
  },
  KEY_TAKEN: {
    ...conflict,
    happened: 'This hash of an API key is stored already.',
    causes: ['the same call was made twice', 'a hash that was copied from another record'],
    actions: [
      'Look with `getApiKeysByUserId(userId)` whether the first call went through.',
      'Make a new key and hash it.',
    ],
    example: { message: 'this hash is stored already', hint: 'Make a new key and hash it anew.' },
  },
  MEMORY_EXISTS: {
    ...conflict,
    happened: '`updateMemory` would give the user the same text twice.',
    causes: ['two memories that an assistant rewrote into the same sentence'],
    actions: ['Delete one of the two with `deleteMemoryById`. (`saveMemory` of a text that is there returns its row.)'],
    example: {
      message: 'the user has a memory with this text already',
      hint: 'Delete one of the two with deleteMemoryById, or write another text.',
    },
  },
  USER_EXISTS: {
    ...conflict,
    happened: '`importUser` found the person of the file in the database.',
    causes: ['the file was imported before', 'the database that the file was exported from'],
    actions: [
      'Look with `exportUser` at what is there.',
      'Erase the person with `eraseUser({ userId })`, then import the file.',
    ],
    example: {
      message: 'the user 0198c5a2-7b1e-7c3a-9f00-3d2b6a41e8f5 is in this database already',
      hint: 'Nothing was written. Erase the person here first (eraseUser), or import into another database.',
    },
  },
};
