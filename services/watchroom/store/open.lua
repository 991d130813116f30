-- Binds each stream that is bound to no definition to the worker's; returns what every stream is bound to.
--
-- KEYS[1]  meta
-- ARGV[1]  msgpack list, one entry a stream: {name, fingerprint, {field, value, field, value, ...}}
-- Returns  the whole of meta as field, value, ...
--
-- Nothing is written for a stream with another definition: its fields would stay behind and be taken for ours.
-- Nothing is written either while a rebuild clears the keys, or while `meta` is still in its previous form.

local meta = KEYS[1]
local missing = refused({{'HSETNX', meta, 'life', ''}, {'HGETALL', meta}})
if missing then return missing end
local old = redis.call('HGET', meta, 'fingerprint')

if redis.call('HEXISTS', meta, 'clearing') == 0 and (not old or old == 'by stream') then
  for _, stream in ipairs(cmsgpack.unpack(ARGV[1])) do
    local field, ours, more = 'fingerprint:' .. stream[1], stream[2], stream[3]
    local known = redis.call('HGET', meta, field)
    if not known or known == ours then
      for i = 1, #more, 2 do redis.call('HSETNX', meta, more[i], more[i + 1]) end
      redis.call('HSETNX', meta, field, ours)
    end
  end
end
return redis.call('HGETALL', meta)
