// A chat that grows by a turn of two messages at each call: of this package, the specification's way, LangGraph, and two
// bare rows in a table that has a primary key and nothing else.

import { randomUUID } from 'node:crypto';
import { appendMessages, saveChat } from '../db/queries.ts';
import { createTestUser } from '../db/testing/index.ts';
import { uuidv7 } from '../db/uuid.ts';
import { timeOf } from './harness.ts';
import type { LangGraph } from './langgraph.js';
import type { SpecWay } from './spec-way.ts';
import type { RawDriver } from './stage.ts';
import { asTexts, messageAt, type TalkMessage, talkOf } from './talk.ts';

export interface Talk {
  /** All that was said. */
  readonly messages: TalkMessage[];
  /** @returns milliseconds */
  turn(): Promise<number>;
}

class Growing implements Talk {
  constructor(
    public messages: TalkMessage[],
    private readonly write: (all: TalkMessage[], added: TalkMessage[]) => Promise<unknown>,
  ) {}

  turn(): Promise<number> {
    const added = [messageAt(this.messages.length), messageAt(this.messages.length + 1)];
    const all = [...this.messages, ...added];
    this.messages = all;
    return timeOf(() => this.write(all, added));
  }
}

export async function newChat(length: number, how: 'append' | 'save'): Promise<Talk> {
  const { id: userId } = await createTestUser();
  const id = randomUUID();
  const messages = talkOf(length);
  await saveChat({ id, userId, messages });
  return new Growing(messages, (all, added) =>
    how === 'append'
      ? appendMessages({ chatId: id, userId, messages: added })
      : saveChat({ id, userId, messages: all }),
  );
}

export async function newSpecChat(spec: SpecWay, length: number): Promise<Talk> {
  const [id, userId] = [randomUUID(), randomUUID()];
  const messages = talkOf(length);
  await spec.saveChat({ id, userId, messages });
  return new Growing(messages, (all) => spec.saveChat({ id, userId, messages: all }));
}

export async function newThread(langGraph: LangGraph, length: number): Promise<Talk> {
  const messages = talkOf(length);
  const thread = await langGraph.newThread(asTexts(messages));
  return new Growing(messages, (_all, added) => {
    const [question, answer] = asTexts(added);
    return thread.turn(question?.text ?? '', answer?.text ?? '');
  });
}

export interface BareTable {
  /** Two rows; milliseconds. */
  inTransaction(): Promise<number>;
  alone(): Promise<number>;
}

/** Rows with the columns of Message. */
export async function newBareTable(raw: RawDriver): Promise<BareTable> {
  await raw.run('create table if not exists "Bare" (like "Message", primary key (id))');
  const [userId, chatId] = [randomUUID(), randomUUID()];
  let position = 0;
  let parentId = uuidv7();
  const row = (): (string | number)[] => {
    const id = uuidv7();
    const message = messageAt(position);
    const values = [
      id,
      userId,
      chatId,
      parentId,
      position,
      message.role,
      `${position}123456789`,
      JSON.stringify(message),
    ];
    parentId = id;
    position += 1;
    return values;
  };
  const insert = (run: RawDriver['run']): Promise<unknown> =>
    run(
      `insert into "Bare" (id, "userId", "chatId", "parentId", position, role, "ownIdHash", body, active, "createdAt")
       values ($1, $2, $3, $4, $5, $6, $7, $8::text::json, true, now()), ($9, $10, $11, $12, $13, $14, $15, $16::text::json, true, now())`,
      [...row(), ...row()],
    );
  return {
    inTransaction: () => timeOf(() => raw.transaction(insert)),
    alone: () => timeOf(() => insert(raw.run)),
  };
}
