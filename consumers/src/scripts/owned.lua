-- Prelude of every script that settles, parks, releases or renews entries.
--
-- Whoever holds a task may settle it; nobody else. A consumer that was frozen past its lease, or whose Redis
-- was away for that long, no longer owns what it ran, and must not touch what the next owner made of it.
--
-- Returns the entries pending for a consumer between two ids, as a table id -> number of deliveries.
local function owned_by(stream, group, consumer, lowest, highest)
  local owned = {}
  for _, entry in ipairs(redis.call('XPENDING', stream, group, lowest, highest, 1000000, consumer)) do
    owned[entry[1]] = entry[4]
  end
  return owned
end

-- Redis time in whole milliseconds, rounded up: what is due "in 500 ms" is then never early.
-- The clocks of consumers play no part anywhere.
local function now_ms()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.ceil(tonumber(time[2]) / 1000)
end

-- What is kept of an entry that has not gone straight through, in the hash `attempts`:
--   failed   attempts that failed by the handler's own doing
--   first    when the first of them failed, in Redis milliseconds; 0 when none has
--   excused  runs that ended through no fault of the entry (its thread died of another task)
-- Deliveries - 1 - failed - excused is then the number of runs nobody saw the end of: crashes.
local function history_of(attempts, id)
  local text = redis.call('HGET', attempts, id)
  if not text then return 0, 0, 0 end
  local failed, first, excused = string.match(text, '^(%d+):(%d+):(%d+)$')
  return tonumber(failed), tonumber(first), tonumber(excused)
end

local function remember(attempts, id, failed, first, excused)
  redis.call('HSET', attempts, id, string.format('%d:%.0f:%d', failed, first, excused))
end

-- Moves a pending entry to the consumer that stands for "waiting for its time", where no take-over looks.
-- False when the entry is no longer in the stream: XCLAIM then also drops it from the pending list.
local function park(stream, group, parked, id, deliveries)
  if deliveries then
    return #redis.call('XCLAIM', stream, group, parked, 0, id, 'RETRYCOUNT', deliveries, 'JUSTID') == 1
  end
  return #redis.call('XCLAIM', stream, group, parked, 0, id, 'JUSTID') == 1
end
