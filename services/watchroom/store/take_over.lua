-- Converts the previous form of `meta`, with one definition for all streams, to one definition for each.
--
-- KEYS[1]  meta
-- ARGV     its old fingerprint, the new values of the old two fields, then field, value, ... of today's form
--
-- Does nothing if another worker has done it, or if the old fingerprint is another one by now.

local meta = KEYS[1]
local missing = refused({{'HSETNX', meta, 'life', ''}, {'HSET', meta, 'life', ''}})
if missing then return missing end

if redis.call('HGET', meta, 'fingerprint') == ARGV[1] then
  for i = 4, #ARGV, 2 do redis.call('HSETNX', meta, ARGV[i], ARGV[i + 1]) end
  redis.call('HSET', meta, 'fingerprint', ARGV[2], 'definition', ARGV[3])
end
