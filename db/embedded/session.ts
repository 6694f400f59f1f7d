// The one session that the embedded PostgreSQL has, and who used it last: its owner, or a guest of the socket. What
// one has set, prepared, locked or made temporary is gone before the next one's first statement.
// Never lets two in at once: each holds the one connection of the pool. Never sends what would end PostgreSQL.

import type { PGlite } from '@electric-sql/pglite';
import { ConnectionError } from '../errors.ts';
import { refusalOf } from './deadly-statements.ts';
import type { Ownership } from './owner.ts';
import {
  columnsOf,
  errorTextOf,
  messagesOf,
  queryMessage,
  type ServerMessage,
  startupMessage,
  syncMessage,
  textsOf,
} from './wire.ts';

const owner = Symbol('owner');
/** Not to be had as start parameters of PGlite, which would replace all of its own. */
const ownSettings = `set time zone 'UTC'; set datestyle to 'ISO'`;

export class EmbeddedSession {
  /** The settings that a client is told of, by name, as they are now. */
  readonly parameters: Map<string, string> = new Map();
  private lastUser: unknown = owner;
  private ended: Error | undefined;
  private greeting: Buffer | undefined;

  /** @param assertKept throws when this process is not the owner of the database any more */
  private constructor(
    readonly client: PGlite,
    private readonly assertKept: Ownership['assertKept'],
  ) {}

  static async begin(client: PGlite, assertKept: Ownership['assertKept']): Promise<EmbeddedSession> {
    await client.exec(ownSettings);
    return new EmbeddedSession(client, assertKept);
  }

  /** Writes a checkpoint and ends PostgreSQL, if it can still be talked to: one that is another process's writes nothing. */
  async close(): Promise<void> {
    try {
      this.assertUsable(0);
    } catch {
      return;
    }
    await this.client.close();
  }

  /** Runs `work` for the owner; a reset before it costs less than a millisecond, and only where a guest was there. */
  async asOwner<T>(text: string, work: (client: PGlite) => Promise<T>): Promise<T> {
    this.assertUsable();
    const refusal = refusalOf(text);
    if (refusal)
      throw Object.assign(new Error(refusal.message), { code: '0A000', severity: 'ERROR', hint: refusal.hint });
    if (this.lastUser !== owner) {
      await this.reset();
      await this.client.exec(ownSettings); // leaves PGlite's stream of answers as its own functions want it
      this.lastUser = owner;
    }
    return work(this.client);
  }

  /**
   * Makes the session a guest's, with the settings it began with.
   * @returns whether it was somebody else's: then nothing of the guest's is there any more
   * @throws the server's text where a setting is refused
   */
  async enter(guest: unknown, settings: ReadonlyMap<string, string>): Promise<boolean> {
    this.assertUsable();
    if (this.lastUser === guest) return false;
    await this.reset();
    this.lastUser = guest;
    await this.command(ownSettings);
    if (settings.size > 0) {
      const calls = [...settings].map(([name, value]) => `set_config(${literal(name)}, ${literal(value)}, false)`);
      await this.command(`select ${calls.join(', ')}`);
    }
    return true;
  }

  /** What PostgreSQL says to a client that has just connected. The first call must be outside of every transaction. */
  async greet(): Promise<Buffer> {
    this.greeting ??= await this.exchange(startupMessage({ user: 'postgres', database: 'postgres' }));
    return this.greeting;
  }

  /** Sends one message, and gives all that is answered. */
  async exchange(message: Uint8Array): Promise<Buffer> {
    this.assertUsable();
    const chunks: Buffer[] = [];
    try {
      await this.client.runExclusive(() =>
        this.client.execProtocolRawStream(message, { onRawData: (bytes) => chunks.push(Buffer.from(bytes)) }),
      );
    } catch (error) {
      this.ended = error as Error;
      throw error;
    }
    const answer = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
    for (const { type, body } of messagesOf(answer)) if (type === 'S') this.parameters.set(...textsOf(body));
    return answer;
  }

  /** Sends a text of ours. @returns the answer @throws the server's text where it fails */
  async command(text: string): Promise<ServerMessage[]> {
    const answer = [...messagesOf(await this.exchange(queryMessage(text)), true)];
    const failure = answer.find(({ type }) => type === 'E');
    if (failure) throw new Error(errorTextOf(failure.body));
    return answer;
  }

  /** The first column of what a text of ours selects. */
  async column(text: string): Promise<string[]> {
    const rows = (await this.command(text)).filter(({ type }) => type === 'D');
    return rows.map(({ body }) => columnsOf(body)[0] ?? '');
  }

  /** Ends what a guest left open: it may have gone in the middle of a round, or of a failed one. */
  async rollBack(isIgnoring: boolean): Promise<void> {
    if (isIgnoring) await this.exchange(syncMessage);
    await this.command('rollback');
  }

  private async reset(): Promise<void> {
    await this.command('discard all');
  }

  private assertUsable(trustMs?: number): void {
    this.assertKept(trustMs);
    if (!this.ended) return;
    throw new ConnectionError(
      'EMBEDDED_LOST',
      'the embedded PostgreSQL of this process has ended',
      'Nothing more is sent to it. Close the database and open it again.',
      {},
      this.ended,
    );
  }
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''").replaceAll('\0', '')}'`;
}
