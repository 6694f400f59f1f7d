// Faults on PostgreSQL 15.

import { describeFaultsOn } from './on-server.ts';

describeFaultsOn(15);
