-- How much of the difference between count and transactions of a till's day is booked.
create table till_count (
  key text primary key,
  version int not null,
  booked bytea not null   -- JSON: tender -> minor units
);
-- One receipt is one sale, whatever sequence it comes under.
create table till_receipt (
  location text not null,
  till text not null,
  business_date date not null,
  receipt text not null,
  key text not null,
  primary key (location, till, business_date, receipt)
);
insert into till_receipt (location, till, business_date, receipt, key)
select location, till, business_date, receipt, min(key) from sale_state
where type = 'SaleRung' and receipt <> '' and business_date is not null and fact_hash is not null
group by location, till, business_date, receipt;
-- how many of the day's transactions its count was held against
alter table till_day add column counted int;
