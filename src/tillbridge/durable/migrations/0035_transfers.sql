-- Transfers between places of ours: what was told of them and asked of the stock book for them.
create table transfer_state (
  key text primary key,
  revision int not null,
  -- as people call it
  number text not null,
  origin text not null,
  destination text not null,
  -- asked, held, short, part-sent, sent, part-received, received or cancelled
  status text not null,
  due_at timestamptz,
  -- the last request made to the stock book, 0 = none
  hold_version int not null,
  body bytea not null
);
create index transfer_open on transfer_state (destination)
  where status not in ('received', 'cancelled');
