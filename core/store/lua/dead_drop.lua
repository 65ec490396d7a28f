-- dead_drop.lua p tenant token -> OK
if redis.call('ZREM', key_dead(ARGV[2]), ARGV[3]) == 1 then redis.call('DEL', key_letter(ARGV[3])) end
return 'OK'
