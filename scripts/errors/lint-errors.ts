// DeployError: what the lint refuses, and what it can't look at.

import type { DeployErrorCode } from '../../deploy/errors.ts';
import type { Entry } from '../error-catalogue.ts';

export const lintErrors: Record<Extract<DeployErrorCode, 'LINT_REFUSED' | 'GIT_UNREADABLE'>, Entry> = {
  LINT_REFUSED: {
    class: 'DeployError',
    happened:
      'The lint, which `mytx deploy` runs first, finds something in what is pending that would keep readers or writers out of a large table, or fail for sure.',
    causes: [
      'an index, a constraint or another type for a column of a large table, in the form that locks it',
      'rows that are against the new rule',
      'a statement that PostgreSQL’s grammar does not know',
    ],
    actions: [
      'Read what each line says: the file and the line, the rule, and what to do instead. `npx mytx lint` shows it again, with the warnings.',
      'Correct the file: [linting](../linting.md) has the rules. The exit code is 3.',
      'Where it is right as it is, say why in a line before the statement, `-- mytx:ignore blocking-statement: the application is stopped meanwhile`; what counts as large, and how severe a rule is, says `lint` in mytx.config.ts.',
    ],
    example: {
      message: [
        'the lint finds an error in what is pending; nothing was applied',
        'lib/drizzle/0007_comments.sql:3: syntax-error: PostgreSQL’s grammar does not know this; none of our rules looked at it',
        '  Correct the statement.',
      ].join('\n'),
      hint: 'Correct the file or, where it is right as it is, say why in a line before the statement: -- mytx:ignore <rule>: <reason>',
    },
    written: 'Nothing: it is refused before anything is applied.',
    repeat: 'Safe.',
  },
  GIT_UNREADABLE: {
    class: 'DeployError',
    happened: 'What `--since` or `--deployed` names could not be read from git.',
    causes: [
      'a branch or tag that is not here: a pipeline fetches the last commit alone',
      'the folder is in no repository, or belongs to somebody else, which git refuses',
      'the schema files of that version export no table',
    ],
    actions: [
      'Fetch it: `git fetch --depth=1 origin production:production`, then `--deployed production`.',
      'Run the same command again.',
    ],
    example: {
      message: 'git has no commit "v1.2" here',
      hint: 'Name a commit, tag or branch that is there. In a pipeline, which has the last commit alone, fetch it first: git fetch --depth=1 origin <branch>:<branch>',
    },
    written: 'Nothing.',
    repeat: 'Safe.',
  },
};
