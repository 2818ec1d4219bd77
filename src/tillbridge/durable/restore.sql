-- What a hub must be told after its database was put back to an earlier point.

-- name: tables
select to_regclass('hub') is not null, to_regclass('outkey') is not null,
       to_regclass('document') is not null

-- name: raise_incarnation
update hub set incarnation = greatest(incarnation, %(above)s) + 1 returning incarnation

-- name: doubt_keys
-- Every key with work, not only the leased ones: what waited when the backup was taken may have
-- been sent since. Unknown means no more than: look up before sending.
-- What waits for a person (due at infinity) goes on waiting.
update outkey set unknown = true, lease_until = null, token = null,
  due = case when due = 'infinity' then due else now() end

-- name: doubt_documents
update document set state = 'unknown' where state = 'sent'
