// Encrypted columns in an application's schema, as drizzle-kit sees them: text, jsonb and bytea.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const project = join(import.meta.dirname, '..', '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'mytx-kit-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const schema = `
import { pgTable, uuid } from 'drizzle-orm/pg-core';
import { blindIndex } from '${project}/db/encryption/blind-index.ts';
import { encryptedJson, encryptedText } from '${project}/db/encryption/columns.ts';

export const contacts = pgTable('Contact', {
  id: uuid('id').primaryKey(),
  userId: uuid('userId').notNull(),
  phone: encryptedText('phone').notNull(),
  phoneIndex: blindIndex('phoneIndex', { of: 'phone', perUser: 'userId' }).unique(),
  card: encryptedJson<{ name: string }>('card'),
  note: encryptedText().$defaultFn(() => 'none'),
});
`;

test('drizzle-kit generates their table, and then finds nothing to change', { timeout: 120_000 }, () => {
  symlinkSync(join(project, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'schema.ts'), schema);
  const generate = (): string =>
    execFileSync(
      process.execPath,
      [
        join(project, 'node_modules/drizzle-kit/bin.cjs'),
        'generate',
        '--dialect=postgresql',
        '--schema=schema.ts',
        '--out=out',
      ],
      { cwd: folder, encoding: 'utf8' },
    );
  generate();
  const [file = ''] = readdirSync(join(folder, 'out')).filter((name) => name.endsWith('.sql'));
  expect(readFileSync(join(folder, 'out', file), 'utf8')).toBe(`CREATE TABLE "Contact" (
\t"id" uuid PRIMARY KEY NOT NULL,
\t"userId" uuid NOT NULL,
\t"phone" text NOT NULL,
\t"phoneIndex" "bytea",
\t"card" jsonb,
\t"note" text,
\tCONSTRAINT "Contact_phoneIndex_unique" UNIQUE("phoneIndex")
);
`);
  expect(generate()).toContain('No schema changes');
});
