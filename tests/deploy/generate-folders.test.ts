// What drizzle-kit 1.0 leaves in a folder of migrations, and what is made of it: enum values in a migration of their own, and
// the tables before a migration. The snapshots are as 1.0.0-rc.4 (all of the schema) and rc.5 (what has changed) write them.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { splitEnumValues } from '../../deploy/generate/enum-values.ts';
import { listMigrations, schemaBefore } from '../../deploy/generate/migrations-folder.ts';
import { newFolder, removeFolders, statements } from './own-database.ts';

afterAll(removeFolders);

type Json = Record<string, unknown>;

function writeMigration(folder: string, name: string, sql: string, snapshot: Json): void {
  mkdirSync(join(folder, name));
  writeFileSync(join(folder, name, 'migration.sql'), sql);
  writeFileSync(join(folder, name, 'snapshot.json'), JSON.stringify(snapshot));
}

const snapshotIn = (folder: string, name: string): Json =>
  JSON.parse(readFileSync(join(folder, name, 'snapshot.json'), 'utf8'));

const mood = (...values: string[]): Json => ({ entityType: 'enums', schema: 'public', name: 'mood', values });
const table = { entityType: 'tables', schema: 'public', name: 'users', isRlsEnabled: false };
const column = (name: string, type: string): Json => ({
  entityType: 'columns',
  schema: 'public',
  table: 'users',
  name,
  type,
  notNull: false,
  default: null,
});
const nobody = '00000000-0000-0000-0000-000000000000';
const base = { type: 'base', version: '9', dialect: 'postgres', id: 'a', prevIds: [nobody] };
const before = [mood('ok', 'sad'), table, column('name', 'text')];
const moodKey = 'enums\0["public","mood"]';
const footprint = (kind: string): Json => ({ statementType: `alter_${kind}`, statementTarget: [kind, 'public'] });

const first = '20261231235957_first';
const added = `ALTER TYPE "mood" ADD VALUE 'glad';`;
const used = `ALTER TABLE "users" ADD COLUMN "mood" "mood" DEFAULT 'glad';`;
const newColumn = column('mood', 'mood');

/** A folder whose second migration adds a value to an enum, and a column. */
function newFolderWith(second: Json): string {
  const folder = newFolder();
  writeMigration(folder, first, 'CREATE TABLE "users" ("name" text);', { ...base, ddl: before });
  writeMigration(folder, '20261231235959_second', statements(added, used), {
    ...base,
    id: 'b',
    prevIds: ['a'],
    ...second,
  });
  return folder;
}

async function split(folder: string): Promise<string[]> {
  const [, newest] = listMigrations(folder);
  if (!newest) throw new Error('there is no second migration');
  return splitEnumValues(folder, newest);
}

const kinds = {
  'of all of the schema': { ddl: [mood('ok', 'sad', 'glad'), table, column('name', 'text'), newColumn] },
  'of what has changed': {
    type: 'diff',
    footprints: [footprint('enum'), footprint('column')],
    deltas: [
      { op: 'create', row: newColumn },
      { op: 'alter', key: moodKey, set: { values: ['ok', 'sad', 'glad'] } },
    ],
  },
};

describe.each(Object.entries(kinds))('with snapshots %s', (_, second) => {
  test('the values of an enum are in a folder of their own, a second before the one that uses them', async () => {
    const folder = newFolderWith(second);
    const names = ['20261231235959_second_enum_values', '20270101000000_second'] as const;
    expect(await split(folder)).toEqual(names);
    expect(readdirSync(folder).sort()).toEqual([first, ...names]);
    expect(names.map((name) => readFileSync(join(folder, name, 'migration.sql'), 'utf8'))).toEqual([added, used]);
    const [values, others] = names.map((name) => snapshotIn(folder, name)) as [Json, Json];
    expect([values.prevIds, others.prevIds, others.id]).toEqual([['a'], [values.id], 'b']);
    if (second === kinds['of all of the schema']) {
      expect(values.ddl).toEqual([mood('ok', 'sad', 'glad'), ...before.slice(1)]);
      expect(others.ddl).toEqual(kinds['of all of the schema'].ddl);
    } else {
      const { footprints, deltas } = kinds['of what has changed'];
      expect(values).toMatchObject({ type: 'diff', footprints: [footprints[0]], deltas: [deltas[1]] });
      expect(others).toMatchObject({ type: 'diff', footprints: [footprints[1]], deltas: [deltas[0]] });
    }
    // Both say together what the one said: so nothing is left to be generated.
    const [, , last] = listMigrations(folder);
    expect([
      ...(schemaBefore(folder, last as never)
        ?.get('public.users')
        ?.columns.keys() ?? []),
    ]).toEqual(['name']);
  });
});

test('what only adds values stays as it is', async () => {
  const folder = newFolder();
  writeMigration(folder, first, '', { ...base, ddl: before });
  writeMigration(folder, '20261231235959_second', added, {
    ...base,
    id: 'b',
    prevIds: ['a'],
    ddl: [mood('ok', 'sad', 'glad')],
  });
  expect(await split(folder)).toEqual(['20261231235959_second']);
  expect(readdirSync(folder)).toHaveLength(2);
});

test('the tables before a migration are put together from what has changed, up to a rename', () => {
  const folder = newFolder();
  const change = (id: string, prevId: string, ...deltas: Json[]): Json => ({
    ...base,
    type: 'diff',
    id,
    prevIds: [prevId],
    deltas,
  });
  const key = (name: string): string => `columns\0["public","users","${name}"]`;
  writeMigration(folder, '20260101000000_a', '', { ...base, ddl: before });
  writeMigration(folder, '20260102000000_b', '', change('b', 'a', { op: 'create', row: column('age', 'integer') }));
  writeMigration(
    folder,
    '20260103000000_c',
    '',
    change('c', 'b', { op: 'alter', key: key('age'), set: { type: 'bigint' } }),
  );
  writeMigration(folder, '20260104000000_d', '', change('d', 'c', { op: 'drop', key: key('name') }));
  writeMigration(
    folder,
    '20260105000000_e',
    '',
    change('e', 'd', { op: 'rename', key: key('age'), set: { name: 'years' } }),
  );
  writeMigration(folder, '20260106000000_f', '', change('f', 'e'));
  const columns = listMigrations(folder).map((migration) => {
    const users = schemaBefore(folder, migration)?.get('public.users');
    return users && [...users.columns].map(([name, { type }]) => `${name} ${type}`);
  });
  expect(columns).toEqual([
    undefined,
    ['name text'],
    ['name text', 'age integer'],
    ['name text', 'age bigint'],
    ['age bigint'],
    undefined,
  ]);
});
