// What is read of a chat's path in order to compare it with a list of messages.

import { type ChatKey, type PathState, pathColumns, readPathState } from './message-writing.ts';
import { statement } from './statement.ts';

export interface StoredMessage {
  position: number;
  id: string;
  text: string;
}

/** A chat's path, as far as it has to be known. */
export interface StoredPath {
  state: PathState;
  /** Messages from `state.digestCount` on, or from the first on. */
  messages: StoredMessage[];
}

/** The path's state, repeated on each row, and the messages behind the digest (none: one row with nulls). */
export const tailColumns: readonly string[] = [
  ...pathColumns.map((column) => column.replace(/"\w+"|\b(revision|digest)\b/, 'c.$&')),
  'm.position',
  'm.id',
  'm.body',
];

export const tailRows = `from "Chat" c
left join "Message" m
  on m."userId" = c."userId" and m."chatId" = c.id and m.active and m.position >= c."digestCount"
where c.id = $1::uuid and c."userId" = $2::uuid`;

export const readTail = statement(`select ${tailColumns.join(', ')}\n${tailRows}\norder by m.position`, (row) => row);

const readHead = statement(
  `select position, id, body
from "Message"
where "userId" = $2::uuid and "chatId" = $1::uuid and active and position < $3::integer
order by position`,
  readStored,
);

const idAt = statement(
  `select id
from "Message"
where "userId" = $2::uuid and "chatId" = $1::uuid and active and position = $3::integer`,
  ([id]) => id as string,
);

function readStored([position, id, body]: unknown[]): StoredMessage {
  return { position: position as number, id: id as string, text: body as string };
}

/** From rows of `tailColumns`; undefined of none: the chat is not there. */
export function toStoredPath(rows: readonly unknown[][]): StoredPath | undefined {
  const [first] = rows;
  if (!first) return undefined;
  const messages = rows.map((row) => row.slice(pathColumns.length)).filter(([position]) => position !== null);
  return { state: readPathState(first), messages: messages.map(readStored) };
}

/** The path's state and the messages behind its digest; undefined where the chat is not there, or not the user's. */
export async function readPath({ chatId, userId }: ChatKey): Promise<StoredPath | undefined> {
  return toStoredPath(await readTail.run(chatId, userId));
}

/** The same with the messages that the digest is of. */
export async function withHead({ chatId, userId }: ChatKey, { state, messages }: StoredPath): Promise<StoredPath> {
  return { state, messages: [...(await readHead.run(chatId, userId, state.digestCount)), ...messages] };
}

/** The id of the path's message at a position; null at -1. */
export async function findIdAt({ chatId, userId }: ChatKey, position: number): Promise<string | null> {
  if (position < 0) return null;
  const [id] = await idAt.run(chatId, userId, position);
  return id ?? null;
}
