-- Bodies that came with card numbers are stored masked: the hash of what is stored, and in words
-- what was masked. Both are null for all others; delivery.body_hash is of the bytes as they came.
alter table message add column stored_hash bytea, add column masked text;
-- So that a file that is read again after a crash is known to hold card numbers.
alter table file_claim add column masked boolean not null default false;
