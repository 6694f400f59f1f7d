// The flags that say which project and which database a deploy is about, the same for each verb.

import type { DeployTarget } from '../db/deployment.ts';

export interface TargetFlags {
  config?: string;
  environment?: string;
  url?: string;
  json?: boolean;
}

export function targetFlags({ config, environment, url }: TargetFlags): DeployTarget {
  return {
    ...(config === undefined ? {} : { config }),
    ...(environment === undefined ? {} : { environment }),
    ...(url === undefined ? {} : { url }),
  };
}
