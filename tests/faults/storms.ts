// Transactions that meet each other: 50 writers on 10 rows, with serialization failures (40001) or deadlocks (40P01).
// Each increment is done exactly once: the rows add up, and each transaction has left one memory.

import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import type { TransactionOptions } from '../../db/connection/transaction.ts';
import {
  addTask,
  db,
  getMemoriesByUserId,
  getTasksByUserId,
  saveMemory,
  transaction,
  updateTask,
  withDeadline,
} from '../../db/queries.ts';
import { CallMeter } from './call-meter.ts';
import type { Injection, InjectionResult } from './injection.ts';
import { between, isLong, pick, type Random } from './plan.ts';
import { openScene, type Scene } from './scene.ts';

const writers = 50;
const rows = 10;
const roundsOfAWriter = isLong ? 3 : 1;
const maxAttempts = 50;
const deadlineMs = 30_000;

interface Storm {
  name: string;
  sentence: string;
  sqlState: '40001' | '40P01';
  options: TransactionOptions;
  /** Two rows to write, in the order of writing. */
  choose(random: Random, ids: readonly string[]): [string, string];
}

const twoOf = (random: Random, ids: readonly string[]): [string, string] => {
  const first = pick(random, ids);
  return [
    first,
    pick(
      random,
      ids.filter((id) => id !== first),
    ),
  ];
};

const storms: readonly Storm[] = [
  {
    name: 'Storm of serialization failures (40001)',
    sentence: `${writers} writers read and write two of ${rows} rows at once, in serializable transactions.`,
    sqlState: '40001',
    options: { isolationLevel: 'serializable', maxAttempts },
    choose: twoOf,
  },
  {
    name: 'Storm of deadlocks (40P01)',
    sentence: `${writers} writers lock two of ${rows} rows, in any order, at once.`,
    sqlState: '40P01',
    options: { maxAttempts },
    choose: twoOf,
  },
];

export const stormInjections: readonly Injection[] = storms.map((storm) => ({
  name: storm.name,
  sentence: storm.sentence,
  times: { usual: 1, long: 5 },
  run: ({ server, random }: Scene) => inOwnScene(server, random, storm),
}));

async function inOwnScene(server: Scene['server'], random: Random, storm: Storm): Promise<InjectionResult> {
  const scene = await openScene(server, random, {
    poolSize: 25,
    options: { deadlines: { poolWaitMs: deadlineMs, statementTimeoutMs: deadlineMs } },
  });
  try {
    return await scene.database.run(() => new StormRun(scene, storm).run());
  } finally {
    await scene.close();
  }
}

class StormRun {
  readonly #meter: CallMeter;
  #acknowledged = 0;
  /** How often work was run: more often than it was acknowledged when transactions met. */
  #attempts = 0;

  constructor(
    private readonly scene: Scene,
    private readonly storm: Storm,
  ) {
    this.#meter = new CallMeter(scene.clock, []);
  }

  async run(): Promise<InjectionResult> {
    const { scene, storm } = this;
    const [userId = ''] = await scene.addUsers(1);
    const added = await Promise.all(Array.from({ length: rows }, () => addTask({ userId, description: '0' })));
    const ids = added.map(([row]) => row?.id ?? '');
    await Promise.allSettled(Array.from({ length: writers }, (_, writer) => this.write(userId, ids, writer)));
    const sum = (await getTasksByUserId({ userId })).reduce((total, { description }) => total + Number(description), 0);
    const marks = await getMemoriesByUserId({ userId });
    const { problems, ...figures } = this.#meter.figures;
    if (this.#attempts === this.#acknowledged) problems.push(`no two transactions met (${storm.sqlState})`);
    if (this.#acknowledged !== writers * roundsOfAWriter) problems.push(`${this.#acknowledged} transactions are done`);
    const promised = this.#acknowledged * 2;
    return {
      ...figures,
      acknowledged: this.#acknowledged,
      unknownThenSettled: 0,
      lost: Math.max(0, promised - sum),
      doubled: Math.max(0, sum - promised),
      half: Math.abs(marks.length * 2 - sum),
      refusedButThere: 0,
      disordered: 0,
      stale: 0,
      unknownAtEnd: 0,
      unhealed: problems.length,
      repeated: this.#attempts - this.#acknowledged,
      problems,
    };
  }

  private async write(userId: string, ids: readonly string[], writer: number): Promise<void> {
    const { storm, scene } = this;
    for (let round = 0; round < roundsOfAWriter; round += 1) {
      const chosen = storm.choose(scene.random, ids);
      await this.#meter.time('transaction', deadlineMs, () =>
        withDeadline({ timeoutMs: deadlineMs }, () =>
          transaction(() => this.increment(userId, chosen, `${writer} ${round}`), storm.options),
        ),
      );
      this.#acknowledged += 1;
    }
  }

  private async increment(userId: string, chosen: readonly string[], mark: string): Promise<void> {
    this.#attempts += 1;
    for (const id of chosen) {
      const [row] = await db.execute<{ description: string }>(this.read(userId, id));
      await sleep(between(this.scene.random, [0, 4]));
      await updateTask({ id, userId, description: String(Number(row?.description) + 1) });
    }
    await saveMemory({ userId, content: mark });
  }

  /** Serializable transactions need no lock; the others would lose an increment without one. */
  private read(userId: string, id: string): ReturnType<typeof sql> {
    const row = sql`select description from "Task" where id = ${id}::uuid and user_id = ${userId}::uuid`;
    return this.storm.sqlState === '40001' ? row : sql`${row} for update`;
  }
}
