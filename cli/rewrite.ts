// mytx rewrite: a migration that is there already, made so that it blocks nobody, as db/generation.ts does it.

import { type RewrittenFile, rewrite as rewriteFile } from '../db/generation.ts';
import { type TargetFlags, targetFlags } from './deploy-target.ts';
import { describeFile } from './generate.ts';
import { endAtInterruption } from './interruption.ts';
import { runVerb } from './run-verb.ts';

export async function rewrite(file: string, flags: TargetFlags & { target?: number }): Promise<void> {
  endAtInterruption('interrupted; the file is as it was');
  await runVerb('rewrite', flags, async (voice): Promise<RewrittenFile> => {
    const { target: version } = flags;
    const { wasAsked, ...rewritten } = await rewriteFile({
      ...targetFlags(flags),
      file,
      ...(version === undefined ? {} : { version }),
    });
    if (!wasAsked) voice.warn('no database is named, so that none was asked whether the migration is applied');
    voice.say(...describeFile(rewritten));
    return rewritten;
  });
}
