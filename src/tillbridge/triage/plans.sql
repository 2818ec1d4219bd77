-- Plans: many cases tried again, a bounded number of keys at a time.

-- name: match
-- open cases that hold something back and that no open plan has
select c.id from exception_case c
left join message m on m.id = c.message
left join connection_name n on n.id = m.connection
where c.state = 'open'
  and (%(everything)s or c.id = any(%(numbers)s::bigint[]))
  and (%(reason)s = '' or c.reason = %(reason)s)
  and (%(owner)s = '' or c.owner = %(owner)s)
  and (%(connection)s = '' or %(connection)s in
       (n.name, c.details ->> 'connection', c.details ->> 'destination'))
  and starts_with(c.key, %(key)s)
  and (%(since)s::timestamptz is null or c.opened_at >= %(since)s::timestamptz)
  and (exists (select 1 from parked_key k where k.case_id = c.id)
       or c.reason = any(%(held_jobs)s::text[]))
  and not exists (select 1 from replay_member r
                  where r.case_id = c.id and r.state in ('waiting', 'ready'))
order by c.id

-- name: make
insert into replay_plan (made_by, wanted, matched) values (%b, %b, %b) returning id

-- name: add_members
insert into replay_member (plan, case_id) select %b, unnest(%b::bigint[])

-- name: members
select case_id from replay_member where plan = %b order by case_id

-- name: list
select p.id, p.made_by, p.wanted, p.matched, p.state, p.made_at, p.started_at, p.ended_at,
       coalesce(m.waiting, 0), coalesce(m.ready, 0), coalesce(m.done, 0), coalesce(m.failed, 0),
       coalesce(m.left_over, 0)
from replay_plan p
left join lateral (
  select count(*) filter (where state = 'waiting') as waiting,
         count(*) filter (where state = 'ready') as ready,
         count(*) filter (where state = 'done') as done,
         count(*) filter (where state = 'failed') as failed,
         count(*) filter (where state = 'left') as left_over
  from replay_member where plan = p.id
) m on true
where %(id)s::bigint is null or p.id = %(id)s
order by p.id desc limit %(limit)s

-- name: take_open
select id, state, made_by from replay_plan where state in ('planned', 'running')
order by id for update skip locked

-- name: settle
-- a case still open whose key is not ready any more was tried and needs another decision; one that
-- was resolved by the hub went through, unless another case took its place
update replay_member m set state = x.now
from (
  select r.case_id,
    case when c.reason = any(%(held_jobs)s::text[]) then
           case d.state when 'accepted' then 'done' when 'refused' then 'failed'
                        when 'dropped' then 'left' end
         when c.state = 'resolved' then
           case when c.resolution like 'superseded%%' then 'failed'
                when c.resolved_by = 'hub' then 'done' else 'left' end
         when not exists (select 1 from parked_key k where k.case_id = c.id and k.ready)
           then 'failed'
    end as now
  from replay_member r join exception_case c on c.id = r.case_id
  left join dest t on t.name = coalesce(c.details ->> 'destination', split_part(c.key, '/', 2))
  left join document d on d.dest = t.dest and d.op = c.details ->> 'operation'
  where r.plan = %(plan)s and r.state = 'ready'
) x
where m.plan = %(plan)s and m.case_id = x.case_id and x.now is not null

-- name: next_waiting
select m.case_id, c.state from replay_member m join exception_case c on c.id = m.case_id
where m.plan = %b and m.state = 'waiting'
order by m.case_id limit %b

-- name: set_members
update replay_member set state = %b where plan = %b and case_id = any(%b::bigint[])

-- name: ready_count
select count(*) from replay_member where state = 'ready'

-- name: start
update replay_plan set state = 'running', started_at = %b where id = %b and state = 'planned'

-- name: finish
update replay_plan p set state = 'done', ended_at = %b
where id = %b and not exists (select 1 from replay_member m
                              where m.plan = p.id and m.state in ('waiting', 'ready'))

-- name: cancel
update replay_plan set state = 'cancelled', ended_at = %b
where id = %b and state in ('planned', 'running') returning id

-- name: leave_waiting
update replay_member set state = 'left' where plan = %b and state = 'waiting'

-- name: settle_cancelled
select id from replay_plan p where state = 'cancelled'
  and exists (select 1 from replay_member m where m.plan = p.id and m.state = 'ready')
for update skip locked

-- name: failed
select m.case_id, c.state, c.words from replay_member m join exception_case c on c.id = m.case_id
where m.plan = %b and m.state = 'failed' order by m.case_id limit 20
