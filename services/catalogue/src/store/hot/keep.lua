-- Keeps what was read of the products KEYS until the time ARGV[1] in the field ARGV[2]. Then for each: the version that was
-- read, its row, and the key of its handle. A row of an older version than the one that is known was read before a change.
local argument = 2
for _, key in ipairs(KEYS) do
  local version, row, handle = ARGV[argument + 1], ARGV[argument + 2], ARGV[argument + 3]
  argument = argument + 3
  local newer = tonumber(version) - tonumber(redis.call('HGET', key, 'version') or 0)
  if newer > 0 then
    redis.call('DEL', key)
  end
  if newer >= 0 then
    redis.call('HSET', key, 'version', version, ARGV[2], row)
    redis.call('SET', handle, key, 'PXAT', ARGV[1])
  end
  -- Rows of one version go with the first of them.
  if newer > 0 then
    redis.call('PEXPIREAT', key, ARGV[1])
  end
end
