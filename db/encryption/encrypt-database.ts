// mytx encrypt: brings every value of this package's encrypted columns in a database to the current key. Columns of an
// application's own tables are its own to do, with reencrypt({ columns }).

import { noStatementDeadline } from '../connection/deadlines.ts';
import { openDatabase } from '../database.ts';
import { EncryptionError } from '../errors.ts';
import type { DatabaseOptions, OpenReport } from '../opening.ts';
import { type ReencryptedColumn, type ReencryptOptions, type ReencryptReport, reencrypt } from './reencrypt.ts';

export interface EncryptDatabaseReport extends OpenReport, ReencryptReport {}

/**
 * Opens a database as the default one, and encrypts what is due; close it afterwards.
 * @throws EncryptionError ENCRYPTION_KEY_MISSING; ENCRYPTION_INCOMPLETE, at the end, where something had to be left; and as
 * `openDatabase`
 */
export async function encryptDatabase(
  options: DatabaseOptions,
  how: Omit<ReencryptOptions, 'columns'>,
): Promise<EncryptDatabaseReport> {
  const opened = await openDatabase({ ...options, deadlines: noStatementDeadline, socket: false });
  how.signal?.throwIfAborted();
  const report = await reencrypt(how);
  if (!report.isComplete && !how.isDryRun) throw incomplete(report);
  return { ...opened, ...report };
}

/** Says what was left, and why. */
export function incomplete({ keyId, columns }: Pick<ReencryptReport, 'keyId' | 'columns'>): EncryptionError {
  const problems = columns.flatMap(describeLeft);
  return new EncryptionError(
    'ENCRYPTION_INCOMPLETE',
    `not everything is encrypted with the key "${keyId}": ${problems.join('; ')}`,
    'Plaintext from before encryption is taken with MYTX_ENCRYPTION_TRANSITION=1; for the rest see docs/encryption.md. What could be done is done.',
    { keyId, columns },
  );
}

/** What was left of a column, and the first row of it. */
export function describeLeft(report: ReencryptedColumn): string[] {
  const { column, left } = report;
  const counts = (['plaintext', 'unreadable', 'duplicates', 'changing'] as const)
    .filter((why) => report[why] > 0)
    .map((why) => `${report[why].toLocaleString('en-US')} ${words[why]}`);
  if (counts.length === 0) return [];
  const [first] = left;
  return [`${column}: ${counts.join(', ')}${first ? ` (such as the row ${first.join(', ')})` : ''}`];
}

const words = {
  plaintext: 'in plaintext',
  unreadable: 'unreadable',
  duplicates: 'that another row has already',
  changing: 'that others keep changing',
} as const;
