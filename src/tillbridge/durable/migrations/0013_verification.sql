-- What each scheduled run of `verify` found. position: newest record its snapshot saw; lies: how
-- many rows contradicted each invariant; failed: those that could not be checked, and why.
create table verification (
  id bigint generated always as identity primary key,
  at timestamptz not null,
  position bigint not null,
  seconds float8 not null,
  deep boolean not null,
  checked int not null,
  broken int not null,
  lies jsonb not null,
  failed jsonb not null default '{}'
);
create index verification_at on verification (at);
