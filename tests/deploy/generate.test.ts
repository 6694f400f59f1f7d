// mytx generate and rewrite on a project with the real drizzle-kit: what is asked and answered, what is written, and that
// drizzle-kit finds nothing to do afterwards.

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { deploy } from '../../db/deployment.ts';
import { type GenerateReport, generate, rewrite } from '../../db/generation.ts';
import { deleteProjectsAfterwards, writeProject } from './layouts.ts';
import { onNewDatabase } from './own-database.ts';
import { everything } from './rewrite/everything.ts';

deleteProjectsAfterwards();

const serverUrl = inject('servers').at(-1)?.url ?? '';

const config = `export default { dialect: 'postgresql', schema: './schema.ts', out: './drizzle' };`;
const imports = `import { bigint, index, integer, pgEnum, pgTable, text, uuid, varchar } from 'drizzle-orm/pg-core';\n`;

const first = `${imports}
export const mood = pgEnum('mood', ['calm', 'wild']);
export const users = pgTable('users', { id: integer().primaryKey(), name: text().notNull(), mood: mood(), n: integer(), code: varchar({ length: 20 }) });
export const teams = pgTable('teams', { id: integer().primaryKey(), title: text() });
`;

function newProject(schema = first): string {
  return writeProject({ 'drizzle.config.ts': config, 'schema.ts': schema, 'package.json': '{}' });
}

const sqlOf = (root: string, name: string): string => readFileSync(join(root, 'drizzle', `${name}.sql`), 'utf8');

/** What drizzle-kit itself would still generate. */
function drizzleKitFindsNothing(root: string): boolean {
  const said = execFileSync(process.execPath, ['node_modules/drizzle-kit/bin.cjs', 'generate'], {
    cwd: root,
    encoding: 'utf8',
  });
  return said.includes('No schema changes');
}

const namesOf = ({ files }: GenerateReport): string[] => files.map(({ name }) => name);

test('generates, rewrites, deploys what it wrote, and neither drizzle-kit nor it finds anything to do behind that', async () => {
  const root = newProject();
  const messages: string[] = [];
  const report = await generate({ from: root, name: 'first', onMessage: (line) => messages.push(line) });
  expect(namesOf(report)).toEqual(['0000_first']);
  expect(report.files[0]).toMatchObject({ changes: [], explanations: [], planFolder: null, isForMytxOnly: false });
  expect(messages.join('\n')).toContain('Your SQL migration file');
  expect(await generate({ from: root })).toEqual({ files: [] });

  writeFileSync(
    join(root, 'schema.ts'),
    first
      .replace(
        `n: integer()`,
        `n: integer().notNull(), token: uuid().defaultRandom().notNull(), teamId: integer().references(() => teams.id)`,
      )
      .replace(
        `code: varchar({ length: 20 }) }`,
        `code: varchar({ length: 40 }) }, (t) => [index('users_name_idx').on(t.name)]`,
      )
      .replace(`'wild']`, `'wild', 'sad']`),
  );
  const second = await generate({ from: root, name: 'second' });
  // The value of the enum is in a file of its own, before what may use it.
  expect(namesOf(second)).toEqual(['0001_second_enum_values', '0002_second']);
  expect(sqlOf(root, '0001_second_enum_values')).toContain(`ADD VALUE 'sad'`);
  expect(second.files[1]?.changes.map(({ what }) => what)).toEqual([
    'NOT NULL of "users"."n"',
    'column "users"."token"',
    'NOT NULL of "users"."token"',
    'foreign key "users_teamId_teams_id_fk"',
    'index "users_name_idx"',
  ]);
  expect(second.files[1]).toMatchObject({ isForMytxOnly: true, explanations: [] }); // varchar(20) to varchar(40) is stored alike
  expect(sqlOf(root, '0002_second')).toContain('Only `mytx deploy` can run this file');
  expect(drizzleKitFindsNothing(root)).toBe(true);
  expect(await generate({ from: root })).toEqual({ files: [] });

  await onNewDatabase(serverUrl, async ({ url, sql }) => {
    await deploy({ url, migrationsFolder: join(root, 'drizzle') });
    expect(await everything(sql)).toContain('index CREATE INDEX users_name_idx ON public.users USING btree (name) t');
    const refused = rewrite({ from: root, url, file: 'drizzle/0002_second.sql' });
    await expect(refused).rejects.toMatchObject({ code: 'REWRITE_REFUSED' });
  });
});

test('a rename is answered by a flag or a file; without an answer the question is the error, and nothing is written', async () => {
  const root = newProject();
  await generate({ from: root, name: 'first' });
  writeFileSync(
    join(root, 'schema.ts'),
    first
      .replace('name: text()', 'full_name: text()')
      .replace(`n: integer()`, `count: integer()`)
      .replaceAll('teams', 'groups'),
  );
  const files = (): string[] => readdirSync(join(root, 'drizzle'), { recursive: true }).map(String).sort();
  const before = files();
  const expectQuestion = (given: Parameters<typeof generate>[0], name: string, candidates: string[]): Promise<void> =>
    expect(generate({ from: root, ...given })).rejects.toMatchObject({
      code: 'ANSWER_NEEDED',
      details: { name, candidates },
    });
  await expectQuestion({}, 'groups', ['teams']);
  const table = { rename: ['teams:groups'] };
  await expectQuestion(table, 'users.full_name', ['users.name', 'users.n']);
  await expectQuestion({ rename: ['teams:groups', 'users.name:users.full_name'] }, 'users.count', ['users.n']);
  await expect(generate({ from: root, rename: ['teams:groups', 'users.nam:users.full_name'] })).rejects.toMatchObject({
    code: 'ANSWER_INVALID',
    message: expect.stringContaining('users.name, users.n'),
  });
  expect(files()).toEqual(before);

  writeFileSync(
    join(root, 'answers.txt'),
    '# what was renamed\nrename teams:groups\nrename users.name:users.full_name\ncreate users.count\n',
  );
  const asked: string[] = [];
  const report = await generate({
    from: root,
    name: 'renamed',
    answersFile: join(root, 'answers.txt'),
    onMessage: (line) => asked.push(line),
  });
  expect(asked).toContain('column users.full_name: was users.name (--rename users.name:users.full_name)');
  const sql = sqlOf(root, '0001_renamed');
  expect(sql).toContain('ALTER TABLE "teams" RENAME TO "groups"');
  expect(sql).toContain('ALTER TABLE "users" RENAME COLUMN "name" TO "full_name"');
  expect(sql).toContain('ALTER TABLE "users" DROP COLUMN "n"');
  expect(report.files[0]?.explanations.map(({ kind }) => kind).sort()).toEqual([
    'drop-column',
    'rename-column',
    'rename-table',
  ]);
  expect(drizzleKitFindsNothing(root)).toBe(true);
});

test('a plan in two deploys stands beside the folder, and neither drizzle-kit nor the migrator takes it for a migration', async () => {
  const root = newProject();
  await generate({ from: root, name: 'first' });
  const renamed = first.replace(
    '{ id: integer().primaryKey(), name: text()',
    '{ uid: integer().primaryKey(), full_name: text()',
  );
  writeFileSync(join(root, 'schema.ts'), renamed);
  const rename = ['users.name:users.full_name', 'users.id:users.uid'];
  const report = await generate({ from: root, name: 'renamed', rename });
  const plan = report.files[0]?.planFolder ?? '';
  expect(plan).toBe(join(root, 'drizzle-plans', '0001_renamed'));
  expect(readdirSync(plan).sort()).toEqual(['1_expand.sql', '2_contract.sql', 'README.md']);
  expect(drizzleKitFindsNothing(root)).toBe(true);

  // As its README says; what the two do to a database, and to code that runs, is in two-deploys.test.ts.
  writeFileSync(report.files[0]?.file ?? '', readFileSync(join(plan, '1_expand.sql')));
  const [contract] = (await generate({ from: root, custom: true, name: 'renamed_contract' })).files;
  writeFileSync(contract?.file ?? '', readFileSync(join(plan, '2_contract.sql')));
  await onNewDatabase(serverUrl, async ({ url, sql }) => {
    const { applied } = await deploy({ url, migrationsFolder: join(root, 'drizzle') });
    expect(applied).toEqual(['0000_first', '0001_renamed', '0002_renamed_contract']);
    const columns =
      await sql`select attname from pg_attribute where attrelid = 'users'::regclass and attnum > 0 and not attisdropped`;
    expect(columns.map(({ attname }) => attname).sort()).toEqual(['code', 'full_name', 'mood', 'n', 'uid']);
  });
  expect(drizzleKitFindsNothing(root)).toBe(true);
});

test('a version that is not known is refused before drizzle-kit writes', async () => {
  const root = newProject();
  await expect(generate({ from: root, version: 14 })).rejects.toMatchObject({ code: 'ANSWER_INVALID' });
  expect(existsSync(join(root, 'drizzle'))).toBe(false);
});

test('a file that is there is rewritten, again without a change, and what drizzle-kit wrote can be kept', async () => {
  const root = newProject();
  await generate({ from: root, name: 'first' });
  writeFileSync(
    join(root, 'schema.ts'),
    first.replace(
      'code: varchar({ length: 20 }) }',
      `code: varchar({ length: 20 }) }, (t) => [index('users_name_idx').on(t.name)]`,
    ),
  );
  const plain = await generate({ from: root, name: 'index', rewrite: false });
  expect(plain.files[0]).toMatchObject({ isRewritten: false, changes: [] });
  expect(sqlOf(root, '0001_index')).toBe('CREATE INDEX "users_name_idx" ON "users" USING btree ("name");');
  const file = 'drizzle/0001_index.sql';
  expect(await rewrite({ from: root, file })).toMatchObject({
    isRewritten: true,
    wasAsked: false,
    isForMytxOnly: true,
  });
  const text = sqlOf(root, '0001_index');
  expect(text).toContain('CREATE INDEX CONCURRENTLY "users_name_idx" ON "users" USING btree ("name");');
  expect(await rewrite({ from: root, file })).toMatchObject({ isRewritten: false });
  expect(sqlOf(root, '0001_index')).toBe(text);
  await expect(rewrite({ from: root, file: 'drizzle/0009_not_there.sql' })).rejects.toMatchObject({
    code: 'CONFIG_UNREADABLE',
  });
  await expect(rewrite({ from: root, file, version: 14 })).rejects.toMatchObject({ code: 'ANSWER_INVALID' });
});

test('what drizzle-kit fails with is the error, and what it lacks', async () => {
  const root = newProject(`${imports} export const broken = pgTable(;`);
  await expect(generate({ from: root })).rejects.toMatchObject({
    code: 'GENERATE_FAILED',
    message: expect.stringContaining('schema.ts'),
  });
  expect(existsSync(join(root, 'drizzle', '0000_first.sql'))).toBe(false);
  rmSync(join(root, 'node_modules'));
  await expect(generate({ from: root })).rejects.toMatchObject({
    code: 'GENERATE_FAILED',
    message: expect.stringContaining('no drizzle-kit'),
  });
});
