// Checking API keys: among many as among few, and the specification's way beside it. That a check costs hardly more than
// its statement is among the reads (reads.ts).

import { sql } from 'drizzle-orm';
import { db, issueApiKey, verifyApiKey } from '../db/queries.ts';
import { createTestDatabase, createTestUser, type TestDatabase } from '../db/testing/index.ts';
import { compare, type Effort, type Figure, figureOf, type Measure } from './figure.ts';
import { timeOf } from './harness.ts';
import type { Peers } from './peers.ts';
import { rateOf } from './reads.ts';
import { callers, type Stage } from './stage.ts';

const few = 10;
/** bcrypt's cost in the original application. */
const specCost = 10;

/** In databases of their own, beside the stage's. */
export async function measureKeys({ engine, url }: Stage, effort: Effort, peers?: Peers): Promise<Figure[]> {
  const many = effort.apiKeys;
  const options = url === undefined ? {} : { url, poolSize: callers };
  const [small, large] = [await createTestDatabase(options), await createTestDatabase(options)];
  try {
    const msAmong = async (database: TestDatabase, keys: number): Promise<Measure> => {
      const check = checkInTurn(await database.run(() => storeKeys(keys)));
      return async () => 1 / (await database.run(() => rateOf(check, effort.readMs)));
    };
    const [amongFew, amongMany] = [await msAmong(small, few), await msAmong(large, many)];
    console.error(`${engine}: verifyApiKey among ${many.toLocaleString('en-US')}`);
    await compare(amongFew, { ours: amongMany }, { rounds: 2 }); // what is connected and compiled the first time
    const ratios = await compare(amongFew, { ours: amongMany }, effort);
    const name = `\`verifyApiKey\` among ${many.toLocaleString('en-US')} keys`;
    const to = `the same among ${few}, ${callers} callers: milliseconds a call`;
    const figure = figureOf({ group: 'API keys', name, to, target: { most: 1.2 } }, ratios);
    return peers ? [figure, await measureSpec(amongFew, peers, effort)] : [figure];
  } finally {
    await small.close();
    await large.close();
  }
}

/** One of the keys after the other. */
function checkInTurn(keys: readonly string[]): () => Promise<unknown> {
  let i = 0;
  return () => {
    i += 1;
    return verifyApiKey(keys[i % keys.length] as string);
  };
}

/** So many keys. @returns ten of them, half of which are the oldest, half the newest */
async function storeKeys(count: number): Promise<string[]> {
  const { id: userId } = await createTestUser();
  const issue = async (keys: number): Promise<string[]> => {
    const issued: string[] = [];
    for (let i = 0; i < keys; i += 1) issued.push((await issueApiKey({ userId, name: `key ${i}` })).key);
    return issued;
  };
  const oldest = await issue(few / 2);
  await db.execute(sql`insert into "ApiKey" (id, "userId", "hashedKey", name, prefix)
    select gen_random_uuid(), ${userId}::uuid, substr(md5(n::text) || md5((-n)::text), 1, 43), 'key', 'mytx_live_0000'
    from generate_series(1, ${count - few}::int) n`);
  const keys = [...oldest, ...(await issue(few / 2))];
  await db.execute(sql`analyze "ApiKey"`);
  return keys;
}

/** Alone, without other callers: with 32 it would be as many times slower, for it fills the cores. */
async function measureSpec(amongFew: Measure, { spec }: Peers, { rounds }: Effort): Promise<Figure> {
  console.error('the specification’s way with keys');
  const keys = await spec.addApiKeys(few, specCost);
  const findEach = async (): Promise<void> => {
    for (const key of keys) await spec.findValidApiKey(key);
  };
  const ms: Measure = async () => (await timeOf(findEach)) / keys.length;
  const ratios = await compare(amongFew, { ours: ms }, { rounds: Math.min(rounds, 3) });
  const name = `the specification’s way, one caller: bcrypt of cost ${specCost} with each of ${few} keys until one fits`;
  return figureOf({ group: 'API keys', name, to: '`verifyApiKey` among as many: milliseconds a call' }, ratios);
}
