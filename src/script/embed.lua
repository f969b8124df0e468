-- Writes the modules of lua/ as C, so that one file is the whole program: compiled, which loads in a quarter of the
-- time, and as they are, for a Lua library whose bytecode is another. Line numbers of messages are true in both.
-- Usage: lua5.4 embed.lua lua/bk/init.lua … > embedded.c
local modules = {}
for _, path in ipairs(arg) do
    local name = path:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", ".")
    local file <close> = assert(io.open(path, "rb"))
    local source = file:read("a")
    local compiled = string.dump(assert(load(source, ("=[%s]"):format(name), "t")))
    modules[#modules + 1] = { name = name, source = source, compiled = compiled }
end
table.sort(modules, function(a, b) return a.name < b.name end)

local function print_bytes(name, text)
    local bytes = {}
    for k = 1, #text do
        bytes[k] = text:byte(k) .. (k % 20 == 0 and ",\n" or ",")
    end
    print(("static const unsigned char %s[] = {\n%s0 };\n"):format(name, table.concat(bytes)))
end

print('#include "script/embedded.h"\n')
for i, module in ipairs(modules) do
    print_bytes(("source_%d"):format(i), module.source)
    print_bytes(("compiled_%d"):format(i), module.compiled)
end
print("const struct embedded_module embedded_modules[] = {")
for i, module in ipairs(modules) do
    print(('    { "%s", source_%d, %d, compiled_%d, %d },'):format(module.name, i, #module.source, i, #module.compiled))
end
print("};\n")
print(("const size_t embedded_modules_count = %d;"):format(#modules))
