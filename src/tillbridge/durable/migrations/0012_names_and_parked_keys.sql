-- The generation of the cross-references moves with the transaction that changes them: a sequence
-- moves at once, and whoever reloads before the commit would keep the old names for good.
alter table hub add column names_generation bigint not null default 0;
drop sequence xref_generation;

-- each batch asks which of its keys are parked, in whatever room
create index parked_key_by_key on parked_key (key, room);
