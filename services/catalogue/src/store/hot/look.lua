-- What is kept of products: the time in milliseconds, and of each of KEYS the row in the field ARGV[1], if there is one.
-- A key is that of a product, or that of a handle, which holds the key of a product.
local time = redis.call('TIME')
local rows = {}
for at, key in ipairs(KEYS) do
  if ARGV[2] == 'handle' then
    key = redis.call('GET', key) or key
  end
  rows[at] = redis.call('HGET', key, ARGV[1])
end
return { time[1] * 1000 + math.floor(time[2] / 1000), rows }
