// mytx lint, as a person and a pipeline run it: what is printed, the files it writes, and the exit codes.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, inject, test } from 'vitest';
import { sarifLog } from '../deploy/lint/sarif-schema.ts';
import { onNewDatabase } from '../deploy/own-database.ts';
import { cleanUpCommands, mytx, newFolder } from './command.ts';

cleanUpCommands();

const person = 'create table person (id bigint primary key, name text);\n';
const index = 'create index person_name on person (name);\n';

function newProject(config: object = {}): string {
  const folder = newFolder();
  mkdirSync(join(folder, 'migrations/meta'), { recursive: true });
  writeFileSync(join(folder, 'drizzle.config.json'), '{ "dialect": "postgresql", "out": "./migrations" }');
  writeFileSync(join(folder, 'mytx.config.json'), JSON.stringify(config));
  const tags = ['0000_person', '0001_name'];
  const entries = tags.map((tag, idx) => ({ idx, tag, when: 1_700_000_000_000 + idx }));
  writeFileSync(join(folder, 'migrations/meta/_journal.json'), JSON.stringify({ entries }));
  writeFileSync(join(folder, 'migrations/0000_person.sql'), person);
  writeFileSync(join(folder, 'migrations/0001_name.sql'), index);
  return folder;
}

describe.each(inject('servers').slice(-1))('on PostgreSQL $version', ({ url: serverUrl }) => {
  test('an error is shown as docs/linting.md shows it, and refused by deploy', { timeout: 120_000 }, () =>
    onNewDatabase(serverUrl, async ({ url, sql }) => {
      const page = readFileSync(fileURLToPath(new URL('../../docs/linting.md', import.meta.url)), 'utf8');
      const [, shown = ''] = /^```text\n(target: [\s\S]*?)^```$/m.exec(page) ?? [];
      const place = { folder: newProject(), env: { POSTGRES_URL: url } };
      writeFileSync(join(place.folder, 'migrations/0001_name.sql'), '');
      expect(await mytx(['deploy'], place)).toMatchObject({ exitCode: 0 });
      await sql`delete from drizzle.__drizzle_migrations where created_at = 1700000000001`;
      await sql`insert into person select n, 'x' from generate_series(1, 20000) n`;
      await sql`vacuum analyze person`;
      writeFileSync(join(place.folder, 'migrations/0001_name.sql'), index);
      const linted = await mytx(['lint'], place);
      const target = `${new URL(url).host}${new URL(url).pathname}`;
      expect(linted).toMatchObject({ exitCode: 3, stderr: '' });
      const anySize = (text: string) => text.replaceAll(/\d+ kB/g, 'N kB'); // one version needs a page more than another
      expect(anySize(linted.stdout.replace(target, 'localhost:5432/app'))).toBe(anySize(shown));
      const refused = await mytx(['deploy', '--json'], place);
      expect(refused.exitCode).toBe(3);
      expect(JSON.parse(refused.stdout)).toMatchObject({ error: { code: 'LINT_REFUSED' } });
      expect(refused.stderr).toContain('0001_name.sql:1: blocking-statement: create an index');
    }),
  );
});

describe('without a database', { timeout: 60_000 }, () => {
  test('the newest migration is looked at, and what was not known is said', async () => {
    const ended = await mytx(['lint'], { folder: newProject() });
    expect(ended).toMatchObject({ exitCode: 0, stderr: '' });
    expect(ended.stdout).toMatch(/^target: no database \(no database is named: .*\)\n1 migration, the newest\n/);
    expect(ended.stdout).toContain('note: no database was asked');
    expect(ended.stdout).toMatch(/0 errors, 1 warning\n$/);
    expect(await mytx(['lint', '--strict'], { folder: newProject() })).toMatchObject({ exitCode: 3 });
  });

  test('one that is named and not reachable is a failure', async () => {
    const ended = await mytx(['lint', '--url', 'postgres://127.0.0.1:1/none'], { folder: newProject() });
    expect(ended).toMatchObject({ exitCode: 5, stderr: expect.stringContaining('UNREACHABLE') });
  });

  test('--json is one object, --github are annotations', async () => {
    const folder = newProject();
    const json = await mytx(['lint', 'migrations/0001_name.sql', '--offline', '--json'], { folder });
    expect(JSON.parse(json.stdout)).toMatchObject({
      ok: true,
      command: 'lint',
      target: null,
      data: {
        what: '1 migration',
        errors: 0,
        warnings: 1,
        findings: [{ rule: 'squawk/require-concurrent-index-creation' }],
      },
    });
    const github = await mytx(['lint', '--github'], { folder });
    expect(github.stdout).toMatch(/^::warning file=migrations\/0001_name\.sql,line=1,/m);
  });

  test('--sarif writes a file, or nothing but SARIF to stdout', async () => {
    const folder = newProject();
    const toFile = await mytx(['lint', '--sarif', 'lint.sarif'], { folder });
    expect(toFile).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('SARIF: lint.sarif') });
    const toStdout = await mytx(['lint', '--sarif', '-'], { folder });
    expect(JSON.parse(toStdout.stdout)).toEqual(JSON.parse(readFileSync(join(folder, 'lint.sarif'), 'utf8')));
    expect(sarifLog.parse(JSON.parse(toStdout.stdout)).runs[0]?.results).toHaveLength(1);
    expect(toStdout.stderr).toContain('0 errors, 1 warning');
  });

  test('severities are those of mytx.config, and a rule that there is not is refused by name', async () => {
    const rules = { 'squawk/require-concurrent-index-creation': 'error' };
    expect(await mytx(['lint'], { folder: newProject({ lint: { rules } }) })).toMatchObject({ exitCode: 3 });
    const wrong = await mytx(['lint'], { folder: newProject({ lint: { rules: { 'block-statement': 'off' } } }) });
    expect(wrong).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('lint.rules has the rule "block-statement"; there are blocking-statement'),
    });
  });
});
