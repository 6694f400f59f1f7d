// Opens sockets to one server, few at a time and, while it fails, ever more rarely: whatever goes wrong there are at
// most 20 tries in 10 seconds (the driver alone made 1,926 in 6 s against a server that closed each connection).

import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConnectionError } from '../errors.ts';

export interface DialTarget {
  host?: string;
  port?: number;
  /** A Unix socket, in the place of host and port. */
  path?: string;
}

const maxAtOnce = 4;
const firstPauseMs = 100;
const longestPauseMs = 1000;

/** A socket, until it is known what came of it: exactly one of the two is to be called; later calls do nothing. */
export interface Dialed {
  socket: Socket;
  /** The server answered a statement: the next socket may be opened at once. */
  answered(): void;
  /** It did not get as far as an answer: the next one waits. */
  failed(): void;
}

export class Dialer {
  private failures = 0;
  private notBeforeMs = 0;
  /** Sockets of which it is not known yet what comes of them. */
  private undecided = 0;
  private readonly line: (() => void)[] = [];

  constructor(
    private readonly address: DialTarget,
    private readonly target: string,
    private readonly timeoutMs: number,
  ) {}

  /** A connected socket. @throws ConnectionError UNREACHABLE when none was had in time; the system's own errors */
  async dial(): Promise<Dialed> {
    const deadlineMs = performance.now() + this.timeoutMs;
    await this.takeTurn(deadlineMs);
    const decide = this.decider();
    try {
      const pauseMs = Math.min(this.notBeforeMs, deadlineMs) - performance.now();
      if (pauseMs > 0) await sleep(pauseMs);
      const socket = await this.open(deadlineMs);
      return { socket, answered: (): void => decide(true), failed: (): void => decide(false) };
    } catch (error) {
      decide(false);
      throw error;
    }
  }

  /** A socket for a cancel request: beside the line, and only where the server answers. */
  async dialForCancel(): Promise<Socket | undefined> {
    return this.failures > 0 ? undefined : this.open(performance.now() + this.timeoutMs);
  }

  private decider(): (isGood: boolean) => void {
    let isDecided = false;
    return (isGood): void => {
      if (isDecided) return;
      isDecided = true;
      this.undecided -= 1;
      this.failures = isGood ? 0 : this.failures + 1;
      const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** (this.failures - 1));
      this.notBeforeMs = isGood ? 0 : performance.now() + pauseMs;
      this.letNextGo();
    };
  }

  /** One at a time while the server fails, so that a crowd does not try what one has just seen fail. */
  private async takeTurn(deadlineMs: number): Promise<void> {
    while (!this.hasTurn()) {
      let go: () => void = () => {};
      const turn = new Promise<void>((resolve) => {
        go = resolve;
      });
      this.line.push(go);
      const timer = setTimeout(go, deadlineMs - performance.now());
      await turn;
      clearTimeout(timer);
      if (performance.now() >= deadlineMs) {
        this.letNextGo(); // in case the turn came at the last moment
        throw this.unreachable('others were trying, in vain, all the time');
      }
    }
    this.undecided += 1;
  }

  private hasTurn(): boolean {
    return this.undecided < (this.failures > 0 ? 1 : maxAtOnce);
  }

  private letNextGo(): void {
    for (let free = (this.failures > 0 ? 1 : maxAtOnce) - this.undecided; free > 0; free -= 1) this.line.shift()?.();
  }

  private open(deadlineMs: number): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const timeoutMs = deadlineMs - performance.now();
      if (timeoutMs <= 0) return reject(this.unreachable('no try within the deadline'));
      const { host, port, path } = this.address;
      const socket = path === undefined ? connect({ host, port: port as number }) : connect({ path });
      const timer = setTimeout(() => socket.destroy(this.unreachable('timeout')), timeoutMs);
      socket.once('error', (error) => {
        clearTimeout(timer);
        reject(error);
      });
      socket.once('connect', () => {
        clearTimeout(timer);
        socket.removeAllListeners('error');
        resolve(socket.setNoDelay(true));
      });
    });
  }

  /** The error for a connection that was not made. */
  unreachable(reason: string): ConnectionError {
    return new ConnectionError(
      'UNREACHABLE',
      `no connection to ${this.target} (${reason})`,
      'Check that the server runs and that host and port of POSTGRES_URL are right; nothing was sent.',
      { reason, timeoutMs: this.timeoutMs },
    );
  }
}
