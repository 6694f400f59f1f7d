// What the verbs say of themselves: complete, and true of the command line that there is.

import { expect, test } from 'vitest';
import { errorCodesOf, exitCodeMeanings, exitCodeOf, exitCodes } from '../../cli/exit-codes.ts';
import { buildProgram } from '../../cli/program.ts';
import type { Verb } from '../../cli/verb.ts';
import { projectFiles } from '../docs/project-copy.ts';

const verbs = (buildProgram().commands as Verb[]).filter((verb) => !['help', 'complete'].includes(verb.name()));
const named = verbs.map((verb) => [verb.name(), verb] as const);

test.each(named)('%s has a group, a description, examples and, where it names one, a page', (_, verb) => {
  expect(verb.helpGroup()).toMatch(/^[A-Z].*:$/);
  expect(verb.description()).toMatch(/^[a-z].*[^.]$/);
  expect(verb.examples.length).toBeGreaterThan(0);
  for (const { description } of [...verb.registeredArguments, ...verb.options]) expect(description).not.toBe('');
  if (verb.page) expect(projectFiles()).toContain(`docs/${verb.page}`);
});

test.each(named)('the examples of %s are command lines that there are', async (name, { examples }) => {
  for (const example of examples) {
    const [, line = ''] = /npx mytx ([^|>]*)/.exec(example) ?? [];
    expect(await verbRunBy(line.trim().split(' ')), example).toBe(name);
  }
});

/** The verb whose action is called, instead of which nothing is done. @throws where it is no command line */
async function verbRunBy(words: readonly string[]): Promise<string | undefined> {
  const program = buildProgram();
  let ran: string | undefined;
  for (const verb of program.commands) {
    verb.action(() => {
      ran = verb.name();
    });
  }
  await program.parseAsync(words, { from: 'user' });
  return ran;
}

test('every exit code has a meaning, and the error codes that it is listed with end so', () => {
  expect(exitCodeMeanings.map(([code]) => code)).toEqual(Object.values(exitCodes));
  for (const [code] of exitCodeMeanings) for (const error of errorCodesOf(code)) expect(exitCodeOf(error)).toBe(code);
  expect(errorCodesOf(exitCodes.inUse)).toEqual(['EMBEDDED_IN_USE', 'EMBEDDED_LOST', 'MIGRATION_LOCK_HELD']);
});
