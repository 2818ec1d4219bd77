-- What replenishment proposed, and what became of it.
create table proposal_state (
  key text primary key,
  revision int not null,
  number text not null,
  -- transfer or purchase; from which location or supplier, for which location
  kind text not null,
  source text not null,
  location text not null,
  -- proposed, accepted, rejected or ordered
  status text not null,
  proposed_at timestamptz,
  due_at timestamptz,
  -- what the ERP calls it, '' = nothing yet
  remote text not null,
  body bytea not null
);
create index proposal_location on proposal_state (location, status);

-- What the newest run proposed: the next one waits until the flow decided on it.
create table replenishment_run (
  one boolean primary key default true check (one),
  at timestamptz not null,
  keys text[] not null
);
