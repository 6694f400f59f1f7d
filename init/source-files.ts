// The files of db/ and drizzle.config: which are to be made, and which are there already, ours or somebody's.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { withoutInit } from './migrations.ts';
import type { Project } from './project.ts';
import { withoutComments } from './source-text.ts';
import type { Step } from './step.ts';
import * as templates from './templates.ts';

/** A file of db/: where it is or will be, and what of ours it hands on. */
export interface Source {
  path: string;
  /** What it imports from, where it is ours or was made so. */
  from: string;
  isThere: boolean;
}

export type SourceName = 'schema' | 'protocolsSchema' | 'queries' | 'protocolQueries' | 'migrate';

const sourceNames: Record<SourceName, string> = {
  schema: 'schema',
  protocolsSchema: 'protocols-schema',
  queries: 'queries',
  protocolQueries: 'protocol-queries',
  migrate: 'migrate',
};

const endings = ['.ts', '.mts', '.js', '.mjs', '/index.ts', '/index.js'];

/** An existing file counts whatever its ending; a new one gets the project's. */
export function findSources({ folder, language, packageFile }: Project): Record<SourceName, Source> {
  const ending = language === 'typescript' ? '.ts' : packageFile.type === 'module' ? '.js' : '.mjs';
  const entries = Object.entries(sourceNames).map(([key, name]): [string, Source] => {
    const there = endings.map((one) => `db/${name}${one}`).find((path) => existsSync(join(folder, path)));
    const from = `mytx-ai/${name}`;
    return [key, { path: there ?? `db/${name}${ending}`, from, isThere: there !== undefined }];
  });
  return Object.fromEntries(entries) as Record<SourceName, Source>;
}

export function planSource({ folder }: Project, { path, from, isThere }: Source, text: string): Step {
  if (!isThere) return { action: 'create', path, text };
  if (handsOn(folder, path, from)) return { action: 'leave', path, reason: `has ${from} already` };
  const line = from === 'mytx-ai/migrate' ? text.trim().split('\n\n').slice(1) : [`export * from '${from}';`];
  return {
    action: 'refuse',
    path,
    reason: 'is there already, and is not of mytx-ai',
    byHand: ['Add to it, or rename it and run this again:', ...line.map((one) => `  ${one}`)],
  };
}

/** Those of the application are in nobody's way: the queries can be imported from the package as well. */
export function planQueries(project: Project, source: Source, text: string): Step {
  const step = planSource(project, source, text);
  if (step.action !== 'refuse') return step;
  return {
    action: 'leave',
    path: source.path,
    reason: `is yours; import the queries from mytx-ai, or from ${source.from}`,
  };
}

function handsOn(folder: string, path: string, from: string): boolean {
  return new RegExp(`['"]${from}['"]`).test(withoutComments(readFileSync(join(folder, path), 'utf8')));
}

const configEndings = ['ts', 'js', 'json', 'mts', 'cts', 'mjs', 'cjs'];

/** drizzle-kit looks for no other ending than `.ts`, `.js` and `.json` by itself, and reads modules in each. */
export function planConfig({ folder, language }: Project, facts: templates.TemplateFacts): Step {
  const there = configEndings
    .map((ending) => `drizzle.config.${ending}`)
    .find((path) => existsSync(join(folder, path)));
  if (there === undefined) {
    const path = `drizzle.config.${language === 'typescript' ? 'ts' : 'js'}`;
    return { action: 'create', path, text: templates.drizzleConfig(facts) };
  }
  const text = withoutComments(readFileSync(join(folder, there), 'utf8'));
  const named = [...facts.schemaFiles, 'lib/drizzle'];
  if (named.every((path) => text.includes(path))) {
    return { action: 'leave', path: there, reason: 'names the schema files and lib/drizzle already' };
  }
  return {
    action: 'refuse',
    path: there,
    reason: `is there already, and does not name ${named.filter((path) => !text.includes(path)).join(', ')}`,
    byHand: [
      'Where it has made no migrations yet, let it say, beside what it says now, or rename it and run this again:',
      `  schema: [${facts.schemaFiles.map((path) => `'./${path}'`).join(', ')}],`,
      "  out: './lib/drizzle',",
      'Where it has:',
      ...withoutInit.map((line) => `  ${line}`),
    ],
  };
}
