-- Makes the evaluation of a profile repeatable, beside the order of pairs() (src/script/pairs.c): Lua seeds math.random
-- from addresses and the clock.

math.randomseed(0)
