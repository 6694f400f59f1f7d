// Conversations in the `UIMessage` shape of AI SDK v7: ids that are not UUIDs, parts, sometimes metadata.
// Plain JSON values only; a call may be waiting, failed or refused, as they are in a store of real chats.
// Messages come one at a time: a conversation of a million needs no more memory than one of ten.

import { type ConversationOptions, openScene } from './conversations.ts';
import type { Random } from './random.ts';
import { assistantNames, plain, type UiPart, type UiTurn, uiTurnBuilders } from './ui-turns.ts';

export interface UiMessage {
  id: string;
  role: 'system' | 'user' | 'assistant';
  metadata?: Record<string, unknown>;
  parts: UiPart[];
}

/** The longest pause before a message: a chat of n messages ends within n times this. */
export const longestPauseMs = 180_000;

const longEnoughForSystem = 20;

/**
 * A conversation of exactly `messageCount` messages. One that is not small has every kind of part in it; it may
 * end with a question that nobody answered.
 * @throws RangeError where the count is not a whole number from 0
 * @example [...uiConversation(new Random(1), 2)] // [{ id: 'msg-…', role: 'user', parts: [{ type: 'text', … }] }, …]
 */
export function* uiConversation(
  random: Random,
  messageCount: number,
  options: ConversationOptions = {},
): Generator<UiMessage, void, void> {
  const scene = openScene(random, messageCount, options);
  const builders = random.deal(uiTurnBuilders);
  const clock = createClock(random, scene.startTime);

  let build = plain; // first, so that a chat begins with what its title says
  let remaining = messageCount;
  if (remaining >= longEnoughForSystem && remaining % 2 === 1) {
    yield { id: newMessageId(random), role: 'system', parts: [{ type: 'text', text: scene.subject.systemPrompt }] };
    remaining--;
  }
  for (; remaining > 0; remaining -= 2) {
    yield* messagesOf(random, build(scene), clock).slice(0, remaining);
    build = builders.next().value;
  }
}

function messagesOf(random: Random, { user, assistant }: UiTurn, clock: () => Date): UiMessage[] {
  const askedAt = clock();
  const asked: UiMessage = { id: newMessageId(random), role: 'user', parts: user };
  if (random.chance(20)) asked.metadata = { createdAt: askedAt.toISOString() };
  const answered: UiMessage = { id: newMessageId(random), role: 'assistant', parts: assistant };
  const answeredAt = clock();
  if (random.chance(60)) answered.metadata = answerMetadata(random, answeredAt);
  return [asked, answered];
}

function answerMetadata(random: Random, createdAt: Date): Record<string, unknown> {
  const inputTokens = random.integer(40, 9_000);
  const outputTokens = random.integer(3, 1_500);
  return {
    model: random.pick(assistantNames),
    createdAt: createdAt.toISOString(),
    usage: { inputTokens, outputTokens, totalTokens: inputTokens + outputTokens },
  };
}

function createClock(random: Random, startTime: Date): () => Date {
  let timeMs = startTime.getTime();
  return () => {
    const now = new Date(timeMs);
    timeMs += random.integer(1_500, longestPauseMs);
    return now;
  };
}

function newMessageId(random: Random): string {
  return `msg-${random.letters(16)}`;
}
