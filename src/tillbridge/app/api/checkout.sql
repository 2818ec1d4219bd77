-- Looking at a basket.

-- name: customer
select exists (select from party where party = any(%b::text[]) and erased_at is null)
