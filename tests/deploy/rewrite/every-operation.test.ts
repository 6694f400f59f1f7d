// Each statement of the table of operations, rewritten: none is too strange for it, and twice is once.

import { expect, test } from 'vitest';
import { rewriteMigration } from '../../../deploy/rewrite/rewrite-migration.ts';
import { examples } from '../operations/examples.ts';

test.each(Object.entries(examples))('%s', async (_id, { sql }) => {
  const once = await rewriteMigration(sql);
  const twice = await rewriteMigration(once.text);
  expect(twice.text).toBe(once.text);
  expect(twice.changes).toEqual([]);
  // What is neither made in another way nor explained stays to the character.
  if (once.changes.length + once.explanations.length === 0) expect(once.text).toBe(sql);
});

test('a type is dropped and made anew, as drizzle-kit takes a value out of an enum', async () => {
  const sql = [
    'ALTER TABLE "users" ALTER COLUMN "mood" SET DATA TYPE text;',
    'DROP TYPE "public"."mood";',
    `CREATE TYPE "public"."mood" AS ENUM('calm');`,
    'ALTER TABLE "users" ALTER COLUMN "mood" SET DATA TYPE "public"."mood" USING "mood"::"public"."mood";',
  ].join('--> statement-breakpoint\n');
  const { text, changes, explanations } = await rewriteMigration(sql);
  expect(changes).toEqual([]);
  expect(explanations.map(({ kind }) => kind)).toEqual(['type', 'type']);
  expect(text.endsWith(sql)).toBe(true);
});
