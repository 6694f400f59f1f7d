// How many messages, and how many bytes of them, one call hands over, and how many a chat has. What is in the call is
// known before a statement is built; how many messages the chat has already, the statement that takes its row says.

import { InvalidArgumentError, LimitError } from './errors.ts';
import { limits, raising } from './limit-settings.ts';

/** Refuses a list that is longer than one call, or a chat, may be. */
export function requireMessageCount(messages: readonly unknown[]): void {
  const { length } = messages;
  const { saveMessages, chatMessages } = limits();
  if (length > chatMessages) throw chatFull(0, length);
  if (length <= saveMessages) return;
  throw new InvalidArgumentError(
    'INVALID_MESSAGE',
    'messages',
    `has ${length} messages; one call takes at most ${saveMessages}`,
    `Save the first ones, and append the rest in several calls of appendMessages.${raising('saveMessages')}`,
    { limit: 'saveMessages', size: length, max: saveMessages },
  );
}

/** The bytes of JSON that one call hands over, counted while its messages become texts. */
export class SaveSize {
  private bytes = 0;

  /** @throws InvalidArgumentError INVALID_MESSAGE as soon as it is too much */
  add(text: string): void {
    this.bytes += Buffer.byteLength(text);
    const { saveBytes } = limits();
    if (this.bytes <= saveBytes) return;
    throw new InvalidArgumentError(
      'INVALID_MESSAGE',
      'messages',
      `has at least ${this.bytes} bytes of JSON; one call takes at most ${saveBytes}`,
      `Save the first ones, and append the rest in several calls of appendMessages.${raising('saveBytes')}`,
      { limit: 'saveBytes', size: this.bytes, max: saveBytes },
    );
  }
}

/** Refuses to put so many messages behind so many. */
export function requireRoom(messageCount: number, added: number): void {
  if (messageCount + added > limits().chatMessages) throw chatFull(messageCount, added);
}

/** The error for a chat that would get more messages than it may have. */
export function chatFull(messageCount: number, added: number): LimitError {
  const { chatMessages } = limits();
  const what =
    messageCount === 0
      ? `these are ${added} messages`
      : `the chat has ${messageCount} messages, and ${added} would be added`;
  return new LimitError(
    'CHAT_FULL',
    `${what}; a chat has at most ${chatMessages}`,
    `Begin another chat.${raising('chatMessages')}`,
    { argument: 'messages', limit: 'chatMessages', size: messageCount + added, max: chatMessages },
  );
}
