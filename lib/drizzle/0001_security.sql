CREATE TABLE "AuditEvent" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"action" varchar(64) NOT NULL,
	"subject" "bytea" NOT NULL,
	"actor" "bytea",
	"details" jsonb DEFAULT '{}'::jsonb NOT NULL,
	CONSTRAINT "AuditEvent_details_check" CHECK (jsonb_typeof("AuditEvent"."details") = 'object')
);
--> statement-breakpoint
ALTER TABLE "Memory" DROP CONSTRAINT "Memory_content_check";--> statement-breakpoint
ALTER TABLE "Reservation" DROP CONSTRAINT "Reservation_details_check";--> statement-breakpoint
ALTER TABLE "ApiKey" ADD COLUMN "prefix" varchar(32);--> statement-breakpoint
ALTER TABLE "ApiKey" ADD COLUMN "pepperId" varchar(32);--> statement-breakpoint
ALTER TABLE "ApiKey" ADD COLUMN "scopes" varchar(100)[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE "ApiKey" ADD COLUMN "expiresAt" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "ApiKey" ADD COLUMN "revokedAt" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "ApiKey" ADD COLUMN "rateLimit" integer;--> statement-breakpoint
ALTER TABLE "ApiKey" ADD COLUMN "rateWindowSeconds" integer;--> statement-breakpoint
ALTER TABLE "ApiKey" ADD COLUMN "windowStartedAt" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "ApiKey" ADD COLUMN "windowCount" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "Memory" ADD COLUMN "content_index" "bytea";--> statement-breakpoint
CREATE INDEX "AuditEvent_subject_at_id_idx" ON "AuditEvent" USING btree ("subject","at","id");--> statement-breakpoint
CREATE INDEX "ApiKey_legacy_idx" ON "ApiKey" USING btree ("id") WHERE "ApiKey"."prefix" is null;--> statement-breakpoint
CREATE UNIQUE INDEX "Memory_user_id_content_index_key" ON "Memory" USING btree ("user_id","content_index") WHERE "Memory"."content_index" is not null;--> statement-breakpoint
ALTER TABLE "ApiKey" ADD CONSTRAINT "ApiKey_scopes_check" CHECK (cardinality("ApiKey"."scopes") <= 50);--> statement-breakpoint
ALTER TABLE "ApiKey" ADD CONSTRAINT "ApiKey_rate_check" CHECK (("ApiKey"."rateLimit" is null) = ("ApiKey"."rateWindowSeconds" is null) and "ApiKey"."rateLimit" >= 1 and "ApiKey"."rateWindowSeconds" >= 1);--> statement-breakpoint
ALTER TABLE "Memory" ADD CONSTRAINT "Memory_content_check" CHECK (char_length("Memory"."content") between 1 and 10000 or "Memory"."content_index" is not null and char_length("Memory"."content") <= 56000);--> statement-breakpoint
ALTER TABLE "Reservation" ADD CONSTRAINT "Reservation_details_check" CHECK (jsonb_typeof("Reservation"."details") in ('object', 'string'));