// A TCP relay on loopback that counts what a client sends to its server and hears from it. It changes nothing.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface CountingRelay {
  /** The URL of the server, by way of the relay. */
  readonly url: string;
  /** The bytes that went each way while `work` ran. */
  during(work: () => Promise<unknown>): Promise<{ sentBytes: number; heardBytes: number }>;
  stop(): void;
}

export async function startCountingRelay(serverUrl: string): Promise<CountingRelay> {
  const { hostname, port: serverPort } = new URL(serverUrl);
  const sockets = new Set<Socket>();
  let sentBytes = 0;
  let heardBytes = 0;
  const listener = createServer((client) => {
    const server = connect(Number(serverPort), hostname);
    sockets.add(client).add(server);
    client.on('data', (bytes) => {
      sentBytes += bytes.length;
    });
    server.on('data', (bytes) => {
      heardBytes += bytes.length;
    });
    for (const [from, to] of [[client, server] as const, [server, client] as const]) {
      from.on('error', () => {}).on('close', () => to.destroy());
      from.pipe(to);
    }
  }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return {
    url: Object.assign(new URL(serverUrl), { hostname: '127.0.0.1', port: (listener.address() as AddressInfo).port })
      .href,
    during: async (work) => {
      const [sentBefore, heardBefore] = [sentBytes, heardBytes];
      await work();
      return { sentBytes: sentBytes - sentBefore, heardBytes: heardBytes - heardBefore };
    },
    stop: () => {
      listener.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
