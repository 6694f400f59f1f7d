// What the tests of the lint share: SQL as files, linted.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LintReport } from '../../../deploy/lint/finding.ts';
import { type LintInput, lintMigrations } from '../../../deploy/lint/lint.ts';
import { lintDefaults } from '../../../deploy/lint/settings.ts';
import { readMigrationFile } from '../../../deploy/migrations.ts';
import { newFolder } from '../own-database.ts';

/** Lints texts as the files of one deploy, in this order. */
export function lintTexts(
  texts: readonly string[],
  input: Partial<LintInput> = {},
  folder = newFolder(),
): Promise<LintReport> {
  const migrations = texts.map((text, n) => {
    const file = join(folder, `${String(n).padStart(4, '0')}.sql`);
    writeFileSync(file, text);
    return readMigrationFile(file);
  });
  return lintMigrations({
    migrations,
    others: [],
    settings: lintDefaults,
    session: undefined,
    deployed: undefined,
    version: undefined,
    isStrict: undefined,
    ...input,
  });
}

/** The rules of the findings in one of the files, in alphabetical order, once each. */
export function rulesIn({ files, findings }: LintReport, n = 0): string[] {
  return [...new Set(findings.filter(({ file }) => file === files[n]).map(({ rule }) => rule))].sort();
}
