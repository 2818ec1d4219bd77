-- Persons who are erased: what was asked and what became of it. Party ids, never names.

create table erasure (
  id bigint generated always as identity primary key,
  party text not null,
  connection text not null,
  state text not null check (state in ('waiting', 'done')),
  reason text not null,
  asked_by text not null,
  asked_at timestamptz not null default now(),
  due_at timestamptz not null default now() + interval '30 days',
  waits_for text not null default '',
  done_at timestamptz,
  kept jsonb not null default '{}'
);
create unique index erasure_waiting on erasure (party) where state = 'waiting';
create index erasure_party on erasure (party);

-- A law that wins over erasure for a time: retention duties, a dispute.
create table legal_hold (
  party text primary key,
  until date not null,
  reason text not null,
  by text not null,
  at timestamptz not null default now()
);

-- Messages whose body was erased: their bytes are gone, their identity and first hash stay.
create table erased_message (
  message bigint primary key,
  erasure bigint not null references erasure
);
