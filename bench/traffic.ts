// Readers and writers of a table, in a process of their own: what this one does meanwhile makes none of them wait.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { keepOnFirstCore } from './harness.ts';

export interface TrafficOptions {
  url: string;
  /** Each with a connection of its own. */
  readers: number;
  writers: number;
  /** Rows that are there, by their ids from 1. */
  rows: number;
  /** Of each between an answer and its next request. */
  pauseMs: number;
}

export interface TrafficReport {
  requests: number;
  failed: number;
  /** What PostgreSQL said of the first that failed. */
  firstFailure?: string;
  /** From a request to its answer. */
  longestReadMs: number;
  longestWriteMs: number;
}

export type Order = { do: 'start'; options: TrafficOptions } | { do: 'count' } | { do: 'end' };

export interface Traffic {
  /** Runs work among readers and writers, and says how they fared, with the answers that were due at its end. */
  beside(options: TrafficOptions, work: () => Promise<unknown>): Promise<TrafficReport>;
  close(): void;
}

export function openTraffic(): Traffic {
  const child = fork(new URL('traffic-process.ts', import.meta.url), { execArgv: ['--import', 'tsx'] });
  keepOnFirstCore(child.pid as number);
  const ended = once(child, 'exit').then(([code]) =>
    Promise.reject(new Error(`readers and writers ended with ${code}`)),
  );
  ended.catch(() => {}); // whoever waits for an answer is told
  const order = async (what: Order): Promise<unknown> => {
    const answer = once(child, 'message');
    child.send(what);
    return ((await Promise.race([answer, ended])) as unknown[])[0];
  };
  return {
    async beside(options, work): Promise<TrafficReport> {
      await order({ do: 'start', options });
      await order({ do: 'count' });
      try {
        await work();
      } catch (error) {
        await order({ do: 'end' });
        throw error;
      }
      return (await order({ do: 'end' })) as TrafficReport;
    },
    close: () => child.disconnect(),
  };
}
