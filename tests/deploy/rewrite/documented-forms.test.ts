// What docs/zero-downtime.md shows of each form, before and after, is what the rewriting makes of it.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { takeHeader } from '../../../deploy/rewrite/header.ts';
import type { KnownSchema } from '../../../deploy/rewrite/known-schema.ts';
import { rewriteMigration } from '../../../deploy/rewrite/rewrite-migration.ts';
import { readBlocks } from '../../docs/markdown.ts';

const page = readFileSync(fileURLToPath(new URL('../../../docs/zero-downtime.md', import.meta.url)), 'utf8');
const forms = readBlocks(page).filter(({ options }) => 'rewrite' in options);

/** The table of the examples, as a snapshot has it. */
const schema: KnownSchema = new Map([
  [
    'public.orders',
    {
      columns: new Map(
        ['id', 'user_id', 'amount', 'code', 'note'].map((name) => [
          name,
          { type: 'text', isNullable: name === 'note', default: undefined },
        ]),
      ),
      primaryKey: ['id'],
      indexes: [],
      uniques: [],
      foreignKeys: [],
    },
  ],
]);

test.each(forms)('the form at line $line', async ({ text, options }) => {
  const [before = '', after] = text.split('-- becomes\n');
  const statements = before.trim().split(/(?<=;)\n/);
  const { text: rewritten, changes } = await rewriteMigration(statements.join('\n--> statement-breakpoint\n'), {
    schema,
    version: Number(options.target ?? 15),
  });
  expect(changes.length).toBeGreaterThan(0);
  const shown = takeHeader(rewritten)
    .body.replaceAll(/--> statement-breakpoint/g, '')
    .replaceAll(/\n+/g, '\n');
  expect(`${shown.trim()}\n`).toBe(after);
});

test('every form is there', () => {
  expect(forms.length).toBeGreaterThanOrEqual(7);
});
