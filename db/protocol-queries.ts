// Protocols and their versions. A change writes the protocol and its new version in one statement;
// a version that is there is never changed.

import { isDeepStrictEqual } from 'node:util';
import { and, eq, sql } from 'drizzle-orm';
import {
  describe,
  optionalId,
  optionalLimit,
  optionalText,
  requireCount,
  requireId,
  requireObject,
  requireText,
} from './arguments.ts';
import { decodeCursor, encodeCursor, type Page, toPage } from './cursor.ts';
import { db, readFor } from './database.ts';
import { type InvalidArgumentCode, InvalidArgumentError } from './errors.ts';
import { storableJson, toJsonText } from './json-value.ts';
import { textLimits } from './limits.ts';
import {
  type ArrayArguments,
  afterCursor,
  type ListArguments,
  newestFirst,
  readArray,
  readPage,
} from './newest-first.ts';
import { idTaken, named, repeatable, userMissing } from './outcome.ts';
import {
  type Protocol,
  type ProtocolPart,
  type ProtocolVersion,
  protocols,
  protocolVersions,
} from './protocols-schema.ts';
import { readMoment, statement } from './statement.ts';
import { uuidv7 } from './uuid.ts';

const ofUser = eq(protocols.userId, sql.placeholder('userId'));
const oneOfUser = and(eq(protocols.id, sql.placeholder('id')), ofUser);

const one = db.select().from(protocols).where(oneOfUser).prepare('protocol_by_id');
const allOfUser = db
  .select()
  .from(protocols)
  .where(ofUser)
  .orderBy(...newestFirst(protocols))
  .limit(sql.placeholder('limit'))
  .offset(sql.placeholder('offset'))
  .prepare('protocols_of_user');
const firstPage = db
  .select()
  .from(protocols)
  .where(ofUser)
  .orderBy(...newestFirst(protocols))
  .limit(sql.placeholder('limit'))
  .prepare('protocols_first_page');
const nextPage = db
  .select()
  .from(protocols)
  .where(and(ofUser, afterCursor(protocols)))
  .orderBy(...newestFirst(protocols))
  .limit(sql.placeholder('limit'))
  .prepare('protocols_next_page');
const versionsBefore = db
  .select()
  .from(protocolVersions)
  .where(
    and(
      eq(protocolVersions.userId, sql.placeholder('userId')),
      eq(protocolVersions.protocolId, sql.placeholder('id')),
      sql`${protocolVersions.version} < ${sql.placeholder('before')}::integer`,
    ),
  )
  .orderBy(sql`${protocolVersions.version} desc`)
  .limit(sql.placeholder('limit'))
  .prepare('protocol_versions_before');
const removeProtocol = db.delete(protocols).where(oneOfUser).returning().prepare('protocol_delete');

const columns = 'id, user_id, name, description, parts, version, created_at, updated_at';

/** Copies the row that a statement's `changed` wrote into the list of versions, and gives it back. */
const andItsVersion = `
versioned as (
  insert into "ProtocolVersion" (user_id, protocol_id, version, name, description, parts, created_at)
  select user_id, id, version, name, description, parts, updated_at
  from changed
)
select ${columns}
from changed`;

const insertProtocol = statement(
  `with changed as (
  insert into "Protocol" (id, user_id, name, description, parts)
  values ($1::uuid, $2::uuid, $3::text, $4::text, $5::jsonb)
  on conflict do nothing
  returning ${columns}
), ${andItsVersion}`,
  readProtocol,
  2,
);

const changeProtocol = statement(
  `with wanted as (
  select
    id,
    coalesce($3::text, name) as name,
    case when $4::boolean then $5::text else description end as description,
    coalesce($6::jsonb, parts) as parts
  from "Protocol"
  where id = $1::uuid and user_id = $2::uuid
  for update
), changed as (
  update "Protocol" p
  set
    name = wanted.name,
    description = wanted.description,
    parts = wanted.parts,
    version = p.version + 1,
    updated_at = now()
  from wanted
  where p.id = wanted.id
    and (p.name, p.description, p.parts) is distinct from (wanted.name, wanted.description, wanted.parts)
  returning ${columns.replaceAll(/\w+/g, 'p.$&')}
), ${andItsVersion}`,
  readProtocol,
  2,
);

const restoreVersion = statement(
  `with changed as (
  update "Protocol" p
  set
    name = old.name,
    description = old.description,
    parts = old.parts,
    version = p.version + 1,
    updated_at = now()
  from "ProtocolVersion" old
  where p.id = $1::uuid and p.user_id = $2::uuid
    and old.user_id = $2::uuid and old.protocol_id = $1::uuid and old.version = $3::integer
    and (p.name, p.description, p.parts) is distinct from (old.name, old.description, old.parts)
  returning ${columns.replaceAll(/\w+/g, 'p.$&')}
), ${andItsVersion}`,
  readProtocol,
  2,
);

const withVersion = statement(
  `select ${columns}
from "Protocol"
where id = $1::uuid and user_id = $2::uuid
  and exists (
    select 1
    from "ProtocolVersion"
    where user_id = $2::uuid and protocol_id = $1::uuid and "ProtocolVersion".version = $3::integer
  )`,
  readProtocol,
);

function readProtocol(row: unknown[]): Protocol {
  const [id, userId, name, description, parts, version, createdAt, updatedAt] = row;
  return {
    id: id as string,
    userId: userId as string,
    name: name as string,
    description: description as string | null,
    parts: JSON.parse(parts as string) as ProtocolPart[],
    version: version as number,
    createdAt: readMoment(createdAt),
    updatedAt: readMoment(updatedAt),
  };
}

/**
 * Saves a new protocol, as its version 1.
 * @param parts one or more objects with a text `content`; their other fields are kept
 * @param id of the new row; makes it safe to repeat a call whose outcome is unknown
 * @throws InvalidArgumentError INVALID_PARTS, INVALID_TEXT; NotFoundError USER_NOT_FOUND
 * @throws ConflictError ID_TAKEN when the id is that of another protocol
 * @example const [protocol] = await saveProtocol({ userId, name: 'Evening', parts: [{ content: 'Breathe out.' }] });
 */
export async function saveProtocol(args: {
  userId: string;
  name: string;
  description?: string | null;
  parts: readonly { content: string }[];
  id?: string;
}): Promise<Protocol[]> {
  const { userId, name, description, parts, id } = requireObject('saveProtocol', args);
  const rowId = optionalId('id', id) ?? uuidv7();
  const values = [
    rowId,
    requireId('userId', userId),
    requireText('name', name, { max: textLimits.protocolName }),
    requireDescription(description),
    requireParts(parts),
  ] as const;
  return repeatable({ id: rowId }, async () => {
    const written = await named(insertProtocol.run(...values), userMissing);
    if (written.length > 0) return written;
    const existing = await one.execute({ id: rowId, userId: values[1] });
    const isSame = existing.some((row) =>
      isDeepStrictEqual([row.name, row.description, row.parts], [values[2], values[3], JSON.parse(values[4])]),
    );
    if (!isSame) throw idTaken('id');
    return existing;
  });
}

/** A user's protocols, newest first. */
export async function getProtocolsByUserId(args: ArrayArguments): Promise<Protocol[]> {
  return readArray(allOfUser, requireObject('getProtocolsByUserId', args));
}

/** A page of a user's protocols, newest first. */
export async function listProtocols(args: ListArguments): Promise<Page<Protocol>> {
  return readPage('protocols', requireObject('listProtocols', args), firstPage, nextPage);
}

/** A user's protocol, or undefined. */
export async function getProtocolById(args: { id: string; userId: string }): Promise<Protocol | undefined> {
  const { id, userId } = requireObject('getProtocolById', args);
  const values = { id: requireId('id', id), userId: requireId('userId', userId) };
  const rows = await readFor(values.userId, () => one.execute(values));
  return rows[0];
}

/**
 * Changes what is given of a protocol and adds a version; `description: null` (or '') takes the description away.
 * A call that changes nothing adds none. @returns the protocol, `[]` when it is not there
 */
export async function updateProtocol(args: {
  id: string;
  userId: string;
  name?: string;
  description?: string | null;
  parts?: readonly { content: string }[];
}): Promise<Protocol[]> {
  const { id, userId, name, description, parts } = requireObject('updateProtocol', args);
  const key = { id: requireId('id', id), userId: requireId('userId', userId) };
  const changed = await changeProtocol.run(
    key.id,
    key.userId,
    name === undefined ? null : requireText('name', name, { max: textLimits.protocolName }),
    description !== undefined,
    requireDescription(description),
    parts === undefined ? null : requireParts(parts),
  );
  return changed.length > 0 ? changed : one.execute(key);
}

/** Deletes a protocol and its versions. @returns the row deleted, `[]` when it was not there */
export async function deleteProtocolById(args: { id: string; userId: string }): Promise<Protocol[]> {
  const { id, userId } = requireObject('deleteProtocolById', args);
  return removeProtocol.execute({ id: requireId('id', id), userId: requireId('userId', userId) });
}

/** A page of a protocol's versions, newest first; empty when the protocol is not there. */
export async function listProtocolVersions(args: {
  id: string;
  userId: string;
  /** 1 to 1,000; 20 unless given. */
  limit?: number;
  cursor?: string | null;
}): Promise<Page<ProtocolVersion>> {
  const { id, userId, limit, cursor } = requireObject('listProtocolVersions', args);
  const rows = optionalLimit(limit, { fallback: 20, max: 1000 });
  const [before = 2_147_483_647] = decodeCursor('protocolVersions', cursor, isVersion) ?? [];
  const values = { id: requireId('id', id), userId: requireId('userId', userId), before, limit: rows + 1 };
  const found = await readFor(values.userId, () => versionsBefore.execute(values));
  return toPage(found, rows, ({ version }) => encodeCursor('protocolVersions', [version]));
}

function isVersion(keys: unknown[]): boolean {
  const [version] = keys;
  return keys.length === 1 && Number.isInteger(version) && Math.abs(version as number) <= 2_147_483_647;
}

/**
 * Makes a protocol again what it was at a version, as a new version.
 * @returns the protocol, `[]` when it or the version is not there
 */
export async function restoreProtocolVersion(args: {
  id: string;
  userId: string;
  version: number;
}): Promise<Protocol[]> {
  const { id, userId, version } = requireObject('restoreProtocolVersion', args);
  const values = [requireId('id', id), requireId('userId', userId), requireCount('version', version, 1, 2_147_483_647)];
  const changed = await restoreVersion.run(...values);
  return changed.length > 0 ? changed : withVersion.run(...values);
}

/** An empty description is none, as in the specification. */
function requireDescription(description: unknown): string | null {
  return optionalText('description', description, { min: 0, max: textLimits.protocolDescription }) || null;
}

function requireParts(parts: unknown): string {
  if (parts === undefined) throw invalidParts('MISSING_ARGUMENT', 'is missing (undefined)');
  const text = toJsonText(parts, { argument: 'parts', code: 'INVALID_PARTS', limit: 'protocolBytes' });
  const problem = findPartProblem(JSON.parse(text));
  if (problem === undefined) return storableJson(text);
  throw invalidParts('INVALID_PARTS', problem);
}

function invalidParts(code: InvalidArgumentCode, problem: string): InvalidArgumentError {
  return new InvalidArgumentError(
    code,
    'parts',
    `${problem}; it must be an array of one or more objects with a text \`content\``,
    "Pass for instance [{ content: 'First step' }]; other fields of a part are kept as they are.",
  );
}

function findPartProblem(parts: unknown): string | undefined {
  if (!Array.isArray(parts)) return `is ${describe(parts)}`;
  if (parts.length === 0) return 'is empty';
  const wrong = parts.findIndex((part) => typeof part?.content !== 'string');
  return wrong === -1 ? undefined : `has no text \`content\` at [${wrong}]`;
}
