// Applications that are there before mytx init comes: a Next.js one as create-next-app makes it, with its App Router, and
// plain ones for Node, as modules and as CommonJS. Each has the package installed, and nothing of the database yet.

import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type Files, putFiles } from '../init/project-folder.ts';
import { type InstalledPackage, type Ran, run } from './installed.ts';

export interface Fixture {
  name: string;
  /** The files of the application, by their paths. */
  files: Files;
  /** What mytx init says of it. */
  description: string;
  /** The ending of the files in db/. */
  ending: 'ts' | 'js' | 'mjs';
  /** What it has to install, beside what it has. */
  installs: readonly string[];
  /** How its scripts are run. */
  runner: string;
  /** A script of the application, and its code: what it does with our tables and one of its own. */
  script: string;
  work: string;
}

/** Prints the city of the one trip, and how many users there are. */
function workWith(from: string, ending: string): string {
  return `import { closeDatabase, db, transaction } from 'mytx-ai';
import { createUser, saveMemory } from '${from}queries${ending}';
import { saveProtocol } from '${from}protocol-queries${ending}';
import { trip, user } from '${from}schema${ending}';

async function main() {
  const [dana] = await createUser('dana@example.com', 'correct horse battery staple');
  const userId = dana?.id ?? '';
  await transaction(async () => {
    await saveMemory({ userId, content: 'likes Lisbon' });
    await saveProtocol({ userId, name: 'packing', parts: [{ content: 'socks' }] });
    await db.insert(trip).values({ city: 'Lisbon' });
  });
  const trips = await db.select().from(trip);
  console.log(trips.map(({ city }) => city).join(), (await db.select().from(user)).length);
  await closeDatabase();
}

void main();
`;
}

const packageText = (value: object): string => `${JSON.stringify({ private: true, ...value }, null, 2)}\n`;

export const nextApplication: Fixture = {
  name: 'a Next.js application',
  description: 'Next.js, TypeScript, npm',
  ending: 'ts',
  installs: ['npm install drizzle-orm@0.45', 'npm install -D drizzle-kit@0.31 tsx'],
  runner: 'npx tsx',
  script: 'work.ts',
  work: workWith('@/db/', ''),
  files: {
    'package.json': packageText({
      name: 'travel',
      version: '0.1.0',
      scripts: { dev: 'next dev', build: 'next build', start: 'next start' },
      dependencies: { 'mytx-ai': '^0.1.0', next: '16.0.1', react: '19.2.0', 'react-dom': '19.2.0' },
      devDependencies: { '@types/node': '^20', '@types/react': '^19', '@types/react-dom': '^19', typescript: '^5' },
    }),
    'tsconfig.json': `{
  "compilerOptions": {
    "target": "ES2017",
    "lib": ["dom", "dom.iterable", "esnext"],
    "allowJs": true,
    "skipLibCheck": true,
    "strict": true,
    "noEmit": true,
    "esModuleInterop": true,
    "module": "esnext",
    "moduleResolution": "bundler",
    "resolveJsonModule": true,
    "isolatedModules": true,
    "jsx": "react-jsx",
    "incremental": true,
    "plugins": [{ "name": "next" }],
    "paths": { "@/*": ["./*"] }
  },
  "include": ["next-env.d.ts", "**/*.ts", "**/*.tsx", ".next/types/**/*.ts"],
  "exclude": ["node_modules"]
}
`,
    // Next.js writes this file, and refers in it to its own types, which bring those of Node. It is too large to install
    // it here: what the application uses of its types stands in the place of them.
    'next-env.d.ts': `/// <reference types="node" />
declare module 'next' {
  export interface Metadata { title?: string }
  export interface NextConfig { serverExternalPackages?: string[] }
}
`,
    'next.config.ts': `import type { NextConfig } from 'next';

const nextConfig: NextConfig = {
  /* config options here */
};

export default nextConfig;
`,
    'app/layout.tsx': `import type { Metadata } from 'next';

export const metadata: Metadata = { title: 'Travel' };

export default function RootLayout({ children }: Readonly<{ children: React.ReactNode }>) {
  return (
    <html lang="en">
      <body>{children}</body>
    </html>
  );
}
`,
    'app/page.tsx': `export default function Home() {
  return <main>Where to?</main>;
}
`,
    '.gitignore': '/node_modules\n/.next/\n.env*\n*.tsbuildinfo\nnext-env.d.ts\n',
  },
};

export const moduleApplication: Fixture = {
  name: 'a plain Node application of modules',
  description: 'JavaScript, npm',
  ending: 'js',
  installs: ['npm install drizzle-orm@0.45', 'npm install -D drizzle-kit@0.31'],
  runner: 'node',
  script: 'work.js',
  work: workWith('./db/', '.js'),
  files: {
    'package.json': packageText({ name: 'travel', type: 'module', dependencies: { 'mytx-ai': '^0.1.0' } }),
    'index.js': `console.log('Where to?');\n`,
  },
};

export const commonJsApplication: Fixture = {
  name: 'a plain Node application in CommonJS',
  description: 'JavaScript, npm',
  ending: 'mjs',
  installs: ['npm install mytx-ai drizzle-orm@0.45', 'npm install -D drizzle-kit@0.31'],
  runner: 'node',
  script: 'work.mjs',
  work: workWith('./db/', '.mjs'),
  files: {
    'package.json': packageText({ name: 'travel', main: 'index.js', scripts: { start: 'node index.js' } }),
    'index.js': `module.exports = 'Where to?';\n`,
    '.gitignore': 'node_modules/\n',
  },
};

export interface Application {
  folder: string;
  /** Runs a shell command in the folder, without a keyboard. */
  run(command: string, env?: Record<string, string>): Promise<Ran>;
}

/** The application in a folder of its own, with the packages that are installed. */
export function newApplication(installed: InstalledPackage, { files }: Fixture): Application {
  const folder = installed.newFolder();
  putFiles(folder, files);
  symlinkSync(join(installed.folder, 'node_modules'), join(folder, 'node_modules'));
  return { folder, run: (command, env = {}) => run('bash', ['-c', command], { cwd: folder, env }) };
}
