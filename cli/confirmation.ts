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
  const reader = createInterface({ input, output });
  try {
    const answer = await reader.question(`${question} [y/N] `);
    if (/^y(es)?$/i.test(answer.trim())) return;
  } finally {
    reader.close();
  }
  throw new ConfirmationNeeded('not confirmed; nothing was changed', flag);
}
