// A verb as it is defined: commander's command, with what commander does not keep, its examples and the page of docs/ that
// explains it. Imports nothing of db/, deploy/ or init/: a verb's own module is loaded when it is run.

import { Command } from 'commander';

export class Verb extends Command {
  readonly examples: string[] = [];
  /** A page of docs/, such as `snapshots.md`; absent where docs/cli.md says it all. */
  page?: string;

  override createCommand(name?: string): Verb {
    return new Verb(name);
  }

  /** Whole command lines, which its help begins with. */
  example(...lines: string[]): this {
    this.examples.push(...lines);
    return this.addHelpText('before', `Examples:\n${lines.map((line) => `  ${line}`).join('\n')}\n`);
  }

  explainedIn(page: string): this {
    this.page = page;
    return this;
  }
}
