// importUser: reads back what exportUser wrote, the same ids in the same tables, or nothing. Every line is checked before
// its row is sent; the whole is one transaction, which is rolled back where the last line does not fit what came before it.

import { createHash, type Hash } from 'node:crypto';
import { describe, optionalId, requireObject } from '../arguments.ts';
import { recordEvent } from '../audit.ts';
import { encode, type WireValue } from '../connection/connection.ts';
import { execute, transaction } from '../database.ts';
import { ConflictError, InvalidArgumentError } from '../errors.ts';
import { limits } from '../limit-settings.ts';
import { fileValueReader, ValueProblem } from './field-values.ts';
import {
  type End,
  type Header,
  type Parsed,
  parseHeader,
  parseLine,
  type ReadLine,
  type RowCounts,
  refuseLarge,
  refuseLine,
  tableNames,
} from './format.ts';
import { type MessageFacts, MessageTrees } from './message-tree.ts';
import { fieldsOf, type PersonTable, personTables } from './person-tables.ts';
import { type ImportSource, readLines } from './read-lines.ts';
import { RowWriter } from './write-rows.ts';

export interface ImportOptions {
  /** Whose file it must be; whose it is is not asked unless given. */
  userId?: string;
  /** Told how many rows were read so far. */
  onProgress?(progress: { done: number }): void;
}

export interface ImportReport {
  userId: string;
  /** How many rows of each table were written. */
  rows: RowCounts;
  /** API keys of a file without secrets: nobody could use them, so they are not written. */
  keysLeftOut: number;
}

/**
 * Writes a person as `exportUser` gave it, under the same ids, chats with all branches and their active paths, into a
 * database where this person is not. Of a file without secrets the person comes without password and API keys. All of it
 * is one transaction: what is refused leaves nothing.
 *
 * @param source the file in pieces, texts or bytes, cut anywhere: a stream, or what `exportUser` gives
 * @throws PersonDataError IMPORT_REFUSED, with `details.line`, also beyond a limit of `configureLimits`; ConflictError USER_EXISTS, EMAIL_TAKEN, ID_TAKEN
 * @example await importUser(createReadStream('dana.jsonl'));
 */
export async function importUser(source: ImportSource, options: ImportOptions = {}): Promise<ImportReport> {
  const isIterable =
    typeof source === 'object' && source !== null && (Symbol.asyncIterator in source || Symbol.iterator in source);
  if (!isIterable) {
    throw new InvalidArgumentError(
      source === undefined ? 'MISSING_ARGUMENT' : 'INVALID_ARGUMENT',
      'source',
      `is ${describe(source)}; it must be a stream, or another iterable of texts or bytes`,
      'Pass createReadStream(file), the body of a request, or what exportUser gives.',
    );
  }
  const { userId, onProgress } = requireObject('importUser', options);
  const wanted = optionalId('userId', userId);
  // A stream can't be read twice: it is run once, whatever it meets.
  return transaction(() => new Import(wanted, onProgress).run(source), { maxAttempts: 1 });
}

class Import {
  private readonly hash: Hash = createHash('sha256');
  private readonly trees = new MessageTrees();
  private readonly read: RowCounts = Object.fromEntries(tableNames.map((name) => [name, 0]));
  private place: TablePlace | undefined;
  private done = 0;

  constructor(
    private readonly wanted: string | undefined,
    private readonly onProgress: ImportOptions['onProgress'],
  ) {}

  async run(source: ImportSource): Promise<ImportReport> {
    let header: Header | undefined;
    let end: End | undefined;
    let last = 0;
    for await (const line of readLines(source)) {
      last = line.number;
      if (end) throw refuseLine(line.number, 'comes behind the last one');
      if (!header) {
        header = this.readHeader(line);
      } else {
        const parsed = parseLine(line, header);
        if (parsed.kind === 'end') end = await this.readEnd(line.number, parsed.end);
        else await this.readRow(line.number, parsed, header);
      }
      if (!end) this.hash.update(line.text).update('\n');
    }
    if (!header) throw refuseLine(1, 'is missing: the file is empty');
    if (!end) throw refuseLine(last + 1, 'is missing: the file was cut, an export ends with {"end":…}');
    return this.report(header);
  }

  private readHeader(line: ReadLine): Header {
    const header = parseHeader(line);
    if (this.wanted === undefined || header.userId === this.wanted) return header;
    throw refuseLine(
      line.number,
      `is of the user ${header.userId}, and userId is ${this.wanted}`,
      'Pass the id that is in the file, or none.',
    );
  }

  private async readRow(
    number: number,
    { table, values, text }: Extract<Parsed, { kind: 'row' }>,
    header: Header,
  ): Promise<void> {
    if (this.place?.table !== table) await this.enter(number, table, header);
    const place = this.place as TablePlace;
    const wire = readValues(number, place, values, text);
    this.checkOwner(number, table, values, header);
    place.requireOrder(number, values);
    if (table.name === 'User') await refuseOccupied(values as { id: string; email: string });
    this.checkTree(number, table, values);
    await place.writer?.add(number, wire);
    this.read[table.name] = (this.read[table.name] as number) + 1;
    this.done += 1;
    if (this.done % 250 === 0) this.onProgress?.({ done: this.done });
  }

  /** The rows of a table stand together, and the tables in the order that rows refer to each other. */
  private async enter(number: number, table: PersonTable, { includesSecrets }: Header): Promise<void> {
    const before = this.place ? personTables.indexOf(this.place.table) : -1;
    if (personTables.indexOf(table) < before) {
      throw refuseLine(
        number,
        `is a row of ${table.name} behind rows of ${this.place?.table.name}; the order is ${tableNames.join(', ')}`,
      );
    }
    if (before === -1 && table.name !== 'User')
      throw refuseLine(number, `is a row of ${table.name}; the first row is that of User`);
    await this.place?.writer?.flush(number - 1);
    this.place = new TablePlace(table, includesSecrets);
  }

  private checkOwner(number: number, { name }: PersonTable, values: Record<string, unknown>, { userId }: Header): void {
    const field = name === 'User' ? 'id' : 'userId';
    if (values[field] !== userId)
      throw refuseLine(number, `has a ${field} that is not the userId of the first line, ${userId}`);
  }

  private checkTree(number: number, { name }: PersonTable, values: Record<string, unknown>): void {
    if (name === 'Chat') {
      const { id, messageCount, headId } = values as { id: string; messageCount: number; headId: string | null };
      if (messageCount > limits().chatMessages) {
        throw refuseLarge(number, `has a messageCount of ${messageCount}`, 'chatMessages', messageCount);
      }
      this.trees.addChat(id, { messageCount, headId });
    } else if (name === 'Message') {
      const problem = this.trees.addMessage(values as unknown as MessageFacts);
      if (problem) throw refuseLine(number, problem);
    }
  }

  private async readEnd(number: number, { rows, sha256 }: End): Promise<End> {
    await this.place?.writer?.flush(number - 1);
    if (this.read.User !== 1) throw refuseLine(number, `ends a file with ${this.read.User} rows of User; there is one`);
    const problem = this.trees.end();
    if (problem) throw refuseLine(number, problem);
    const differing = tableNames.find((name) => rows[name] !== this.read[name]);
    if (differing) {
      throw refuseLine(
        number,
        `counts ${rows[differing]} rows of ${differing}, and there are ${this.read[differing]}: lines are missing, or too many`,
      );
    }
    if (sha256 !== this.hash.digest('hex'))
      throw refuseLine(number, 'has the hash of other lines: the file was changed');
    return { rows, sha256 };
  }

  private async report({ userId, includesSecrets }: Header): Promise<ImportReport> {
    const keysLeftOut = includesSecrets ? 0 : (this.read.ApiKey as number);
    const rows = includesSecrets ? this.read : { ...this.read, ApiKey: 0 };
    await recordEvent('user.imported', userId, { includesSecrets, ...rows });
    this.onProgress?.({ done: this.done });
    return { userId, rows, keysLeftOut };
  }
}

/** The table that rows are of at the moment. */
class TablePlace {
  /** What reads each field, but the one that is kept as it is. */
  readonly fields: readonly [string, ((value: unknown) => WireValue) | undefined][];
  readonly writer: RowWriter | undefined;
  private lastKey: readonly unknown[] | undefined;

  constructor(
    readonly table: PersonTable,
    includesSecrets: boolean,
  ) {
    this.fields = fieldsOf(table, includesSecrets).map(([name, column]) => [
      name,
      name === table.verbatim ? undefined : fileValueReader(column),
    ]);
    // A key without its digest is no key.
    const isWritten = includesSecrets || table.name !== 'ApiKey';
    const names = this.fields.map(([name]) => name);
    this.writer = isWritten ? new RowWriter(table, names) : undefined;
  }

  /** In a strict order no row is there twice, which no list of all that were there has to say. */
  requireOrder(number: number, values: Record<string, unknown>): void {
    const key = this.table.key.map((name) => values[name]);
    const { lastKey } = this;
    this.lastKey = key;
    if (!lastKey) return;
    const at = key.findIndex((value, i) => value !== lastKey[i]);
    if (at !== -1 && (key[at] as string) > (lastKey[at] as string)) return;
    const fault = at === -1 ? 'is there twice' : 'is not in order';
    throw refuseLine(number, `${fault}: rows of ${this.table.name} are in the order of ${this.table.key.join(', ')}`);
  }
}

function readValues(
  number: number,
  { fields, table: { made } }: TablePlace,
  values: Record<string, unknown>,
  text: string | undefined,
): WireValue[] {
  const given = fields.map(([name, read]) => {
    if (!read) return text ?? null;
    try {
      return read(values[name]);
    } catch (error) {
      throw error instanceof ValueProblem ? refuseLine(number, `has a ${name} that ${error.message}`) : error;
    }
  });
  return [...given, ...Object.values(made).map((make) => encode(make(values)))];
}

async function refuseOccupied({ id, email }: { id: string; email: string }): Promise<void> {
  const query = 'select id = $1::uuid from "User" where id = $1::uuid or lower(email) = lower($2::text)';
  const { rows } = await execute(query, [id, email], true);
  if (rows.some(([isSame]) => isSame)) {
    throw new ConflictError(
      'USER_EXISTS',
      `the user ${id} is in this database already`,
      'Nothing was written. Erase the person here first (eraseUser), or import into another database.',
    );
  }
  if (rows.length > 0) {
    throw new ConflictError(
      'EMAIL_TAKEN',
      'another user of this database has the e-mail address that is in the file',
      'Nothing was written. Change the address of that user, or erase them, first.',
    );
  }
}
