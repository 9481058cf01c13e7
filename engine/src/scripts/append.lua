-- Appends a task to its stream.
--
-- KEYS  stream
-- ARGV  length that the stream is trimmed to, as the engine does with drop-oldest; 0 for none
--       the fields of its message: name, value ...
-- Returns the id of its entry
--
-- By itself this would be a plain XADD; it is a script to be put into once.lua.
if ARGV[1] == '0' then return redis.call('XADD', KEYS[1], '*', unpack(ARGV, 2)) end
return redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', unpack(ARGV, 2))
