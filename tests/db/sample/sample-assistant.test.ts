// The sample data: as many rows as promised, the same for the same seed, every shape and part in it.
// Looks at the data alone; how it gets into a database is tested with whoever loads it.

import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type CoreMessage, coreConversation, type ToolResultPart } from '../../../db/sample/core-messages.ts';
import { Random, uuidVersion7 } from '../../../db/sample/random.ts';
import { type SampleAssistant, sampleAssistant } from '../../../db/sample/sample-assistant.ts';
import { type UiMessage, uiConversation } from '../../../db/sample/ui-messages.ts';

type CorePart = Exclude<CoreMessage['content'], string>[number];

const uuid7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const dayMs = 24 * 3_600_000;
const sample = sampleAssistant();
const messages = sample.chats.flatMap((chat) => chat.messages);
const uiMessages = messages.filter(isUi);
const coreMessages = messages.filter((message): message is CoreMessage => !isUi(message));

describe('how much there is', () => {
  it('has the promised number of rows of each kind', () => {
    const { users, chats, memories, tasks, reservations, protocols } = sample;
    const counts = [users, chats, memories, tasks, reservations, protocols].map(({ length }) => length);
    expect(counts).toEqual([3, 40, 30, 24, 6, 5]);
  });

  it('has 2,500 messages, 2 to 400 in a chat', () => {
    const lengths = sample.chats.map((chat) => chat.messages.length);
    expect([messages.length, Math.min(...lengths), Math.max(...lengths)]).toEqual([2_500, 2, 400]);
  });

  it('spreads the chats unevenly over the users, and everything belongs to one of them', () => {
    const emails = sample.users.map(({ email }) => email);
    expect(emails.map((email) => sample.chats.filter(({ userEmail }) => userEmail === email).length)).toEqual([
      25, 12, 3,
    ]);
    const { chats, memories, tasks, reservations, protocols } = sample;
    for (const { userEmail } of [...chats, ...memories, ...tasks, ...reservations, ...protocols]) {
      expect(emails).toContain(userEmail);
    }
  });

  it('is made in less than a second', () => {
    const before = performance.now();
    sampleAssistant({ seed: 99 });
    expect(performance.now() - before).toBeLessThan(1_000);
  });
});

describe('the same seed', () => {
  it('gives the same bytes on every run', () => {
    expect(digest(sampleAssistant())).toBe(digest(sample));
    expect(digest(sampleAssistant({ seed: 1, startTime: new Date('2026-11-01T09:00:00Z') }))).toBe(digest(sample));
  });

  it('gives the same bytes on every platform (a change of texts or order changes this number on purpose)', () => {
    expect(digest(sample)).toBe('486c61aab3567e8740095c6b9aa6e4cf8f2082e282f740195c5819ee4bc4829a');
  });

  it('is not another seed: ids and the order of the texts differ', () => {
    const other = sampleAssistant({ seed: 2 });
    expect(digest(other)).not.toBe(digest(sample));
    expect(longest(other).map(({ id }) => id)).not.toEqual(longest(sample).map(({ id }) => id));
    expect(JSON.stringify(longest(other)[0]?.messages)).not.toBe(JSON.stringify(longest(sample)[0]?.messages));
  });

  it('leaves what a caller changed out of the next sample', () => {
    const changed = sampleAssistant();
    for (const user of changed.users) user.displayName = 'changed';
    for (const protocol of changed.protocols) protocol.parts.length = 0;
    expect(digest(sampleAssistant())).toBe(digest(sample));
  });

  it.each([-1, 0.5, Number.NaN, 2 ** 53])('refuses the seed %s', (seed) => {
    expect(() => sampleAssistant({ seed })).toThrow(RangeError);
  });
});

describe('chats', () => {
  it('has ids of version 7 that carry the time, all different, oldest first', () => {
    const ids = sample.chats.map(({ id }) => id);
    expect(new Set(ids).size).toBe(40);
    for (const { id, createdAt } of sample.chats) {
      expect(id).toMatch(uuid7);
      expect(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)).toBe(createdAt.getTime());
    }
    expect(ids).toEqual([...ids].sort());
  });

  it('lies within the sixty days before the start, its messages too', () => {
    const startTime = new Date('2020-02-29T00:00:00Z');
    const { chats } = sampleAssistant({ startTime });
    for (const { createdAt, messages } of chats) {
      expect(createdAt.getTime()).toBeGreaterThanOrEqual(startTime.getTime() - 60 * dayMs);
      for (const moment of [createdAt, ...messages.filter(isUi).flatMap(momentsOf)]) {
        expect(moment.getTime()).toBeGreaterThanOrEqual(createdAt.getTime());
        expect(moment.getTime()).toBeLessThan(startTime.getTime());
      }
    }
  });

  it('has some titles and some chats without one', () => {
    const titles = sample.chats.map(({ title }) => title);
    expect(titles).toContain(null);
    expect(titles.filter((title) => title && title.length <= 200).length).toBeGreaterThan(20);
  });

  it('holds each chat in one shape, half of them in each', () => {
    const uiChats = sample.chats.filter((chat) => chat.messages.every(isUi));
    const coreChats = sample.chats.filter((chat) => !chat.messages.some(isUi));
    expect([uiChats.length, coreChats.length]).toEqual([20, 20]);
  });
});

describe('messages', () => {
  it('are what JSON makes of them, to the last character', () => {
    for (const message of messages) expect(JSON.parse(JSON.stringify(message))).toStrictEqual(message);
  });

  it('leave no place of a text unfilled', () => {
    expect(JSON.stringify(sample)).not.toMatch(/\[\[\w+\]\]|\[object /);
  });

  it('are well-formed text, so that every column type can hold them', () => {
    const text = JSON.stringify(messages);
    expect(text.includes('\u0000')).toBe(false);
    expect(/\p{Surrogate}/u.test(text)).toBe(false);
  });

  it.each([
    ['Hebrew', /\p{Script=Hebrew}/u],
    [
      'Hebrew mixed with Latin letters and numbers',
      /\p{Script=Hebrew}[^"]{0,20}[A-Za-z]{3}[^"]{0,80}\d[^"]{0,80}\p{Script=Hebrew}/u,
    ],
    ['Arabic', /\p{Script=Arabic}/u],
    ['Chinese', /\p{Script=Han}/u],
    ['French', /[«»]|é/],
    ['a right-to-left mark', /\u200f/],
    ['a family of four', /👨‍👩‍👧‍👦/u],
    ['a flag of two letters', /\p{Regional_Indicator}{2}/u],
    ['a skin tone', /\p{Emoji_Modifier_Base}\p{Emoji_Modifier}/u],
    ['a code block', /```(?:ts|sql|js)\\n/],
    ['an escaped backslash before u0000', /\\\\u0000/],
  ])('has %s', (_what, pattern) => {
    expect(JSON.stringify(sample)).toMatch(pattern);
  });

  it('has short texts and long ones', () => {
    const lengths = uiMessages.flatMap(({ parts }) =>
      parts.map(({ text }) => (typeof text === 'string' ? text.length : 50)),
    );
    expect(Math.min(...lengths)).toBeLessThan(5);
    expect(Math.max(...lengths)).toBeGreaterThan(5_000);
  });
});

describe('the v3 shape', () => {
  it('has every role, and content as text and as parts', () => {
    const kinds = new Set(
      coreMessages.map(({ role, content }) => `${role} ${typeof content === 'string' ? 'text' : 'parts'}`),
    );
    expect([...kinds].sort()).toEqual([
      'assistant parts',
      'assistant text',
      'system text',
      'tool parts',
      'user parts',
      'user text',
    ]);
  });

  it('has every kind of part, and no ids', () => {
    const parts = coreMessages.flatMap(partsOf);
    const types = new Set(parts.map(({ type }) => type));
    expect([...types].sort()).toEqual(['file', 'image', 'text', 'tool-call', 'tool-result']);
    expect(parts.some((part) => part.type === 'tool-result' && part.isError === true)).toBe(true);
    expect(coreMessages.some((message) => 'id' in message)).toBe(false);
  });

  it('has a result for each call, in the message that follows it', () => {
    for (const { messages } of sample.chats) {
      messages.forEach((message, index) => {
        if (isUi(message)) return;
        const called = callIds(message as CoreMessage);
        if (called.length > 0) expect(resultIds(messages[index + 1] as CoreMessage)).toEqual(called);
        const answered = resultIds(message as CoreMessage);
        if (answered.length > 0) expect(callIds(messages[index - 1] as CoreMessage)).toEqual(answered);
      });
    }
    const ids = coreMessages.flatMap(callIds);
    expect(ids.length).toBeGreaterThan(100);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('the v7 shape', () => {
  const parts = uiMessages.flatMap((message) => message.parts);

  it('has ids that are no UUIDs, each one once', () => {
    for (const { id } of uiMessages) expect(id).toMatch(/^msg-[A-Za-z]{16}$/);
    expect(new Set(uiMessages.map(({ id }) => id)).size).toBe(uiMessages.length);
  });

  it('has metadata on some messages: a model, a time as text, a count of tokens', () => {
    const metadata = uiMessages.map((message) => message.metadata);
    expect(metadata).toContain(undefined);
    expect(metadata).toContainEqual({
      model: expect.any(String),
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      usage: { inputTokens: expect.any(Number), outputTokens: expect.any(Number), totalTokens: expect.any(Number) },
    });
  });

  it.each([
    'text',
    'reasoning',
    'step-start',
    'source-url',
    'file',
    'dynamic-tool',
    'custom',
    'data-progress',
    'data-result',
    'tool-getWeather',
    'tool-searchFlights',
    'tool-selectSeats',
    'tool-createReservation',
  ])('has parts of the type %s', (type) => {
    expect(parts.some((part) => part.type === type)).toBe(true);
  });

  it.each(['input-available', 'output-available', 'output-error', 'approval-requested', 'output-denied'])(
    'has tool calls in the state %s',
    (state) => {
      expect(parts.some((part) => part.type.startsWith('tool-') && part.state === state)).toBe(true);
    },
  );

  it('has pictures inside their URL, and hosted files', () => {
    const urls = parts.filter(({ type }) => type === 'file').map(({ url }) => String(url));
    expect(urls.some((url) => url.startsWith('data:image/png;base64,iVBORw0KGgo'))).toBe(true);
    expect(urls.some((url) => url.startsWith('https://'))).toBe(true);
  });

  it('cites sources that are among the message’s own', () => {
    const cited = uiMessages.filter(({ parts }) => parts.some(({ citations }) => citations));
    expect(cited.length).toBeGreaterThan(0);
    for (const { parts } of cited) {
      const sourceIds = parts.map(({ sourceId }) => sourceId);
      for (const { citations } of parts as Array<{ citations?: Array<{ source: { id: string } }> }>) {
        for (const { source } of citations ?? []) expect(sourceIds).toContain(source.id);
      }
    }
  });
});

describe('conversations of any length', () => {
  it.each([0, 1, 2, 3, 4, 5, 17, 20, 21, 22, 401])('have exactly %i messages', (messageCount) => {
    for (let seed = 0; seed < 20; seed++) {
      expect([...coreConversation(new Random(seed), messageCount)]).toHaveLength(messageCount);
      expect([...uiConversation(new Random(seed), messageCount)]).toHaveLength(messageCount);
    }
  });

  it('come one message at a time', () => {
    const core = coreConversation(new Random(1), 1_000_000_000);
    const ui = uiConversation(new Random(1), 1_000_000_000);
    expect([core.next().done, ui.next().done]).toEqual([false, false]);
  });

  it.each([-1, 1.5, Number.NaN])('refuse the count %s', (messageCount) => {
    expect(() => coreConversation(new Random(1), messageCount).next()).toThrow(RangeError);
    expect(() => uiConversation(new Random(1), messageCount).next()).toThrow(RangeError);
  });
});

describe('the rest', () => {
  it('has a user with a Hebrew name, sample passwords, and one without a picture', () => {
    const { users } = sample;
    expect(users.map(({ password }) => password)).toEqual([
      'sample-password-1',
      'sample-password-2',
      'sample-password-3',
    ]);
    expect(users.filter(({ displayName }) => /\p{Script=Hebrew}/u.test(displayName))).toHaveLength(1);
    expect(users.map(({ avatarUrl }) => avatarUrl)).toContain(null);
  });

  it('has no memory twice for one user, and one that two users share', () => {
    const owned = sample.memories.map(({ userEmail, content }) => `${userEmail} ${content}`);
    expect(new Set(owned).size).toBe(30);
    expect(new Set(sample.memories.map(({ content }) => content)).size).toBe(29);
  });

  it('has tasks in every status, with and without a date', () => {
    const statuses = new Set(sample.tasks.map(({ status }) => status));
    expect([...statuses].sort()).toEqual(['cancelled', 'completed', 'in_progress', 'pending']);
    expect(sample.tasks.some(({ dueAt }) => dueAt === null)).toBe(true);
    expect(sample.tasks.some(({ dueAt }) => dueAt instanceof Date)).toBe(true);
  });

  it('has reservations with all of their fields, paid and not, one with a field nobody knows', () => {
    const end = {
      cityName: expect.any(String),
      airportCode: expect.stringMatching(/^[A-Z]{3}$/),
      timestamp: expect.any(String),
      gate: expect.any(String),
      terminal: expect.any(String),
    };
    for (const { id, details } of sample.reservations) {
      expect(id).toMatch(uuid7);
      expect(details).toMatchObject({
        flightNumber: expect.any(String),
        departure: end,
        arrival: end,
        passengerName: expect.any(String),
        totalPriceInUSD: expect.any(Number),
      });
      expect(details.seats.length).toBeGreaterThan(0);
      expect(new Date(details.arrival.timestamp).getTime()).toBeGreaterThan(
        new Date(details.departure.timestamp).getTime(),
      );
    }
    expect(new Set(sample.reservations.map(({ hasCompletedPayment }) => hasCompletedPayment)).size).toBe(2);
    expect(sample.reservations.filter(({ details }) => Object.keys(details).length > 6)).toHaveLength(1);
  });

  it('has protocols with none to three revisions, each of which changes something', () => {
    const { protocols } = sample;
    expect(protocols.map(({ revisions }) => revisions.length).sort()).toEqual([0, 1, 1, 2, 3]);
    expect(protocols.some(({ parts }) => parts.some((part) => Object.keys(part).length > 1))).toBe(true);
    expect(protocols.map(({ description }) => description)).toContain(null);
    for (const { name, description, parts, revisions } of protocols) {
      const versions = [{ name, description, parts }, ...revisions].map((version) => JSON.stringify(version));
      expect(new Set(versions).size).toBe(versions.length);
    }
  });
});

describe('the random source', () => {
  it('draws numbers in their range, and every one of them', () => {
    const random = new Random(5);
    const drawn = new Set(Array.from({ length: 500 }, () => random.integer(-2, 3)));
    expect([...drawn].sort((one, other) => one - other)).toEqual([-2, -1, 0, 1, 2, 3]);
  });

  it('shuffles without losing or repeating, and leaves the original alone', () => {
    const items = [1, 2, 3, 4, 5, 6, 7, 8];
    const shuffled = new Random(3).shuffle(items);
    expect(items).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect([...shuffled].sort()).toEqual(items);
    expect(shuffled).not.toEqual(items);
  });

  it('makes UUIDs of version 7 from the first millisecond to the last, and refuses what does not fit', () => {
    const random = new Random(4);
    expect(uuidVersion7(random, 0)).toMatch(/^00000000-0000-7/);
    expect(uuidVersion7(random, 2 ** 48 - 1)).toMatch(/^ffffffff-ffff-7/);
    for (const timeMs of [-1, 2 ** 48, 1.5, Number.NaN]) expect(() => uuidVersion7(random, timeMs)).toThrow(RangeError);
  });
});

function isUi(message: object): message is UiMessage {
  return 'parts' in message;
}

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}

function longest({ chats }: SampleAssistant): SampleAssistant['chats'] {
  return chats.filter(({ messages }) => messages.length === 400);
}

function partsOf({ content }: CoreMessage): CorePart[] {
  return typeof content === 'string' ? [] : content;
}

function callIds(message: CoreMessage): string[] {
  return partsOf(message).flatMap((part) => (part.type === 'tool-call' ? [part.toolCallId] : []));
}

function resultIds(message: CoreMessage | undefined): string[] {
  if (message?.role !== 'tool') return [];
  return message.content.map((part: ToolResultPart) => part.toolCallId);
}

function momentsOf({ metadata }: UiMessage): Date[] {
  return typeof metadata?.createdAt === 'string' ? [new Date(metadata.createdAt)] : [];
}
