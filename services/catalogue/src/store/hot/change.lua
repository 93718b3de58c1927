-- The products KEYS have changed, and have the versions that stand in ARGV after how many milliseconds that is known: as long
-- as a row lives, so that nobody who read before comes after.
for at, key in ipairs(KEYS) do
  local version = ARGV[1 + at]
  if tonumber(version) > tonumber(redis.call('HGET', key, 'version') or 0) then
    redis.call('DEL', key)
    redis.call('HSET', key, 'version', version)
    redis.call('PEXPIRE', key, ARGV[1])
  end
end
