// How a setting of a configuration file is read: what is not known is refused by its name, and no message quotes what may
// be a connection string.

import { configUnreadable } from '../errors.ts';

export type Settings = Readonly<Record<string, unknown>>;

/** @throws DeployError CONFIG_UNREADABLE for a setting that is none of the known ones: one that is misspelt would be without effect */
export function refuseUnknown(settings: Settings, known: readonly string[], place: string, file: string): void {
  const unknown = Object.keys(settings).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  throw configUnreadable(file, `${place} has the setting ${quote(unknown)}; known are ${known.join(', ')}`);
}

/** A value as it stands in a message; of what may be a connection string nothing is said. */
export function quote(value: unknown): string {
  if (value === undefined) return 'undefined';
  const text = JSON.stringify(value);
  return /:\/\/|@/.test(text) ? '"…"' : text.slice(0, 80);
}

export const isSettings = (value: unknown): value is Settings =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
