-- Lines of the bank that pay orders on account.

-- which line pays which order: told to the log once, and never taken back
create table bank_payment (
  bank_line bigint not null,
  order_key text not null,
  invoice text not null,             -- key of the invoice its text names
  amount bigint not null check (amount > 0),
  fact text not null unique,
  primary key (bank_line, order_key)
);
create index bank_payment_order on bank_payment (order_key);

-- the words of what came in, as invoices are looked for among them
create index bank_line_words on bank_line
  using gin (regexp_split_to_array(upper(reference || ' ' || text), '[^A-Z0-9_/-]+'))
  where amount > 0;
