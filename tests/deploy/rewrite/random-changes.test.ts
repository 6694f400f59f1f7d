// Schema changes made at random, on filled tables: what is rewritten and deployed ends as drizzle-kit's own SQL does,
// catalogue and rows, and the next generation finds nothing to do. npm run test:long:rewrite makes 500 of them.

import { generateDrizzleJson, generateMigration } from 'drizzle-kit/api';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate } from 'drizzle-orm/postgres-js/migrator';
import fc from 'fast-check';
import { afterAll, expect, inject, test } from 'vitest';
import { deploy } from '../../../db/deployment.ts';
import { readSnapshot } from '../../../deploy/rewrite/known-schema.ts';
import { rewriteMigration } from '../../../deploy/rewrite/rewrite-migration.ts';
import { isLong, propertyTimeoutMs, runs } from '../../db/property-runs.ts';
import { journalFolder, onNewDatabase, removeFolders, statements } from '../own-database.ts';
import { everything } from './everything.ts';
import {
  arbitrarySchemaChange,
  fillStatements,
  type Model,
  madeByChance,
  type SchemaChange,
  toDrizzle,
} from './random-schema.ts';

afterAll(removeFolders);

/** How often each form was taken, over all runs on a server: that nothing is left out can be seen. */
interface Count {
  applied: number;
  refusedByDrizzle: number;
  forms: Record<string, number>;
}

test.each(inject('servers'))(
  'on PostgreSQL $version ends as drizzle-kit’s own SQL does',
  async ({ url, version }) => {
    const count: Count = { applied: 0, refusedByDrizzle: 0, forms: {} };
    const { seed, ...others } = runs(20, 250);
    await fc.assert(
      // Where the server is new enough, also in the form that only it has.
      fc.asyncProperty(arbitrarySchemaChange, fc.constantFrom(15, Math.max(15, version)), (change, target) =>
        compareBoth(url, change, target, count),
      ),
      { ...others, seed: seed + version },
    );
    console.info(`PostgreSQL ${version}: ${JSON.stringify(count)}`);
    expect(count.applied).toBeGreaterThanOrEqual(isLong ? others.numRuns : 1); // a slow machine makes fewer
    if (isLong) expect(Object.keys(count.forms).length).toBeGreaterThan(5);
  },
  propertyTimeoutMs,
);

async function compareBoth(url: string, { before, after }: SchemaChange, version: number, count: Count): Promise<void> {
  const empty = generateDrizzleJson({});
  const first = generateDrizzleJson(toDrizzle(before), empty.id);
  const second = generateDrizzleJson(toDrizzle(after), first.id);
  const change = await generateMigration(first, second);
  fc.pre(change.length > 0);
  expect(await generateMigration(second, generateDrizzleJson(toDrizzle(after), second.id))).toEqual([]);

  const beginning = {
    tag: '0000_first',
    when: 1000,
    sql: statements(...(await generateMigration(empty, first)), ...fillStatements(before)),
  };
  const plain = change.join('\n--> statement-breakpoint\n');
  const { text, changes } = await rewriteMigration(plain, { schema: readSnapshot(first), version });
  const expected = await applied(url, after, async (own, sql) => {
    await migrate(drizzle(sql), {
      migrationsFolder: journalFolder([beginning, { tag: '0001_plain', when: 2000, sql: plain }]),
    });
    return own;
  });
  if (typeof expected === 'string') {
    count.refusedByDrizzle += 1;
    fc.pre(false); // another one is made in its place
  }
  const ours = await applied(url, after, (own) =>
    deploy({ url: own, migrationsFolder: journalFolder([beginning, { tag: '0001_ours', when: 2000, sql: text }]) }),
  );
  expect(ours, text).toEqual(expected);
  const again = await rewriteMigration(text, { schema: readSnapshot(first), version });
  expect(again.text).toBe(text);
  count.applied += 1;
  for (const { what } of changes) {
    const form = what.split(' "')[0] as string;
    count.forms[form] = (count.forms[form] ?? 0) + 1;
  }
}

/** What a database has in the end, or why it could not be brought there. */
async function applied(
  url: string,
  model: Model,
  work: (own: string, sql: Parameters<Parameters<typeof onNewDatabase>[1]>[0]['sql']) => Promise<unknown>,
): Promise<string[] | string> {
  let result: string[] | string = [];
  await onNewDatabase(url, async ({ url: own, sql }) => {
    try {
      await work(own, sql);
      result = await everything(sql, madeByChance(model));
    } catch (error) {
      result = String((error as Error).message);
    }
  });
  return result;
}
