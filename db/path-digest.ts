// The digest of the beginning of a chat's path: it says that a list of messages begins with those that were saved,
// without reading them.

import { createHash, type Hash } from 'node:crypto';

/** So many messages become one text at once: fewer calls, and no text as long as the chat. */
const batch = 100;

/** SHA-256 of messages' JSON texts, joined by commas: of many at once, or one by one. */
export class PathDigest {
  private constructor(
    private readonly hash: Hash,
    /** Of how many messages it is. */
    public count: number,
  ) {}

  static ofNone(): PathDigest {
    return new PathDigest(createHash('sha256'), 0);
  }

  /** Of the first `count` messages of a list; undefined when there are fewer, or one can't be written as JSON. */
  static ofFirst(list: readonly unknown[], count: number): PathDigest | undefined {
    if (list.length < count) return undefined;
    const digest = PathDigest.ofNone();
    try {
      for (let from = 0; from < count; from += batch) {
        const some = list.slice(from, Math.min(from + batch, count));
        digest.addTexts(JSON.stringify(some).slice(1, -1), some.length);
      }
      return digest;
    } catch {
      return undefined; // encodeMessage says which one it is
    }
  }

  /** Adds the JSON text of the next message. */
  add(text: string): void {
    this.addTexts(text, 1);
  }

  private addTexts(texts: string, count: number): void {
    this.hash.update(this.count === 0 ? texts : `,${texts}`);
    this.count += count;
  }

  copy(): PathDigest {
    return new PathDigest(this.hash.copy(), this.count);
  }

  /** In hexadecimal; null of no message. */
  value(): string | null {
    return this.count === 0 ? null : this.hash.copy().digest('hex');
  }
}
