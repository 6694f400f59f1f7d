// Who else does the same: the specification's way, and LangGraph's checkpointer, which bench/package.json installs.

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { LangGraph } from './langgraph.js';
import { openSpecWay, type SpecWay } from './spec-way.ts';

export interface Peers {
  spec: SpecWay;
  /** Absent where it can't be installed. */
  langGraph?: LangGraph;
  close(): Promise<void>;
}

/** Opens both on a server: each has tables of its own there. */
export async function openPeers(url: string): Promise<Peers> {
  const spec = await openSpecWay(url);
  const langGraph = installPeers() ? await (await import('./langgraph.js')).openLangGraph(url) : undefined;
  return {
    spec,
    ...(langGraph ? { langGraph } : {}),
    async close(): Promise<void> {
      await langGraph?.close();
      await spec.close();
    },
  };
}

/** @returns whether they are there */
function installPeers(): boolean {
  const folder = fileURLToPath(new URL('.', import.meta.url));
  if (existsSync(`${folder}node_modules/@langchain/langgraph`)) return true;
  console.error('installing the peers of bench/package.json, once');
  try {
    execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder, stdio: 'ignore' });
    return true;
  } catch {
    console.error('they can’t be installed here (npm ci in bench/): LangGraph is left out');
    return false;
  }
}
