// Callers that use the public functions at once, as an application does: they write, repeat what is unknown as the
// error says, keep a ledger of what they were promised, and read their own writes right after an acknowledgement.
// It knows nothing of the faults around it.

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { MytxError } from '../../db/errors.ts';
import {
  addTask,
  appendMessages,
  getChatById,
  listMemories,
  listMessages,
  listTasks,
  saveChat,
  saveMemory,
  transaction,
  updateTask,
  withDeadline,
} from '../../db/queries.ts';
import type { CallMeter } from './call-meter.ts';
import { bareDeadlineMs, callDeadlineMs } from './deadlines.ts';
import type { Ledger, Line, Write } from './ledger.ts';
import { markedTexts, withVersion } from './marked-text.ts';
import { pick, type Random } from './plan.ts';

export interface WorkloadFigures {
  /** Writes that were acknowledged. */
  acknowledged: number;
  /** Writes that failed with an error that says that nothing was written. */
  refused: number;
  /** Writes whose outcome was unknown at first, and that were then repeated until it was known. */
  unknownThenSettled: number;
  /** Writes whose outcome stayed unknown; to be 0. */
  unknownAtEnd: number;
  /** Reads that did not show what was acknowledged before; to be 0. */
  stale: number;
  problems: string[];
}

export interface WorkloadParts {
  meter: CallMeter;
  ledger: Ledger;
  random: Random;
  /** Users that are there. Each gets a chat that all of its callers append to. */
  userIds: readonly string[];
  callersForEach: number;
  /** Users with one caller each that writes now and then, and reads what it wrote many times. */
  visitorIds?: readonly string[];
}

/** How long a caller goes on repeating what is unknown when the rest has ended. */
const settleMs = 8000;
const readsOfAVisit = 40;

export class Workload {
  readonly figures: WorkloadFigures = {
    acknowledged: 0,
    refused: 0,
    unknownThenSettled: 0,
    unknownAtEnd: 0,
    stale: 0,
    problems: [],
  };
  /** When each write was acknowledged, by `performance.now()`. */
  readonly acknowledgedAtMs: number[] = [];
  readonly #parts: WorkloadParts;
  #stopAtMs: number | undefined;
  #running: Promise<unknown> | undefined;

  constructor(parts: WorkloadParts) {
    this.#parts = parts;
  }

  /** Makes the chats that are shared, then lets every caller go. To be called where the database is set (`run`). */
  async start(): Promise<void> {
    const callers: Caller[] = [];
    for (const userId of this.#parts.userIds) {
      const sharedChatId = randomUUID();
      await saveChat({ id: sharedChatId, userId, messages: [] });
      for (let i = 0; i < this.#parts.callersForEach; i += 1) {
        callers.push(new Caller(this.#parts, this, userId, sharedChatId));
      }
    }
    const visitors = (this.#parts.visitorIds ?? []).map((userId) => new Caller(this.#parts, this, userId, ''));
    this.#running = Promise.all([
      ...callers.map((caller) => caller.write()),
      ...visitors.map((visitor) => visitor.visit()),
    ]);
  }

  /** When it was told to stop. */
  get stoppedAtMs(): number | undefined {
    return this.#stopAtMs;
  }

  /** Lets every caller come to the end of what it does. */
  async stop(): Promise<void> {
    this.#stopAtMs = performance.now();
    await this.#running;
  }
}

interface Settled<T> {
  outcome: Line['outcome'];
  result?: T;
}

class Caller {
  readonly #name = randomUUID().slice(0, 8);
  readonly #ownChatId = randomUUID();
  #history: object[] = [];
  #writes = 0;
  /** Tasks of this caller that it updates, by their last version. */
  readonly #updated: { id: string; text: string; version: number }[] = [];

  constructor(
    private readonly parts: WorkloadParts,
    private readonly workload: Workload,
    private readonly userId: string,
    private readonly sharedChatId: string,
  ) {}

  async write(): Promise<void> {
    const actions = [
      () => this.append(),
      () => this.append(),
      () => this.save(),
      () => this.save(),
      () => this.remember(),
      () => this.addTask(),
      () => this.updateTask(),
      () => this.writePair(),
    ];
    while (this.workload.stoppedAtMs === undefined) await pick(this.parts.random, actions)();
  }

  /** A replica has time to get what was written, and each read may be answered by another server than the last one. */
  async visit(): Promise<void> {
    const { random } = this.parts;
    while (this.workload.stoppedAtMs === undefined) {
      await this.addTask();
      for (let i = 0; i < readsOfAVisit && this.workload.stoppedAtMs === undefined; i += 1) {
        await sleep(5 + random() * 25);
        for (const { id, text, version } of this.#updated.slice(-1))
          await this.readTask(id, withVersion(text, version));
      }
    }
  }

  private mark(): string {
    this.#writes += 1;
    return `${this.#name} ${this.#writes}`;
  }

  private get figures(): WorkloadFigures {
    return this.workload.figures;
  }

  private async append(): Promise<void> {
    const { userId, sharedChatId: chatId } = this;
    const texts = markedTexts(this.mark(), 1 + Math.floor(this.parts.random() * 2));
    const messages = texts.map((text, i) => ({ role: i % 2 ? 'assistant' : 'user', content: text }));
    const { outcome, result = [] } = await this.settle('appendMessages', 0, (repeatWith) =>
      appendMessages({ chatId, userId, messages, ...repeatWith }),
    );
    const rowIds = result.map(({ id }) => id);
    const write: Write = { kind: 'append', userId, chatId, texts, rowIds };
    const isDone = await this.note({ outcome, write, positions: result.map(({ position }) => position) });
    if (!isDone) return;
    await this.readBack('listMessages', 1, async () => {
      const { items } = await listMessages({ chatId, userId, limit: 100 });
      return texts.every((text, i) => items.some(({ id, message }) => id === rowIds[i] && message.content === text));
    });
  }

  private async save(): Promise<void> {
    const { userId } = this;
    const id = this.#ownChatId;
    const texts = markedTexts(this.mark(), 2);
    const added = texts.map((text, i) => ({ role: i % 2 ? 'assistant' : 'user', content: text }));
    const messages = [...this.#history, ...added];
    const { outcome } = await this.settle('saveChat', 0, () => saveChat({ id, userId, messages }));
    const isDone = await this.note({ outcome, write: { kind: 'save', userId, chatId: id, texts } });
    if (!isDone) return;
    this.#history = messages;
    await this.readBack('getChatById', 0, async () =>
      isDeepStrictEqual((await getChatById({ id, userId }))?.messages, messages),
    );
  }

  private async remember(): Promise<void> {
    const { userId } = this;
    const [content = ''] = markedTexts(this.mark(), 1);
    const { outcome, result } = await this.settle('saveMemory', 1, (repeatWith) =>
      saveMemory({ userId, content, ...repeatWith }),
    );
    const id = result?.[0]?.id ?? '';
    if (!(await this.note({ outcome, write: { kind: 'memory', userId, text: content, id } }))) return;
    await this.readBack('listMemories', 1, async () => {
      const { items } = await listMemories({ userId, limit: 100 });
      return items.some((memory) => memory.id === id && memory.content === content);
    });
  }

  private async addTask(): Promise<void> {
    const { userId } = this;
    const [text = ''] = markedTexts(this.mark(), 1);
    const description = withVersion(text, 0);
    const { outcome, result } = await this.settle('addTask', 2, (repeatWith) =>
      addTask({ userId, description, ...repeatWith }),
    );
    const id = result?.[0]?.id ?? '';
    if (!(await this.note({ outcome, write: { kind: 'task', userId, text: description, id } }))) return;
    this.#updated.push({ id, text, version: 0 });
    await this.readTask(id, description);
  }

  private async updateTask(): Promise<void> {
    const task = this.#updated.at(-1);
    if (!task) return;
    const { userId } = this;
    const { id } = task;
    task.version += 1; // also where it fails: no version is tried twice
    const { version } = task;
    const description = withVersion(task.text, version);
    const { outcome } = await this.settle('updateTask', 1, () => updateTask({ id, userId, description }));
    if (outcome === 'unknown') this.#updated.pop();
    if (!(await this.note({ outcome, write: { kind: 'update', userId, id, text: description, version } }))) return;
    await this.readTask(id, description);
  }

  private readTask(id: string, description: string): Promise<void> {
    const { userId } = this;
    return this.readBack('listTasks', 1, async () => {
      const { items } = await listTasks({ userId, limit: 100 });
      return items.some((task) => task.id === id && task.description === description);
    });
  }

  private async writePair(): Promise<void> {
    const { userId } = this;
    const text = this.mark();
    const [description = '', content = ''] = markedTexts(text, 2);
    const [taskId, memoryId] = [randomUUID(), randomUUID()];
    const { outcome } = await this.settle('transaction', 0, () =>
      transaction(async () => {
        await addTask({ userId, description, id: taskId });
        await saveMemory({ userId, content, id: memoryId });
      }),
    );
    if (!(await this.note({ outcome, write: { kind: 'pair', userId, text, taskId, memoryId } }))) return;
    await this.readTask(taskId, description);
  }

  /**
   * Calls until it is known whether the write is done: what is unknown is called again with what the error gives.
   * @param bareStatements the statements of the call, where it may go without `withDeadline`; 0: it may not
   */
  private async settle<T>(
    name: string,
    bareStatements: number,
    write: (repeatWith: object) => Promise<T>,
  ): Promise<Settled<T>> {
    let repeatWith = {};
    let isUnknown = false;
    for (;;) {
      try {
        const result = await this.time(name, bareStatements, () => write(repeatWith));
        if (isUnknown) this.figures.unknownThenSettled += 1;
        return { outcome: 'acknowledged', result };
      } catch (error) {
        const { code = '', details = {} } = error instanceof MytxError ? error : {};
        if (code === 'OUTCOME_UNKNOWN') {
          isUnknown = true;
          repeatWith = { ...repeatWith, ...(details.repeatWith as object | undefined) };
        }
        if (!isUnknown) {
          await sleep(20);
          return { outcome: 'refused' };
        }
        if (performance.now() > (this.workload.stoppedAtMs ?? Number.POSITIVE_INFINITY) + settleMs)
          return { outcome: 'unknown' };
      }
      await sleep(20);
    }
  }

  private time<T>(name: string, bareStatements: number, call: () => Promise<T>): Promise<T> {
    const { meter, random } = this.parts;
    const isBare = bareStatements > 0 && random() < 0.4;
    return isBare
      ? meter.time(name, bareDeadlineMs(bareStatements), call)
      : meter.time(`${name} in withDeadline`, callDeadlineMs, () => withDeadline({ timeoutMs: callDeadlineMs }, call));
  }

  /** Writes the line, and says whether the write was acknowledged. */
  private async note(line: Line): Promise<boolean> {
    await this.parts.ledger.add(line);
    if (line.outcome === 'acknowledged') {
      this.figures.acknowledged += 1;
      this.workload.acknowledgedAtMs.push(performance.now());
    }
    if (line.outcome === 'refused') this.figures.refused += 1;
    if (line.outcome === 'unknown') this.figures.unknownAtEnd += 1;
    return line.outcome === 'acknowledged';
  }

  /** Looks whether what was just acknowledged is seen. A read that fails shows nothing, which is not stale. */
  private async readBack(name: string, bareStatements: number, isThere: () => Promise<boolean>): Promise<void> {
    try {
      if (await this.time(name, bareStatements, isThere)) return;
    } catch {
      return; // counted by the meter
    }
    this.figures.stale += 1;
    this.figures.problems.push(`stale: ${name} after an acknowledged write`);
  }
}
