-- Whose a key or a case is: by the entity it names, else by its location, else by its connection.

-- name: mine
select k.key from unnest(%(keys)s::text[]) k (key)
where case split_part(k.key, '/', 1)
  when 'journal' then split_part(k.key, '/', 2) = any(%(entities)s)
  when 'sale' then coalesce(
    (select s.location = any(%(locations)s) from sale_state s
     where s.key = k.key and s.location <> ''),
    split_part(k.key, '/', 2) = any(%(connections)s))
  when 'transfer' then exists (
    select from transfer_state t
    where t.key = k.key and (t.origin = any(%(locations)s) or t.destination = any(%(locations)s)))
  when 'proposal' then exists (
    select from proposal_state p where p.key = k.key and p.location = any(%(locations)s))
  when 'supply' then exists (
    select from purchase p
    where 'supply/' || p.supply = k.key and p.location = any(%(locations)s))
  when 'stock' then split_part(k.key, '/', 2) = any(%(connections)s || %(locations)s)
  when 'tax' then split_part(k.key, '/', 3) = any(%(connections)s)
  else split_part(k.key, '/', 2) = any(%(connections)s)
end

-- name: cases
select c.id, c.key, c.details ->> 'entity' from exception_case c where c.id = any(%(cases)s::bigint[])
