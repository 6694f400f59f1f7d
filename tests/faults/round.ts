// One injection of a fault under a workload: health before, the fault, the next call after it, the pool and health
// behind it, and the ledger replayed against the rows.

import { randomUUID } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkHealth, getTasksByUserId, withDeadline } from '../../db/queries.ts';
import { CallMeter } from './call-meter.ts';
import type { Fault, Injection, InjectionResult, Timeline } from './injection.ts';
import { Ledger, readLedger } from './ledger.ts';
import { type Findings, replayLedger } from './ledger-replay.ts';
import { between } from './plan.ts';
import type { Scene } from './scene.ts';
import { Workload } from './workload.ts';

/** How long the next call after a fault may take: a pause between dials, an abandoned statement, a connection. */
const recoveryLimitMs = 4000;
const healthTimeoutMs = 600;
const connectsAllowedIn10s = 20;

/** A fault as an injection. */
export function underWorkload(fault: Fault): Injection {
  const { name, sentence, times } = fault;
  return { name, sentence, times, run: (scene) => new Round(scene, fault).run() };
}

class Round {
  readonly #problems: string[] = [];

  constructor(
    private readonly scene: Scene,
    private readonly fault: Fault,
  ) {}

  async run(): Promise<InjectionResult> {
    const { scene, fault } = this;
    const ledger = new Ledger(join(scene.ledgerFolder, randomUUID()));
    const meter = new CallMeter(scene.clock, fault.codes);
    const [userIds, visitorIds] = [await scene.addUsers(3), await scene.addUsers(scene.visitors)];
    const workload = new Workload({ meter, ledger, random: scene.random, userIds, callersForEach: 2, visitorIds });
    const { recoveryMs, connectsIn10s, beganAtMs, healedAtMs } = await scene.database.run(async () => {
      await workload.start();
      await this.expectHealth(true, 'before');
      await sleep(between(scene.random, [150, 400]));
      const seen = await this.strikeUnder(workload, userIds[0] as string);
      await this.expectWholePool(userIds[0] as string);
      await this.expectHealth(true, 'after');
      return seen;
    });
    await this.expectFewSessions();
    await ledger.close();
    const findings = await replay(scene, ledger.path);
    const { problems: _, ...figures } = meter.figures;
    const { problems: __, refused: ___, ...writes } = workload.figures;
    const problems = [...this.#problems, ...meter.figures.problems, ...workload.figures.problems, ...findings.problems];
    const timeline = fault.isPictured && draw(workload.acknowledgedAtMs, beganAtMs, healedAtMs);
    const unhealed = this.#problems.length;
    return {
      ...figures,
      ...writes,
      ...findings,
      unhealed,
      recoveryMs,
      connectsIn10s,
      problems,
      ...(timeline && { timeline }),
    };
  }

  /** Whatever comes of it, the workload ends. */
  private async strikeUnder(workload: Workload, userId: string): Promise<Strike> {
    try {
      const seen = await this.strike(userId);
      await sleep(this.fault.isPictured ? 800 : 200);
      return seen;
    } finally {
      await workload.stop();
    }
  }

  /** The fault from beginning to end, and the first call behind it, which must succeed. */
  private async strike(userId: string): Promise<Strike> {
    const { scene, fault } = this;
    const { acceptedAtMs } = scene.proxy;
    const before = acceptedAtMs.length;
    const beganAtMs = performance.now();
    const heal = await fault.begin(scene);
    await sleep(between(scene.random, fault.lastsMs));
    if (fault.isTotal) await this.expectHealth(false, 'while it lasts');
    await heal();
    const healedAtMs = performance.now();
    await withDeadline({ timeoutMs: recoveryLimitMs }, () => getTasksByUserId({ userId })).catch((error: Error) =>
      this.#problems.push(`the next call failed: ${error.message}`),
    );
    const recoveryMs = Math.round(performance.now() - healedAtMs);
    const connectsIn10s = mostWithin(acceptedAtMs.slice(before), 10_000);
    const allowed = connectsAllowedIn10s + (fault.brokenConnections?.() ?? 0);
    if (connectsIn10s > allowed) this.#problems.push(`${connectsIn10s} connections in 10 s, of ${allowed}`);
    return { recoveryMs, connectsIn10s, beganAtMs, healedAtMs };
  }

  private async expectHealth(isHealthy: boolean, when: string): Promise<void> {
    const health = await checkHealth({ timeoutMs: isHealthy ? 2000 : healthTimeoutMs });
    if (health.isHealthy === isHealthy) return;
    this.#problems.push(`checkHealth ${when}: ${JSON.stringify(health)}`);
  }

  /** Every connection that the pool may have is had, and works. */
  private async expectWholePool(userId: string): Promise<void> {
    const reads = Array.from({ length: this.scene.poolSize }, () => getTasksByUserId({ userId }));
    for (const result of await Promise.allSettled(reads)) {
      if (result.status === 'rejected') this.#problems.push(`the pool is not whole: ${String(result.reason)}`);
    }
    const untilMs = performance.now() + 1000; // a look at the log places of replicas may be under way
    let pool = (await checkHealth()).pool;
    while (pool.busy > 0 && performance.now() < untilMs) pool = (await checkHealth()).pool;
    if (pool.busy === 0 && pool.waiting === 0 && pool.open <= pool.size) return;
    this.#problems.push(`the pool is not quiet: ${JSON.stringify(pool)}`);
  }

  /** The server has no session of ours that the pool does not know of. */
  private async expectFewSessions(): Promise<void> {
    const { scene } = this;
    const sessions = (): Promise<number> => scene.direct(async (sql) => (await sql.unsafe(ownSessions)).length);
    const untilMs = performance.now() + 3000;
    while ((await sessions()) > scene.poolSize) {
      if (performance.now() > untilMs) {
        this.#problems.push(`${await sessions()} sessions on the server, of a pool of ${scene.poolSize}`);
        return;
      }
      await sleep(50);
    }
  }
}

/** What has become of a ledger, when what was on its way to the server has arrived. */
async function replay({ direct }: Scene, path: string): Promise<Findings> {
  return direct(async (sql) => {
    const untilMs = performance.now() + 5000;
    while ((await sql.unsafe(busySessions)).length > 0 && performance.now() < untilMs) await sleep(20);
    return replayLedger(readLedger(path), async (statement) => [...(await sql.unsafe(statement))]);
  });
}

/** Every ledger of a scene once more, behind all of its faults. @returns what is wrong */
export async function replayAll(scene: Scene): Promise<string[]> {
  const problems: string[] = [];
  for (const name of readdirSync(scene.ledgerFolder)) {
    problems.push(...(await replay(scene, join(scene.ledgerFolder, name))).problems);
  }
  return problems;
}

interface Strike {
  recoveryMs: number;
  connectsIn10s: number;
  beganAtMs: number;
  healedAtMs: number;
}

const stepMs = 100;

function draw(acknowledgedAtMs: readonly number[], beganAtMs: number, healedAtMs: number): Timeline {
  const startMs = Math.min(beganAtMs, ...acknowledgedAtMs.slice(0, 1));
  const step = (atMs: number): number => Math.floor((atMs - startMs) / stepMs);
  const acknowledged = Array.from({ length: step(Math.max(healedAtMs, acknowledgedAtMs.at(-1) ?? 0)) + 1 }, () => 0);
  for (const atMs of acknowledgedAtMs) acknowledged[step(atMs)] = (acknowledged[step(atMs)] ?? 0) + 1;
  return { stepMs, acknowledged, beganIn: step(beganAtMs), healedIn: step(healedAtMs) };
}

const ownSessions = `
  select pid, state from pg_stat_activity
  where datname = current_database() and application_name = 'mytx-ai'`;

const busySessions = `${ownSessions} and state <> 'idle'`;

/** The most moments that lie within a time. */
export function mostWithin(momentsMs: readonly number[], windowMs: number): number {
  let most = 0;
  let first = 0;
  for (const [i, moment] of momentsMs.entries()) {
    while ((momentsMs[first] as number) <= moment - windowMs) first += 1;
    most = Math.max(most, i - first + 1);
  }
  return most;
}
