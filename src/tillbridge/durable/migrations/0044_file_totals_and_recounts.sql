-- What a file says of itself in its control record, beside what was read of it. Null totals: its
-- mapping asks for none.
alter table file_claim
  -- kind of what is in it
  add column stream text,
  -- records by its control record, null = it says nothing; and those there are
  add column stated bigint,
  add column counted bigint,
  -- minor units of the currency, null = it sums up no money
  add column stated_sum bigint,
  add column counted_sum bigint,
  add column currency text,
  -- how they differ or why they cannot be compared, '' = they agree
  add column totals_words text,
  -- the file was refused as a whole for it, which is a case of its own
  add column totals_refused boolean,
  add column swept boolean not null default false;
create index file_claim_unswept on file_claim (done_at) where stream is not null and not swept;

-- Places that did not find an order's goods may serve it once somebody counted them there since.
alter table waiting
  add column recount text[] not null default '{}',
  add column failed_at timestamptz;
