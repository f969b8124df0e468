std = "lua54"
exclude_files = { "tests/broken", "tests/health" } -- the latter in the style of Argo CD and its Lua 5.1
max_line_length = 120
files["tests/**/*_spec.lua"] = { std = "+busted", max_line_length = 140 } -- rows of cases
files["profiles/**/*.lua"] = { read_globals = { "require" } }
files["lua/bk.meta.lua"] = { ignore = { "212" }, max_line_length = false } -- declarations, one a line
files["lua/health.lua"] = { globals = { "unpack", "loadstring", "tostring", "string", "table", "math" } }
