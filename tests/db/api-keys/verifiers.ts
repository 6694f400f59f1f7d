// Starts processes that check API keys (verifier.ts), and asks them.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Answer, Order } from './verifier.ts';

export class Verifier {
  private readonly ended: Promise<never>;

  private constructor(private readonly child: ChildProcess) {
    this.ended = once(child, 'exit').then(([code]) => {
      throw new Error(`a process that checks keys ended with ${code}`);
    });
    this.ended.catch(() => {});
  }

  static async start(url: string): Promise<Verifier> {
    const script = new URL('verifier.ts', import.meta.url);
    const child = fork(script, { execArgv: ['--import', 'tsx'], env: { ...process.env, TEST_URL: url } });
    const verifier = new Verifier(child);
    await verifier.answer();
    return verifier;
  }

  ask(order: Order): Promise<Answer> {
    const answered = this.answer();
    this.child.send(order);
    return answered;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.disconnect();
    await ended;
  }

  private async answer(): Promise<Answer> {
    const answered = new Promise<Answer>((resolve) =>
      this.child.once('message', (answer) => resolve(answer as Answer)),
    );
    return Promise.race([answered, this.ended]);
  }
}

export function startVerifiers(count: number, url: string): Promise<Verifier[]> {
  return Promise.all(Array.from({ length: count }, () => Verifier.start(url)));
}
