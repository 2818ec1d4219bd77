-- Operators and their keys.

-- name: by_os_user
select name, roles, entities from operator where os_user = %b and revoked_at is null

-- name: by_key
select o.name, o.roles, o.entities, k.hash, o.channel, k.scopes, k.rate from operator_key k join operator o on o.name = k.operator
where k.prefix = %b and k.revoked_at is null and k.expires_at > %b and o.revoked_at is null

-- name: has_admin
select exists (select from operator where 'admin' = any(roles) and revoked_at is null)

-- name: only_way_in
-- whether nobody but this account of the machine can come in as an admin
select not exists (select from operator o where 'admin' = any(o.roles) and o.revoked_at is null
  and (o.name <> %(name)s or exists (select from operator_key k where k.operator = o.name
    and k.revoked_at is null and k.expires_at > now())))
  and exists (select from operator where name = %(name)s and os_user is not null
    and os_user is distinct from nullif(%(os_user)s, '') and revoked_at is null)

-- name: lock
select pg_advisory_xact_lock(75)

-- name: one
select name, coalesce(os_user, ''), roles, entities, revoked_at, channel from operator
where name = %b

-- name: list
select o.name, coalesce(o.os_user, ''), o.roles, o.entities, o.made_at, o.made_by, o.revoked_at,
  (select count(*) from operator_key k where k.operator = o.name and k.revoked_at is null
   and k.expires_at > now()), o.channel
from operator o order by o.name

-- name: put
insert into operator (name, os_user, roles, entities, channel, made_by)
values (%(name)s, nullif(%(os_user)s, ''), %(roles)s, %(entities)s, %(channel)s, %(by)s)
on conflict (name) do update set os_user = excluded.os_user, roles = excluded.roles,
  entities = excluded.entities, channel = excluded.channel, revoked_at = null

-- name: revoke
update operator set revoked_at = now(), os_user = null where name = %b and revoked_at is null

-- name: revoke_keys
update operator_key set revoked_at = now() where operator = %b and revoked_at is null

-- name: add_key
-- made with another key, it is as good as that one: whoever made the first had it in hand
insert into operator_key (prefix, hash, operator, made_by, expires_at, scopes, rate)
values (%(prefix)s, %(hash)s, %(operator)s,
  coalesce((select made_by from operator_key where prefix = %(with)s), %(by)s), %(until)s,
  %(scopes)s, %(rate)s)

-- name: list_keys
select prefix, operator, made_at, made_by, expires_at, revoked_at, scopes, rate from operator_key
where %(operator)s = '' or operator = %(operator)s order by made_at

-- name: revoke_key
update operator_key set revoked_at = now() where prefix = %b and revoked_at is null
returning operator
