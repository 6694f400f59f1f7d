// The lint before a deploy: what it refuses, in words.

import { DeployError } from '../errors.ts';
import type { Finding, LintReport } from './finding.ts';

/** @throws DeployError LINT_REFUSED where there are errors */
export function refuseErrors({ findings }: LintReport): void {
  // What deploy does not run it refuses itself, as MIGRATION_REFUSED.
  const found = findings.filter(({ severity, rule }) => severity === 'error' && rule !== 'refused-by-deploy');
  if (found.length === 0) return;
  throw new DeployError({
    code: 'LINT_REFUSED',
    message: [
      `the lint finds ${found.length === 1 ? 'an error' : `${found.length} errors`} in what is pending; nothing was applied`,
      ...found.map((finding) => `${lineOf(finding)}\n  ${finding.help}`),
    ].join('\n'),
    hint: 'Correct the file or, where it is right as it is, say why in a line before the statement: -- mytx:ignore <rule>: <reason>',
    details: { findings: found },
  });
}

/** A finding in one line, as editors and terminals take it. */
export function lineOf({ file, region, rule, message }: Finding): string {
  const place = file === null ? '' : `${file}:${region?.line}: `;
  return `${place}${rule}: ${message}`;
}
