// A message between the application and the database: its JSON text, which is stored to the last character, and the
// few facts that are columns. Any JSON object is a message, whatever the SDK and version that made it.

import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { describe, storableText } from './arguments.ts';
import { InvalidArgumentError } from './errors.ts';
import { type JsonRule, toJsonText } from './json-value.ts';
import { limits } from './limit-settings.ts';
import { textLimits } from './limits.ts';
import { requireMessageCount, SaveSize } from './message-limits.ts';
import { QuickLook } from './plain-json.ts';

/** A message as it is written. */
export interface EncodedMessage {
  /** What JSON.stringify makes of it. */
  text: string;
  role: string | null;
  /** Of the message's own `id`, as decimal digits; null where it has none. */
  ownIdHash: string | null;
  /** What stands for a chat that begins with it, where it is the user's; null where it is not. */
  preview: string | null;
}

/** The array of messages, no more than may be; or MISSING_ARGUMENT, INVALID_MESSAGE or CHAT_FULL. */
export function requireMessages(messages: unknown): readonly unknown[] {
  if (Array.isArray(messages)) {
    requireMessageCount(messages);
    return messages;
  }
  throw new InvalidArgumentError(
    messages === undefined ? 'MISSING_ARGUMENT' : 'INVALID_MESSAGE',
    'messages',
    `is ${messages === undefined ? 'missing (undefined)' : describe(messages)}; it must be an array of messages`,
    'Pass the messages themselves, not their JSON text.',
  );
}

/** Checks and encodes one message; `argument` names it in an error. */
export function encodeMessage(message: unknown, argument: string): EncodedMessage {
  if (message === undefined) {
    throw new InvalidArgumentError(
      'MISSING_ARGUMENT',
      argument,
      'is missing (undefined)',
      'Pass a message, which is an object.',
    );
  }
  const text = textOf(message, argument);
  const body = parseBody(text);
  return { text, role: storableRole(body.role), ownIdHash: hashOwnId(body.id), preview: previewOfOne(body) };
}

const ruleFor = (argument: string): JsonRule => ({ argument, code: 'INVALID_MESSAGE', limit: 'messageBytes' });

function textOf(message: unknown, argument: string): string {
  if (message === undefined) throw notAnObject(message, argument);
  const text = toJsonText(message, ruleFor(argument));
  if (text[0] !== '{') throw notAnObject(message, argument);
  return text;
}

/** Checks and encodes a list, which may have holes. */
export function encodeMessages(
  messages: readonly unknown[],
  firstIndex = 0,
  size: SaveSize = new SaveSize(),
): EncodedMessage[] {
  return Array.from(messages, (message, i) => {
    const argument = `messages[${firstIndex + i}]`;
    if (message === undefined) throw notAnObject(message, argument); // a hole, not a missing argument
    const encoded = encodeMessage(message, argument);
    size.add(encoded.text);
    return encoded;
  });
}

/** So much becomes one text at once: fewer calls, and no text as long as a chat. */
const batch = { messages: 100, bytes: 1024 * 1024 };

/** The text of an array or object is at most so many times as long as a QuickLook says at least: a number has up to 24 characters. */
const longestForm = 13;

/** The JSON texts of the first messages of a list, checked, and joined by commas some at a time. */
export function* joinedTexts(
  messages: readonly unknown[],
  count: number,
  size: SaveSize = new SaveSize(),
): Generator<{ text: string; count: number }, void, void> {
  for (let from = 0, to = 0; from < count; from = to) {
    const some = smallOnes(messages, from, Math.min(from + batch.messages, count));
    const together = textTogether(some);
    to = from + (together === undefined ? 1 : some.length);
    const text = together ?? textOf(messages[from], `messages[${from}]`);
    size.add(text);
    yield { text, count: to - from };
  }
}

/** The messages at a place that are plain, and so small that no escape makes a text of them longer than it may be. */
function smallOnes(messages: readonly unknown[], from: number, most: number): unknown[] {
  const { messageBytes, jsonDepth } = limits();
  let to = from;
  for (let bytes = 0; to < most; to += 1) {
    const quick = new QuickLook(messageBytes / longestForm, jsonDepth);
    if (!isPlainObject(messages[to], quick)) break;
    bytes += quick.bytes;
    if (bytes > batch.bytes) break;
  }
  return messages.slice(from, to);
}

function isPlainObject(message: unknown, quick: QuickLook): boolean {
  if (typeof message !== 'object' || message === null || Array.isArray(message) || message instanceof Date)
    return false;
  try {
    return quick.at(message) === 'plain';
  } catch {
    return false; // a getter or a Proxy: it is asked again by itself
  }
}

/** Undefined of none, and of those that are not the same when they are asked a second time. */
function textTogether(messages: readonly unknown[]): string | undefined {
  if (messages.length === 0) return undefined;
  try {
    return JSON.stringify(messages).slice(1, -1);
  } catch {
    return undefined;
  }
}

function notAnObject(message: unknown, argument: string): InvalidArgumentError {
  return new InvalidArgumentError(
    'INVALID_MESSAGE',
    argument,
    `is ${describe(message)}; it must be an object`,
    "Pass an object such as { role: 'user', content: 'Hello' }.",
  );
}

/** Whether a stored text and a new one are the same message; the order of keys does not count. */
export function isSameMessage(stored: string, next: string): boolean {
  return stored === next || isDeepStrictEqual(JSON.parse(stored), JSON.parse(next));
}

/** A text that is the same for messages that are. */
export function withSortedKeys(text: string): string {
  return JSON.stringify(JSON.parse(text), (_key, value) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)))
      : value,
  );
}

/** Whether both have an own id and it is the same: the later one completes the earlier. */
export function hasSameOwnId(stored: string, next: string): boolean {
  const { id } = parseBody(next);
  return isOwnId(id) && parseBody(stored).id === id;
}

/** The beginning of the first message of the user: '' when it has no text, null when there is no such message. */
export function previewOf(messages: readonly unknown[]): string | null {
  for (const message of messages) {
    if (!mayBeOfUser(message)) continue;
    const preview = previewOfOne(parseBody(JSON.stringify(message)));
    if (preview !== null) return preview;
  }
  return null;
}

/** Spares most messages of others their JSON text; what decides is the role there, as for the column. */
function mayBeOfUser(message: unknown): message is object {
  if (typeof message !== 'object' || message === null) return false;
  const { role, toJSON } = message as { role?: unknown; toJSON?: unknown };
  return role === 'user' || typeof role === 'object' || typeof toJSON === 'function';
}

function previewOfOne(body: Record<string, unknown>): string | null {
  return body.role === 'user' ? excerptOf(body) : null;
}

function parseBody(text: string): Record<string, unknown> {
  return JSON.parse(text);
}

function storableRole(role: unknown): string | null {
  return typeof role === 'string' && role.length <= textLimits.messageRole ? storableText(role) : null;
}

function isOwnId(id: unknown): id is string | number {
  return typeof id === 'string' || typeof id === 'number';
}

function hashOwnId(id: unknown): string | null {
  if (!isOwnId(id)) return null;
  // 53 bits: as many as a JavaScript number, and JSON, hold exactly.
  return (createHash('sha256').update(JSON.stringify(id)).digest().readBigUInt64BE(0) >> 11n).toString();
}

function excerptOf({ content, parts }: Record<string, unknown>): string {
  const text = typeof content === 'string' ? content : (firstText(content) ?? firstText(parts) ?? '');
  const line = storableText(text.slice(0, 4 * textLimits.chatPreview))
    .replaceAll(/\s+/g, ' ')
    .trim();
  if (line.length <= textLimits.chatPreview) return line;
  return [...line].slice(0, textLimits.chatPreview).join('');
}

function firstText(parts: unknown): string | undefined {
  if (!Array.isArray(parts)) return undefined;
  return parts.find((part) => part?.type === 'text' && typeof part.text === 'string')?.text;
}
