// The text of conversations: endless questions and answers about a subject, filled in and in an order of their own.
// Knows nothing of message shapes (core-messages.ts and ui-messages.ts do) and holds one deck of texts at a time,
// so that a conversation may be as long as wanted.

import { createFiller } from './fill-ins.ts';
import type { Random } from './random.ts';
import type { Exchange, Subject } from './subject.ts';
import { codeReview } from './subjects/code-review.ts';
import { cooking } from './subjects/cooking.ts';
import { homework } from './subjects/homework.ts';
import { planning } from './subjects/planning.ts';
import { smallTalk } from './subjects/small-talk.ts';
import { translation } from './subjects/translation.ts';
import { travel } from './subjects/travel.ts';
import { writing } from './subjects/writing.ts';

/** Every subject people talk about in the sample. */
export const subjects: readonly Subject[] = [travel, cooking, codeReview, homework, planning, translation, writing];

/** When the sample begins to look back: chats lie before it, flights and due dates around it. */
export const defaultStartTime: Date = new Date('2026-11-01T09:00:00.000Z');

export interface ConversationOptions {
  /** What it is about; picked at random where not given. */
  subject?: Subject;
  /** The time of its first message, where the shape holds one; `defaultStartTime` where not given. */
  startTime?: Date;
}

/** A question and an answer, ready to be put into messages. */
export interface TextTurn {
  question: string;
  answer: string;
}

/** What the messages of one conversation are made from. */
export interface Scene {
  random: Random;
  subject: Subject;
  startTime: Date;
  nextText: () => TextTurn;
}

/**
 * Opens the material of one conversation.
 * @throws RangeError where the count is not a whole number from 0
 */
export function openScene(random: Random, messageCount: number, options: ConversationOptions): Scene {
  if (!Number.isSafeInteger(messageCount) || messageCount < 0) {
    throw new RangeError(`The number of messages is ${messageCount}; it must be a whole number from 0.`);
  }
  const { subject = random.pick(subjects), startTime = defaultStartTime } = options;
  const turns = textTurns(random, subject);
  return { random, subject, startTime, nextText: () => turns.next().value };
}

/** A title for a conversation about the subject. */
export function conversationTitle(random: Random, subject: Subject): string {
  return createFiller(random)(random.pick(subject.titles));
}

/** Turns for ever: the subject's own first, then anything, as people do; small talk now and then, long answers too. */
function* textTurns(random: Random, subject: Subject): Generator<TextTurn, never, void> {
  const exchanges = exchangesFrom(random, subject);
  const chat = random.deal(smallTalk);
  while (true) {
    yield filled(random, lengthened(random, exchanges.next().value, subject));
    if (random.chance(15)) yield filled(random, chat.next().value);
  }
}

function* exchangesFrom(random: Random, subject: Subject): Generator<Exchange, never, void> {
  yield* random.shuffle(subject.exchanges);
  return yield* random.deal(subjects.flatMap(({ exchanges }) => exchanges));
}

/** One answer in five goes on for a few paragraphs; one in thirty is an essay of a few pages. */
function lengthened(random: Random, exchange: Exchange, subject: Subject): Exchange {
  const length = random.integer(1, 30);
  if (length > 7) return exchange;
  const paragraphs = length === 1 ? essay(random) : random.shuffle(subject.elaborations).slice(0, random.integer(2, 4));
  return { ask: exchange.ask, reply: [exchange.reply, ...paragraphs].join('\n\n') };
}

function essay(random: Random): string[] {
  const paragraphs = random
    .shuffle(subjects.flatMap(({ elaborations }) => elaborations))
    .slice(0, random.integer(12, 36));
  return paragraphs.map((paragraph, index) => (index % 4 === 0 ? `## ${index / 4 + 1}\n\n${paragraph}` : paragraph));
}

function filled(random: Random, exchange: Exchange): TextTurn {
  const fill = createFiller(random);
  return { question: fill(exchange.ask), answer: fill(exchange.reply) };
}
