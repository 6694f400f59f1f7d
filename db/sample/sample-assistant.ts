// The data of a sample assistant: people, chats, memories, tasks, reservations and protocols, for demonstrations,
// tests and benchmarks. Plain data, the same to the last byte for the same seed; it reads no clock and writes nothing.

import { conversationTitle, defaultStartTime, subjects } from './conversations.ts';
import { coreConversation } from './core-messages.ts';
import { type SampleMemory, sampleMemories } from './memories.ts';
import { type SampleProtocol, sampleProtocols } from './protocols.ts';
import { Random, uuidVersion7 } from './random.ts';
import { type SampleReservation, sampleReservations } from './reservations.ts';
import { type SampleTask, sampleTasks } from './tasks.ts';
import { longestPauseMs, uiConversation } from './ui-messages.ts';
import { chloe, daniel, maya, type SampleUser, sampleUsers } from './users.ts';

export interface SampleOptions {
  /** A whole number from 0; 1 where not given. */
  seed?: number;
  /** The end of the sixty days in which the chats were held; 2026-11-01T09:00:00Z where not given. */
  startTime?: Date;
}

interface ChatFacts {
  id: string;
  userEmail: string;
  title: string | null;
  createdAt: Date;
}

export interface SampleChat extends ChatFacts {
  /** All in one shape, `CoreMessage` of AI SDK v3 or `UIMessage` of v7. */
  messages: object[];
}

/** A chat whose messages are not made yet. */
export interface PlannedChat extends ChatFacts {
  messageCount: number;
  /** Makes its messages, or the beginning of a conversation that is cut short. The second call makes others. */
  makeMessages(count?: number): object[];
}

export interface SampleAssistant {
  users: SampleUser[];
  /** Oldest first. */
  chats: SampleChat[];
  memories: SampleMemory[];
  tasks: SampleTask[];
  reservations: SampleReservation[];
  protocols: SampleProtocol[];
}

const sixtyDaysMs = 60 * 24 * 3_600_000;

/** How many messages each chat has, 2,500 in all: a few long ones and many short, as people have them. */
const messageCounts: readonly number[] = [
  ...[400, 290, 210, 180, 150, 130, 110, 96, 84, 75, 70, 64, 58, 54, 50, 47, 44, 40, 37, 38],
  ...[31, 28, 26, 24, 22, 20, 18, 16, 14, 12, 11, 10, 8, 7, 6, 6, 5, 4, 3, 2],
];

/**
 * Everything the sample assistant knows: 3 users, 40 chats of 2 to 400 messages, 30 memories, 24 tasks,
 * 6 reservations and 5 protocols. A row names its owner by e-mail.
 * @throws RangeError for a seed that is not a whole number from 0, or a time outside of what a UUID can hold
 * @example const { users, chats } = sampleAssistant({ seed: 7 });
 */
export function sampleAssistant({ seed = 1, startTime = defaultStartTime }: SampleOptions = {}): SampleAssistant {
  const random = new Random(seed);
  return {
    users: sampleUsers.map((user) => ({ ...user })),
    chats: planChats(random.fork(), startTime).map(makeChat),
    memories: sampleMemories(random.fork()),
    tasks: sampleTasks(random.fork(), startTime),
    reservations: sampleReservations(random.fork(), startTime),
    protocols: sampleProtocols(),
  };
}

/** The 40 chats of the sample assistant of that seed, oldest first, one by one to be made. */
export function sampleChats({ seed = 1, startTime = defaultStartTime }: SampleOptions = {}): PlannedChat[] {
  return planChats(new Random(seed).fork(), startTime);
}

function planChats(random: Random, startTime: Date): PlannedChat[] {
  const owners = random.shuffle(chatOwners());
  return messageCounts
    .map((count, index) => planChat(random.fork(), owners[index] ?? maya, count, index % 2 === 0, startTime))
    .sort((one, other) => one.createdAt.getTime() - other.createdAt.getTime());
}

function chatOwners(): string[] {
  return [...Array<string>(25).fill(maya), ...Array<string>(12).fill(daniel), ...Array<string>(3).fill(chloe)];
}

function planChat(
  random: Random,
  userEmail: string,
  messageCount: number,
  isCore: boolean,
  startTime: Date,
): PlannedChat {
  const subject = random.pick(subjects);
  const longestMs = messageCount * longestPauseMs; // so that its last message, too, is before the start
  const createdAt = new Date(startTime.getTime() - random.integer(longestMs, sixtyDaysMs));
  const conversation = isCore ? coreConversation : uiConversation;
  return {
    id: uuidVersion7(random, createdAt.getTime()),
    userEmail,
    title: random.chance(75) ? conversationTitle(random, subject) : null,
    createdAt,
    messageCount,
    makeMessages: (count = messageCount) => [...conversation(random, count, { subject, startTime: createdAt })],
  };
}

function makeChat({ messageCount: _count, makeMessages, ...facts }: PlannedChat): SampleChat {
  return { ...facts, messages: makeMessages() };
}
