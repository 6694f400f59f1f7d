// What the audit table says of a person, oldest first.

import { asc, eq } from 'drizzle-orm';
import { digestPerson } from '../../db/audit.ts';
import { db } from '../../db/database.ts';
import { auditEvent } from '../../db/schema.ts';

export async function auditOf(userId: string): Promise<{ action: string; details: Record<string, unknown> }[]> {
  return db
    .select({ action: auditEvent.action, details: auditEvent.details })
    .from(auditEvent)
    .where(eq(auditEvent.subject, digestPerson(userId)))
    .orderBy(asc(auditEvent.at), asc(auditEvent.id));
}
