-- Goods on account: each invoice and credit note of such an order, and what is left to pay of it.
-- Written with the order's state; orders paid as they are placed have no row here.

create table receivable (
  key text primary key,              -- operation id of the paper
  order_key text not null,
  n int not null,                    -- in the order in which the order's papers were issued
  kind text not null check (kind in ('invoice', 'credit_note')),
  number text not null,              -- ours
  erp_number text not null,          -- the ERP's, '' = it gave none yet
  order_number text not null,
  entity text not null,
  channel text not null,
  party text not null,
  currency text not null,
  issued_on date not null,
  due_on date not null,
  total bigint not null,             -- minor units; a credit note's is negative
  credited bigint not null,          -- put against an invoice; of a credit note all of it
  paid bigint not null,
  open bigint not null generated always as (total - credited - paid) stored,
  check (open >= 0)
);
create index receivable_order on receivable (order_key);
create index receivable_open on receivable (entity, due_on) where open <> 0;
