-- A hold says what it is, for whom, since when and until when, and where it may stand.
alter table hold
  add column kind text not null default 'firm' check (kind in ('soft', 'firm', 'transfer')),
  add column channel text not null default '',
  add column expires_at timestamptz,
  -- where it may stand, in order of preference, and over how many of them it may be spread
  add column locations text[] not null default '{}',
  add column split_most int not null default 1,
  -- who came first is served first, and loses last
  add column placed_at timestamptz not null default 'epoch',
  -- made at the hub's own door, not by an order's request
  add column desk boolean not null default false,
  -- why it ended; '' while it lives
  add column ended text not null default '',
  add check ((kind = 'soft') = (expires_at is not null));
create index hold_due on hold (expires_at) where kind = 'soft' and ended = '';
