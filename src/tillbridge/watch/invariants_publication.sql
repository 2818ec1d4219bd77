-- What channels show of our availability.
-- The form of a block is told in invariants.py.

-- name: no_channel_shows_what_was_never_offered
-- says: What a channel is believed to show it said in answer to an offer.
-- do: Report a defect; the next compare would be made against a figure nobody told.
select dest, location, product, confirmed from publication where confirmed is not null and version = 0

-- name: figures_at_rest_are_what_they_should_be
-- says: A figure nobody means to change is what can be promised, less what the channel sold and has not told.
-- do: Report a defect; a channel shows more or less than is there.
select dest, location, product, confirmed, available, untold from publication
where due is null and version > 0
  and confirmed is distinct from
      greatest(0, available - greatest(0, untold - greatest(0, told - confirmed_told)))

-- name: who_is_called_has_an_offer
-- says: Every figure under way to a channel says what is offered.
-- do: Report a defect; what became of it cannot be found out.
select dest, location, product, slot from publication where slot is not null and sent is null

-- name: every_channel_shows_what_it_should
-- says: Once nothing moves, every channel shows what can be promised.
-- do: `tillbridge stock publication` shows which figure waits, and for what.
-- at rest
select d.name, p.location, p.product, p.available, p.confirmed from publication p
left join dest d using (dest)
where p.due is not null and p.refused = ''
  and not exists (select from pause x where x.connection = d.name and x.kind in ('', 'availability'))
