// A turn of a conversation: two messages more, by append and by saving the whole history, on chats of every length;
// beside a bare insert, the specification's way, and LangGraph's checkpointer.

import { compare, type Effort, type Figure, figureOf, type Ratios, type TurnTime, type Way } from './figure.ts';
import { newBareTable, newChat, newSpecChat, newThread, type Talk } from './growing-chat.ts';
import { median, timeOf } from './harness.ts';
import type { Peers } from './peers.ts';
import type { Stage } from './stage.ts';

export async function measureTurns(stage: Stage, effort: Effort, peers?: Peers): Promise<Figure[]> {
  const { engine } = stage;
  const { rounds } = effort;
  return stage.run(async () => {
    console.error(`${engine}: a turn appended`);
    const figures = [await measureLongAppend(effort, peers), await measureShortAppend(stage, rounds, peers)];
    for (const length of [500, 5000]) {
      console.error(`${engine}: a turn saved, ${length} messages there`);
      figures.push(await measureSave(length, effort, peers));
    }
    return figures;
  });
}

/** Each way on a long chat, beside itself on an empty one. */
async function measureLongAppend(
  { rounds, longestThread }: Effort,
  { spec, langGraph }: Partial<Peers> = {},
): Promise<Figure> {
  const length = 10_000;
  const toItself = async (open: (length: number) => Promise<Talk>, count: number): Promise<number[]> => {
    const long = await open(length);
    await long.turn();
    const empty = async (): Promise<number> => (await open(0)).turn();
    return (await compare(empty, { ours: () => long.turn() }, { rounds: count })).ours;
  };
  const ratios: Ratios = { ours: await toItself((count) => newChat(count, 'append'), rounds * 20) };
  if (spec) ratios.spec = await toItself((count) => newSpecChat(spec, count), rounds);
  if (langGraph && length <= longestThread)
    ratios.langGraph = await toItself((count) => newThread(langGraph, count), 3);
  const name = '`appendMessages` of 2, 10,000 messages there';
  return figureOf({ group: 'A turn', name, to: 'the same on an empty chat', target: { most: 1.2 } }, ratios);
}

async function measureShortAppend(stage: Stage, rounds: number, peers?: Peers): Promise<Figure> {
  const bare = await newBareTable(stage.raw);
  const [chat, spec, thread] = await openAll(0, peers, 'append');
  for (let i = 0; i < 20; i += 1) await Promise.all([chat.turn(), bare.inTransaction()]);
  const ratios = await compare(
    () => bare.inTransaction(),
    { ours: () => chat.turn(), spec: spec && (() => spec.turn()), langGraph: thread && (() => thread.turn()) },
    { rounds: rounds * 20, otherRounds: rounds },
  );
  const to = 'a bare insert of the two rows, in begin and commit';
  return figureOf({ group: 'A turn', name: '`appendMessages` of 2', to, target: { most: 1.2 } }, ratios);
}

async function openAll(
  length: number,
  peers: Peers | undefined,
  how: 'append' | 'save',
  longestThread = Number.POSITIVE_INFINITY,
): Promise<[Talk, Talk | undefined, Talk | undefined]> {
  const { spec, langGraph } = peers ?? {};
  return [
    await newChat(length, how),
    spec && (await newSpecChat(spec, length)),
    langGraph && length <= longestThread ? await newThread(langGraph, length) : undefined,
  ];
}

/** The time above an append, as multiples of one JSON.stringify: whoever is given the whole history reads it once. */
async function measureSave(length: number, { rounds, longestThread }: Effort, peers?: Peers): Promise<Figure> {
  const appended = await newChat(length, 'append');
  const [saved, spec, thread] = await openAll(length, peers, 'save', longestThread);
  const ways: [Way, Talk | undefined, number][] = [
    ['ours', saved, rounds * 5],
    ['spec', spec, rounds],
    ['langGraph', thread, Math.min(rounds, 3)],
  ];
  const ratios: Ratios = { ours: [] };
  for (const [way, talk, count] of ways) {
    if (!talk) continue;
    await talk.turn();
    const times = way === 'ours' ? 5 : 1;
    ratios[way] = [];
    for (let round = 0; round < count; round += 1) ratios[way]?.push(await overStringify(talk, appended, times));
  }
  const name = `\`saveChat\` of 2 more, ${length.toLocaleString('en-US')} messages there`;
  const to = 'JSON.stringify of them: time above an append';
  return figureOf({ group: 'A turn', name, to, target: { most: 2 } }, ratios);
}

/** From medians of a few each: one call alone is as long as the disk's mood. */
async function overStringify(saved: Talk, appended: Talk, times: number): Promise<number> {
  const saves: number[] = [];
  const appends: number[] = [];
  const texts: number[] = [];
  for (let i = 0; i < times; i += 1) {
    appends.push(await appended.turn());
    saves.push(await saved.turn());
    texts.push(await timeOf(async () => JSON.stringify(saved.messages)));
  }
  return (median(saves) - median(appends)) / median(texts);
}

/** Milliseconds of a turn by length of the chat, three ways. */
export async function measureTurnTimes(
  stage: Stage,
  { rounds, longestThread }: Effort,
  peers: Peers,
): Promise<TurnTime[]> {
  return stage.run(async () => {
    const times: TurnTime[] = [];
    for (const length of [2, 100, 500, 2000, 5000]) {
      console.error(`a turn, three ways: ${length} messages there`);
      const talks = await openAll(length, peers, 'save', longestThread);
      for (const talk of talks) await talk?.turn();
      const taken = talks.map((): number[] => []);
      for (let round = 0; round < rounds; round += 1) {
        for (const [i, talk] of talks.entries()) if (talk) taken[i]?.push(await talk.turn());
      }
      const [oursMs = 0, specMs = 0, langGraphMs] = taken.map((some) => (some.length > 0 ? median(some) : undefined));
      times.push({ messages: length, oursMs, specMs, ...(langGraphMs === undefined ? {} : { langGraphMs }) });
    }
    return times;
  });
}
