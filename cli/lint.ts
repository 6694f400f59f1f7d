// mytx lint: what is risky in migrations, as db/linting.ts finds it: for people, as annotations of GitHub, as SARIF or as
// JSON. Exit code 3 where there are errors.

import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { styleText } from 'node:util';
import { type DatabaseLint, type Finding, lint as findRisks, toAnnotations, toSarif } from '../db/linting.ts';
import packageFile from '../package.json' with { type: 'json' };
import { type TargetFlags, targetFlags } from './deploy-target.ts';
import { exitCodes } from './exit-codes.ts';
import { endAtInterruption } from './interruption.ts';
import { runVerb, type Voice } from './run-verb.ts';
import { faint } from './table.ts';

export interface LintFlags extends TargetFlags {
  since?: string;
  all?: boolean;
  offline?: boolean;
  deployed?: string;
  strict?: boolean;
  target?: number;
  github?: boolean;
  /** A file, or `-` for stdout. */
  sarif?: string;
}

export async function lint(files: readonly string[], flags: LintFlags): Promise<void> {
  endAtInterruption('interrupted; nothing was changed');
  const { json = false, github, sarif, target, ...choice } = flags;
  let errors = 0;
  const exitCode = await runVerb('lint', { json, resultOnStdout: json || sarif === '-' }, async (voice) => {
    const report = await findRisks({
      ...choice,
      ...targetFlags(flags),
      ...(target === undefined ? {} : { serverVersion: target }),
      files,
      onTarget: (name, why) => (name === null ? voice.say(`target: no database (${why})`) : voice.nameTarget(name)),
    });
    errors = report.errors;
    show(voice, report, flags);
    const { target: _target, root: _root, ...data } = report;
    return data;
  });
  if (exitCode === exitCodes.done && errors > 0) process.exitCode = exitCodes.refused;
}

function show(voice: Voice, report: DatabaseLint, { github = false, sarif }: LintFlags): void {
  const { what, root, findings, errors, notes } = report;
  voice.say(what);
  const lines = github
    ? toAnnotations(report, root)
    : findings.flatMap((finding) => ['', ...render(finding, voice.stream)]);
  if (lines.length > 0) voice.say(...lines);
  voice.say('', ...notes.map((note) => faint(`note: ${note}`, voice.stream)), countsOf(report));
  if (errors > 0) {
    voice.say(
      'next: correct the file or, where it is right, say why before the statement: -- mytx:ignore <rule>: <reason>',
    );
  }
  if (sarif !== undefined) writeSarif(voice, sarif, toSarif(report, root, packageFile.version));
}

function render({ rule, severity, file, region, message, help }: Finding, stream: NodeJS.WriteStream): string[] {
  const place = file === null ? '' : `${relative(process.cwd(), file)}:${region?.line}: `;
  const label = styleText(severity === 'error' ? 'red' : 'yellow', severity, { stream });
  return [`${place}${label}: ${message}`, faint(`  ${rule}${help === '' ? '' : `: ${help}`}`, stream)];
}

function writeSarif(voice: Voice, file: string, log: unknown): void {
  const text = `${JSON.stringify(log, null, 2)}\n`;
  if (file === '-') {
    process.stdout.write(text);
    return;
  }
  writeFileSync(file, text);
  voice.say(`SARIF: ${file}`);
}

function countsOf({ errors, warnings, suppressed }: DatabaseLint): string {
  const kept = suppressed.length === 0 ? '' : `, ${suppressed.length} kept out by comments`;
  return `${count(errors, 'error')}, ${count(warnings, 'warning')}${kept}`;
}

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;
