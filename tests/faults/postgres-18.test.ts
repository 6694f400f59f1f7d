// Faults on PostgreSQL 18.

import { describeFaultsOn } from './on-server.ts';

describeFaultsOn(18);
