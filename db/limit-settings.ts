// The limits that an operator may change: how large a message, a chat and a call may be, and how deep JSON may nest.
// They hold in this process. None goes beyond what the database takes.

import { requireCount, requireObject } from './arguments.ts';
import { InvalidArgumentError } from './errors.ts';
import { jsonLimits } from './limits.ts';

export interface LimitSettings {
  /** Most bytes of one message's JSON, in UTF-8: 16 MiB, and no more. */
  messageBytes: number;
  /** Most messages that one call hands over: 100,000 unless given, 10,000,000 at most. */
  saveMessages: number;
  /** Most bytes of JSON that the messages of one call are: 256 MiB, and no more. */
  saveBytes: number;
  /** Most messages of a chat's active path: 1,000,000 unless given, 2,147,483,647 at most. */
  chatMessages: number;
  /** Most levels of arrays and objects in any JSON: 200 unless given, 1,000 at most. */
  jsonDepth: number;
  /** Most bytes of a reservation's details: 64 KiB unless given, 1 MiB at most. */
  reservationBytes: number;
  /** Most bytes of a protocol's parts: 1 MiB unless given, 16 MiB at most. */
  protocolBytes: number;
}

export type LimitName = keyof LimitSettings;

const MiB = 1024 * 1024;

const defaults: LimitSettings = {
  messageBytes: jsonLimits.message,
  saveMessages: 100_000,
  saveBytes: 256 * MiB,
  chatMessages: 1_000_000,
  jsonDepth: 200,
  reservationBytes: 64 * 1024,
  protocolBytes: MiB,
};

const largest: LimitSettings = {
  messageBytes: jsonLimits.message, // Message_body_check
  saveMessages: 10_000_000, // ids in one text
  saveBytes: 256 * MiB, // one parameter: PostgreSQL takes 1 GB, a JavaScript text 512 million characters
  chatMessages: 2_147_483_647, // "messageCount" is an integer
  jsonDepth: 1_000, // the stacks of PostgreSQL and JavaScript
  reservationBytes: MiB,
  protocolBytes: 16 * MiB,
};

let settings = defaults;

/**
 * Says how large what is written may be, in this process, from now on. What is left out is as it was when the process
 * began. A limit that is lowered leaves what is stored as it is.
 * @returns what is in force
 * @throws InvalidArgumentError INVALID_LIMIT for a number that the database would not take; INVALID_ARGUMENT
 * @example configureLimits({ messageBytes: 256 * 1024, chatMessages: 10_000 });
 */
export function configureLimits(wanted: Partial<LimitSettings> = {}): LimitSettings {
  const given = { ...defaults, ...requireObject('configureLimits', wanted) };
  const names = Object.keys(largest) as LimitName[];
  const unknown = Object.keys(given).find((name) => !names.some((known) => known === name));
  if (unknown !== undefined) {
    throw new InvalidArgumentError(
      'INVALID_ARGUMENT',
      unknown,
      `is no limit; there are ${names.join(', ')}`,
      'Correct the name, or leave it out.',
    );
  }
  settings = Object.fromEntries(
    names.map((name) => [name, requireCount(name, given[name], 1, largest[name])]),
  ) as unknown as LimitSettings;
  return { ...settings };
}

/** The limits in force. */
export function limits(): Readonly<LimitSettings> {
  return settings;
}

/** To follow a hint: how the limit is raised, where it can be. */
export function raising(name: LimitName): string {
  if (settings[name] >= largest[name]) return '';
  return ` Or raise the limit where the process starts: configureLimits({ ${name} }), ${largest[name]} at most.`;
}
