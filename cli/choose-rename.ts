// The question whether something is new or was renamed, where somebody is there to answer it; undefined elsewhere.

import type { RenameAnswer, RenameQuestion } from '../db/generation.ts';
import { Interrupted } from './interruption.ts';

const isAnswerable = process.stdin.isTTY && process.stderr.isTTY && !process.env.CI;

export const chooseRename: ((question: RenameQuestion) => Promise<RenameAnswer>) | undefined = isAnswerable
  ? async ({ entity, name, candidates }): Promise<RenameAnswer> => {
      const { isCancel, select } = await import('@clack/prompts');
      const answer = await select<string>({
        message: `Is the ${entity} ${name} new, or was it renamed?`,
        options: [
          { value: '', label: 'new' },
          ...candidates.map((candidate) => ({ value: candidate, label: `was ${candidate}` })),
        ],
        output: process.stderr,
      });
      if (isCancel(answer)) throw new Interrupted();
      return answer === '' ? null : answer;
    }
  : undefined;
