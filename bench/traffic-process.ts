// The process of bench/traffic.ts: readers and writers of single rows of `purchase` by their primary key, a request at a time
// each.

import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import type { Order, TrafficOptions, TrafficReport } from './traffic.ts';

type Ask = (sql: postgres.Sql) => Promise<unknown>;

/** One round of readers and writers, on one database. */
class Round {
  private readonly options: TrafficOptions;
  private lastId: number;
  private report = nothing();
  private isOver = false;
  private running: Promise<void>[] = [];

  constructor(options: TrafficOptions) {
    this.options = options;
    this.lastId = options.rows;
  }

  /** Returns when each is connected and has asked what it will ask. */
  async start(): Promise<void> {
    const { url, readers, writers } = this.options;
    const kinds = [
      ...Array<Ask[]>(readers).fill([this.read]),
      ...Array<Ask[]>(writers).fill([this.update, this.insert]),
    ];
    const all = kinds.map((requests) => ({ requests, sql: postgres(url, { max: 1, onnotice: () => {} }) }));
    await Promise.all(
      all.map(async ({ requests, sql }) => {
        for (const request of requests) await this.ask(sql, request);
      }),
    );
    this.running = all.map(({ requests, sql }) => this.goOn(sql, requests));
  }

  count(): void {
    this.report = nothing();
  }

  async end(): Promise<TrafficReport> {
    this.isOver = true;
    await Promise.all(this.running);
    return this.report;
  }

  private async goOn(sql: postgres.Sql, requests: readonly Ask[]): Promise<void> {
    for (let i = 0; !this.isOver; i += 1) {
      await this.ask(sql, requests[i % requests.length] as Ask);
      await sleep(this.options.pauseMs * (0.5 + Math.random()));
    }
    await sql.end();
  }

  private async ask(sql: postgres.Sql, request: Ask): Promise<void> {
    const startMs = performance.now();
    let failure: string | undefined;
    await request(sql).catch((error: Error) => {
      failure = error.message;
    });
    const { report } = this;
    report.requests += 1;
    if (failure !== undefined) {
      report.failed += 1;
      report.firstFailure ??= failure;
    }
    const which = request === this.read ? 'longestReadMs' : 'longestWriteMs';
    report[which] = Math.max(report[which], performance.now() - startMs);
  }

  private readonly read: Ask = (sql) =>
    sql`select id, customer_id, code, amount, state, note from purchase where id = ${this.anyId()}`;

  private readonly update: Ask = (sql) => sql`update purchase set amount = amount + 1 where id = ${this.anyId()}`;

  private readonly insert: Ask = (sql) => {
    this.lastId += 1;
    const id = this.lastId;
    return sql`insert into purchase (id, customer_id, code, amount, state, note)
      values (${id}, ${id % 1000}, ${`C-${id}`}, 1, 'open', 'new')`;
  };

  private anyId(): number {
    return 1 + Math.floor(Math.random() * this.options.rows);
  }
}

const nothing = (): TrafficReport => ({ requests: 0, failed: 0, longestReadMs: 0, longestWriteMs: 0 });

let round: Round | undefined;

process.on('message', async (order: Order) => {
  if (order.do === 'start') {
    round = new Round(order.options);
    await round.start();
  }
  if (order.do === 'count') round?.count();
  process.send?.(order.do === 'end' ? await round?.end() : 'ready');
});
process.on('disconnect', () => process.exit());
