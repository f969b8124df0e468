-- Writes the modules of lua/ as C, verbatim, so that one file is the whole program and the line
-- numbers of messages are true. Usage: lua5.4 embed.lua lua/bk/init.lua … > embedded.c
local modules = {}
for _, path in ipairs(arg) do
    local name = path:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", ".")
    local file <close> = assert(io.open(path, "rb"))
    modules[#modules + 1] = { name = name, source = file:read("a") }
end
table.sort(modules, function(a, b) return a.name < b.name end)

print('#include "script/embedded.h"\n')
for i, module in ipairs(modules) do
    local bytes = {}
    for k = 1, #module.source do
        bytes[k] = module.source:byte(k) .. (k % 20 == 0 and ",\n" or ",")
    end
    print(("static const char source_%d[] = {\n%s0 };\n"):format(i, table.concat(bytes)))
end
print("const struct embedded_module embedded_modules[] = {")
for i, module in ipairs(modules) do
    print(('    { "%s", source_%d, %d },'):format(module.name, i, #module.source))
end
print("};\n")
print(("const size_t embedded_modules_count = %d;"):format(#modules))
