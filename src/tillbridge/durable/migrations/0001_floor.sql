-- The durable floor: raw messages, delivery identities, the one log, cursors, parking, outbound keys.
-- Partitions of message and record are ranges of ids, made ahead by durable.retention.

create table hub (
  one boolean primary key default true check (one),
  incarnation int not null,
  lane_fn text not null
);
insert into hub (incarnation, lane_fn) values (1, 'crc32/64');

-- raw deliveries: bodies only, dropped by partition after the retention time
create table message (
  id bigint generated always as identity,
  connection smallint not null,
  topic text not null,
  delivery text not null,
  place text not null default '',
  problem text not null default '',
  headers bytea not null,
  body bytea not null,
  received_at timestamptz not null default now(),
  primary key (id)
) partition by range (id);
alter table message alter column body set storage external;

create table connection_name (
  id smallint generated always as identity primary key,
  name text not null unique
);

-- identity of deliveries: outlives the bodies; hashes, so a long or hostile id costs 16 bytes
create table delivery (
  connection smallint not null,
  id_hash uuid not null,
  body_hash bytea not null,
  message bigint not null,
  day date not null,
  copies int not null default 1,
  primary key (connection, id_hash)
);
create index delivery_day on delivery using brin (day);

-- the one log; id order is commit order because ids are taken under the append lock
create table record (
  lane smallint not null,
  id bigint generated always as identity,
  key text not null,
  type text not null,
  version smallint not null,
  fused boolean not null,
  trace bytea,
  cause bigint,
  body bytea not null,
  at timestamptz not null default now(),
  primary key (lane, id)
) partition by range (id);
create index record_todo on record (lane, id) where not fused;
create index record_key on record (key, id);

create table cursor (
  consumer text,
  lane smallint,
  pos bigint not null default 0,
  moved_at timestamptz not null default now(),
  primary key (consumer, lane)
) with (fillfactor = 50);

-- exception cases: what a person has to decide or mend
create table exception_case (
  id bigint generated always as identity primary key,
  reason text not null,
  owner text not null,
  room text not null,
  key text not null,
  fingerprint text not null,
  state text not null default 'open' check (state in ('open', 'resolved')),
  words text not null,
  remedy text not null default '',
  amount bigint,
  currency text,
  details jsonb not null default '{}',
  record_type text not null default '',
  message bigint,
  copies int not null default 1,
  opened_at timestamptz not null default now(),
  due_at timestamptz not null default now() + interval '1 day',
  resolved_at timestamptz,
  resolved_by text,
  resolution text
);
create unique index exception_case_open on exception_case (fingerprint) where state = 'open';
create index exception_case_key on exception_case (key);

-- parking: the unit is (room, key); later records of the key queue behind in order of n
create table parked_key (
  room text,
  key text,
  consumer text not null,
  lane smallint not null,
  case_id bigint not null,
  ready boolean not null default false,
  primary key (room, key)
);
create index parked_ready on parked_key (consumer, lane) where ready;
create table parked (
  room text,
  key text,
  n bigint generated always as identity,
  id bigint,
  type text not null,
  version smallint not null,
  trace bytea,
  cause bigint,
  body bytea not null,
  primary key (room, key, n),
  foreign key (room, key) references parked_key
);

-- outbound: the KEY is scheduled, leased and kept in order; one dest row holds bucket and breaker
create sequence fence;
create table dest (
  dest smallint generated always as identity primary key,
  name text not null unique,
  rate float8 not null,
  burst float8 not null,
  conc int not null,
  tokens float8 not null,
  at timestamptz not null default clock_timestamp(),
  open_until timestamptz,
  failures int not null default 0,
  paused boolean not null default false
) with (fillfactor = 50);
create table outkey (
  dest smallint not null,
  key text not null,
  prio smallint not null check (prio between 0 and 2),
  due timestamptz not null,
  n int not null,
  lease_until timestamptz,
  token bigint,
  attempts int not null default 0,
  unknown boolean not null default false,
  primary key (dest, key)
) with (fillfactor = 70);
create index outkey_ready on outkey (dest, prio, due) where lease_until is null;
create index outkey_leased on outkey (dest, lease_until) where lease_until is not null;
create table job (
  id bigint generated always as identity primary key,
  dest smallint not null,
  key text not null,
  op text not null,
  type text not null,
  version smallint not null default 1,
  trace bytea,
  body bytea not null
);
create unique index job_key on job (dest, key, id);

-- what was ever owed and answered: never dropped with the log
create table document (
  dest smallint not null,
  op text not null,
  key text not null,
  kind text not null,
  state text not null check (state in ('owed', 'sent', 'unknown', 'accepted', 'refused', 'dropped')),
  remote_id text,
  number text,
  move text,
  move_total bigint,
  total bigint,
  day date not null,
  answered_at timestamptz,
  primary key (dest, op)
);
create index document_key on document (key);

create table schedule (
  name text primary key,
  every_seconds int not null,
  next_at timestamptz not null default now(),
  last_at timestamptz,
  last_words text
);

-- personal data: the only place; facts and entries name the party id; erasing blanks the row
create table party (
  party text primary key,
  connection text not null,
  details bytea,
  updated_at timestamptz not null default now(),
  erased_at timestamptz
);

-- cross-references: their names to ours per connection; generation tells caches to reload
create table xref (
  connection text not null,
  kind text not null,
  theirs text not null,
  ours text not null,
  changed_at timestamptz not null default now(),
  primary key (connection, kind, theirs)
);
create index xref_ours on xref (connection, kind, ours);
create sequence xref_generation;

create table poll_cursor (
  connection text not null,
  stream text not null,
  cursor text not null default '',
  complete_through timestamptz,
  polled_at timestamptz,
  primary key (connection, stream)
);
create table file_claim (
  connection text not null,
  path text not null,
  size bigint not null,
  sha256 bytea not null,
  state text not null check (state in ('claimed', 'done')),
  items int not null default 0,
  problems int not null default 0,
  claimed_at timestamptz not null default now(),
  done_at timestamptz,
  primary key (connection, sha256)
);
