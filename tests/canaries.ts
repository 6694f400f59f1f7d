// Canaries: random texts that stand for a secret each (a password, a key, an address, what somebody wrote), and what
// finds them in everything that was said, however it is spelled there. A part of one is found too: 23 characters in a row.

import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';

export interface Canary {
  /** What it stands for. */
  name: string;
  text: string;
}

/** A text that nobody else writes: letters and digits, in both cases. */
export function newCanaryText(): string {
  return `Zq${randomBytes(18).toString('hex').replaceAll('a', 'A')}`;
}

/** The names of the secrets that are planted, with what they look like. */
const kinds = {
  password: newCanaryText,
  otherPassword: newCanaryText,
  urlPassword: newCanaryText,
  legacyApiKey: newCanaryText,
  apiKeyPepper: newKey,
  encryptionKey: newKey,
  auditKey: newKey,
  email: newCanaryText,
  displayName: newCanaryText,
  chatTitle: newCanaryText,
  messageText: newCanaryText,
  toolCallArgument: newCanaryText,
  memory: newCanaryText,
  encryptedMemory: newCanaryText,
  taskDescription: newCanaryText,
  passenger: newCanaryText,
  protocolName: newCanaryText,
  protocolDescription: newCanaryText,
  protocolPart: newCanaryText,
  apiKeyName: newCanaryText,
  searchQuery: newCanaryText,
  cursor: newCanaryText,
  exportedText: newCanaryText,
  rowOfOwnTable: newCanaryText,
  argument: newCanaryText,
} satisfies Record<string, () => string>;

export type CanaryName = keyof typeof kinds;

/** One of each kind, new in every run. */
export function newCanaries(): Record<CanaryName, string> {
  return Object.fromEntries(Object.entries(kinds).map(([name, make]) => [name, make()])) as Record<CanaryName, string>;
}

/** 32 bytes in base64, as variables have keys. */
function newKey(): string {
  return randomBytes(32).toString('base64');
}

/** The ways in which a text may be written somewhere. Upper and lower case are not told apart by the detector. */
const spellings: Readonly<Record<string, (bytes: Buffer, text: string) => string[]>> = {
  'as it is': (_, text) => [text],
  JSON: (_, text) => [JSON.stringify(text).slice(1, -1), JSON.stringify(JSON.stringify(text)).slice(3, -3)],
  'a JavaScript literal': (_, text) => [inspect(text).slice(1, -1)],
  'a part of a URL': (_, text) => [encodeURIComponent(text)],
  'hexadecimal digits': (bytes) => [bytes.toString('hex')],
  'decimal bytes': (bytes) => [[...bytes].join(',')],
  base64: (bytes) => [0, 1, 2].flatMap((shift) => alignedBase64(bytes, shift)),
};

/** What of a text's base64 does not depend on the texts beside it, when `shift` bytes stand before it. */
function alignedBase64(bytes: Buffer, shift: number): string[] {
  const whole = Buffer.concat([Buffer.alloc(shift), bytes]);
  const kept = whole.subarray(0, whole.length - (whole.length % 3)).toString('base64');
  const text = kept.slice(shift === 0 ? 0 : 4);
  return [text, text.replaceAll('+', '-').replaceAll('/', '_')];
}

interface Needle {
  canary: Canary;
  spelling: string;
  text: string;
}

const windowLength = 12;

export interface Found {
  canary: string;
  spelling: string;
  /** What was said around it. */
  excerpt: string;
}

/** Looks for canaries in texts. */
export class Detector {
  private readonly needles: Needle[];

  constructor(readonly canaries: readonly Canary[]) {
    this.needles = canaries.flatMap(needlesOf);
  }

  find(said: string): Found[] {
    // Bytes are printed with spaces between them, and with line breaks where there are many.
    const texts = [said.toLowerCase(), said.replaceAll(/[\s,]+/g, '').toLowerCase()];
    const decimals = said.replaceAll(/\s+/g, '').toLowerCase();
    const found = new Map<string, Found>();
    for (const { canary, spelling, text } of this.needles) {
      const where = spelling === 'decimal bytes' ? [decimals] : texts;
      for (const haystack of where) {
        const at = haystack.indexOf(text);
        if (at === -1) continue;
        const excerpt = haystack.slice(Math.max(0, at - 200), at + 100);
        found.set(`${canary.name} ${spelling}`, { canary: canary.name, spelling, excerpt });
      }
    }
    return [...found.values()];
  }
}

function needlesOf(canary: Canary): Needle[] {
  const { text } = canary;
  // Of a key the bytes themselves are as good as its text.
  const isKey = /^[A-Za-z0-9+/]{43}=$/.test(text);
  const forms = [Buffer.from(text), ...(isKey ? [Buffer.from(text, 'base64')] : [])];
  const written = Object.entries(spellings).flatMap(([spelling, spell]) =>
    forms.flatMap((bytes) => spell(bytes, text).map((spelled) => ({ spelling, spelled: spelled.toLowerCase() }))),
  );
  const needles = written.flatMap(({ spelling, spelled }) => {
    const length = spelling === 'decimal bytes' ? 3 * windowLength : windowLength;
    return windowsOf(spelled, length).map((window) => ({ canary, spelling, text: window }));
  });
  return [...new Map(needles.map((needle) => [needle.text, needle])).values()];
}

function windowsOf(text: string, length: number): string[] {
  const count = Math.floor(text.length / length);
  return Array.from({ length: count }, (_, i) => text.slice(i * length, (i + 1) * length));
}

/** A secret in a spelling, to see that the detector finds it there. */
export function allSpellingsOf(text: string): [spelling: string, spelled: string][] {
  return Object.entries(spellings).flatMap(([spelling, spell]) =>
    spell(Buffer.from(text), text).map((spelled): [string, string] => [spelling, spelled]),
  );
}
