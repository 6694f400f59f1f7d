// The bench of loading runs, with a tiny effort: no figure is looked at.

import { expect, inject, test } from 'vitest';
import { measureSeed } from '../../bench/seed.ts';

const url = inject('servers').at(0)?.url;

test.runIf(url !== undefined)(
  'the rate of mytx seed is a ratio to a bare COPY, and its memory to what is promised',
  async () => {
    const effort = {
      rounds: 1,
      readMs: 0,
      seedMessages: 3000,
      apiKeys: 0,
      searchedMessages: 0,
      migrations: 10,
      backfilledRows: 20_000,
      changedRows: 0,
      longestThread: 0,
    };
    const figures = await measureSeed(url ?? '', effort);
    expect(figures.map(({ group, name, target }) => ({ group, name, target }))).toEqual([
      { group: 'Loading', name: '`mytx seed` of 3,000 messages', target: { least: 0.5 } },
      { group: 'Loading', name: 'memory of `mytx seed` of 3,000 messages at its peak', target: { most: 1 } },
    ]);
    for (const { ratio, middle } of figures) expect(ratio > 0 && Number.isFinite(middle[0])).toBe(true);
  },
);
