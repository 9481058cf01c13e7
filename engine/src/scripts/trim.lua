-- Removes from a stream what every group has acknowledged, and nothing else.
--
-- KEYS[1]  the stream
-- ARGV[1]  age in milliseconds after which an acknowledged entry goes even if an older one is still pending
-- ARGV[2]  id to go on from in the search for such entries, '-' to start
-- returns  { entries removed, id to go on from next time }
--
-- Atomic, because the safe point is worked out from the groups: an entry delivered between the looking and the
-- trimming would otherwise be trimmed unread.

local stream = KEYS[1]
if redis.call('EXISTS', stream) == 0 then return { 0, '-' } end
local groups = redis.call('XINFO', 'GROUPS', stream)
-- Without a group nobody has acknowledged anything.
if #groups == 0 then return { 0, '-' } end

local function field(map, name)
  for i = 1, #map, 2 do
    if map[i] == name then return map[i + 1] end
  end
end

local function before(a, b)
  local ams, aseq = string.match(a, '(%d+)-(%d+)')
  local bms, bseq = string.match(b, '(%d+)-(%d+)')
  -- Compared as text of equal length: a 64-bit number does not fit a Lua number.
  if #ams ~= #bms then return #ams < #bms end
  if ams ~= bms then return ams < bms end
  if #aseq ~= #bseq then return #aseq < #bseq end
  return aseq < bseq
end

-- The smallest id greater than this one.
local function after(id)
  local ms, seq = string.match(id, '(%d+)-(%d+)')
  -- Beyond 2^53 a Lua number is not exact: the entry itself is kept then, which is one too many at most.
  if tonumber(seq) >= 9007199254740991 then return id end
  return ms .. '-' .. string.format('%.0f', tonumber(seq) + 1)
end

local firstOpen      -- the oldest entry some group has not acknowledged, or may still read
local lastDelivered  -- what all groups have been given ends here
for _, group in ipairs(groups) do
  local delivered = field(group, 'last-delivered-id')
  if not lastDelivered or before(delivered, lastDelivered) then lastDelivered = delivered end
  local open = after(delivered)
  if field(group, 'pending') > 0 then
    open = redis.call('XPENDING', stream, field(group, 'name'))[2]
  end
  if not firstOpen or before(open, firstOpen) then firstOpen = open end
end

-- MINID keeps firstOpen itself. Whole nodes first, since that is cheap; what is left is less than one node.
local removed = redis.call('XTRIM', stream, 'MINID', '~', firstOpen, 'LIMIT', 10000)
if removed == 0 then removed = redis.call('XTRIM', stream, 'MINID', '=', firstOpen) end

local cutoff = tostring(tonumber(redis.call('TIME')[1]) * 1000 - tonumber(ARGV[1]))
if tonumber(cutoff) <= 0 then return { removed, '-' } end
local last = before(cutoff .. '-0', lastDelivered) and (cutoff .. '-0') or lastDelivered
local from = ARGV[2] == '-' and '-' or ('(' .. ARGV[2])
local entries = redis.call('XRANGE', stream, from, last, 'COUNT', 100)
if #entries == 0 then return { removed, '-' } end

local open = {}
local low, high = entries[1][1], entries[#entries][1]
for _, group in ipairs(groups) do
  for _, pending in ipairs(redis.call('XPENDING', stream, field(group, 'name'), low, high, 1000000)) do
    open[pending[1]] = true
  end
end
for _, entry in ipairs(entries) do
  if not open[entry[1]] then removed = removed + redis.call('XDEL', stream, entry[1]) end
end
return { removed, high }
