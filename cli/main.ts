// The command line: mytx <verb>. Parses what was typed, and sets the exit code where that is no command line. The verbs
// are in program.ts; each is a file of its own that reads the environment, calls one function and prints. Holds no SQL and
// takes no decisions.

import { CommanderError } from 'commander';
import { exitCodes } from './exit-codes.ts';
import { buildProgram, withoutArguments } from './program.ts';

async function main(argv: readonly string[]): Promise<void> {
  // `mytx start | head` closes the pipe early: the text is lost, the work goes on.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
  try {
    await buildProgram().parseAsync(argv);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0) await endAsUsageError(error, argv.includes('--json'));
  }
}

/** Commander has written the text, on stderr. */
async function endAsUsageError({ message }: CommanderError, json: boolean): Promise<void> {
  process.exitCode = exitCodes.needsAnswer;
  if (!json) return;
  const { printEnvelope } = await import('./run-verb.ts');
  const error = { code: 'USAGE', message: withoutArguments(message).replace(/^error: /, ''), hint: 'npx mytx --help' };
  printEnvelope({ ok: false, command: null, target: null, data: null, warnings: [], error });
}

await main(process.argv);
