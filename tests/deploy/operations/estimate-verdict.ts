// When an estimate is right: within a factor of 3, or both so short that nobody notices.

import { instantBelowSeconds } from '../../../deploy/operations/estimate.ts';
import type { EstimateResult } from './estimate-measurement.ts';

/** What takes less than this is as good as nothing; the estimate then only has to say that it is short. */
export const isInstantInBoth = ({ estimated, measured }: EstimateResult): boolean =>
  estimated < instantBelowSeconds && measured < instantBelowSeconds;

export const isWithinThree = ({ estimated, measured }: EstimateResult): boolean =>
  estimated / measured <= 3 && measured / estimated <= 3;
