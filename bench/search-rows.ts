// The rows that search is measured on: messages and memories of sentences in three scripts, the same in every run. Words
// come as often as in a language, the hundredth most frequent one a hundredth as often as the first.

import type postgres from 'postgres';
import { uuidv7 } from '../db/uuid.ts';

export interface SearchRows {
  userId: string;
  /** Words of three letters and more, or of one and more in Chinese. */
  queries: readonly string[];
  shortQueries: readonly string[];
}

const sentenceCount = 4000;
const messagesOfChat = 50;
const usersBeside = 20;

/** @param messages of one person @param all of everybody together @param memories of the one */
export async function prepareSearchRows(
  sql: postgres.Sql,
  { messages, all, memories }: { messages: number; all: number; memories: number },
): Promise<SearchRows> {
  const vocabulary = makeVocabulary();
  const sentences = Array.from({ length: sentenceCount }, () => makeSentence(vocabulary));
  const [userId, ...others] = Array.from({ length: usersBeside + 1 }, () => uuidv7()) as [string, ...string[]];
  await sql.begin(async (within) => {
    await within.unsafe('set local session_replication_role = replica'); // foreign keys are not what is measured
    await within.unsafe('select setseed(0.5)');
    await within`insert into "User" (id, email) select id, id::text || '@example.com' from unnest(${[userId, ...others]}::uuid[]) id`;
    await within.unsafe('create temporary table sentence (n int primary key, text text) on commit drop');
    await within`insert into sentence select n, text from unnest(${sentences}::text[]) with ordinality s (text, n)`;
    await within.unsafe('analyze sentence');
    for (const [owners, count] of [
      [[userId], messages],
      [others, all - messages],
    ] as const) {
      await within.unsafe(chatsAndMessages, [owners as string[], Math.round(count / messagesOfChat)]);
    }
    await within.unsafe(memoryRows, [userId, memories]);
  });
  for (const table of ['User', 'Chat', 'Message', 'Memory']) await sql.unsafe(`vacuum analyze "${table}"`);
  return { userId, queries: listQueries(vocabulary), shortQueries: ['xq', 'ah', 'שק', 'בד', 'wz'] };
}

/** An id of version 7, as the package makes them: of this time. */
const idAt = (time: string): string =>
  `(lpad(to_hex((extract(epoch from ${time}) * 1000)::bigint), 12, '0') || '7' || substr(md5(random()::text), 1, 3)
    || '8' || substr(md5(random()::text), 1, 15))::uuid`;

/** Those of a chat are in the order of their ids, as they are when one is written after the other. */
const messageIdAt = (position: string): string =>
  `(substr(id::text, 1, 14) || '7' || lpad(to_hex(${position}), 3, '0') || substr(id::text, 19))::uuid`;

/** The number of a sentence. */
const drawn = `(1 + floor(random() * ${sentenceCount}))::int`;

/** Two to four sentences each: hash joins, since to take one out of an array of texts means to walk through it. */
const chatsAndMessages = `with chats as (
  insert into "Chat" (id, "userId", "messageCount", "createdAt")
  select ${idAt(`timestamptz '2025-01-01' + n * interval '1 hour'`)}, ($1::uuid[])[1 + n % cardinality($1::uuid[])],
    ${messagesOfChat}, timestamptz '2025-01-01' + n * interval '1 hour'
  from generate_series(1, $2::int) n
  returning id, "userId", "createdAt"
), drawn as (
  select chats.*, position, case position % 2 when 0 then 'user' else 'assistant' end as role,
    ${[0, 1, 2, 3].map((i) => `case when ${i} < 2 + position % 3 then ${drawn} end as n${i}`).join(', ')}
  from chats, generate_series(0, ${messagesOfChat - 1}) position
)
insert into "Message" (id, "userId", "chatId", "parentId", position, role, body, "createdAt")
select
  ${messageIdAt('position')}, "userId", id, case when position > 0 then ${messageIdAt('position - 1')} end, position, role,
  json_build_object('role', role, 'content', concat_ws(' ', s0.text, s1.text, s2.text, s3.text)),
  "createdAt" + position * interval '1 minute'
from drawn
${[0, 1, 2, 3].map((i) => `left join sentence s${i} on s${i}.n = n${i}`).join('\n')}`;

const memoryRows = `insert into "Memory" (id, user_id, content, created_at)
select ${idAt(`timestamptz '2025-01-01' + i * interval '1 minute'`)}, $1::uuid, text || ' ' || i,
  timestamptz '2025-01-01' + i * interval '1 minute'
from (select i, ${drawn} as n from generate_series(1, $2::int) i) drawn
join sentence using (n)`;

/** Frequent words first. */
interface Vocabulary {
  latin: string[];
  hebrew: string[];
  chinese: string[];
}

let seed = 1;
function random(below: number): number {
  seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
  return Math.floor((seed / 0x80000000) * below);
}

function makeVocabulary(): Vocabulary {
  seed = 1;
  const pick3 = (text: string): string => text.split(' ')[random(text.split(' ').length)] as string;
  const syllable = (): string =>
    pick3('b c d f g h j k l m n p r s t v w z ch sh th st tr pl br gr fl sp cr qu') +
    pick3('a e i o u ai ea ee oo ou io') +
    pick3('- - - n r s l t m d ck ng nd st rt ll x p'.replaceAll('-', ''));
  const word = (): string => Array.from({ length: 1 + random(3) }, syllable).join('');
  const letters = (count: number, first: number, of: number): string =>
    String.fromCodePoint(...Array.from({ length: count }, () => first + random(of)));
  return {
    latin: [...new Set(Array.from({ length: 12_000 }, word))],
    hebrew: Array.from({ length: 3000 }, () => letters(2 + random(5), 0x5d0, 27)),
    chinese: Array.from({ length: 3000 }, () => letters(1 + random(3), 0x4e00, 2500)),
  };
}

/** As often as its place says: the logarithm of a word's place is even. */
function pick(words: readonly string[]): string {
  return words[Math.floor(Math.exp((random(10_000) / 10_000) * Math.log(words.length)))] as string;
}

function makeSentence({ latin, hebrew, chinese }: Vocabulary): string {
  const kind = random(10);
  const words = (of: readonly string[], count: number): string[] => Array.from({ length: count }, () => pick(of));
  if (kind === 0) return `${words(hebrew, 10).join(' ')}.`;
  if (kind === 1) return `${words(chinese, 16).join('')}。`;
  return `${words(latin, 12).join(' ')}.`;
}

/** Words that are rare, frequent, or not there, two together, a part of one, and short ones; in each script. */
function listQueries({ latin, hebrew, chinese }: Vocabulary): string[] {
  const at = (words: readonly string[], share: number): string =>
    words[Math.floor((words.length - 1) * share)] as string;
  return [
    ...[0.002, 0.02, 0.1, 0.3, 0.6, 0.9, 1].map((share) => at(latin, share)),
    ...[0.05, 0.5].map((share) => at(latin, share).slice(1)),
    `${latin[3]} ${at(latin, 0.01)}`,
    `${at(latin, 0.03)} ${at(latin, 0.02)}`,
    'nobody says this word: xylophonic',
    'zzzz',
    ...[0.01, 0.3, 0.9].map((share) =>
      at(
        hebrew.filter(({ length }) => length > 2),
        share,
      ),
    ),
    ...[0.01, 0.3, 0.9].map((share) => at(chinese, share)),
    '100%_sure',
  ];
}

let spoken: Vocabulary | undefined;

/** The text of a message, another one each time. */
export function sayMessage(): string {
  spoken ??= makeVocabulary();
  return [makeSentence(spoken), makeSentence(spoken), makeSentence(spoken)].join(' ');
}
