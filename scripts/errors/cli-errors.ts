// The command line's own errors: they are no exceptions but the `error` of `--json`, and lines on stderr.

import type { CliErrorCode } from '../../cli/exit-codes.ts';
import type { Entry } from '../error-catalogue.ts';

export const cliErrors: Record<CliErrorCode, Entry> = {
  CONFIRMATION_NEEDED: {
    class: 'Command line',
    happened:
      'A command that replaces something, or writes into a project, needs a yes and did not get one. It exits with 2.',
    causes: ['a script, CI, or a pipe: there is no terminal to ask on', 'another answer than y, or none (Ctrl-D)'],
    actions: ['Run it with the flag that the message names, such as `--yes`.'],
    example: {
      message: 'this needs a yes, and there is no terminal to ask on; the flag --yes is missing',
      hint: 'Run the same command with --yes, or answer y on a terminal.',
    },
    written: 'Nothing.',
    repeat: 'Safe.',
  },
  INTERRUPTED: {
    class: 'Command line',
    happened: 'A command was ended by Ctrl-C or SIGTERM before it had done its work. It exits with 130.',
    causes: ['Ctrl-C', 'a process manager that stops the command'],
    actions: ['Run the command again.'],
    example: {
      message: 'interrupted before it was done',
      hint: 'Run the same command again; what was not finished is rolled back.',
    },
    written: 'What was under way was rolled back or finished; the database was closed.',
    repeat: 'Safe.',
  },
  UNEXPECTED: {
    class: 'Command line',
    happened: 'Something failed that has no code: a bug of this package, or of what it builds on.',
    causes: ['a bug'],
    actions: ['Report it with the stack that stands on stderr above the message.'],
    example: {
      message: 'the text of the error that was not foreseen',
      hint: 'This is a bug: please report it, with the lines above.',
    },
    written: 'Not known.',
    repeat: 'Look at the rows first.',
  },
  USAGE: {
    class: 'Command line',
    happened: 'The command line names a verb or an option that there is not. It exits with 2.',
    causes: ['a misspelling: the message says which name is near'],
    actions: ['`npx mytx --help` shows what there is.'],
    example: { message: "unknown command 'strat'\n(Did you mean start?)", hint: 'npx mytx --help' },
    written: 'Nothing.',
    repeat: 'Safe, and useless until it is corrected.',
  },
};
