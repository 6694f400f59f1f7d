// What chats are to the functions of db/queries.ts, in memory and as plainly as it can be said: a tree of messages in
// the order of their creation, and the path through it that is visible. The tests hold the database against it.

import { isDeepStrictEqual } from 'node:util';
import { asJson } from './chat-messages.ts';

/** A message of the tree. */
export interface Node {
  /** Unknown ('') until the database has told it. */
  rowId: string;
  parent: Node | null;
  position: number;
  /** The JSON text that is stored. */
  text: string;
  body: Record<string, unknown>;
}

export class ChatModel {
  title: string | null = null;
  /** In seconds; known once the chat was read. */
  createdAt = 0;
  /** In the order of their creation. */
  readonly nodes: Node[] = [];
  /** The visible path, from the first message on. */
  path: Node[] = [];
  /** The JSON texts of each list that saveChat was given. */
  readonly sent: string[][] = [];

  constructor(
    readonly id: string,
    readonly owner: string,
  ) {}

  save(list: readonly object[]): void {
    this.sent.push(list.map((message) => JSON.stringify(message)));
    let kept = 0;
    while (kept < this.path.length && kept < list.length && this.isAt(kept, list[kept])) kept += 1;
    const last = this.path[kept];
    const next = list[kept];
    if (last && next && kept === this.path.length - 1 && isSameId(ownId(last.body), ownId(asJson(next)))) {
      setBody(last, next);
      kept += 1;
    }
    this.path = this.path.slice(0, kept);
    for (const message of list.slice(kept)) this.add(message);
  }

  private isAt(position: number, message: object | undefined): boolean {
    return message !== undefined && isDeepStrictEqual(this.path[position]?.body, asJson(message));
  }

  /** @returns the node of each message, known or new */
  append(list: readonly object[], rowIds: readonly string[] | undefined): Node[] {
    const before = [...this.path];
    const given: { body: unknown; node: Node }[] = [];
    for (const [i, message] of list.entries()) {
      const body = asJson(message);
      const isSame = (other: { body: unknown }): boolean =>
        ownId(body) !== undefined && isDeepStrictEqual(other.body, body);
      const node =
        given.find(isSame)?.node ??
        this.withRowId(rowIds?.[i]) ??
        before.findLast(isSame) ??
        this.add(message, rowIds?.[i]);
      given.push({ body, node });
    }
    return given.map(({ node }) => node);
  }

  branch(parent: Node | null, list: readonly object[], rowIds: readonly string[] | undefined): Node[] {
    const repeated = rowIds?.flatMap((rowId) => this.withRowId(rowId) ?? []) ?? [];
    if (list.length > 0 && repeated.length === list.length) return repeated;
    this.path = pathTo(parent);
    return list.map((message, i) => this.add(message, rowIds?.[i]));
  }

  select(node: Node): void {
    this.path = pathTo(node);
    for (let next = this.childrenOf(node).at(-1); next; next = this.childrenOf(next).at(-1)) this.path.push(next);
  }

  update(node: Node, message: object): void {
    setBody(node, message);
  }

  withRowId(rowId: string | undefined): Node | undefined {
    return rowId === undefined ? undefined : this.nodes.find((node) => node.rowId === rowId);
  }

  siblings(node: Node): Node[] {
    return this.childrenOf(node.parent);
  }

  preview(): string | null {
    const first = this.path.find(({ body }) => body.role === 'user');
    if (!first) return null;
    const { content, parts } = first.body;
    const text = typeof content === 'string' ? content : (textOf(content) ?? textOf(parts) ?? '');
    return [...storable(text).replaceAll(/\s+/g, ' ').trim()].slice(0, 200).join('');
  }

  private childrenOf(parent: Node | null): Node[] {
    return this.nodes.filter((node) => node.parent === parent);
  }

  private add(message: object, rowId = ''): Node {
    const node: Node = { rowId, parent: this.path.at(-1) ?? null, position: this.path.length, text: '', body: {} };
    setBody(node, message);
    this.nodes.push(node);
    this.path.push(node);
    return node;
  }
}

function setBody(node: Node, message: object): void {
  node.text = JSON.stringify(message);
  node.body = asJson(message);
}

function pathTo(node: Node | null): Node[] {
  return node === null ? [] : [...pathTo(node.parent), node];
}

function ownId(body: Record<string, unknown>): string | number | undefined {
  return typeof body.id === 'string' || typeof body.id === 'number' ? body.id : undefined;
}

function isSameId(one: string | number | undefined, other: string | number | undefined): boolean {
  return one !== undefined && one === other;
}

function textOf(parts: unknown): string | undefined {
  if (!Array.isArray(parts)) return undefined;
  return parts.find((part) => part?.type === 'text' && typeof part.text === 'string')?.text;
}

/** A text as `text` and `varchar` hold it. */
export function storable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd');
}

/** The role as it is stored. */
export function roleOf({ body }: Node): string | null {
  return typeof body.role === 'string' && body.role.length <= 64 ? storable(body.role) : null;
}
