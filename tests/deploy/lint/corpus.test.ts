// The corpus: what is found in each statement, and that nothing of what squawk finds is lost.

import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { withReadingSession } from '../../../db/opening.ts';
import type { LintReport } from '../../../deploy/lint/finding.ts';
import { rules } from '../../../deploy/lint/rules.ts';
import { lintDefaults } from '../../../deploy/lint/settings.ts';
import { readMigrationFile } from '../../../deploy/migrations.ts';
import { readStatements } from '../../../deploy/sql-statements.ts';
import { newFolder, onNewDatabase, removeFolders } from '../own-database.ts';
import { offline, onDatabase, tables } from './corpus.ts';
import { lintTexts, rulesIn } from './linted.ts';

const texts = offline.map(([sql]) => `${sql};\n`);
const squawk = fileURLToPath(new URL('../../../node_modules/.bin/squawk', import.meta.url));
let report: LintReport;

beforeAll(async () => {
  report = await lintTexts(texts);
});
afterAll(removeFolders);

test('there are at least 120 statements', () => {
  expect(new Set(texts).size).toBeGreaterThanOrEqual(120);
});

test.for(offline.map(([sql, ...expected], n) => ({ sql, expected, n })))('$sql', ({ expected, n }) => {
  expect(rulesIn(report, n)).toEqual(expected);
});

/** As a person runs it, without our options. */
function squawkAlone(isInTransaction: boolean, folder: string): { file: string; line: number; rule_name: string }[] {
  const mode = isInTransaction ? ['--assume-in-transaction'] : [];
  const { stdout, stderr } = spawnSync(squawk, ['--reporter=json', ...mode, '*.sql'], {
    cwd: folder,
    encoding: 'utf8',
  });
  expect(stderr).not.toContain('error');
  return JSON.parse(stdout);
}

test('every finding of squawk alone is in the report, or its rule is off for a reason that is named', async () => {
  const runsInSteps: boolean[] = [];
  const folder = newFolder();
  for (const [n, text] of texts.entries()) {
    const file = join(folder, `${n}.sql`);
    writeFileSync(file, text);
    const statements = await readStatements(readMigrationFile(file));
    runsInSteps.push(statements.some(({ run }) => run.as !== 'plain' && run.as !== 'refused'));
  }
  const told = new Set(
    report.findings.map(({ file, region, rule }) => `${report.files.indexOf(file as string)}:${region?.line} ${rule}`),
  );
  const all = [true, false].flatMap((isInTransaction) =>
    squawkAlone(isInTransaction, folder).filter(
      ({ file }) => runsInSteps[Number.parseInt(file, 10)] !== isInTransaction,
    ),
  );
  expect(all.length).toBeGreaterThan(100);
  const lost = all
    .filter(({ rule_name }) => rules.get(`squawk/${rule_name}`)?.severity !== 'off')
    .map(({ file, line, rule_name }) => `${Number.parseInt(file, 10)}:${line + 1} squawk/${rule_name}`)
    .filter((finding) => !told.has(finding));
  expect(lost).toEqual([]);
  for (const [, { severity, why }] of rules) expect(why !== undefined).toBe(severity === 'off');
});

test('every rule of squawk is listed', () => {
  const { version } = JSON.parse(
    readFileSync(new URL('../../../node_modules/squawk-cli/package.json', import.meta.url), 'utf8'),
  ) as { version: string };
  expect(version).toMatch(/^2\.66\./); // a newer one may have more: its list of rules is on squawkhq.com/docs/rules
  const names = [...rules.keys()]
    .filter((name) => name.startsWith('squawk/'))
    .map((name) => name.replace('squawk/', ''))
    .filter((name) => name !== 'syntax-error' && name !== 'unused-ignore'); // these can't be switched off there
  const { status, stderr } = spawnSync(
    squawk,
    ['--no-error-on-unmatched-pattern', ...names.map((name) => `--exclude=${name}`), 'none.sql'],
    { encoding: 'utf8' },
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: expect.not.stringContaining('invalid') });
});

describe.each(inject('servers').slice(-1))('on PostgreSQL $version', ({ url: serverUrl }) => {
  const found = new Map<string, string[]>();
  beforeAll(() =>
    onNewDatabase(serverUrl, async ({ url, sql }) => {
      await sql.unsafe(tables);
      await withReadingSession({ url }, async (session) => {
        for (const [text] of onDatabase) {
          const { findings } = await lintTexts([text], { session, settings: { ...lintDefaults, largeRows: 500 } });
          const told = findings.map(({ rule, severity }) => (severity === 'error' ? `error ${rule}` : rule));
          found.set(text, [...new Set(told)].sort());
        }
      });
    }),
  );

  test.for(onDatabase.map(([sql, ...expected]) => ({ sql, expected })))('$sql', ({ sql, expected }) => {
    expect(found.get(sql)).toEqual(expected);
  });
});
