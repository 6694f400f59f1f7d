// The commands that are left to the user, in the words of their package manager. Runs none of them.

import type { PackageManager, Project } from './project.ts';

/** A command to run, and why. */
export interface NextCommand {
  command: string;
  why: string;
}

/** Drizzle's versions that this package works with: a test compares them with package.json. */
export const drizzleVersions = { 'drizzle-orm': '0.45', 'drizzle-kit': '0.31' } as const;

const verbs: Record<PackageManager, { add: string; addDev: string; run: string }> = {
  npm: { add: 'npm install', addDev: 'npm install -D', run: 'npx' },
  pnpm: { add: 'pnpm add', addDev: 'pnpm add -D', run: 'pnpm exec' },
  yarn: { add: 'yarn add', addDev: 'yarn add -D', run: 'yarn' },
  bun: { add: 'bun add', addDev: 'bun add -d', run: 'bunx' },
};

/** How the migrations are applied: tsx runs TypeScript, Node itself the rest. */
export function migrateCommand({ language, packageManager }: Project, file: string): string {
  return language === 'typescript' ? `${verbs[packageManager].run} tsx ${file}` : `node ${file}`;
}

export function generateCommand({ packageManager }: Project): string {
  return `${verbs[packageManager].run} drizzle-kit generate`;
}

/** What is left to do once the files are there, in this order. */
export function nextCommands(project: Project, migrateFile: string): NextCommand[] {
  const { add, addDev } = verbs[project.packageManager];
  const { dependencies, language } = project;
  const drizzle = (name: keyof typeof drizzleVersions): string => `${name}@${drizzleVersions[name]}`;
  const packages = [
    ...(dependencies.has('mytx-ai') ? [] : ['mytx-ai']),
    ...(dependencies.has('drizzle-orm') ? [] : [drizzle('drizzle-orm')]),
  ];
  const tools = [
    ...(dependencies.has('drizzle-kit') ? [] : [drizzle('drizzle-kit')]),
    ...(language === 'javascript' || dependencies.has('tsx') ? [] : ['tsx']),
  ];
  return [
    ...(packages.length > 0 ? [{ command: `${add} ${packages.join(' ')}`, why: 'the library' }] : []),
    ...(tools.length > 0 ? [{ command: `${addDev} ${tools.join(' ')}`, why: 'what makes and runs migrations' }] : []),
    {
      command: migrateCommand(project, migrateFile),
      why: 'makes the tables: on the server of POSTGRES_URL (environment or .env.local), or embedded in .mytx/',
    },
    { command: generateCommand(project), why: 'later, after each change of your schema: writes its migration' },
  ];
}
