// A transcript of a terminal in a document: its commands are run, and what they print is compared with what is shown.

import { expect } from 'vitest';

interface Printed {
  exitCode: number | null;
  stdout: string;
  /** What a failure is told with. */
  output: string;
}

/**
 * Runs the `$` lines and compares what they print with what is shown; `...` stands for anything up to the end.
 * @returns the commands
 */
export async function followTranscript(
  transcript: string,
  run: (command: string) => Promise<Printed>,
): Promise<string[]> {
  const commands: string[] = [];
  for (const part of transcript.split(/^\$ /m).slice(1)) {
    const [command = '', ...shown] = part.trimEnd().split('\n');
    const { exitCode, stdout, output } = await run(command);
    expect(exitCode, `${command}\n${output}`).toBe(0);
    const printed = stdout.trimEnd().split('\n');
    const withoutBanner = printed.slice(printed.findLastIndex((line) => line.startsWith('> ')) + 1);
    const start = withoutBanner[0] === '' ? 1 : 0;
    const isCut = shown.at(-1) === '...';
    const expected = isCut ? shown.slice(0, -1) : shown;
    const compared = withoutBanner.slice(start, isCut ? start + expected.length : undefined);
    expect(compared.join('\n')).toBe(expected.join('\n'));
    commands.push(command);
  }
  return commands;
}
