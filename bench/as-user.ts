// What row-level security costs: queries inside of asUser beside the same outside, by one caller, who waits for each.

import { asUser, getReservationById, listChats } from '../db/queries.ts';
import { createTestReservation } from '../db/testing/index.ts';
import { compare, type Effort, type Figure, figureOf, type Measure } from './figure.ts';
import type { ReadRows } from './read-rows.ts';
import type { Stage } from './stage.ts';

type Query = () => Promise<unknown>;

/** So many times in turn, in each of a measure's repetitions. */
async function inTurn(query: Query, times: number): Promise<void> {
  for (let i = 0; i < times; i += 1) await query();
}

export async function measureAsUser(stage: Stage, { userId }: ReadRows, effort: Effort): Promise<Figure[]> {
  const { id } = await stage.run(() => createTestReservation({ userId }));
  const lookUp: Query = () => getReservationById({ id, userId });
  const list: Query = () => listChats({ userId });
  const cases: { name: string; query: Query; times: number; most?: number }[] = [
    { name: 'one look-up by its key', query: lookUp, times: 1, most: 1.8 },
    { name: 'ten of them', query: lookUp, times: 10, most: 1.2 },
    { name: 'a page of `listChats`', query: list, times: 1 },
  ];
  const figures: Figure[] = [];
  for (const { name, query, times, most } of cases) {
    console.error(`${stage.engine}: ${name} in asUser`);
    const outside = msOf(stage, effort, () => inTurn(query, times));
    const inside = msOf(stage, effort, () => asUser(userId, () => inTurn(query, times)));
    await compare(outside, { ours: inside }, { rounds: 2 }); // what is connected, prepared and compiled the first time
    const ratios = await compare(outside, { ours: inside }, effort);
    const to = 'the same outside, one caller: milliseconds';
    const target = most === undefined ? {} : { target: { most } };
    figures.push(figureOf({ group: 'Row-level security', name: `${name}, in one \`asUser\``, to, ...target }, ratios));
  }
  return figures;
}

function msOf(stage: Stage, { readMs }: Effort, work: Query): Measure {
  return (): Promise<number> => stage.run(() => perCall(work, readMs / 4));
}

/** Milliseconds of one, over so long. */
async function perCall(work: Query, lastsMs: number): Promise<number> {
  const startMs = performance.now();
  let calls = 0;
  for (; performance.now() - startMs < lastsMs; calls += 1) await work();
  return (performance.now() - startMs) / calls;
}
