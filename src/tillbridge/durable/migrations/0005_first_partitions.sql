-- The first partitions; durable.retention makes the next ones ahead.
create table message_0 partition of message for values from (0) to (1000000);
create table message_1000000 partition of message for values from (1000000) to (2000000);
create table record_0 partition of record for values from (0) to (1000000);
create table record_1000000 partition of record for values from (1000000) to (2000000);
