// A figure: one ratio, measured in turns, with what is promised of it, and the same of others: this package on the
// embedded database, the specification's way, LangGraph.

import { median, middleHalf } from './harness.ts';

export interface Figure {
  group:
    | 'Reading'
    | 'API keys'
    | 'Row-level security'
    | 'A turn'
    | 'Search'
    | 'Bytes'
    | 'Loading'
    | 'Command line'
    | 'Deploying'
    | 'Changing a schema';
  name: string;
  /** What the ratios are to. */
  to: string;
  ratio: number;
  /** Half of the rounds lie between these two. */
  middle: [number, number];
  /** What is promised; absent where the figure is there to be seen. */
  target?: { least: number } | { most: number };
  /** The ratios of others to the same; absent where they have no such thing. */
  embedded?: number;
  spec?: number;
  langGraph?: number;
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
  /** How many messages are loaded. */
  seedMessages: number;
  /** How many API keys there are to find one among. */
  apiKeys: number;
  /** How many messages there are to search in, of everybody. */
  searchedMessages: number;
  /** How many migrations are deployed. */
  migrations: number;
  /** How many rows a backfill goes through. */
  backfilledRows: number;
  /** How many rows the table has that is changed while others use it. */
  changedRows: number;
  /** The longest chat that LangGraph is given, whose turns take seconds there. */
  longestThread: number;
}

export type Way = 'ours' | 'spec' | 'langGraph';

/** Measures one way once, in any unit. */
export type Measure = () => Promise<number>;

export type Ratios = Partial<Record<Way, number[]>> & { ours: number[] };

export interface Rounds {
  rounds: number;
  /** Of the other ways, which may be slow; as many as `rounds` unless given. */
  otherRounds?: number;
}

/** Measures the ways and what they are compared with in turn, another one first in each round. */
export async function compare(
  base: Measure,
  ways: Partial<Record<Way, Measure | undefined>> & { ours: Measure },
  { rounds, otherRounds = rounds }: Rounds,
): Promise<Ratios> {
  const ratios: Ratios = { ours: [] };
  for (let round = 0; round < rounds; round += 1) {
    const present = Object.entries<Measure | undefined>({ base, ...ways }).filter(
      ([way, measure]) => measure !== undefined && (round < otherRounds || way === 'base' || way === 'ours'),
    ) as [Way | 'base', Measure][];
    const measured = new Map<Way | 'base', number>();
    for (let i = 0; i < present.length; i += 1) {
      const [way, measure] = present[(i + round) % present.length] as [Way | 'base', Measure];
      measured.set(way, await measure());
    }
    const to = measured.get('base') as number;
    measured.delete('base');
    for (const [way, value] of measured) ratios[way as Way] = [...(ratios[way as Way] ?? []), value / to];
  }
  return ratios;
}

export function figureOf(
  facts: Omit<Figure, 'ratio' | 'middle' | 'embedded' | 'spec' | 'langGraph'>,
  { ours, spec, langGraph }: Ratios,
): Figure {
  return {
    ...facts,
    ratio: median(ours),
    middle: middleHalf(ours),
    ...(spec ? { spec: median(spec) } : {}),
    ...(langGraph ? { langGraph: median(langGraph) } : {}),
  };
}

/** The figures of a server with those of the same name on the embedded database beside them. */
export function withEmbedded(figures: readonly Figure[], embedded: readonly Figure[]): Figure[] {
  return figures.map((figure) => {
    const same = embedded.find(({ name, to }) => name === figure.name && to === figure.to);
    return same ? { ...figure, embedded: same.ratio } : figure;
  });
}

export function isMet({ ratio, target }: Figure): boolean | undefined {
  if (!target) return undefined;
  return 'least' in target ? ratio >= target.least : ratio <= target.most;
}
