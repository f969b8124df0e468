-- The text of a profile: one file, or a folder of them.

local expression = require "import.expression"
local json = require "import.json"
local source = require "import.source"

local layout = {}

-- Locals that a chunk may have, with some to spare (Lua allows 200).
local LOCALS_MAX = 150
-- A profile of more lines is one of several files.
local LINES_MAX = 400
-- A text of more lines, or characters, is a file.
local TEXT_LINES_MAX, TEXT_MAX = 20, 2000
-- A file of Lua may be 1 MiB; this much of it leaves room for the last part that comes into it.
local FILE_MAX = 1 << 19
-- A variable's name may be so long.
local NAME_MAX = 40

-- Fields in the order in which one reads them: what it is, what it runs, how it is reached, where it goes.
local order = {}
for field in ([[
meta name namespace user group account groups type kind scope list singular short categories versions columns status
selector labels annotations
image pull_policy container command args working_dir schedule time_zone concurrency suspend keep_successful keep_failed
starting_deadline replicas scale strategy partition pod_management min_ready progress_deadline revision_history
backoff_limit completions parallelism deadline ttl
ports host_ports env_from env files volumes claims keep_claims resources startup liveness readiness post_start pre_stop
stdin tty security init sidecars containers pod_volumes
service_account token pull_secrets pod_security priority_class host_network host_pid dns_policy host_aliases restart
grace_period node_selector nodes prefer_nodes affinity apart spread tolerations pod
service services service_name ingress disruption network
role cluster_role names urls verbs rules cluster_rules aggregate to from types egress
size class modes source volume volume_mode read_only sub provisioner parameters reclaim binding expansion mount_options
host hosts path paths port scheme headers path_type tls default initial_delay period timeout success failure
headless publish_not_ready target node_port app_protocol min max cpu memory metrics behavior value patch
]]):gmatch "%S+" do
    order[#order + 1] = field
end
for i, field in ipairs(order) do
    order[field] = order[field] or i
end

local ordered_words = { config = false, secret = false, raw = false, resource = false }

-- What stands more than once in the fields of parts is said once, as a local variable of its field's name.

local REPEATED_MIN = 6

-- Calls `found(field, value)` for the plain tables among the fields of components and of their containers.
local function each_table(fields, found)
    for field, value in pairs(fields) do
        if type(field) == "string" and type(value) == "table" and expression.is_plain(value) then
            if json.size(value) >= REPEATED_MIN then
                fields[field] = found(field, value) or value
            end
        elseif field == "init" or field == "containers" or field == "sidecars" then
            for _, one in ipairs(value) do
                each_table(one, found)
            end
        end
    end
end

local function copy(value)
    if type(value) ~= "table" or expression.kind(value) then
        return value
    end
    local made = {}
    for key, item in next, value do
        made[key] = copy(item)
    end
    return setmetatable(made, getmetatable(value))
end

--- The fields of each part with variables in the place of what is repeated, and the variables' definitions.
local function repeated(parts, fields_of, taken)
    local counts, variables, made, lines = {}, {}, {}, {}
    for _, part in ipairs(parts) do
        made[part] = fields_of(part)
        if not part.of and ordered_words[part.word] == nil then
            made[part] = copy(made[part])
            each_table(made[part], function(_, value)
                local text = source.of(value, "", 0, order)
                counts[text] = (counts[text] or 0) + 1
            end)
        end
    end
    for _, part in ipairs(parts) do
        if not part.of and ordered_words[part.word] == nil then
            each_table(made[part], function(field, value)
                local text = source.of(value, "", 0, order)
                if counts[text] < 2 then
                    return nil
                elseif not variables[text] then
                    variables[text] = expression.variable(source.variable(field, taken))
                    lines[#lines + 1] = ("local %s = %s\n"):format(variables[text].variable,
                        source.of(value, "", #field + 9, order))
                end
                return variables[text]
            end)
        end
    end
    return made, lines
end

-- `bk.word "name" { ... }:method(...)`, as what stands after `local x = `.
local function part_text(part, used, fields)
    local head = part.of and ("%s:resource %s "):format(part.of.variable, source.quoted(part.name))
        or ("bk.%s %s "):format(part.word, source.quoted(part.name))
    local is_ordered = not part.of and ordered_words[part.word] == nil
    local text = head .. source.of(fields or part.fields, "", used + #head, is_ordered and order or nil)
    for _, one in ipairs(part.methods or {}) do
        local argument = one.argument
        text = text .. ":" .. one.name
            .. (argument == nil and "()" or " " .. source.of(argument, "", 20))
    end
    return text
end

local function held_by(part)
    local held = {}
    for one in next, part.references or {} do
        held[#held + 1] = one
    end
    held[#held + 1] = part.of
    return held
end

-- Parts in an order in which each comes after what it holds.
local function in_order(parts)
    local list, seen = {}, {}
    local function add(part)
        if seen[part] then
            return
        end
        seen[part] = true
        local held = held_by(part)
        table.sort(held, function(a, b)
            return a.index < b.index
        end)
        for _, one in ipairs(held) do
            add(one)
        end
        list[#list + 1] = part
    end
    -- What others hold stands beside the first that does.
    local is_held = {}
    for _, part in ipairs(parts) do
        for one in next, part.references or {} do
            is_held[one] = true
        end
    end
    for _, part in ipairs(parts) do
        if not is_held[part] then
            add(part)
        end
    end
    for _, part in ipairs(parts) do
        add(part)
    end
    return list
end

local reserved = { "bk", "string", "table", "math", "utf8", "os", "coroutine", "cjson", "require", "print", "pairs",
    "ipairs", "next", "type", "error", "assert", "pcall", "select", "tostring", "tonumber", "load", "components",
    "all" }

local function short_name(text, release)
    if release and text:sub(1, #release + 1) == release .. "-" then
        text = text:sub(#release + 2)
    end
    return text:sub(1, NAME_MAX):gsub("%-+$", "")
end

-- Gives variables to parts: locals, or fields of one where there are too many. What a release of Helm puts before all
-- names (`release`) is left out. Returns { in_table, taken }.
local function name_parts(parts, release, more_taken)
    local naming = { in_table = #parts > LOCALS_MAX, taken = {} }
    for _, name in ipairs(reserved) do
        naming.taken[name] = true
    end
    naming.taken[more_taken or "bk"] = true
    for _, part in ipairs(parts) do
        local short = short_name(part.name, release)
        local variable = source.variable(short, {})
        if naming.taken[variable] and part.suffix then
            short = short .. "-" .. part.suffix
        end
        part.local_name = source.variable(short, naming.taken)
        part.variable = (naming.in_table and "all." or "") .. part.local_name
    end
    return naming
end

local function comment(text)
    return "-- " .. text:gsub("[%c]", " ") .. "\n"
end

local function head_of(profile)
    local lines = { comment(("Imported from %s (%d objects)."):format(profile.source, profile.count)) }
    if profile.has_secrets then
        lines[#lines + 1] = comment "It holds values of Secrets as text: bk.input or bk.generated can stand for them."
    end
    return table.concat(lines)
end

-- The definitions of parts, with blank lines around long ones.
local function definitions(parts, naming, fields_of)
    local fields, texts = repeated(parts, fields_of, naming.taken)
    local made, before_long = {}, false
    if naming.in_table then
        table.insert(texts, 1, "local all = {}\n")
    end
    for _, part in ipairs(parts) do
        local start = (naming.in_table and "" or "local ") .. part.variable .. " = "
        texts[#texts + 1] = start .. part_text(part, #start, fields[part]) .. "\n"
    end
    for i, text in ipairs(texts) do
        local is_long = text:find "\n." ~= nil
        if i > 1 and (is_long or before_long) then
            made[#made + 1] = "\n"
        end
        made[#made + 1] = text
        before_long = is_long
    end
    return table.concat(made)
end

local function profile_fields(profile)
    local fields = { "    bare = true,\n" }
    if profile.namespace then
        fields[#fields + 1] = ("    namespace = %s,\n"):format(source.quoted(profile.namespace))
    end
    if profile.labels then
        fields[#fields + 1] = ("    labels = %s,\n"):format(source.of(profile.labels, "    ", 10))
    end
    return table.concat(fields)
end

local function name_list(parts)
    local lines, current = {}, "       "
    for _, part in ipairs(parts) do
        if #current + #part.variable + 2 > 120 then
            lines[#lines + 1], current = current, "       "
        end
        current = current .. " " .. part.variable .. ","
    end
    lines[#lines + 1] = current
    local short = table.concat(lines):gsub("^%s+", ""):gsub(",$", "")
    if #lines == 1 and #short < 90 then
        return ("{ %s }"):format(short)
    end
    return "{\n" .. table.concat(lines, "\n") .. "\n    }"
end

local function return_text(profile, components)
    return ("return bk.profile %s {\n%s    components = %s,\n}\n"):format(source.quoted(profile.name),
        profile_fields(profile), components)
end

local function own_fields(part)
    return part.fields
end

local function whole(profile, parts, body)
    return head_of(profile) .. 'local bk = require "bk"\n\n' .. body .. (#parts > 0 and "\n" or "")
        .. return_text(profile, #parts > 0 and name_list(parts) or "{}")
end

--- The profile as one file.
function layout.one(profile)
    local parts = in_order(profile.parts)
    local naming = name_parts(parts, profile.release)
    return whole(profile, parts, definitions(parts, naming, own_fields))
end

-- Texts that are better off as files: of configs, by the path of each.
local function texts_of(parts, files)
    local moved = {}
    for _, part in ipairs(parts) do
        for key, text in next, part.word == "config" and part.fields or {} do
            local _, newlines = text:gsub("\n", "")
            if (newlines > TEXT_LINES_MAX or #text > TEXT_MAX) and #text < 1 << 20 and not key:find "^%.+$" then
                local path = ("files/%s/%s"):format(part.name, key)
                files[path] = text
                moved[part] = moved[part] or {}
                moved[part][key] = path
            end
        end
    end
    return moved
end

local function fields_with_files(moved)
    return function(part)
        if not moved[part] then
            return part.fields
        end
        local fields = {}
        for key, text in next, part.fields do
            local path = moved[part][key]
            fields[key] = path and expression.call("read", path) or text
        end
        return fields
    end
end

-- The file that a part lies in when nothing draws it to another; a workload has its own.
local themes = {
    service_account = "rights", role = "rights", cluster_role = "rights", role_binding = "rights",
    cluster_role_binding = "rights", storage_class = "storage", persistent_volume = "storage", claim = "storage",
    config = "configs", secret = "configs", service = "routes", ingress = "routes", external = "routes",
    network_policy = "routes", crd = "crds", resource = "crds",
    deployment = false, statefulset = false, daemonset = false, job = false, cronjob = false,
}

local function theme_of(part)
    local theme = themes[part.of and "resource" or part.word]
    return theme or theme == false and part.name or "others"
end

--- The file of each part: that of the workload that holds it, of the account that it is about, or of its theme;
--- "shared" for what several files hold.
local function files_of(parts)
    local place = {}
    for _, part in ipairs(parts) do
        place[part] = theme_of(part)
    end
    for _, part in ipairs(parts) do
        for _, one in ipairs(place[part] ~= "rights" and held_by(part) or {}) do
            local is_drawn = place[one] ~= theme_of(one) and place[one] ~= place[part]
            place[one] = is_drawn and "shared" or place[part]
        end
    end
    for _, part in ipairs(parts) do
        local held = held_by(part)
        if place[part] == "rights" and #held == 1 and place[held[1]] ~= "shared" then
            place[part] = place[held[1]]
        end
    end
    -- A theme of much is several files.
    local sizes, numbers = {}, {}
    for _, part in ipairs(parts) do
        local name = place[part]
        sizes[name] = (sizes[name] or 0) + #source.of(part.fields, "", 0, order)
        if sizes[name] > FILE_MAX then
            numbers[name], sizes[name] = (numbers[name] or 1) + 1, 0
        end
        place[part] = numbers[name] and name ~= "shared" and ("%s-%d"):format(name, numbers[name]) or name
    end
    local changed
    repeat
        changed = false
        for _, part in ipairs(parts) do
            for _, one in ipairs(held_by(part)) do
                if place[one] ~= place[part] and place[one] ~= "shared" then
                    place[one], changed = "shared", true
                end
            end
        end
    until not changed
    return place
end

-- A file of parts/; `shared` are the parts of parts/shared.lua, which have their variables.
local function part_file(profile, parts, fields_of, shared)
    local naming = name_parts(parts, profile.release, "shared")
    for _, part in ipairs(shared or {}) do
        part.variable = "shared." .. part.local_name
    end
    local uses_shared = false
    for _, part in ipairs(parts) do
        for one in next, part.references or {} do
            uses_shared = uses_shared or shared and shared[one]
        end
        uses_shared = uses_shared or part.of and shared and shared[part.of]
    end
    local lines = { 'local bk = require "bk"\n', uses_shared and 'local shared = require "parts.shared"\n' or "", "\n",
        definitions(parts, naming, fields_of) }
    if naming.in_table then
        lines[#lines + 1] = "\nreturn all\n"
    else
        local names = {}
        for i, part in ipairs(parts) do
            names[i] = ("    %s = %s,\n"):format(part.local_name, part.local_name)
        end
        lines[#lines + 1] = "\nreturn {\n" .. table.concat(names) .. "}\n"
    end
    return table.concat(lines)
end

local collecting = [[
-- Each file of parts/ returns its components by their names.
local components = {}
for _, part in ipairs {
%s} do
    for _, component in pairs(part) do
        components[#components + 1] = component
    end
end

]]

--- The profile as files by their names below its folder: profile.lua, what is large of configs below files/, and
--- parts/ where it is long.
function layout.folder(profile)
    local files = {}
    local parts = in_order(profile.parts)
    local fields_of = fields_with_files(texts_of(parts, files))
    local body = definitions(parts, name_parts(parts, profile.release), fields_of)
    local _, lines = body:gsub("\n", "")
    if lines <= LINES_MAX then
        files["profile.lua"] = whole(profile, parts, body)
        return files
    end
    local place, by_place, places = files_of(parts), {}, {}
    for _, part in ipairs(parts) do
        local name = place[part]
        if not by_place[name] then
            by_place[name] = {}
            places[#places + 1] = name
        end
        table.insert(by_place[name], part)
        by_place[name][part] = true
    end
    if by_place.shared then
        files["parts/shared.lua"] = part_file(profile, by_place.shared, fields_of)
    end
    local requires = {}
    for _, name in ipairs(places) do
        if name ~= "shared" then
            files["parts/" .. name .. ".lua"] = part_file(profile, by_place[name], fields_of, by_place.shared)
        end
        requires[#requires + 1] = ("    require %s,\n"):format(source.quoted("parts." .. name))
    end
    files["profile.lua"] = head_of(profile) .. 'local bk = require "bk"\n\n'
        .. collecting:format(table.concat(requires)) .. return_text(profile, "components")
    return files
end

return layout
