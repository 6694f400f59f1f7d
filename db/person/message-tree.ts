// Whether the messages of an import make trees: every parent is there, before its children and one step above them, and
// the active ones are one path that ends where its chat says. Reads them once, in order, and holds two levels of one chat.

/** What a chat's row says of its messages. */
interface ChatFacts {
  messageCount: number;
  headId: string | null;
}

export interface MessageFacts {
  id: string;
  chatId: string;
  parentId: string | null;
  position: number;
  active: boolean;
}

const nobody: ReadonlySet<string> = new Set();

export class MessageTrees {
  private readonly chats = new Map<string, ChatFacts>();
  private chatId: string | undefined;
  private position = -1;
  /** Ids at `position`, and at the one above. */
  private level = new Set<string>();
  private above: ReadonlySet<string> = nobody;
  /** The active path, so far. */
  private pathLength = 0;
  private pathEnd: string | null = null;

  addChat(id: string, facts: ChatFacts): void {
    this.chats.set(id, facts);
  }

  hasChat(id: string): boolean {
    return this.chats.has(id);
  }

  /** @returns what is wrong, in words to follow `line 7 `, or undefined */
  addMessage(message: MessageFacts): string | undefined {
    if (message.chatId !== this.chatId) {
      const problem = this.endChat();
      if (problem) return problem;
      if (!this.chats.has(message.chatId)) return 'has a chatId that is not the id of a chat in this file';
      this.chatId = message.chatId;
    }
    if (message.position !== this.position) this.nextLevel(message.position);
    this.level.add(message.id);
    return this.findProblem(message);
  }

  /** @returns what is wrong with the last chat, or with one that had no messages */
  end(): string | undefined {
    const problem = this.endChat();
    if (problem) return problem;
    for (const { messageCount, headId } of this.chats.values()) {
      if (messageCount !== 0 || headId !== null) return `comes behind all messages, and a chat has not those it counts`;
    }
    return undefined;
  }

  private nextLevel(position: number): void {
    this.above = position === this.position + 1 ? this.level : nobody;
    this.level = new Set();
    this.position = position;
  }

  private findProblem({ id, parentId, position, active }: MessageFacts): string | undefined {
    const isRoot = position === 0 && parentId === null;
    if (!isRoot && !(parentId !== null && this.above.has(parentId))) {
      return 'has a parentId that is not the id of a message of this chat one position before it';
    }
    if (!active) return undefined;
    if (position !== this.pathLength || parentId !== this.pathEnd) {
      return 'is active and does not follow the active message one position before it';
    }
    this.pathLength += 1;
    this.pathEnd = id;
    return undefined;
  }

  private endChat(): string | undefined {
    if (this.chatId === undefined) return undefined;
    const { messageCount, headId } = this.chats.get(this.chatId) as ChatFacts;
    const isRight = messageCount === this.pathLength && headId === this.pathEnd;
    this.chats.set(this.chatId, { messageCount: 0, headId: null }); // its own were there
    this.chatId = undefined;
    this.position = -1;
    this.level = new Set();
    this.above = nobody;
    this.pathLength = 0;
    this.pathEnd = null;
    return isRight ? undefined : 'ends a chat whose messageCount and headId are not those of its active messages';
  }
}
