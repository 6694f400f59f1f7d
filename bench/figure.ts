// A figure: one ratio, measured in turns, with what is promised of it.

import { median, middleHalf } from './harness.ts';

export interface Figure {
  group: 'Reading' | 'A turn' | 'Bytes';
  name: string;
  /** What the ratio is to. */
  to: string;
  ratio: number;
  /** Half of the rounds lie between these two. */
  middle: [number, number];
  /** What is promised; absent where the figure is there to be seen. */
  target?: { least: number } | { most: number };
}

/** One point of the chart of a turn. */
export interface TurnTime {
  messages: number;
  /** Median milliseconds; absent where it was not measured. */
  oursMs: number;
  specMs: number;
  langGraphMs?: number;
}

export interface Effort {
  /** How many rounds each ratio is the median of. */
  rounds: number;
  /** How long one side of a round of concurrent reads lasts. */
  readMs: number;
}

/** Ratios of rounds, in which both sides were measured one after the other. */
export function figureOf(facts: Omit<Figure, 'ratio' | 'middle'>, ratios: readonly number[]): Figure {
  return { ...facts, ratio: median(ratios), middle: middleHalf(ratios) };
}

export function isMet({ ratio, target }: Figure): boolean | undefined {
  if (!target) return undefined;
  return 'least' in target ? ratio >= target.least : ratio <= target.most;
}

/** Calls both in turn, the first one first in every other round. */
export async function inTurn(
  rounds: number,
  one: () => Promise<number>,
  other: () => Promise<number>,
): Promise<number[]> {
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    if (round % 2 === 0) {
      const first = await one();
      ratios.push(first / (await other()));
    } else {
      const first = await other();
      ratios.push((await one()) / first);
    }
  }
  return ratios;
}
