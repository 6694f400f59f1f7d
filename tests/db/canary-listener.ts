// Hears everything that this process says while a test runs: standard output and error, the console, warnings, what a
// logger is told, and each error in every way that it can be printed. Keeps it, to be searched for canaries.

import { inspect } from 'node:util';
import type { StatementEvent } from '../../db/connection/open-database.ts';
import type { Detector, Found } from '../canaries.ts';
import { everythingSaid } from './everything-said.ts';

const consoleMethods = ['log', 'info', 'warn', 'error', 'debug', 'trace'] as const;

export class Listener {
  /** Calls that failed. */
  failures = 0;
  /** Texts that were heard: of errors, of log events, on a stream. */
  outputs = 0;
  /** Codes of the errors, and of the causes that have one. */
  readonly codes = new Set<string>();
  /** Lines. */
  private readonly heard = new Set<string>();
  private stopListening = (): void => {};

  /** Takes the place of the streams and of the console until `stop`. */
  start(): void {
    const { stdout, stderr } = process;
    const streams = [stdout, stderr].map((stream) => ({ stream, write: stream.write }));
    const methods = consoleMethods.map((name) => ({ name, method: console[name] }));
    const take = (chunk: string | Uint8Array): true => {
      this.hear(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString());
      return true;
    };
    for (const { stream } of streams) stream.write = take as typeof stream.write;
    for (const name of consoleMethods) {
      console[name] = (...all: unknown[]): void => this.hear(all.map((one) => inspect(one)).join(' '));
    }
    const onWarning = (warning: Error): void => this.hear(everythingSaid(warning));
    process.on('warning', onWarning);
    this.stopListening = (): void => {
      for (const { stream, write } of streams) stream.write = write;
      for (const { name, method } of methods) console[name] = method;
      process.off('warning', onWarning);
    };
  }

  stop(): void {
    this.stopListening();
  }

  /** For `logger`. */
  readonly onStatement = (event: StatementEvent): void => this.hear(`${JSON.stringify(event)}\n${inspect(event)}`);

  /** Keeps each line once: the lines of a stack come again and again. Long lists of bytes have line breaks in them. */
  hear(text: string): void {
    this.outputs += 1;
    for (const line of text.replaceAll(/,\s*\n\s*(?=\d)/g, ',').split('\n')) this.heard.add(line);
  }

  hearError(error: unknown): void {
    this.failures += 1;
    for (let one = error; one instanceof Error; one = one.cause) {
      const { code } = one as { code?: unknown };
      if (typeof code === 'string') this.codes.add(code);
    }
    this.hear(everythingSaid(error));
  }

  /** Runs a call that may fail. @returns what it failed with, or undefined */
  async failureOf(call: () => unknown): Promise<unknown> {
    try {
      await call();
      return undefined;
    } catch (error) {
      this.hearError(error);
      return error;
    }
  }

  /** Looks into what was heard since the last time. */
  find(detector: Detector): Found[] {
    const found = detector.find([...this.heard].join('\n'));
    this.heard.clear();
    return found;
  }
}
