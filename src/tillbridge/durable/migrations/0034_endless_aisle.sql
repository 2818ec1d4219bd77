-- What a till sale told orders of goods that do not leave with the buyer, as JSON; null = nothing.
alter table sale_state add column aisle bytea;
