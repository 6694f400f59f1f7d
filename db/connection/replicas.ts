// Read replicas: which one may answer a read, so that nobody misses what they wrote themselves. A replica is used for a
// user when it has replayed the primary's log up to a place behind that user's last write, and is not far behind at all;
// otherwise, and whenever it fails, the primary answers. Nothing is measured by the clocks of servers, writes cost
// nothing more, and no timer runs: while there are reads, a look at the log places is taken a few times a second.

import type { StatementResult } from './connection.ts';
import type { CallerDeadline } from './deadlines.ts';
import type { OpenDatabase } from './open-database.ts';
import type { PoolFigures } from './pool.ts';
import { findPooling } from './pooler.ts';
import { runOutside, runUnder, scopedDeadline } from './scope.ts';

export interface ReplicaOptions {
  /** A replica that is further behind, or has not answered for this long, is not used; 5,000 unless given. */
  maxLagMs?: number;
  /** How long a replica may take for a read before the primary is asked, and half of the caller's deadline at most; 2,000 unless given. */
  timeoutMs?: number;
}

/** What a health page shows of a replica. */
export interface ReplicaFigures {
  /** `host:port/database`. */
  target: string;
  isUsable: boolean;
  /** How far it is behind at most; null before the first look, and while it can't be said. */
  lagMs: number | null;
  /** Why it is not usable, where that is known: an error's code, or a sentence. */
  problem?: string;
  pool: PoolFigures;
}

/** Whose rows a statement writes: a user's, or those of the users in a column of its result. */
export type RowOwner = { userId: string } | { column: number };

/** Whose rows were written: by one statement, or by all of a transaction. */
export class WrittenRows {
  readonly users: Set<string> = new Set();
  isAnybodys = false;

  /** @param owner where it is not known, anybody's rows may have been written */
  add(owner: RowOwner | undefined, result?: StatementResult): this {
    if (owner && 'userId' in owner) this.users.add(owner.userId);
    else if (owner && result) for (const row of result.rows) this.users.add(row[owner.column] as string);
    else this.isAnybodys = true;
    return this;
  }
}

const lookEveryMs = 100;
const lookTimeoutMs = 1000;
/** Places kept for replicas that are behind them: a hundred seconds of looking. */
const maxPlaces = 1000;

/** A place in the primary's log, and which writes are before it. */
interface LogPlace {
  atMs: number;
  position: bigint;
  /** Every write up to this one of ours is before the place. */
  write: number;
}

const primaryPlace = 'select pg_current_wal_insert_lsn()::text';
const replicaPlace = 'select pg_last_wal_replay_lsn()::text';

export class Replicas {
  private readonly maxLagMs: number;
  private readonly timeoutMs: number;
  private readonly replicas: Replica[];
  private readonly writes = new WriteMarks();
  private places: LogPlace[] = [];
  private lastLookMs = Number.NEGATIVE_INFINITY;
  private looking: Promise<void> | undefined;
  private turn = 0;

  constructor(
    private readonly primary: OpenDatabase,
    databases: readonly OpenDatabase[],
    { maxLagMs = 5000, timeoutMs = 2000 }: ReplicaOptions = {},
  ) {
    this.replicas = databases.map((database) => new Replica(database));
    this.maxLagMs = maxLagMs;
    this.timeoutMs = timeoutMs;
  }

  /** To be called when a write was acknowledged, or its outcome is unknown: before its caller can read. */
  wrote({ users, isAnybodys }: WrittenRows): void {
    if (isAnybodys) this.writes.noteAnybody();
    else for (const userId of users) this.writes.note(userId);
  }

  /** The result of a read on behalf of a user, or undefined where the primary must be asked. */
  async tryRead(
    userId: string,
    statement: string,
    params: readonly unknown[],
    prepare: boolean,
  ): Promise<StatementResult | undefined> {
    if (performance.now() - this.lastLookMs >= lookEveryMs) void this.look();
    const replica = this.choose(this.writes.lastOf(userId));
    if (!replica) return undefined;
    const { lookedAtMs } = replica;
    try {
      const result = await runUnder(this.deadline(), () => replica.database.runHere(statement, params, prepare));
      // A replica that was restarted may have gone back: what is known of it holds for sessions that were there already.
      return (result.sessionSinceMs ?? Number.POSITIVE_INFINITY) <= lookedAtMs ? result : undefined;
    } catch (error) {
      replica.failed(error);
      return undefined; // a replica is never the reason of a failure: the primary says what is wrong
    }
  }

  /** Asks the primary and every replica where they are in the log. Never throws. */
  look(): Promise<void> {
    this.looking ??= runOutside(() => this.lookNow()).finally(() => {
      this.looking = undefined;
    });
    return this.looking;
  }

  figures(): ReplicaFigures[] {
    return this.replicas.map((replica) => replica.figures(this.maxLagMs));
  }

  async close(): Promise<void> {
    await this.looking;
    await Promise.all(this.replicas.map(({ database }) => database.close()));
  }

  /** Of a caller's time a replica gets half at most: the rest is for the primary. */
  private deadline(): CallerDeadline {
    const nowMs = performance.now();
    const leftMs = (scopedDeadline()?.atMs ?? Number.POSITIVE_INFINITY) - nowMs;
    return { atMs: nowMs + Math.min(this.timeoutMs, leftMs / 2) };
  }

  private choose(write: number): Replica | undefined {
    this.turn += 1;
    const usable = this.replicas.filter((replica) => replica.isUsable(this.maxLagMs) && replica.write >= write);
    return usable[this.turn % usable.length];
  }

  private async lookNow(): Promise<void> {
    this.lastLookMs = performance.now();
    const place = { atMs: this.lastLookMs, write: this.writes.last };
    try {
      const position = await readPlace(this.primary, primaryPlace);
      if (position === undefined) return;
      this.places.push({ ...place, position });
    } catch {
      return; // without a place of the primary's, replicas fall out of use by themselves
    }
    if (this.places.length > maxPlaces) this.places.shift();
    await Promise.all(this.replicas.map((replica) => replica.look(this.primary, this.places)));
    this.writes.forget(Math.min(...this.replicas.map(({ write }) => write)));
  }
}

class Replica {
  /** The last of our writes that it has for certain. */
  write = -1;
  /** When it was asked for the place that says so. */
  lookedAtMs = Number.NEGATIVE_INFINITY;
  /** The latest moment at which everything the primary had is here. */
  private currentAtMs = Number.NEGATIVE_INFINITY;
  private problem: string | undefined = 'not reached yet';
  private isSameCluster = false;

  constructor(readonly database: OpenDatabase) {}

  isUsable(maxLagMs: number): boolean {
    return this.problem === undefined && performance.now() - this.currentAtMs <= maxLagMs;
  }

  /** It is not used again before a look at it has succeeded. */
  failed(error: unknown): void {
    this.problem = (error as { code?: string }).code ?? String(error);
  }

  async look(primary: OpenDatabase, places: readonly LogPlace[]): Promise<void> {
    try {
      if (!this.isSameCluster) await this.compareCluster(primary);
      const lookedAtMs = performance.now();
      const position = await readPlace(this.database, replicaPlace);
      if (position === undefined) throw new UnfitReplica('not a replica of this database');
      const reached = places.findLast((place) => place.position <= position);
      this.write = reached?.write ?? -1;
      this.lookedAtMs = lookedAtMs;
      if (!reached) return;
      this.currentAtMs = reached.atMs;
      this.problem = undefined;
    } catch (error) {
      this.failed(error);
    }
  }

  /**
   * Log places of two clusters say nothing of each other, and another database has other rows. A pooler would hide that
   * the replica was restarted.
   */
  private async compareCluster(primary: OpenDatabase): Promise<void> {
    const [here, there] = await Promise.all([readCluster(this.database), readCluster(primary)]);
    if (here !== there) throw new UnfitReplica('not a replica of this database');
    const pooling = await runUnder({ atMs: performance.now() + lookTimeoutMs }, () => findPooling(this.database));
    if (pooling === 'transactions' || pooling === 'unknown') throw new UnfitReplica('behind a pooler');
    this.isSameCluster = true;
  }

  figures(maxLagMs: number): ReplicaFigures {
    const lagMs = performance.now() - this.currentAtMs;
    const problem = this.problem ?? (lagMs > maxLagMs ? 'too far behind' : undefined);
    return {
      target: this.database.engine.target,
      isUsable: problem === undefined,
      lagMs: Number.isFinite(lagMs) ? Math.round(lagMs) : null,
      ...(problem === undefined ? {} : { problem }),
      pool: this.database.figures(),
    };
  }
}

class UnfitReplica extends Error {
  constructor(readonly code: string) {
    super(code);
  }
}

/** A place in the log, in bytes from its beginning; undefined where the server keeps none of this kind. */
async function readPlace(database: OpenDatabase, question: string): Promise<bigint | undefined> {
  const [row] = await ask(database, question);
  const [high, low] = (row?.[0] as string | null)?.split('/') ?? [];
  return high === undefined || low === undefined ? undefined : (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`);
}

/** What tells databases apart, as far as this role may see it. */
async function readCluster(database: OpenDatabase): Promise<string> {
  const [name] = await ask(database, 'select current_database()');
  const [cluster] = await ask(
    database,
    `select case
  when has_function_privilege('pg_control_system()', 'execute')
  then (select system_identifier::text from pg_control_system())
end`,
  );
  return `${cluster?.[0]} ${name?.[0]}`;
}

async function ask(database: OpenDatabase, question: string): Promise<unknown[][]> {
  const deadline = { atMs: performance.now() + lookTimeoutMs };
  return (await runUnder(deadline, () => database.ask(question))).rows;
}

/** Which of our writes was the last of whom. */
class WriteMarks {
  /** Our writes are numbered, from 1. */
  last = 0;
  private anybodys = 0;
  /** Whose writes up to this one were is not known any more: a replica that goes back behind it has them for nobody. */
  private forgotten = 0;
  private readonly byUser = new Map<string, number>();

  note(userId: string): void {
    this.last += 1;
    this.byUser.set(userId, this.last);
    if (this.byUser.size > 100_000) this.noteAnybody(); // no replica has been seen for long: not user by user any more
  }

  noteAnybody(): void {
    this.last += 1;
    this.anybodys = this.last;
    this.byUser.clear();
  }

  lastOf(userId: string): number {
    return Math.max(this.anybodys, this.forgotten, this.byUser.get(userId) ?? 0);
  }

  /** Every replica has the writes up to this one. */
  forget(write: number): void {
    this.forgotten = Math.max(this.forgotten, write);
    for (const [userId, last] of this.byUser) if (last <= write) this.byUser.delete(userId);
  }
}
