// The record of who did what to keys, passwords, exports and erasures. People stand in it as a keyed digest of their id.
// Written in the transaction of what it records: neither is there without the other.

import { createHmac } from 'node:crypto';
import { and, desc, lt, sql } from 'drizzle-orm';
import { optionalId, optionalLimit, requireObject } from './arguments.ts';
import { scopedUser } from './connection/scope.ts';
import { decodeCursor, encodeCursor, type Page, toPage } from './cursor.ts';
import { db } from './database.ts';
import { auditEvent } from './schema.ts';
import { secrets } from './secrets.ts';
import { uuidv7 } from './uuid.ts';

export type AuditAction =
  | 'api_key.issued'
  | 'api_key.rotated'
  | 'api_key.revoked'
  | 'api_key.deleted'
  | 'api_key.upgraded'
  | 'password.set'
  | 'password.changed'
  | 'user.exported'
  | 'user.imported'
  | 'user.erased';

// No `returning`: who acts as a user may add to the record, and not read it.
const insertEvent = db
  .insert(auditEvent)
  .values({
    id: sql.placeholder('id'),
    action: sql.placeholder('action'),
    subject: sql.placeholder('subject'),
    actor: sql.placeholder('actor'),
    details: sql.placeholder('details'),
  })
  .prepare('audit_event_insert');

/**
 * Records that something was done to a person's data, by the user of the running `asUser` or the application itself.
 * Call it inside the transaction that does it.
 * @param details ids and counts, never what somebody wrote
 */
export async function recordEvent(
  action: AuditAction,
  subjectId: string,
  details: Record<string, string | number | boolean | null> = {},
): Promise<void> {
  const actorId = scopedUser();
  await insertEvent.execute({
    id: uuidv7(),
    action,
    subject: digestPerson(subjectId),
    actor: actorId === undefined ? null : digestPerson(actorId),
    details,
  });
}

/** What was done, when, and to whom. */
export interface AuditItem {
  id: string;
  at: Date;
  action: AuditAction;
  /** The digest of the person's id, in hexadecimal digits: the same for the same person, under one audit key. */
  subject: string;
  /** The digest of the user that it was done as, in `asUser`; null for the application itself. */
  actor: string | null;
  /** Ids and counts. */
  details: Record<string, unknown>;
}

/** Ids are made in the order of events, and there is an index of them; a person's events are few, and are sorted. */
const isBefore = lt(auditEvent.id, sql.placeholder('before'));
const newestEvents = db
  .select()
  .from(auditEvent)
  .where(isBefore)
  .orderBy(desc(auditEvent.id))
  .limit(sql.placeholder('limit'))
  .prepare('audit_events');
const newestOfPerson = db
  .select()
  .from(auditEvent)
  .where(and(sql`${auditEvent.subject} = any(${sql.placeholder('subjects')}::bytea[])`, isBefore))
  .orderBy(desc(auditEvent.id))
  .limit(sql.placeholder('limit'))
  .prepare('audit_events_of_person');
const behindAll = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/**
 * A page of the record, newest first: all of it, or what was done to one person, also to one who was erased since. For who
 * runs the application: inside of `asUser` it is refused (PERMISSION_DENIED).
 * @param userId under whatever audit key it was recorded, as long as the key is configured
 * @param limit events of a page: 1 to 1,000; 20 unless given
 * @param cursor `nextCursor` of the page before
 * @throws InvalidArgumentError INVALID_ID, INVALID_LIMIT, INVALID_CURSOR
 * @example const { items } = await listAuditEvents({ userId });
 */
export async function listAuditEvents(args: {
  userId?: string;
  limit?: number;
  cursor?: string | null;
}): Promise<Page<AuditItem>> {
  const { userId, limit, cursor } = requireObject('listAuditEvents', args);
  const id = optionalId('userId', userId);
  const rows = optionalLimit(limit, { fallback: 20, max: 1000 });
  const [before = behindAll] = decodeCursor('auditEvents', cursor, isId) ?? [];
  const values = { before, limit: rows + 1 };
  const found = await (id === undefined
    ? newestEvents.execute(values)
    : newestOfPerson.execute({ ...values, subjects: arrayOfBytes(digestsOfPerson(id)) }));
  const items = found.map(({ action, subject, actor, ...event }) => ({
    ...event,
    action: action as AuditAction,
    subject: subject.toString('hex'),
    actor: actor?.toString('hex') ?? null,
  }));
  return toPage(items, rows, (last) => encodeCursor('auditEvents', [last.id]));
}

function isId(keys: unknown[]): boolean {
  return keys.length === 1 && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(String(keys[0]));
}

function arrayOfBytes(values: readonly Buffer[]): string {
  return `{${values.map((bytes) => `"\\\\x${bytes.toString('hex')}"`).join(',')}}`;
}

/** Who has the database alone can't tell whose digest it is, unless they know the id and no key is set. */
const withoutKey = Buffer.from('mytx-ai audit');

/** What stands for a person in the record: HMAC-SHA-256 of the id, under the current audit key. */
export function digestPerson(userId: string): Buffer {
  return digestWith(secrets().auditKeys[0]?.key ?? withoutKey, userId);
}

/** The digests under every audit key there is, the current one first: to find what was recorded under older ones. */
export function digestsOfPerson(userId: string): Buffer[] {
  const { auditKeys } = secrets();
  return auditKeys.length === 0 ? [digestPerson(userId)] : auditKeys.map(({ key }) => digestWith(key, userId));
}

function digestWith(key: Buffer, userId: string): Buffer {
  return createHmac('sha256', key).update(userId.toLowerCase()).digest();
}
