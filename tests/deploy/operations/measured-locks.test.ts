// The locks of each operation are measured anew on every server that is here, and are those of measured-locks.json; and the
// statement that was measured is read, from its tree, as that operation on those relations.

import postgres from 'postgres';
import { describe, expect, inject, test } from 'vitest';
import { readCatalogue } from '../../../deploy/catalogue.ts';
import { loadGrammar, type ParsedStatement } from '../../../deploy/grammar.ts';
import { type Operation, operationsOf } from '../../../deploy/operations/classify.ts';
import { knownFrom } from '../../../deploy/operations/known.ts';
import { measuredOn } from '../../../deploy/operations/locks.ts';
import { type OperationId, operations } from '../../../deploy/operations/operations.ts';
import { onNewDatabase } from '../own-database.ts';
import { examples } from './examples.ts';
import { type Measured, measureOperations } from './measurement.ts';

const grammar = await loadGrammar();

/** They are read as something else, on purpose. */
const readOtherwise: Partial<Record<OperationId, OperationId>> = {
  'attach-partition-proven': 'attach-partition', // whether a check proves it is for PostgreSQL to find out
};

describe.each(inject('servers'))('on PostgreSQL $version', ({ url: serverUrl, version }) => {
  test('every operation locks, reads and writes what the table says, and its statement is read as what it is', () =>
    onNewDatabase(serverUrl, async ({ url, sql }) => {
      const own = postgres(url, { max: 1, onnotice: () => {} });
      const session = {
        query: async (text: string) => [...(await own.unsafe(text))].map((row) => ({ ...row })),
        script: async (): Promise<void> => {},
      };
      const read = new Map<OperationId, Operation[]>();
      const measured = await measureOperations({ own, other: sql }, version, async (id) => {
        const [statement] = grammar.parse(examples[id as keyof typeof examples].sql) as [ParsedStatement];
        read.set(id, operationsOf(statement, knownFrom(await readCatalogue(session))));
      });
      await own.end();
      expect(measured.size).toBeGreaterThan(110);
      for (const [id, found] of measured) {
        const { versions: _, ...expected } = measuredOn(id, version) ?? { versions: [] };
        expect(found, id).toEqual(expected);
        const one = read.get(id)?.find((operation) => operation.id === (readOtherwise[id] ?? id));
        expect(one, `${id} is read as ${read.get(id)?.map((other) => other.id)}`).toBeDefined();
        expect(found.locks, id).toMatchObject(lockByRole(one as Operation));
        expect(lockByRole(one as Operation), id).toMatchObject(withoutUnread(found.locks));
      }
    }));
});

const lockByRole = ({ locks }: Operation): Measured['locks'] =>
  Object.fromEntries(locks.map(({ role, mode }) => [role, mode]));

/** Of what a statement does not name: the table's indexes, whose locks are not stronger, and the query of a view. */
function withoutUnread({ index: _, source: __, ...locks }: Measured['locks']): Measured['locks'] {
  return locks;
}

describe('the table of operations', () => {
  const versions = [15, 16, 17, 18];
  const ids = Object.keys(operations) as OperationId[];

  test('each is measured on every version that has it', () => {
    const missing = ids.flatMap((id) =>
      versions
        .filter((version) => version >= (operations[id].since ?? 15))
        .filter((version) => !measuredOn(id, version)?.versions.includes(version))
        .map((version) => `${id} on ${version}`),
    );
    expect(missing).toEqual(versions.map((version) => `other on ${version}`));
    expect(ids.length).toBeGreaterThan(100);
  });

  test('says of what it does no less than what was measured', () => {
    const says = (id: OperationId): string => {
      const { rewrites = [], builds = [], scans = [] } = measuredOn(id, 18) ?? {};
      if (rewrites.length > 0) return 'rewrite';
      if (builds.includes('table')) return 'index';
      if (builds.length > 0) return 'reindex';
      if (scans.includes('parent')) return 'foreign-key';
      return scans.length > 0 ? 'scan' : 'none';
    };
    /** Truncating makes a new, empty file; a sequence is one row; a column without a value fails at the first row. */
    const others: OperationId[] = ['truncate', 'alter-sequence', 'add-column-not-null', 'vacuum', 'analyze'];
    const told = ids.filter((id) => !/^(rows|unknown)$/.test(operations[id].work) && !others.includes(id));
    expect(told.map((id) => [id, operations[id].work])).toEqual(
      told.map((id) => [id, id === 'attach-partition-proven' ? 'none' : says(id)]),
    );
  });
});
