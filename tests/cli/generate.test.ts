// mytx generate and mytx rewrite, as a person and a pipeline run them: what is printed, and the exit codes.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { deleteProjectsAfterwards, writeProject } from '../deploy/layouts.ts';
import { readBlocks } from '../docs/markdown.ts';
import { cleanUpCommands, mytx } from './command.ts';

cleanUpCommands();
deleteProjectsAfterwards();

const imports = `import { index, integer, pgTable, text } from 'drizzle-orm/pg-core';`;
const before = `${imports}
export const teams = pgTable('teams', { id: integer().primaryKey(), title: text().notNull(), motto: text() });
export const users = pgTable('users', { id: integer().primaryKey(), name: text().notNull() });
`;
const after = `${imports}
export const teams = pgTable('teams', { id: integer().primaryKey(), title: text().notNull() });
export const users = pgTable(
  'users',
  { id: integer().primaryKey(), name: text().notNull(), teamId: integer('team_id').references(() => teams.id) },
  (table) => [index('users_name_idx').on(table.name)],
);
`;
const renamed = after.replace('name: text()', `fullName: text('full_name')`).replace('table.name', 'table.fullName');

/** What docs/zero-downtime.md shows: the command’s output, and the file’s beginning. */
function shown(kind: 'transcript' | 'header'): string | undefined {
  const page = readFileSync(fileURLToPath(new URL('../../docs/zero-downtime.md', import.meta.url)), 'utf8');
  return readBlocks(page).find(({ options }) => kind in options)?.text;
}

test('a change is generated and rewritten as docs/zero-downtime.md shows it, line by line', {
  timeout: 120_000,
}, async () => {
  const folder = writeProject({
    'drizzle.config.ts': `export default { dialect: 'postgresql', schema: './schema.ts', out: './drizzle' };`,
    'schema.ts': before,
    'package.json': '{}',
  });
  expect(await mytx(['generate', '--name', 'first'], { folder })).toMatchObject({ exitCode: 0, stderr: '' });
  writeFileSync(join(folder, 'schema.ts'), after);
  const made = await mytx(['generate', '--name', 'teams'], { folder });
  expect(made).toMatchObject({ exitCode: 0, stderr: '' });
  expect(made.stdout.replace(`${folder}/`, '')).toBe(shown('transcript'));
  const file = readFileSync(join(folder, 'drizzle/0001_teams.sql'), 'utf8');
  const header = file.split('\n').filter((line) => line.startsWith('-- '));
  expect(`${header.join('\n')}\n`).toBe(shown('header'));

  const again = await mytx(['rewrite', 'drizzle/0001_teams.sql', '--json'], { folder });
  expect(again.exitCode).toBe(0);
  expect(JSON.parse(again.stdout)).toMatchObject({ ok: true, data: { isRewritten: false } });

  writeFileSync(join(folder, 'schema.ts'), renamed);
  const asked = await mytx(['generate', '--name', 'full_name'], { folder });
  expect(asked).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--rename users.name:users.full_name') });
  const rename = ['--rename', 'users.name:users.full_name'];
  expect(await mytx(['generate', '--name', 'full_name', ...rename], { folder })).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('drizzle-plans/0002_full_name/README.md'),
  });
});
