// What drizzle-kit asks while it generates, and the answers, which need no keyboard: whether what is new is new, or is
// something that went, under another name.

import { DeployError } from '../errors.ts';

export interface RenameQuestion {
  /** `column`, `table`, `enum`, `schema`, … */
  entity: string;
  /** As it is named in an answer: `users.full_name` for a column, `users` for a table. */
  name: string;
  /** What it may have been called, named alike. */
  candidates: string[];
}

/** The candidate that it was called, or null for something new. */
export type RenameAnswer = string | null;

export interface Answers {
  /** `users.name:users.full_name`, the old name and the new one. */
  rename?: readonly string[];
  /** Names of what is new. */
  create?: readonly string[];
}

/**
 * Reads a file of answers: `rename users.name:users.full_name` or `create users.full_name`, one on each line.
 * @throws DeployError ANSWER_INVALID
 */
export function readAnswers(text: string, file: string): Required<Answers> {
  const answers: { rename: string[]; create: string[] } = { rename: [], create: [] };
  for (const [index, line] of text.split('\n').entries()) {
    const said = line.replace(/#.*/, '').trim();
    if (said === '') continue;
    const [, verb, what] = /^(rename|create)\s+(\S.*)$/.exec(said) ?? [];
    if (verb === undefined || what === undefined) {
      throw invalid(
        `${file}:${index + 1} is "${said.slice(0, 80)}"`,
        'a line is: rename users.name:users.full_name, or: create users.full_name',
      );
    }
    answers[verb as 'rename' | 'create'].push(what);
  }
  return answers;
}

/** @throws DeployError ANSWER_INVALID for a rename that does not name both */
export function checkAnswers({ rename = [] }: Answers): void {
  const wrong = rename.find((one) => !/^[^:]+:[^:]+$/.test(one));
  if (wrong === undefined) return;
  throw invalid(
    `the rename "${wrong.slice(0, 80)}" does not name both`,
    'write old:new, such as users.name:users.full_name, or users:people',
  );
}

function invalid(problem: string, allowed: string): DeployError {
  return new DeployError({
    code: 'ANSWER_INVALID',
    message: `${problem}; ${allowed}`,
    hint: 'Correct it and run the same command again. Nothing was written.',
  });
}

/**
 * The answer to a question; undefined where none was given.
 * @throws DeployError ANSWER_INVALID for a rename from what is not there
 */
export function answerTo(
  { entity, name, candidates }: RenameQuestion,
  { rename = [], create = [] }: Answers,
): { answer: RenameAnswer; by: string } | undefined {
  const given = rename.find((one) => isSame(one.split(':')[1] as string, name));
  if (given !== undefined) {
    const from = given.split(':')[0] as string;
    const answer = candidates.find((candidate) => isSame(from, candidate));
    if (answer !== undefined) return { answer, by: `--rename ${given}` };
    throw invalid(
      `the ${entity} ${name} can’t have been ${from.slice(0, 80)}`,
      `what is gone, and may have become it: ${candidates.join(', ')}`,
    );
  }
  return create.some((one) => isSame(one, name)) ? { answer: null, by: `--create ${name}` } : undefined;
}

/** drizzle-kit does not name the schema of a column's table. */
function isSame(given: string, name: string): boolean {
  return given === name || given.endsWith(`.${name}`);
}

export function answerNeeded({ entity, name, candidates }: RenameQuestion): DeployError {
  const renames = candidates.map((candidate) => `--rename ${candidate}:${name}`);
  return new DeployError({
    code: 'ANSWER_NEEDED',
    message: `is the ${entity} ${name} new, or was it ${candidates.join(' or ')}? Nothing was written`,
    hint: `Run it again with one of: --create ${name}, ${renames.join(', ')}`,
    details: { entity, name, candidates },
  });
}
