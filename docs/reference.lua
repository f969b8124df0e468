-- Writes docs/profile.md from the annotations in lua/bk.meta.lua: lua5.4 docs/reference.lua > docs/profile.md

local sections, classes, class, comment, section = {}, {}, nil, {}, nil

local function flush(heading)
    local example, text, inside = {}, {}, false
    for _, line in ipairs(comment) do
        if line:find "^```" then
            inside = not inside
        elseif inside then
            example[#example + 1] = line
        else
            text[#text + 1] = line
        end
    end
    section.entries[#section.entries + 1] = { heading = heading, text = table.concat(text, "\n"):gsub("%s+$", ""),
        example = example, fields = section.fields }
    comment, section.fields = {}, nil
end

for line in io.lines "lua/bk.meta.lua" do
    local title = line:match "^%-%-## (.+)"
    local name, parent = line:match "^%-%-%-@class ([%w_.]+):? ?([%w_.]*)"
    local field, rest = line:match "^%-%-%-@field ([%w_]+%??) (.+)"
    if title then
        section = { title = title, entries = {} }
        sections[#sections + 1] = section
    elseif name and section then
        class = { name = name, parent = parent, fields = {} }
        classes[name] = class
        section.fields = class
    elseif field then
        -- The type ends at the first blank outside of brackets.
        local depth, stop = 0, #rest + 1
        for i = 1, #rest do
            local c = rest:sub(i, i)
            depth = depth + (c:find "[%(<{%[]" and 1 or c:find "[%)>}%]]" and -1 or 0)
            if c == " " and depth == 0 and rest:sub(i - 1, i - 1) ~= ":" and rest:sub(i - 1, i - 1) ~= "," then
                stop = i
                break
            end
        end
        class.fields[#class.fields + 1] = { name = field, type = rest:sub(1, stop - 1), text = rest:sub(stop + 1) }
    elseif line:find "^%-%-%- ?" and not line:find "^%-%-%-@" and section then
        comment[#comment + 1] = line:sub(5)
    elseif line:find "^function bk%." or line:find "^bk%.%w+ =" then
        flush(line:match "bk%.[%w_]+")
    end
end

local function row(field)
    local shown = field.type:gsub("bk%.", ""):gsub("|", "\\|")
    return ("| `%s`%s | `%s` | %s |"):format(field.name:gsub("%?$", ""),
        field.name:find "%?$" and "" or " (must be given)", shown, (field.text:gsub("|", "\\|")))
end

local function print_fields(given)
    print "| field | type | meaning |\n| --- | --- | --- |"
    for _, field in ipairs(given.fields) do
        print(row(field))
    end
    if given.parent ~= "" then
        print(("\nand the fields of [%s](#%s)."):format(given.parent,
            (given.parent:gsub("%.", ""):lower())))
    end
    print ""
end

print [[
# The language of profiles

A profile is a Lua 5.4 script that returns `bk.profile "name" { ... }`. It sees Lua's own library without `io`, `debug`,
`package` and bytecode, of `os` only time and date, `cjson`, and `bk`. `require "parts.web"` finds `parts/web.lua` below
the profile's own folder; nothing outside of that folder can be read. `pairs` goes in the order of the keys, so that the
same profile gives the same bytes. A profile may use 256 MiB of memory and two billion instructions (`--memory-limit`,
`--instruction-limit`); a string pattern that backtracks without end is ended after some seconds.

Every mistake ends the evaluation with one line that begins with the file and line where it was made, and is followed by
who called it, where that is not the same. Quantities are Kubernetes' own (`500m`, `2`, `1.5Gi`); durations are `10s`,
`5m`, `1h` or a number of seconds. Every component also has `needs`, `after`, `grace`, `meta`, `patch`, `keep` and
`replace`, as a workload has them.

This page is written from the annotations in `lua/bk.meta.lua`, which also let an editor with the Lua language server
complete and check profiles: add the folder `lua` to its `workspace.library`. Every example runs in the tests.
]]

local shared = { "bk.ContainerFields", "bk.PodFields", "bk.ServedFields", "bk.ServicePart", "bk.IngressPart",
    "bk.ProbeFields" }
local is_shared = {}
for _, name in ipairs(shared) do
    is_shared[name] = true
end

for _, one in ipairs(sections) do
    print(("## %s\n"):format(one.title))
    for _, entry in ipairs(one.entries) do
        print(("### %s\n\n%s\n"):format(entry.heading, entry.text))
        if #entry.example > 0 then
            print(("```lua\n%s\n```\n"):format(table.concat(entry.example, "\n")))
        end
        if entry.fields and not is_shared[entry.fields.name] then
            print_fields(entry.fields)
        end
    end
end

print "## Fields of containers and pods\n"
for _, name in ipairs(shared) do
    print(("### %s\n"):format(name))
    print_fields(classes[name])
end

print "## Fields of hooks\n"
print_fields(classes["bk.HookFields"])

print "## Fields of conflicts\n"
print_fields(classes["bk.ConflictFields"])
