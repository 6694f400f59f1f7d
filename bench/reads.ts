// Reading, beside the driver alone with the same statements: 32 callers at once.

import { digestsOfKey } from '../db/api-key-digest.ts';
import { getChatById, getMemoriesByUserId, getUser, listChats, verifyApiKey } from '../db/queries.ts';
import { compare, type Effort, type Figure, figureOf, type Measure } from './figure.ts';
import type { OtherRows, ReadRows } from './read-rows.ts';
import { openReader, type Reader } from './reader.ts';
import type { SpecWay } from './spec-way.ts';
import { callers, type Stage } from './stage.ts';

export interface Read {
  name: string;
  ours(): Promise<unknown>;
  /** Of the statement that the call sends. */
  params: (string | number)[];
  /** Absent where it has nothing to compare. */
  theirs?(spec: SpecWay, rows: ReadRows): Promise<unknown>;
  /** Of the driver's rate; 0.9 unless given. */
  least?: number;
}

export const listReads = ({ email, userId, chatId, apiKey }: ReadRows): Read[] => [
  {
    name: '`getUser`',
    ours: () => getUser(email),
    params: [email],
    theirs: (spec, rows) => spec.getUser(rows.email),
  },
  {
    name: '`getChatById`, 50 messages',
    ours: () => getChatById({ id: chatId }),
    params: [chatId],
    theirs: (spec, rows) => spec.getChatById({ id: rows.chatId }),
  },
  {
    name: '`listChats`, a page of 20 of 62',
    ours: () => listChats({ userId }),
    params: [userId, 21],
    theirs: (spec, rows) => spec.getChatsByUserId({ id: rows.userId }),
  },
  {
    name: '`getMemoriesByUserId`, 20 of 60',
    ours: () => getMemoriesByUserId({ userId, limit: 20 }),
    params: [userId, 20, 0],
    theirs: (spec, rows) => spec.getMemoriesByUserId({ userId: rows.userId }),
  },
  {
    name: '`verifyApiKey`',
    ours: () => verifyApiKey(apiKey),
    params: [`{${digestsOfKey(apiKey).map(({ digest }) => digest)}}`, '{}'],
    least: 0.8,
  },
];

/** Calls a second of many callers at once. */
export async function rateOf(call: () => Promise<unknown>, lastsMs: number): Promise<number> {
  let calls = 0;
  const startMs = performance.now();
  const one = async (): Promise<void> => {
    for (; performance.now() - startMs < lastsMs; calls += 1) await call();
  };
  await Promise.all(Array.from({ length: callers }, one));
  return calls / (performance.now() - startMs);
}

/** On a server each side is in a process of its own, as in an application, which has one of them. */
export async function measureReads(
  stage: Stage,
  rows: ReadRows,
  effort: Effort,
  others?: OtherRows,
): Promise<Figure[]> {
  const statements: string[] = [];
  for (const { ours } of listReads(rows)) statements.push(await stage.firstStatement(ours));
  if (stage.url === undefined) {
    const here = (call: (read: Read, i: number) => Promise<unknown>): Reader => ({
      rate: (i) => stage.run(() => rateOf(() => call(listReads(rows)[i] as Read, i), effort.readMs)),
      close(): void {},
    });
    const raw = here(({ params }, i) => stage.raw.run(statements[i] as string, params));
    return compareReaders(stage, rows, effort, { base: raw, ours: here(({ ours }) => ours()) });
  }
  const { url } = stage;
  const open = (way: 'base' | 'ours' | 'spec', own: ReadRows): Promise<Reader> =>
    openReader({ url, way, rows: own, statements, readMs: effort.readMs });
  const readers = {
    base: await open('base', rows),
    ours: await open('ours', rows),
    ...(others ? { spec: await open('spec', others.rows) } : {}),
  };
  try {
    return await compareReaders(stage, rows, effort, readers);
  } finally {
    for (const reader of Object.values(readers)) reader.close();
  }
}

async function compareReaders(
  { engine }: Stage,
  rows: ReadRows,
  { rounds }: Effort,
  { base, ours, spec }: { base: Reader; ours: Reader; spec?: Reader },
): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [i, { name, theirs, least = 0.9 }] of listReads(rows).entries()) {
    console.error(`${engine}: ${name}`);
    const rateBy = (reader: Reader): Measure => reader.rate.bind(reader, i);
    const ways = { ours: rateBy(ours), ...(spec && theirs ? { spec: rateBy(spec) } : {}) };
    await compare(rateBy(base), ways, { rounds: 2 }); // what is connected, prepared and compiled the first time
    const ratios = await compare(rateBy(base), ways, { rounds });
    const to = `the driver alone, same statement, ${callers} callers: calls a second`;
    figures.push(figureOf({ group: 'Reading', name, to, target: { least } }, ratios));
  }
  return figures;
}
