// A quick look at a value that is to become JSON, before its text is made: whether it is plain, as nearly all are, and
// small and flat enough. Half a millisecond for a thousand messages. What it does not know is for json-value.ts to judge.

/** Is the value plain JSON within its limits, not so, or something that must be looked at more closely? */
export type Look = 'plain' | 'too large' | 'too deep' | 'unknown';

export class QuickLook {
  /** The JSON text has at least so many bytes. */
  bytes = 0;

  constructor(
    private readonly maxBytes: number,
    private readonly maxDepth: number,
  ) {}

  /** Stops at the first thing that is not plain, or beyond a limit: it goes no deeper than that. */
  at(value: unknown, depth = 0): Look {
    switch (typeof value) {
      case 'string':
        return this.count(value.length + 2);
      case 'number':
        return Number.isFinite(value) ? this.count(1) : 'unknown';
      case 'boolean':
        return this.count(4);
      case 'object':
        return value === null ? this.count(4) : this.inside(value, depth);
      case 'bigint':
        return 'unknown';
    }
    return 'plain'; // JSON drops it, or writes null
  }

  private inside(value: object, depth: number): Look {
    const isArray = Array.isArray(value);
    const prototype = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && !isArray) {
      if (prototype === Date.prototype && !Object.hasOwn(value, 'toJSON')) return this.count(4);
      if (prototype !== null) return 'unknown';
    }
    if ((value as { toJSON?: unknown }).toJSON !== undefined) return 'unknown';
    if (depth >= this.maxDepth) return 'too deep';
    this.bytes += 1; // with the commas between them two brackets, one where it is empty
    return isArray ? this.entries(value, depth) : this.fields(value as Record<string, unknown>, depth);
  }

  private entries(list: readonly unknown[], depth: number): Look {
    // Each takes a character and a comma: of a list that is too long by that alone nothing is looked at.
    if (this.bytes + 2 * list.length > this.maxBytes) return this.count(2 * list.length);
    for (let i = 0; i < list.length; i += 1) {
      this.bytes += 1;
      const look = this.at(list[i], depth + 1);
      if (look !== 'plain') return look;
    }
    return this.count(0);
  }

  private fields(object: Record<string, unknown>, depth: number): Look {
    for (const key of Object.keys(object)) {
      const value = object[key];
      if (value === undefined || typeof value === 'function' || typeof value === 'symbol') continue;
      this.bytes += key.length + 4; // quotes, a colon, a comma or bracket
      const look = this.at(value, depth + 1);
      if (look !== 'plain') return look;
    }
    return this.count(0);
  }

  private count(bytes: number): Look {
    this.bytes += bytes;
    return this.bytes > this.maxBytes ? 'too large' : 'plain';
  }
}
