-- Voids, transfers and stories ask what a key moved; without this they read the whole table.
create index stock_movement_key on stock_movement (key);
