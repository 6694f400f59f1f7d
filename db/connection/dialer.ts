// Opens sockets to one server, few at a time and, while it fails, ever more rarely: whatever goes wrong there are at
// most 20 tries in 10 seconds (the driver alone made 1,926 in 6 s against a server that closed each connection). A
// connection that answers and breaks soon after is a failure too: 153 of them were opened in a second otherwise.

import { connect, type Socket } from 'node:net';
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
/** While it is not sure yet that a server that answers will go on doing so. */
const pauseAfterAnswerMs = 50;
/** How much of its time a call may stand in line: what is left is for a try that can come to something. */
const lineShare = 0.8;
/**
 * A connection that breaks sooner says nothing good of the server: this long after its first answer, with so many answers;
 * with fewer, on a slow machine or for a quiet caller, the longer time.
 */
const proven = { afterMs: 500, answers: 10, withFewerAfterMs: 5000 };

/** A socket, and what is to be told of it: `answered` each time, then `failed` or `released`, which count once. */
export interface Dialed {
  socket: Socket;
  /** By `performance.now()`: when the session must have begun. */
  deadlineMs: number;
  /** The server answered a statement. */
  answered(): void;
  /** It did not get as far as an answer, or broke later. */
  failed(): void;
  /** It is given up for reasons that say nothing of the server. */
  released(): void;
}

interface Waiter {
  go(): void;
}

export class Dialer {
  /** Tries that failed and connections that broke soon, one after another. */
  private failures = 0;
  /** When the first connection that answered since the last failure has lived long enough to forget the failures. */
  private provenAtMs = Number.POSITIVE_INFINITY;
  private lastStartMs = Number.NEGATIVE_INFINITY;
  private lastAnswerMs = Number.NEGATIVE_INFINITY;
  /** Sockets of which it is not known yet what comes of them. */
  private undecided = 0;
  private readonly line: Waiter[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly address: DialTarget,
    private readonly target: string,
    private readonly timeoutMs: number,
  ) {}

  /**
   * A connected socket.
   * @param signal the socket is not wanted any more: it leaves the line, or is closed
   * @throws ConnectionError UNREACHABLE when none was had in time; the system's own errors
   */
  async dial(signal: AbortSignal): Promise<Dialed> {
    const deadlineMs = performance.now() + this.timeoutMs;
    await this.takeTurn(deadlineMs - this.timeoutMs * (1 - lineShare), signal);
    const outcome = this.newOutcome();
    try {
      return { socket: await this.open(deadlineMs, signal), deadlineMs, ...outcome };
    } catch (error) {
      if (signal.aborted) outcome.released();
      else outcome.failed();
      throw error;
    }
  }

  /** A socket for a cancel request: beside the line, and only where the server answers. */
  async dialForCancel(signal: AbortSignal): Promise<Socket | undefined> {
    return this.failures > 0 ? undefined : this.open(performance.now() + this.timeoutMs, signal);
  }

  private newOutcome(): Omit<Dialed, 'socket' | 'deadlineMs'> {
    let state: 'undecided' | 'answered' | 'over' = 'undecided';
    const startedAtMs = performance.now();
    let answeredAtMs = 0;
    let answers = 0;
    const neededMs = (): number => (answers >= proven.answers ? proven.afterMs : proven.withFewerAfterMs);
    const end = (): typeof state => {
      const before = state;
      state = 'over';
      if (before === 'undecided') this.undecided -= 1;
      return before;
    };
    return {
      answered: (): void => {
        answers += 1;
        if (state === 'answered' && answers === proven.answers) {
          this.provenAtMs = Math.min(this.provenAtMs, answeredAtMs + neededMs());
        }
        if (state !== 'undecided') return;
        state = 'answered';
        answeredAtMs = performance.now();
        this.lastAnswerMs = answeredAtMs;
        this.undecided -= 1;
        this.provenAtMs = Math.min(this.provenAtMs, answeredAtMs + neededMs());
        this.letGo();
      },
      failed: (): void => {
        const before = end();
        const isSoon = before === 'answered' && performance.now() - answeredAtMs < neededMs();
        // A try from before the last answer says how the server was, not how it is.
        const isNews = before === 'undecided' && startedAtMs > this.lastAnswerMs;
        if (isNews || isSoon) this.countFailure();
        this.letGo();
      },
      released: (): void => {
        end();
        this.letGo();
      },
    };
  }

  private countFailure(): void {
    this.forgetWhenProven();
    this.failures += 1;
    this.provenAtMs = Number.POSITIVE_INFINITY;
  }

  private forgetWhenProven(): void {
    if (performance.now() >= this.provenAtMs) this.failures = 0;
  }

  /** When the next try may begin: the pause is counted from the last one's begin, so that one that hangs holds up none. */
  private nextStartMs(): number {
    this.forgetWhenProven();
    if (this.failures === 0 && this.undecided < maxAtOnce) return 0;
    const isAnswering = this.provenAtMs !== Number.POSITIVE_INFINITY;
    const pauseMs = isAnswering ? pauseAfterAnswerMs : firstPauseMs * 2 ** (this.failures - 1);
    return this.lastStartMs + (this.failures === 0 ? longestPauseMs : Math.min(longestPauseMs, pauseMs));
  }

  /** Lets those in line go who may, and comes back when the next one may. */
  private letGo(): void {
    clearTimeout(this.timer);
    while (this.line.length > 0) {
      const waitMs = this.nextStartMs() - performance.now();
      if (waitMs > 0) {
        this.timer = setTimeout(() => this.letGo(), waitMs);
        return;
      }
      this.lastStartMs = performance.now();
      this.undecided += 1;
      this.line.shift()?.go();
    }
  }

  private takeTurn(untilMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', giveUp);
      };
      const waiter: Waiter = {
        go: (): void => {
          leave();
          resolve();
        },
      };
      const giveUp = (): void => {
        leave();
        this.line.splice(this.line.indexOf(waiter), 1);
        reject(this.unreachable(signal.aborted ? 'not wanted any more' : 'others were trying, in vain, all the time'));
      };
      const timer = setTimeout(giveUp, untilMs - performance.now());
      signal.addEventListener('abort', giveUp);
      this.line.push(waiter);
      this.letGo();
    });
  }

  private open(deadlineMs: number, signal: AbortSignal): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const timeoutMs = deadlineMs - performance.now();
      if (timeoutMs <= 0 || signal.aborted) return reject(this.unreachable('no try within the deadline'));
      const { host, port, path } = this.address;
      const socket = path === undefined ? connect({ host, port: port as number }) : connect({ path });
      const timer = setTimeout(() => socket.destroy(this.unreachable('timeout')), timeoutMs);
      const onAbort = (): void => void socket.destroy(this.unreachable('not wanted any more'));
      const leave = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
      };
      signal.addEventListener('abort', onAbort);
      socket.once('error', (error) => {
        leave();
        reject(error);
      });
      socket.once('connect', () => {
        leave();
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
