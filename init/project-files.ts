// The files that a project has anyway: what is added to .gitignore and package.json, and what is only said of the
// configurations of Next.js and the compiler.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { addIgnored } from './ignored-files.ts';
import { addScripts } from './package-scripts.ts';
import type { Project } from './project.ts';
import { withoutComments } from './source-text.ts';
import type { Step } from './step.ts';

export function planIgnored({ folder }: Project): Step {
  const path = '.gitignore';
  const before = existsSync(join(folder, path)) ? readFileSync(join(folder, path), 'utf8') : null;
  const text = addIgnored(before ?? '');
  if (text === null) return { action: 'leave', path, reason: 'has .mytx/ and .env.local already' };
  return before === null ? { action: 'create', path, text } : { action: 'change', path, before, text };
}

export function planScripts(
  { packageText: before, packageFile, language }: Project,
  migrateFile: string,
): { step: Step; notes: string[] } {
  const path = 'package.json';
  const ours = {
    'db:generate': 'drizzle-kit generate',
    'db:migrate': `${language === 'typescript' ? 'tsx' : 'node'} ${migrateFile}`,
  };
  const there = packageFile.scripts ?? {};
  const missing = Object.entries(ours).filter(([name]) => !(name in there));
  const notes = Object.entries(ours)
    .filter(([name, command]) => name in there && there[name] !== command)
    .map(([name, command]) => `package.json has a script ${name} of its own; ours would be: ${command}`);
  if (missing.length === 0) {
    return { step: { action: 'leave', path, reason: 'has scripts of these names already' }, notes };
  }
  const text = addScripts(before, Object.fromEntries(missing));
  if (text !== null) return { step: { action: 'change', path, before, text }, notes };
  const reason = 'is not written as npm writes it; adding to it would write all of it anew';
  const wanted = missing.map(([name, command]) => `"${name}": "${command}"`).join(', ');
  return {
    step: { action: 'leave', path, reason },
    notes: [...notes, `scripts that you may add to package.json: ${wanted}`],
  };
}

/** Its configuration is code: it is never edited, the line for it is told. */
export function nextNotes({ folder, next }: Project): string[] {
  if (!next) return [];
  const { configFile, major } = next;
  if (configFile !== null && /['"]mytx-ai['"]/.test(withoutComments(readFileSync(join(folder, configFile), 'utf8'))))
    return [];
  const isOld = major !== null && major < 15;
  const line = isOld
    ? "experimental: { serverComponentsExternalPackages: ['mytx-ai'] }"
    : "serverExternalPackages: ['mytx-ai']";
  return [`add to the configuration in ${configFile ?? 'next.config.mjs'}, by hand: ${line}`];
}

/** tsconfig.json has comments, so that it is looked at as text. */
export function compilerNotes({ folder, language }: Project): string[] {
  const file = join(folder, 'tsconfig.json');
  if (language !== 'typescript' || !existsSync(file)) return [];
  const text = withoutComments(readFileSync(file, 'utf8'));
  const [, resolution] = /"moduleResolution"\s*:\s*"(node|node10|classic)"/i.exec(text) ?? [];
  const [, rootDir] = /"rootDir"\s*:\s*"(?:\.\/)?([^"]+?)\/?"/.exec(text) ?? [];
  return [
    ...(resolution
      ? [`tsconfig.json has moduleResolution ${resolution}, which does not see mytx-ai/schema: use bundler or nodenext`]
      : []),
    ...(rootDir && rootDir !== '.'
      ? [
          `tsconfig.json compiles ${rootDir}/ only: your code there imports from mytx-ai, and db/ is for drizzle-kit and tsx`,
        ]
      : []),
  ];
}
