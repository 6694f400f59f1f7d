// The digest of the beginning of a chat's path: it says that a list of messages begins with those that were saved,
// without reading them.

import { createHash, type Hash } from 'node:crypto';
import { joinedTexts } from './message-body.ts';
import type { SaveSize } from './message-limits.ts';

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

  /** Of the first `count` messages of a list, which are checked; undefined when there are fewer. */
  static ofFirst(list: readonly unknown[], count: number, size?: SaveSize): PathDigest | undefined {
    if (list.length < count) return undefined;
    const digest = PathDigest.ofNone();
    for (const texts of joinedTexts(list, count, size)) digest.addTexts(texts.text, texts.count);
    return digest;
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
