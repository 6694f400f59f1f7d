// Runs one verb: what it says goes to people, or as one JSON envelope to stdout, and its end becomes the exit code.
// Never ends the process itself, and prints no stack of an error that is ours.

import { type ExitCode, exitCodeOf, exitCodes } from './exit-codes.ts';
import { newProgress, type Progress } from './progress.ts';

export interface Envelope {
  ok: boolean;
  command: string | null;
  target: string | null;
  data: unknown;
  warnings: readonly string[];
  error: { code: string; message: string; hint: string } | null;
}

/** What a verb has to speak with. */
export interface Voice {
  /** Where `say` writes: stdout or, where that is for the result, stderr. */
  readonly stream: NodeJS.WriteStream;
  readonly progress: Progress;
  say(...lines: string[]): void;
  /** Says something in passing, on stderr. */
  remark(text: string): void;
  /** A remark that also goes into the envelope. */
  warn(warning: string): void;
  /** Says which database the command is about: its first line. */
  nameTarget(target: string): void;
}

interface VerbOptions {
  json?: boolean;
  /** The result itself goes to stdout, and all text to stderr. */
  resultOnStdout?: boolean;
  /** When it is aborted, its reason is why the verb failed, whatever that led to. */
  signal?: AbortSignal;
}

/** Runs `work` and prints what comes of it. @returns the exit code, which is also set */
export async function runVerb(
  command: string,
  { json = false, resultOnStdout = json, signal }: VerbOptions,
  work: (voice: Voice) => Promise<unknown>,
): Promise<ExitCode> {
  const envelope: Envelope = { ok: false, command, target: null, data: null, warnings: [], error: null };
  const voice = newVoice(envelope, resultOnStdout ? process.stderr : process.stdout);
  let exitCode: ExitCode = exitCodes.done;
  try {
    envelope.data = await work(voice);
    envelope.ok = true;
  } catch (thrown) {
    const { code, message, hint } = tellFailure(signal?.aborted ? signal.reason : thrown, voice.progress);
    envelope.error = { code, message, hint };
    exitCode = exitCodeOf(code);
  }
  voice.progress.clear();
  if (json) printEnvelope(envelope);
  process.exitCode = exitCode;
  return exitCode;
}

/** Says on stderr what failed, and what to do next. */
export function tellFailure(thrown: unknown, progress: Progress): OurError {
  const error = toOurs(thrown);
  progress.clear();
  process.stderr.write(`error ${error.code}: ${error.message}\nnext: ${error.hint}\n`);
  return error;
}

export function printEnvelope(envelope: Envelope): void {
  process.stdout.write(`${JSON.stringify(envelope, null, 2)}\n`);
}

function newVoice(envelope: Envelope, stream: NodeJS.WriteStream): Voice {
  const progress = newProgress(process.stderr);
  const say = (...lines: string[]): void => {
    progress.clear();
    stream.write(`${lines.join('\n')}\n`);
  };
  const remark = (text: string): void => {
    progress.clear();
    process.stderr.write(`${text}\n`);
  };
  return {
    stream,
    progress,
    say,
    remark,
    warn(warning): void {
      envelope.warnings = [...envelope.warnings, warning];
      remark(`warning: ${warning}`);
    },
    nameTarget(target): void {
      envelope.target = target;
      say(`target: ${target}`);
    },
  };
}

interface OurError {
  code: string;
  message: string;
  hint: string;
}

/** MytxError, DeployError and Interrupted have code and hint; anything else is the system's, or a bug. */
function toOurs(thrown: unknown): OurError {
  const error = thrown as NodeJS.ErrnoException & Partial<OurError>;
  if (typeof error?.code === 'string' && typeof error.hint === 'string') return error as OurError;
  if (typeof error?.code === 'string' && error.syscall !== undefined) {
    const hint = 'See to it that this user may read and write there, or run the command in another folder.';
    return { code: error.code, message: error.message, hint };
  }
  console.error(thrown);
  return {
    code: 'UNEXPECTED',
    message: error instanceof Error ? error.message : String(thrown),
    hint: 'This is a bug: please report it, with the lines above.',
  };
}
