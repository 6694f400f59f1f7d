// Compares a ledger with the rows that are there: what was promised is there once, what was refused is not there at
// all, what nobody knows of is there whole or not at all, and every chat is in order. It reads plain SQL through a
// connection that had no part in the faults.

import type { Line, Write } from './ledger.ts';
import { parseMarkedText } from './marked-text.ts';

/** Runs a statement without parameters. */
export type Query = (statement: string) => Promise<Record<string, unknown>[]>;

/** Every number is to be 0. */
export interface Findings {
  /** Acknowledged, and missing or not where it was promised. */
  lost: number;
  /** There more than once. */
  doubled: number;
  /** Transactions of which a part is there. */
  half: number;
  /** Refused with an error that says that nothing was written, and there. */
  refusedButThere: number;
  /** Chats whose positions, parents, count or end do not fit together. */
  disordered: number;
  /** What is wrong, in words, for the one who has to find out why. */
  problems: string[];
}

interface StoredText {
  id: string;
  userId: string;
  text: string;
  chatId?: string;
  position?: number;
}

interface StoredMessage extends StoredText {
  chatId: string;
  position: number;
  parentId: string | null;
  active: boolean;
}

interface StoredChat {
  id: string;
  messageCount: number;
  headId: string | null;
}

export async function replayLedger(lines: readonly Line[], query: Query): Promise<Findings> {
  const userIds = [...new Set(lines.map(({ write }) => write.userId))];
  const findings: Findings = { lost: 0, doubled: 0, half: 0, refusedButThere: 0, disordered: 0, problems: [] };
  if (userIds.length === 0) return findings;
  const { messages, tasks, memories, chats } = await readRows(userIds, query);
  const replay = new Replay(findings, [...messages, ...tasks, ...memories]);
  for (const line of lines) replay.checkLine(line);
  replay.checkUpdates(lines, tasks);
  replay.checkWhole();
  for (const chat of chats) replay.checkChat(chat, messages);
  replay.checkSaved(lines, messages);
  return findings;
}

async function readRows(
  userIds: readonly string[],
  query: Query,
): Promise<{ messages: StoredMessage[]; tasks: StoredText[]; memories: StoredText[]; chats: StoredChat[] }> {
  const users = userIds.map((id) => `'${id}'`).join(', ');
  const read = async <Row>(statement: string): Promise<Row[]> => (await query(statement)) as Row[];
  return {
    messages: await read<StoredMessage>(`
      select id, "userId", "chatId", "parentId", position, active, body ->> 'content' as text
      from "Message" where "userId" in (${users}) order by "chatId", position`),
    tasks: await read<StoredText>(
      `select id, user_id as "userId", description as text from "Task" where user_id in (${users})`,
    ),
    memories: await read<StoredText>(
      `select id, user_id as "userId", content as text from "Memory" where user_id in (${users})`,
    ),
    chats: await read<StoredChat>(`select id, "messageCount", "headId" from "Chat" where "userId" in (${users})`),
  };
}

class Replay {
  readonly #findings: Findings;
  /** By text without its version. */
  readonly #byText = new Map<string, StoredText[]>();
  readonly #byMark = new Map<string, StoredText[]>();

  constructor(findings: Findings, rows: readonly StoredText[]) {
    this.#findings = findings;
    for (const row of rows) {
      const { mark } = parseMarkedText(row.text) ?? { mark: row.text };
      add(this.#byText, withoutVersion(row.text), row);
      add(this.#byMark, mark, row);
    }
  }

  #say(kind: Exclude<keyof Findings, 'problems'>, problem: string): void {
    this.#findings[kind] += 1;
    this.#findings.problems.push(`${kind}: ${problem}`);
  }

  checkLine({ outcome, write, positions }: Line): void {
    if (write.kind === 'update') return; // checkUpdates
    for (const [i, { text, id }] of expectedRows(write).entries()) {
      const rows = this.#byText.get(withoutVersion(text)) ?? [];
      if (outcome === 'refused' && rows.length > 0) this.#say('refusedButThere', `${write.kind} ${text}`);
      if (outcome !== 'acknowledged') continue;
      const position = positions?.[i];
      const isRight = ({ userId, ...row }: StoredText): boolean =>
        userId === write.userId &&
        (id === undefined || row.id === id) &&
        (!('chatId' in write) || row.chatId === write.chatId) &&
        (position === undefined || row.position === position);
      if (!rows.some(isRight)) this.#say('lost', `${write.kind} ${text}${rows.length > 0 ? ' is elsewhere' : ''}`);
    }
  }

  /** The last acknowledged version of each row, or a later one that was tried and not refused. */
  checkUpdates(lines: readonly Line[], tasks: readonly StoredText[]): void {
    const last = new Map<string, number>();
    const refused = new Set<string>();
    for (const { outcome, write } of lines) {
      if (write.kind !== 'update') continue;
      if (outcome === 'acknowledged') last.set(write.id, Math.max(write.version, last.get(write.id) ?? 0));
      if (outcome === 'refused') refused.add(`${write.id} ${write.version}`);
    }
    for (const { id, text } of tasks) {
      const { version } = parseMarkedText(text) ?? {};
      if (version === undefined) continue;
      const promised = last.get(id) ?? 0;
      if (version < promised) this.#say('lost', `version ${promised} of a task, which shows ${version}`);
      if (refused.has(`${id} ${version}`)) this.#say('refusedButThere', `version ${version} of a task`);
    }
  }

  checkWhole(): void {
    for (const [mark, rows] of this.#byMark) {
      const parts = rows.map(({ text }) => parseMarkedText(text));
      const of = parts[0]?.of ?? 1;
      for (let part = 1; part <= of; part += 1) {
        const count = parts.filter((one) => one?.part === part).length;
        if (count === 0) this.#say('half', `part ${part} of ${of} of ${mark} is missing`);
        if (count > 1) this.#say('doubled', `part ${part} of ${mark} is there ${count} times`);
      }
    }
  }

  checkChat({ id, messageCount, headId }: StoredChat, messages: readonly StoredMessage[]): void {
    const rows = messages.filter(({ chatId }) => chatId === id);
    const inOrder = rows.every(
      ({ position, parentId, active }, i) => active && position === i && parentId === (rows[i - 1]?.id ?? null),
    );
    if (inOrder && messageCount === rows.length && headId === (rows.at(-1)?.id ?? null)) return;
    this.#say('disordered', `chat ${id}: ${messageCount} messages, at ${rows.map(({ position }) => position).join()}`);
  }

  /** A chat that one caller saves holds what was acknowledged, in that order, from its beginning. */
  checkSaved(lines: readonly Line[], messages: readonly StoredMessage[]): void {
    const saved = new Map<string, string[]>();
    for (const { outcome, write } of lines) {
      if (write.kind !== 'save' || outcome !== 'acknowledged') continue;
      saved.set(write.chatId, [...(saved.get(write.chatId) ?? []), ...write.texts]);
    }
    for (const [chatId, texts] of saved) {
      const found = messages.filter((row) => row.chatId === chatId).map(({ text }) => text);
      if (texts.some((text, i) => found[i] !== text)) this.#say('disordered', `chat ${chatId} begins differently`);
    }
  }
}

function expectedRows(write: Exclude<Write, { kind: 'update' }>): { text: string; id?: string }[] {
  switch (write.kind) {
    case 'append':
      return write.texts.map((text, i) => ({ text, id: write.rowIds[i] as string }));
    case 'save':
      return write.texts.map((text) => ({ text }));
    case 'pair':
      return [
        { text: `${write.text}·1/2`, id: write.taskId },
        { text: `${write.text}·2/2`, id: write.memoryId },
      ];
    default:
      return [{ text: write.text, id: write.id }];
  }
}

const withoutVersion = (text: string): string => text.replace(/ v\d+$/, '');

function add<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}
