// LimitError: what is stored would become larger than it may be.

import type { LimitCode } from '../../db/errors.ts';
import type { Entry } from '../error-catalogue.ts';

export const limitErrors: Record<LimitCode, Entry> = {
  CHAT_FULL: {
    class: 'LimitError',
    happened:
      'The active path of a chat would get more messages than a chat may have. `details` has `size`, how many they would be, and `max`.',
    causes: [
      'a program that appends to one chat for ever: a loop of an agent, a feed, a test that has no end',
      'a limit that was lowered with `configureLimits` below what the chat has',
    ],
    actions: [
      'Begin another chat, with a summary of this one as its first message.',
      'Raise `chatMessages` with [configureLimits](../queries.md#limits), where so long a chat is meant: `getChatById` reads all of it.',
    ],
    example: {
      message: 'the chat has 2 messages, and 1 would be added; a chat has at most 2',
      hint: 'Begin another chat. Or raise the limit where the process starts: configureLimits({ chatMessages }), 2147483647 at most.',
    },
    written: 'Nothing.',
    repeat: 'Safe, and useless: the chat is as full as before.',
  },
};
