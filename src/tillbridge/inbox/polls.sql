-- Pollers: one cursor per connection and stream, moved together with what was read.

-- name: make_cursor
insert into poll_cursor (connection, stream) values (%b::text, %b::text) on conflict do nothing

-- name: read_cursor
select cursor, due_at, failures from poll_cursor
where connection = %b::text and stream = %b::text

-- name: move_cursor
update poll_cursor
set cursor = %b::text, complete_through = greatest(complete_through, %b::timestamptz),
    polled_at = %b::timestamptz
where connection = %b::text and stream = %b::text and cursor = %b::text

-- name: set_due
update poll_cursor set due_at = %b::timestamptz, failures = %b::int, words = %b::text
where connection = %b::text and stream = %b::text
