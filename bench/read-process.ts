// The process of a reader (reader.ts): gets the number of a read, and answers how many calls a millisecond it made.

import postgres from 'postgres';
import { openDatabase } from '../db/database.ts';
import type { ReaderOptions } from './reader.ts';
import { listReads, type Read, rateOf } from './reads.ts';
import { openSpecWay } from './spec-way.ts';
import { callers } from './stage.ts';

type Call = (read: Read, i: number) => Promise<unknown>;

const { url, way, rows, statements, readMs } = JSON.parse(process.env.BENCH_READER ?? '') as ReaderOptions;

const ways: Record<ReaderOptions['way'], () => Promise<Call>> = {
  async base(): Promise<Call> {
    const sql = postgres(url, { max: callers });
    return ({ params }, i) => sql.unsafe(statements[i] as string, params, { prepare: true });
  },
  async ours(): Promise<Call> {
    await openDatabase({ url, poolSize: callers });
    return ({ ours }) => ours();
  },
  async spec(): Promise<Call> {
    const spec = await openSpecWay(url);
    return async ({ theirs }) => theirs?.(spec, rows);
  },
};

const call = await ways[way]();
process.on('message', async (i: number) => {
  process.send?.(await rateOf(() => call(listReads(rows)[i] as Read, i), readMs));
});
process.on('disconnect', () => process.exit());
process.send?.(0);
