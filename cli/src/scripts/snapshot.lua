-- Everything an audit has to know about a queue, at one instant.
--
-- KEYS  dead-letter stream,
--       then per stream: stream, retries, attempts, ledger (of the group that is audited), and of its schedule of
--       delayed tasks: due times, tasks, ledger,
--       then the ledgers of all groups of the queue, which the dead-letter stream is balanced against
-- ARGV  group, parked consumer, number of streams, most ids to name per kind
-- Returns { now in ms, dead letters, streams, ledgers }
--         dead letters = { length, appended } or { } when there are none
--         streams = { facts, ledger (field, value ...), ids, schedule } per stream, facts = { } when it does not exist
--         facts   = { appended, length, groups, group exists, last delivered, highest deleted id, waiting,
--                     running, parked, when the oldest parked one is due in ms (0: none), parked ones past due }
--         ids     = { gone, stranded, unscheduled, stale schedule, stale attempts }, each { count, id ... };
--                   running and parked do not count those that are gone
--         schedule = { ledger (field, value ...), tasks with a time, ids with a message and no time, the reverse }
--         ledgers = { field, value ... } per ledger
--
-- Atomic because the proof is a sum: a task that moved between two looks would be counted twice or not at all.
-- It writes nothing. It reads each entry that was delivered and not settled, so it takes Redis some 3 ms per
-- thousand of them (docs/cli.md); what waits is counted without being read.
local group, parked_consumer = ARGV[1], ARGV[2]
local stream_count, most_named = tonumber(ARGV[3]), tonumber(ARGV[4])

-- Entries per XRANGE: payloads can be a megabyte each, and a reply is in memory at once.
local CHUNK = 100

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local function facts_of(reply)
  local facts = {}
  for i = 1, #reply, 2 do facts[reply[i]] = reply[i + 1] end
  return facts
end

-- A list of ids that counts all it is given and keeps the first ones.
local function names()
  return { 0 }
end

local function name(list, id)
  list[1] = list[1] + 1
  if list[1] <= most_named then list[#list + 1] = id end
end

-- Calls back with the id of each entry of a range, in order.
local function each_entry(stream, from, to, visit)
  repeat
    local entries = redis.call('XRANGE', stream, from, to, 'COUNT', CHUNK)
    for _, entry in ipairs(entries) do visit(entry[1]) end
    if #entries > 0 then from = '(' .. entries[#entries][1] end
  until #entries < CHUNK
end

-- All that is pending: id -> consumer, and the ids in order.
local function pending_of(stream)
  local owner, order = {}, {}
  local from = '-'
  repeat
    local entries = redis.call('XPENDING', stream, group, from, '+', 1000)
    for _, entry in ipairs(entries) do
      owner[entry[1]] = entry[2]
      order[#order + 1] = entry[1]
    end
    if #entries > 0 then from = '(' .. entries[#entries][1] end
  until #entries < 1000
  return owner, order
end

local function group_of(stream)
  for _, reply in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
    local facts = facts_of(reply)
    if facts.name == group then return facts end
  end
end

-- What this group has not been given yet, which of the pending are gone from the stream (as a set), and what is left
-- of the delivered that is not pending for anybody.
local function look_through(stream, info, ours, owner, order)
  local gone, stranded = {}, names()
  local last = ours['last-delivered-id']
  local read = tonumber(ours['entries-read'])
  local ahead = read and info['entries-added'] - read
  if info.groups > 1 and ahead and ahead < info.length / 2 then
    -- Other groups keep what we have settled: what is ahead of us is less to count. Nothing delivered can be called
    -- stranded here, since what is settled and not trimmed yet looks the same.
    local waiting = 0
    each_entry(stream, '(' .. last, '+', function() waiting = waiting + 1 end)
    for _, id in ipairs(order) do
      if #redis.call('XRANGE', stream, id, id) == 0 then gone[id] = true end
    end
    return waiting, gone, stranded
  end
  local delivered, here = 0, {}
  if last ~= '0-0' then
    each_entry(stream, '-', last, function(id)
      delivered = delivered + 1
      if owner[id] then here[id] = true elseif info.groups == 1 then name(stranded, id) end
    end)
  end
  for _, id in ipairs(order) do
    if not here[id] then gone[id] = true end
  end
  return info.length - delivered, gone, stranded
end

-- The schedule of parked entries: the set of its ids, and what is wrong with it.
local function look_at_schedule(retries, owner)
  local scheduled, stale = {}, names()
  local oldest_due, overdue = 0, 0
  local schedule = redis.call('ZRANGE', retries, 0, -1, 'WITHSCORES')
  for i = 1, #schedule, 2 do
    local id, due = schedule[i], tonumber(schedule[i + 1])
    scheduled[id] = true
    if owner[id] ~= parked_consumer then
      name(stale, id)
    else
      if oldest_due == 0 then oldest_due = due end
      if due < now then overdue = overdue + 1 end
    end
  end
  return scheduled, stale, oldest_due, overdue
end

-- Delayed tasks. Which of them miss a time or a message is looked for only when the numbers differ: there may be many.
local function look_at_delayed(due_times, tasks, ledger)
  local waiting = redis.call('ZCARD', due_times)
  local counted = {}
  for i, count in ipairs(redis.call('HMGET', ledger, 'scheduled', 'promoted', 'lost', 'written_off')) do
    counted[i] = tonumber(count) or 0
  end
  local expected = counted[1] - counted[2] - counted[3] - counted[4]
  local untimed, unwritten = names(), names()
  if waiting ~= expected or waiting ~= redis.call('HLEN', tasks) then
    for _, id in ipairs(redis.call('HKEYS', tasks)) do
      if not redis.call('ZSCORE', due_times, id) then name(untimed, id) end
    end
    for _, id in ipairs(redis.call('ZRANGE', due_times, 0, -1)) do
      if redis.call('HEXISTS', tasks, id) == 0 then name(unwritten, id) end
    end
  end
  return { redis.call('HGETALL', ledger), waiting, untimed, unwritten }
end

local function look_at(stream, retries, attempts, ledger, due_times, tasks, schedule_ledger)
  local delayed = look_at_delayed(due_times, tasks, schedule_ledger)
  if redis.call('EXISTS', stream) == 0 then return { {}, redis.call('HGETALL', ledger), {}, delayed } end
  local info = facts_of(redis.call('XINFO', 'STREAM', stream))
  local ours = group_of(stream)
  local owner, order = {}, {}
  local waiting, gone, stranded = info.length, {}, names()
  if ours then
    owner, order = pending_of(stream)
    waiting, gone, stranded = look_through(stream, info, ours, owner, order)
  end
  local scheduled, stale_schedule, oldest_due, overdue = look_at_schedule(retries, owner)

  local running, parked = 0, 0
  local gone_names, unscheduled, stale_attempts = names(), names(), names()
  for _, id in ipairs(order) do
    if gone[id] then
      name(gone_names, id)
    elseif owner[id] ~= parked_consumer then
      running = running + 1
    else
      parked = parked + 1
      if not scheduled[id] then name(unscheduled, id) end
    end
  end
  for _, id in ipairs(redis.call('HKEYS', attempts)) do
    -- Other fields than ids are notes of the consumers.
    if not owner[id] and string.match(id, '^%d+%-%d+$') then name(stale_attempts, id) end
  end
  return {
    { info['entries-added'], info.length, info.groups, ours and 1 or 0, ours and ours['last-delivered-id'] or '0-0',
      info['max-deleted-entry-id'], waiting, running, parked, oldest_due, overdue },
    redis.call('HGETALL', ledger),
    { gone_names, stranded, unscheduled, stale_schedule, stale_attempts },
    delayed,
  }
end

local dead_letters = {}
if redis.call('EXISTS', KEYS[1]) == 1 then
  local info = facts_of(redis.call('XINFO', 'STREAM', KEYS[1]))
  dead_letters = { info.length, info['entries-added'] }
end
-- Keys per stream.
local WIDTH = 7
local streams = {}
for i = 0, stream_count - 1 do
  streams[#streams + 1] = look_at(unpack(KEYS, WIDTH * i + 2, WIDTH * i + 1 + WIDTH))
end
local ledgers = {}
for i = WIDTH * stream_count + 2, #KEYS do ledgers[#ledgers + 1] = redis.call('HGETALL', KEYS[i]) end
return { now, dead_letters, streams, ledgers }
