ALTER TABLE "SearchSegment" DROP CONSTRAINT "SearchSegment_counts_check";--> statement-breakpoint
-- mytx:ignore squawk/constraint-missing-not-valid: the table has a row for thousands of messages
ALTER TABLE "SearchSegment" ADD CONSTRAINT "SearchSegment_counts_check" CHECK ("SearchSegment"."documents" between 1 and 16384 and "SearchSegment"."gramBits" between 0 and 24);
