-- Writes the modules of lua/ as C, so that one file is the whole program: compiled, which loads in a quarter of the
-- time, and as they are, for a Lua library whose bytecode is another. Line numbers of messages are true in both.
-- Those that make objects are there a second time, rewritten so that they report what they do to tables (trace.h).
-- Usage: lua5.4 embed.lua build/embed lua/bk/init.lua … > embedded.c
local rewrite = arg[1]

-- Modules that make no object from a profile's fields, or none but by functions that tell bk.origin: tracing them says
-- nothing more. Rules only look.
local untraced = {}
for name in ("check component config conflict elsewhere env generate hash init input keep mount ordered origin patch port profile "
    .. "quantity raw release review rule site tables values"):gmatch "%w+" do
    untraced["bk." .. name] = true
end

local function is_traced(name)
    return name:find "^bk%." and not name:find "^bk%.rules%." and not untraced[name]
end

local function compiled(name, source)
    return string.dump(assert(load(source, ("=[%s]"):format(name), "t")))
end

--- The text of a file that reports its sites, numbered from `first` on, and how many there are.
local function rewritten(path, first)
    local pipe <close> = assert(io.popen(("%s %d <%s"):format(rewrite, first, path)))
    local count = assert(pipe:read("n", "l"), path)
    return pipe:read("a"), count
end

local modules = {}
for i = 2, #arg do
    local path = arg[i]
    local name = path:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", ".")
    local file <close> = assert(io.open(path, "rb"))
    local source = file:read("a")
    modules[#modules + 1] = { name = name, path = path, source = source, compiled = compiled(name, source) }
end
table.sort(modules, function(a, b) return a.name < b.name end)

local function print_bytes(name, text)
    local bytes = {}
    for k = 1, #text do
        bytes[k] = text:byte(k) .. (k % 20 == 0 and ",\n" or ",")
    end
    print(("static const unsigned char %s[] = {\n%s0 };\n"):format(name, table.concat(bytes)))
end

local sites = 0

--- Writes the bytes of a module; returns its initializer.
local function print_module(i, module)
    local traced, first, count = "NULL, 0", sites, 0
    print_bytes(("source_%d"):format(i), module.source)
    print_bytes(("compiled_%d"):format(i), module.compiled)
    if is_traced(module.name) then
        local text
        text, count = rewritten(module.path, first)
        text = compiled(module.name, text)
        print_bytes(("traced_%d"):format(i), text)
        traced, sites = ("traced_%d, %d"):format(i, #text), sites + count
    end
    return ('{ "%s", source_%d, %d, compiled_%d, %d, %s, %d, %d },'):format(module.name, i, #module.source, i,
        #module.compiled, traced, first, count)
end

print('#include "script/embedded.h"\n')
local rows = {}
for i, module in ipairs(modules) do
    rows[i] = print_module(i, module)
end
print("const struct embedded_module embedded_modules[] = {\n    " .. table.concat(rows, "\n    ") .. "\n};\n")
print(("const size_t embedded_modules_count = %d;"):format(#modules))
print(("const size_t embedded_sites_count = %d;"):format(sites))
