-- What runs of `verify` found.

-- name: keep
insert into verification (at, position, seconds, deep, checked, broken, lies, failed)
values (%b, %b, %b, %b, %b, %b, %b::text::jsonb, %b::text::jsonb)

-- name: last
select at, position, seconds, deep, checked, broken,
       array(select key from jsonb_each_text(lies) where value <> '0' order by key)
from verification order by at desc, id desc limit 1
