// The workflow of examples/ci does what it says: its steps run one after another, as GitHub's runner would run them, on a
// copy of the project and a database that has nothing yet.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { onNewDatabase } from '../deploy/own-database.ts';
import { copyProject, type ProjectCopy } from '../docs/project-copy.ts';

let copy: ProjectCopy;
beforeAll(() => {
  copy = copyProject();
  const environments = { production: { url: 'PRODUCTION_URL', protected: true } };
  writeFileSync(join(copy.folder, 'mytx.config.json'), JSON.stringify({ environments }));
});
afterAll(() => copy?.remove());

interface Step {
  name: string;
  run: string;
}

/** The steps of a job that run something: all but the ones that GitHub's own actions do, and the installation. */
function stepsOf(job: string): Step[] {
  const text = readFileSync(join(copy.folder, 'examples/ci/deploy.yml'), 'utf8');
  const [, body = ''] = new RegExp(`^  ${job}:\\n((?:(?:    .*)?\\n)+)`, 'm').exec(text) ?? [];
  return [...body.matchAll(/- name: (.*)\n(?: {8}id: .*\n)?((?: {8}.*\n)+)/g)]
    .map(([, name = '', rest = '']) => ({
      name,
      run: rest
        .replace(/^ *run: \|?/, '')
        .replaceAll(/^ {10}/gm, '')
        .trim(),
    }))
    .filter(({ run }) => run !== 'npm ci');
}

describe.each(inject('servers').slice(-1))('on PostgreSQL $version', ({ url: serverUrl }) => {
  test('the plan is shown, approved, and applied', { timeout: 180_000 }, () =>
    onNewDatabase(serverUrl, async ({ url, sql }) => {
      const outputs = join(copy.folder, 'outputs');
      writeFileSync(outputs, '');
      const run = async (job: string, hash = ''): Promise<string> => {
        let printed = '';
        for (const { name, run: script } of stepsOf(job)) {
          const command = script.replaceAll(/\$\{\{ needs\.plan\.outputs\.hash \}\}/g, hash);
          expect(command, name).not.toContain('${{');
          const { exitCode, output } = await copy.run(command, { PRODUCTION_URL: url, GITHUB_OUTPUT: outputs });
          expect(exitCode, `${name}\n${output}`).toBe(0);
          printed += output;
        }
        return printed;
      };
      expect(stepsOf('plan')).toHaveLength(3);
      const planned = await run('plan');
      expect(planned).toMatch(/^::warning file=.*title=squawk\/prefer-bigint-over-int::/m);
      expect(planned).toContain('pending  0000_initial');
      const hash = /^hash=([0-9a-f]{12})$/m.exec(readFileSync(outputs, 'utf8'))?.[1] as string;
      expect(hash).toBeDefined();
      expect(stepsOf('apply')).toHaveLength(2);
      expect(await run('apply', hash)).toContain('up to date');
      expect(await sql`select name from mytx_deploy.environment`).toEqual([{ name: 'production' }]);
    }),
  );
});
