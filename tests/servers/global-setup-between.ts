// vitest's globalSetup of the project `between`: the servers of the versions between the oldest and the newest.
import type { TestProject } from 'vitest/node';
import { provideServers } from './global-setup.ts';
import { findInstallationsBetween } from './installations.ts';

export default function setup(project: TestProject): Promise<() => Promise<void>> {
  return provideServers(project, 'between', findInstallationsBetween());
}
