-- Returns of a till's goods, and whom a till told that it took theirs back (JSON of the decider).
alter table sale_state add column returns bytea;
