-- every comparison of the stock book with what a connection tells of one of its places
create table stock_comparison (
  id bigint generated always as identity primary key,
  connection text not null,
  location text not null,
  basis text not null check (basis in ('on_hand', 'available')),
  as_of timestamptz not null,
  at timestamptz not null,
  products int not null,
  explained int not null,
  differing int not null
);
create index stock_comparison_last on stock_comparison (connection, at desc);
-- where the two differed. named: JSON, the movements that one side had not seen
create table stock_difference (
  comparison bigint not null references stock_comparison on delete cascade,
  product text not null,
  ours bigint not null,
  theirs bigint not null,
  rest bigint not null,
  named bytea not null,
  primary key (comparison, product)
);
