-- When a stream is polled next: the rhythm, or what the vendor asked for.
alter table poll_cursor
  add column due_at timestamptz not null default '1970-01-01Z',
  add column failures int not null default 0,
  add column words text not null default '';
