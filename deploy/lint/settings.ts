// What mytx.config.ts says of the lint, read: the severities of rules, what counts as a large table, and how long a
// transaction may be open.

import { configUnreadable } from '../errors.ts';
import { isSettings, quote, refuseUnknown } from '../project/settings.ts';
import { rules, type Severity } from './rules.ts';

/** `lint` in mytx.config.ts. */
export interface LintConfig {
  /** Severities, by the names of rules, such as `squawk/prefer-text-field`. docs/linting.md has them all. */
  rules?: Record<string, Severity>;
  /** A table with so many rows is large; 10,000 unless given. */
  largeRows?: number;
  /** A table of so many bytes is large; 10,000,000 unless given. */
  largeBytes?: number;
  /** A transaction that is open for so long is told of; 60 unless given. */
  longTransactionSeconds?: number;
}

export interface LintSettings {
  /** Those that are not the rules' own. */
  severities: ReadonlyMap<string, Severity>;
  largeRows: number;
  largeBytes: number;
  longTransactionSeconds: number;
}

export const lintDefaults: LintSettings = {
  severities: new Map(),
  largeRows: 10_000,
  largeBytes: 10_000_000,
  longTransactionSeconds: 60,
};

const known = ['rules', 'largeRows', 'largeBytes', 'longTransactionSeconds'];
const severities: readonly unknown[] = ['off', 'warning', 'error'] satisfies Severity[];

/**
 * @param config what the file has under `lint`
 * @param file its path, for messages
 * @throws DeployError CONFIG_UNREADABLE for a rule, a severity or a setting that there is not
 */
export function readLintSettings(config: unknown, file: string): LintSettings {
  if (!isSettings(config)) throw configUnreadable(file, 'lint must be an object such as { largeRows: 50_000 }');
  refuseUnknown(config, known, 'lint', file);
  const { largeRows, largeBytes, longTransactionSeconds } = lintDefaults;
  return {
    severities: readSeverities(config.rules ?? {}, file),
    largeRows: readCount('largeRows', config.largeRows ?? largeRows, file),
    largeBytes: readCount('largeBytes', config.largeBytes ?? largeBytes, file),
    longTransactionSeconds: readCount(
      'longTransactionSeconds',
      config.longTransactionSeconds ?? longTransactionSeconds,
      file,
    ),
  };
}

function readSeverities(given: unknown, file: string): Map<string, Severity> {
  if (!isSettings(given)) {
    throw configUnreadable(file, `lint.rules must be an object such as { 'squawk/prefer-text-field': 'off' }`);
  }
  const entries = Object.entries(given).map(([name, severity]): [string, Severity] => {
    if (!rules.has(name)) {
      throw configUnreadable(file, `lint.rules has the rule ${quote(name)}; there are ${[...rules.keys()].join(', ')}`);
    }
    if (severities.includes(severity)) return [name, severity as Severity];
    throw configUnreadable(
      file,
      `lint.rules has ${quote(severity)} for ${name}; it must be ${severities.map(quote).join(', ')}`,
    );
  });
  return new Map(entries);
}

function readCount(name: string, value: unknown, file: string): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw configUnreadable(file, `lint.${name} is ${quote(value)}; it must be a whole number from 0`);
}
