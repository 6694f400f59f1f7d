// A seeded source of choices (sfc32): the same seed gives the same choices on every machine and every run.
// For sample data only, never for keys, passwords or ids of real rows: whoever knows the seed knows them all.
// Uses integers and exact divisions by powers of two, nothing whose last digit depends on the platform.

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const maximumTimeMs = 2 ** 48 - 1;

export class Random {
  #a = 0;
  #b = 0;
  #c = 0;
  #counter = 1;

  /**
   * @param seed a whole number, 0 to 2^53 - 1
   * @throws RangeError for any other number: rounding it would quietly make two seeds the same
   */
  constructor(seed: number) {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new RangeError(`The seed is ${seed}; it must be a whole number from 0 to ${Number.MAX_SAFE_INTEGER}.`);
    }
    this.#start(seed >>> 0, Math.floor(seed / 2 ** 32), 0x9e3779b9);
  }

  #start(a: number, b: number, c: number): void {
    this.#a = a;
    this.#b = b;
    this.#c = c;
    this.#counter = 1;
    for (let round = 0; round < 15; round++) this.uint32(); // seeds that are close must not start alike
  }

  /** The next 32 bits, as a number from 0 to 2^32 - 1. */
  uint32(): number {
    const result = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + result) | 0;
    return result >>> 0;
  }

  /** From 0 up to, but not, 1, with 53 bits: spans of time in milliseconds are wider than 32. */
  fraction(): number {
    return ((this.uint32() >>> 5) * 2 ** 26 + (this.uint32() >>> 6)) / 2 ** 53;
  }

  /** A whole number from `minimum` to `maximum`, both included. */
  integer(minimum: number, maximum: number): number {
    return minimum + Math.floor(this.fraction() * (maximum - minimum + 1));
  }

  /** True `percent` times in a hundred. */
  chance(percent: number): boolean {
    return this.integer(1, 100) <= percent;
  }

  /** @throws RangeError where there is nothing to pick from */
  pick<Item>(items: readonly Item[]): Item {
    if (items.length === 0) throw new RangeError('There is nothing to pick from.');
    return items[this.integer(0, items.length - 1)] as Item;
  }

  /** A new array in another order; the one given stays as it is. */
  shuffle<Item>(items: readonly Item[]): Item[] {
    const shuffled = [...items];
    for (let last = shuffled.length - 1; last > 0; last--) {
      const other = this.integer(0, last);
      [shuffled[last], shuffled[other]] = [shuffled[other] as Item, shuffled[last] as Item];
    }
    return shuffled;
  }

  /** Items for ever: each one once, in a random order, before any comes again. */
  *deal<Item>(items: readonly Item[]): Generator<Item, never, void> {
    if (items.length === 0) throw new RangeError('There is nothing to deal.');
    while (true) yield* this.shuffle(items);
  }

  letters(count: number): string {
    let text = '';
    for (let index = 0; index < count; index++) text += letters.charAt(this.integer(0, letters.length - 1));
    return text;
  }

  /**
   * A generator of its own for one part of the data: what that part draws then changes nothing elsewhere.
   * It takes 96 bits, so that also a million of them start in different places.
   */
  fork(): Random {
    const child = new Random(0);
    child.#start(this.uint32(), this.uint32(), this.uint32());
    return child;
  }
}

/**
 * A UUID of version 7 for a moment, its other bits from `random`.
 * @throws RangeError where the time does not fit into 48 bits
 * @example uuidVersion7(new Random(1), Date.UTC(2026, 10, 1)) // '019a3cc7-…'
 */
export function uuidVersion7(random: Random, timeMs: number): string {
  if (!Number.isInteger(timeMs) || timeMs < 0 || timeMs > maximumTimeMs) {
    throw new RangeError(`The time is ${timeMs} ms; a UUID of version 7 holds 0 to ${maximumTimeMs}.`);
  }
  const time = hex(timeMs, 12);
  const version = hex(0x7000 | random.integer(0, 0xfff), 4);
  const variant = hex(0x8000 | random.integer(0, 0x3fff), 4);
  const rest = hex(random.integer(0, 0xffff), 4) + hex(random.uint32(), 8);
  return `${time.slice(0, 8)}-${time.slice(8)}-${version}-${variant}-${rest}`;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
