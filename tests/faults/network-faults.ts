// What befalls the network between an application and the server, done by tests/proxy.ts.

import type { Network } from '../proxy.ts';
import type { Fault } from './injection.ts';
import { pick, type Random } from './plan.ts';
import { connectionCodes } from './server-faults.ts';

/** A state of the network that begins and ends. */
function network(fault: Omit<Fault, 'begin'>, choose: (random: Random) => Network): Fault {
  return {
    ...fault,
    begin: async ({ proxy, random }) => {
      proxy.setNetwork(choose(random));
      return async () => proxy.setNetwork(undefined);
    },
  };
}

let reset = 0;

export const networkFaults: readonly Fault[] = [
  {
    name: 'Connections reset',
    sentence: 'Every connection is broken with a TCP reset, again and again, 200 to 500 ms apart.',
    codes: connectionCodes,
    lastsMs: [800, 2000],
    isTotal: false,
    times: { usual: 2, long: 8 },
    brokenConnections: () => reset,
    begin: async ({ proxy, random }) => {
      reset = 0;
      let timer: NodeJS.Timeout;
      const strike = (): void => {
        reset += proxy.connectionCount;
        proxy.resetAll();
        timer = setTimeout(strike, 200 + random() * 300);
      };
      strike();
      return async () => clearTimeout(timer);
    },
  },
  network(
    {
      name: 'Black hole, both ways',
      sentence: 'Sockets stay open and new ones are accepted, but no byte arrives on either side.',
      codes: connectionCodes,
      lastsMs: [2500, 3200],
      isTotal: true,
      times: { usual: 1, long: 8 },
    },
    () => ({ kind: 'black-hole', directions: ['to-server', 'to-client'] }),
  ),
  network(
    {
      name: 'Black hole, one way',
      sentence: 'As before, in one direction only: the server hears and is not heard, or the other way round.',
      codes: connectionCodes,
      lastsMs: [2500, 3200],
      isTotal: true,
      times: { usual: 2, long: 8 },
    },
    (random) => ({ kind: 'black-hole', directions: [pick(random, ['to-server', 'to-client'] as const)] }),
  ),
  network(
    {
      name: 'Answers delayed, with jitter',
      sentence:
        'Everything that is sent takes up to 800 ms longer, in both directions: several statements together take longer than their call has.',
      codes: connectionCodes,
      lastsMs: [1500, 3000],
      isTotal: false,
      times: { usual: 1, long: 6 },
    },
    (random) => {
      const delayMs = 20 + random() * 380;
      return { kind: 'delay', delayMs, jitterMs: delayMs };
    },
  ),
  network(
    {
      name: 'Requests cut after N bytes',
      sentence:
        'Every connection is reset when 1 to 4,000 bytes have gone to the server, in the middle of a statement.',
      codes: connectionCodes,
      lastsMs: [1000, 2000],
      isTotal: false,
      times: { usual: 1, long: 8 },
    },
    (random) => ({ kind: 'cut', direction: 'to-server', afterBytes: 1 + Math.floor(4000 ** random()) }),
  ),
  network(
    {
      name: 'Answers cut after N bytes',
      sentence: 'Every connection is reset when 1 to 4,000 bytes have come back, in the middle of an answer.',
      codes: connectionCodes,
      lastsMs: [1000, 2000],
      isTotal: false,
      times: { usual: 2, long: 8 },
    },
    (random) => ({ kind: 'cut', direction: 'to-client', afterBytes: 1 + Math.floor(4000 ** random()) }),
  ),
  {
    name: 'Connections closed at start-up',
    sentence: 'Every connection is dropped, and each new one is accepted and closed at once.',
    codes: connectionCodes,
    lastsMs: [1000, 2000],
    isTotal: true,
    times: { usual: 1, long: 6 },
    begin: async ({ proxy }) => {
      proxy.setNetwork({ kind: 'close-at-start' });
      proxy.dropAll();
      return async () => proxy.setNetwork(undefined);
    },
  },
  {
    name: 'Acknowledgements lost',
    sentence:
      'The server does what it is asked, and the connection breaks before it can say so: at a commit, an insert or an update, thirty times.',
    codes: connectionCodes,
    lastsMs: [600, 1500],
    isTotal: false,
    times: { usual: 2, long: 7 },
    brokenConnections: () => 30,
    begin: async ({ proxy }) => {
      const texts = ['commit', 'insert into "Task"', 'insert into "Memory"', 'insert into "Message"', 'update "'];
      const cuts = texts.map((text) => proxy.cutOnReplyTo(text, { times: 6 }));
      return async () => {
        for (const cut of cuts) cut.disarm();
        if (cuts.every(({ count }) => count === 0)) throw new Error('no acknowledgement was lost');
      };
    },
  },
];
