// What the lint says of files alone: where a finding is, how severe it is, and what keeps it out of the report.

import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { toAnnotations } from '../../../deploy/lint/annotations.ts';
import { lineOf, refuseErrors } from '../../../deploy/lint/refusal.ts';
import { rules, type Severity } from '../../../deploy/lint/rules.ts';
import { toSarif } from '../../../deploy/lint/sarif.ts';
import { lintDefaults } from '../../../deploy/lint/settings.ts';
import { newFolder, removeFolders, statements } from '../own-database.ts';
import { lintTexts, rulesIn } from './linted.ts';
import { sarifLog } from './sarif-schema.ts';

afterAll(removeFolders);

const settingsWith = (severities: Record<string, Severity>) => ({
  settings: { ...lintDefaults, severities: new Map(Object.entries(severities)) },
});
const dropped = 'ALTER TABLE "person" DROP COLUMN "nick";';

describe('where it is', () => {
  test('lines and columns are those of an editor, also behind breakpoints and letters of several bytes', async () => {
    const { findings } = await lintTexts([
      `SELECT 'ééé😀'; DROP TABLE person;\n--> statement-breakpoint\n\n-- a comment\n  ${dropped}\n`,
    ]);
    expect(findings.map(({ rule, region }) => ({ rule, ...region }))).toEqual([
      { rule: 'squawk/ban-drop-table', line: 1, column: 17, endLine: 1, endColumn: 35 },
      { rule: 'squawk/ban-drop-column', line: 5, column: 24, endLine: 5, endColumn: 42 },
    ]);
  });

  test('a breakpoint ends a statement that has no semicolon, for squawk as for PostgreSQL', async () => {
    const report = await lintTexts([statements('DROP TABLE a', 'CREATE TABLE b (id bigint)', 'DROP TABLE a')]);
    expect(report.findings.map(({ rule, region }) => [rule, region?.line])).toEqual([
      ['squawk/ban-drop-table', 1],
      ['squawk/ban-drop-table', 5],
    ]);
  });

  test('in folders that are relative, whose names are patterns, and of more files than one command names', {
    timeout: 30_000,
  }, async () => {
    const folder = join(newFolder(), `[a] b {c} d! 'e'${process.platform === 'win32' ? '' : ' *?'}`, 'f'.repeat(150));
    mkdirSync(folder, { recursive: true });
    const report = await lintTexts(Array(300).fill('DROP TABLE a;'), {}, relative('.', folder));
    expect(report.findings.map(({ rule, file }) => [rule, file])).toEqual(
      report.files.map((file) => ['squawk/ban-drop-table', file]),
    );
  });

  test('of what the grammar does not know the part between two breakpoints is named, and the rest is looked at', async () => {
    const { findings } = await lintTexts([
      statements('CREATE TABLE a (id bigint, b_id bigint REFERENCES b (id));', 'ALTER TABEL a;'),
    ]);
    const ours = findings.filter(({ rule }) => !rule.startsWith('squawk/'));
    expect(ours.map(({ rule, region, severity }) => [rule, region?.line, severity])).toEqual([
      ['unindexed-foreign-key', 1, 'warning'],
      ['syntax-error', 3, 'error'],
    ]);
  });

  test('an index in a file before, in one behind or in another of the project is one of the foreign key', async () => {
    const key = (n: number) => `ALTER TABLE t ADD CONSTRAINT f${n} FOREIGN KEY (a${n}) REFERENCES u (id) NOT VALID;`;
    const index = (n: number) => `CREATE INDEX CONCURRENTLY t_a${n} ON t (a${n});`;
    const report = await lintTexts([index(1), key(1), key(2), index(2), key(3)]);
    expect(report.files.map((_, n) => rulesIn(report, n))).toEqual([[], [], [], [], ['unindexed-foreign-key']]);
    const gone = await lintTexts([index(1), 'DROP INDEX CONCURRENTLY t_a1;', key(1)]);
    expect(rulesIn(gone, 2)).toEqual(['unindexed-foreign-key']);
    const moved = await lintTexts([index(1), 'ALTER TABLE t RENAME COLUMN a1 TO a2;', key(2)]);
    expect(rulesIn(moved, 2)).toEqual([]);
  });
});

describe('severity', () => {
  test('is that of the configuration, and what is off is in no report', async () => {
    const { findings, errors, warnings } = await lintTexts(
      [`${dropped}\nDROP TABLE person;`],
      settingsWith({ 'squawk/ban-drop-column': 'error', 'squawk/ban-drop-table': 'off' }),
    );
    expect(findings).toMatchObject([{ rule: 'squawk/ban-drop-column', severity: 'error' }]);
    expect({ errors, warnings }).toEqual({ errors: 1, warnings: 0 });
  });

  test('--strict makes errors of warnings, and nothing of what is off', async () => {
    const { findings } = await lintTexts([dropped], { isStrict: true });
    expect(findings).toMatchObject([{ rule: 'squawk/ban-drop-column', severity: 'error' }]);
  });

  test.each([
    ['enum-value-used', `ALTER TYPE mood ADD VALUE 'mid' BEFORE 'high'; UPDATE t SET m = 'mid' WHERE id = 1;`],
    ['squawk/require-lock-timeout', 'ALTER TABLE t ADD COLUMN a bigint;'],
    ['squawk/require-statement-timeout', 'ALTER TABLE t ADD COLUMN a bigint;'],
    ['squawk/require-table-schema', 'CREATE TABLE t (id bigint);'],
    ['squawk/prefer-robust-stmts', 'CREATE INDEX CONCURRENTLY t_a ON t (a);'],
  ])('%s is off by itself, and can be switched on', async (rule, text) => {
    expect(rulesIn(await lintTexts([text]))).not.toContain(rule);
    expect(rulesIn(await lintTexts([text], settingsWith({ [rule]: 'error' })))).toContain(rule);
  });
});

describe('a comment', () => {
  test('keeps out what it names, with its reason, of the statement behind it alone', async () => {
    const { findings, suppressed } = await lintTexts([
      `-- mytx:ignore squawk/ban-drop-column: nobody reads it since May\n${dropped}\n${dropped}\n`,
    ]);
    expect(findings).toMatchObject([{ rule: 'squawk/ban-drop-column', region: { line: 3 } }]);
    expect(suppressed).toMatchObject([
      { rule: 'squawk/ban-drop-column', region: { line: 2 }, reason: 'nobody reads it since May' },
    ]);
  });

  test('may name several rules, and a whole file', async () => {
    const { findings, suppressed } = await lintTexts([
      `-- mytx:ignore-file squawk/ban-drop-column, squawk/ban-drop-table: an old table\n${dropped}\nDROP TABLE person;\n${dropped}`,
      dropped,
    ]);
    expect(suppressed).toHaveLength(3);
    expect(findings).toHaveLength(1);
  });

  test('stands behind a breakpoint as drizzle-kit writes it', async () => {
    const { findings } = await lintTexts([
      `SELECT 1;\n--> statement-breakpoint\n-- mytx:ignore squawk/ban-drop-column: unused\n${dropped}`,
    ]);
    expect(findings).toEqual([]);
  });

  test.each([
    ['without a reason', '-- mytx:ignore squawk/ban-drop-column', 'this comment gives no reason'],
    ['with an empty one', '-- mytx:ignore squawk/ban-drop-column:  ', 'this comment gives no reason'],
    ['without a rule', '-- mytx:ignore: it is fine', 'this comment names no rule'],
  ])('%s is an error, and keeps nothing out', async (_, comment, problem) => {
    const { findings } = await lintTexts([`${comment}\n${dropped}`]);
    expect(findings).toMatchObject([
      { rule: 'suppression-without-reason', severity: 'error', message: expect.stringContaining(problem) },
      { rule: 'squawk/ban-drop-column' },
    ]);
  });

  test.each([
    ['squawk/ban-drop-table', 'squawk/ban-drop-table finds nothing here'],
    ['squawk/ban-drop-tabel', 'there is no rule "squawk/ban-drop-tabel"'],
  ])('that names %s in vain is told of', async (rule, message) => {
    const { findings } = await lintTexts([`-- mytx:ignore ${rule}: why not\nCREATE TABLE a (id bigint);`]);
    expect(findings).toMatchObject([{ rule: 'unused-suppression', severity: 'warning', message }]);
  });

  test('that names a rule which needs the database is not in vain without it', async () => {
    const { findings } = await lintTexts(['-- mytx:ignore blocking-statement: at night\nCREATE TABLE a (id bigint);']);
    expect(findings).toEqual([]);
  });

  test('in a text is none', async () => {
    const { findings } = await lintTexts([`SELECT '-- mytx:ignore squawk/ban-drop-column: a text';\n${dropped}`]);
    expect(rulesIn({ files: [findings[0]?.file as string], findings } as never)).toEqual(['squawk/ban-drop-column']);
  });

  test('of squawk’s own works as ever', async () => {
    const { findings } = await lintTexts([`-- squawk-ignore ban-drop-column\n${dropped}`]);
    expect(findings).toEqual([]);
  });
});

test('where squawk can’t be run that is a finding, and ours are there all the same', async () => {
  const script = `
    Object.defineProperty(process, 'arch', { value: 'none' });
    const { lintTexts } = await import(${JSON.stringify(new URL('./linted.ts', import.meta.url).href)});
    const { removeFolders } = await import(${JSON.stringify(new URL('../own-database.ts', import.meta.url).href)});
    const { findings } = await lintTexts(['create table a (id bigint, b_id bigint references b (id));']);
    removeFolders();
    console.log(JSON.stringify(findings.map(({ rule, severity, file, message }) => ({ rule, severity, hasFile: file !== null, message }))));`;
  const { stdout } = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  expect(JSON.parse(stdout)).toEqual([
    {
      rule: 'squawk-missing',
      severity: 'warning',
      hasFile: false,
      message: `squawk could not be run: the package @squawk-cli/${process.platform}-none is not installed`,
    },
    expect.objectContaining({ rule: 'unindexed-foreign-key', hasFile: true }),
  ]);
});

test('a path with signs of a pattern, and a .squawk.toml beside the file, change nothing', async () => {
  const folder = join(newFolder(), 'app', '[slug]', '(group)');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, '.squawk.toml'), 'excluded_rules = ["ban-drop-column"]\n');
  const { findings } = await lintTexts([dropped], {}, folder);
  expect(findings).toMatchObject([{ rule: 'squawk/ban-drop-column', file: join(folder, '0000.sql') }]);
});

describe('as', () => {
  const report = lintTexts([
    `-- mytx:ignore squawk/ban-drop-column: old\n${dropped}\nCREATE INDEX\n  i ON person (a);\n-- mytx:ignore x\nDROP TABLE person;\n`,
  ]);

  test('SARIF it is valid, names every rule, and has the reason of what is kept out', async () => {
    const { files } = await report;
    const root = files[0]?.replace(/\/[^/]*\/[^/]*$/, '') as string;
    const log = sarifLog.parse(JSON.parse(JSON.stringify(toSarif(await report, root, '1.2.3'))));
    const [run] = log.runs;
    expect(run?.tool.driver.rules.map(({ id }) => id)).toEqual([...rules.keys()]);
    expect(run?.results.map(({ ruleId }) => ruleId)).toEqual([
      'squawk/require-concurrent-index-creation',
      'suppression-without-reason',
      'squawk/ban-drop-table',
      'squawk/ban-drop-column',
    ]);
    for (const { ruleId, ruleIndex } of run?.results ?? []) expect([...rules.keys()][ruleIndex as number]).toBe(ruleId);
    expect(run?.results.at(-1)?.suppressions).toEqual([{ kind: 'inSource', justification: 'old' }]);
    const location = run?.results[0]?.locations[0]?.physicalLocation;
    expect(location?.artifactLocation.uri).toMatch(/^mytx-migrations-\w+\/0000\.sql$/);
    expect(location?.region).toEqual({ startLine: 3, startColumn: 1, endLine: 4, endColumn: 19 });
  });

  test('annotations of GitHub it has escaped texts, and columns within a line alone', async () => {
    const { files } = await report;
    const lines = toAnnotations(await report, files[0]?.replace(/\/[^/]*$/, '') as string);
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatch(
      /^::warning file=0000\.sql,line=3,endLine=4,title=squawk\/require-concurrent-index-creation::During .*%0AUse/,
    );
    expect(lines[1]).toMatch(
      /^::error file=0000\.sql,line=5,endLine=5,col=1,endColumn=17,title=suppression-without-reason::/,
    );
    expect(lines.join('')).not.toContain('\n');
    const strange = {
      ...(await report),
      findings: [{ ...(await report).findings[0], file: '/a,b:c%.sql', message: '1%\r\n2' } as never],
    };
    expect(toAnnotations(strange, '/')).toEqual([
      expect.stringMatching(/^::warning file=a%2Cb%3Ac%25\.sql,.*::1%25%0D%0A2%0A/),
    ]);
  });

  test('a refusal it has the errors alone, each with its file, line, rule and help', async () => {
    const error = (await report).findings.find(({ severity }) => severity === 'error');
    expect(lineOf(error as never)).toMatch(/0000\.sql:5: suppression-without-reason: this comment gives no reason/);
    const refuse = async () => refuseErrors(await report);
    await expect(refuse()).rejects.toMatchObject({ code: 'LINT_REFUSED', details: { findings: [error] } });
  });
});
