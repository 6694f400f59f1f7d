// A question before something is replaced: asked where somebody can answer it, and a refusal that names the flag
// everywhere else. Never takes silence for a yes.

import { createInterface } from 'node:readline/promises';

/** Nobody said yes. */
export class ConfirmationNeeded extends Error {
  readonly code = 'CONFIRMATION_NEEDED';
  readonly hint: string;

  constructor(message: string, flag: string) {
    super(message);
    this.name = 'ConfirmationNeeded';
    this.hint = `Run the same command with ${flag}, or answer y on a terminal.`;
  }
}

interface Terminal {
  input: NodeJS.ReadStream;
  output: NodeJS.WriteStream;
}

/** @throws ConfirmationNeeded where the answer is not yes, or nobody can be asked */
export async function askToGoOn(
  question: string,
  flag: string,
  { input, output }: Terminal = { input: process.stdin, output: process.stderr },
): Promise<void> {
  if (!(input.isTTY && output.isTTY) || process.env.CI) {
    throw new ConfirmationNeeded(
      `this needs a yes, and there is no terminal to ask on; the flag ${flag} is missing`,
      flag,
    );
  }
  if (/^y(es)?$/i.test((await ask(`${question} [y/N] `, input, output)).trim())) return;
  throw new ConfirmationNeeded('not confirmed; nothing was changed', flag);
}

/** What was typed: nothing, where the answer is the end of the input (Ctrl-D). */
async function ask(question: string, input: NodeJS.ReadStream, output: NodeJS.WriteStream): Promise<string> {
  const reader = createInterface({ input, output });
  // The terminal is in raw mode meanwhile, so that Ctrl-C is a key, and no signal.
  reader.on('SIGINT', () => process.emit('SIGINT'));
  try {
    return await reader.question(question);
  } catch (error) {
    if ((error as Error).name !== 'AbortError') throw error;
    output.write('\n');
    return '';
  } finally {
    reader.close();
  }
}
