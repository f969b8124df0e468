-- Rules for the release as a whole: what stands twice, what waits for itself, what can't be disrupted.

local function table_of(value)
    return type(value) == "table" and value or {}
end

local function group_of(object)
    return tostring(object.apiVersion):match "^(.*)/" or ""
end

local function check_duplicates(all, report)
    local seen = {}
    for _, entry in ipairs(all.entries) do
        local identity = table.concat({ group_of(entry.object), tostring(entry.kind), entry.namespace,
            tostring(entry.name) }, "|")
        if seen[identity] then
            report(entry, { "metadata", "name" }, "%s '%s' stands twice, also in component '%s' (%s)", entry.kind,
                entry.name, seen[identity].component.name, seen[identity].component.origin)
        end
        seen[identity] = seen[identity] or entry
    end
end

local function edge_word(component, other)
    for _, name in ipairs(component.needs) do
        if name == other.name then
            return "needs"
        end
    end
    return "comes after"
end

--- "web (profile.lua:12) needs db (profile.lua:4), which comes after web: a cycle", as src/object/profile.c has it.
local function words_of(way, first, again)
    local words = { ("%s (%s)"):format(again.name, again.origin) }
    for i = first, #way do
        local other = way[i + 1] or again
        words[#words + 1] = ("%s %s %s%s"):format(i > first and ", which" or "", edge_word(way[i], other), other.name,
            way[i + 1] and (" (%s)"):format(other.origin) or "")
    end
    return table.concat(words) .. ": a cycle"
end

--- Reports each cycle of needs and `after` once, at the component where it is met first.
local function check_cycles(all, report)
    local by_name, state = {}, {}
    for _, component in ipairs(all.components) do
        by_name[component.name] = component
    end
    local function visit(component, way)
        if state[component] == "done" then
            return
        elseif state[component] then
            report({ component = component, object = component.objects[1] or {} }, {}, "%s",
                words_of(way, state[component], component))
            return
        end
        way[#way + 1] = component
        state[component] = #way
        for _, names in ipairs { component.needs, component.after or {} } do
            for _, name in ipairs(names) do
                if by_name[name] then
                    visit(by_name[name], way)
                end
            end
        end
        way[#way] = nil
        state[component] = "done"
    end
    for _, component in ipairs(all.components) do
        visit(component, {})
    end
end

local function share(value, of)
    local percent = type(value) == "string" and math.type(of) and value:match "^(%d+)%%$"
    return percent and math.ceil(of * percent / 100) or math.tointeger(value)
end

local function check_budgets(all, report)
    for entry in all:each "PodDisruptionBudget" do
        local spec = table_of(entry.object.spec)
        local pods = all:selected(spec.selector, entry.namespace)
        local workload = pods[1] and table_of(pods[1].object.spec) or {}
        local replicas = pods[1] and (workload.replicas or 1) or 0
        for other in all:each "HorizontalPodAutoscaler" do
            local target = table_of(table_of(other.object.spec).scaleTargetRef)
            if pods[1] and target.kind == pods[1].kind and target.name == pods[1].name then
                replicas = table_of(other.object.spec).minReplicas or 1
            end
        end
        local field = spec.minAvailable ~= nil and "minAvailable" or "maxUnavailable"
        local least = spec.minAvailable ~= nil and share(spec.minAvailable, replicas)
        local most = spec.maxUnavailable ~= nil and share(spec.maxUnavailable, replicas)
        if #pods == 1 and math.type(replicas) == "integer" and replicas > 0
            and (least and least >= replicas or most == 0) then
            report(entry, { "spec", field }, "%s '%s' runs %d, so no pod may ever be taken from a node: draining one "
                .. "waits for ever", pods[1].kind, pods[1].name, replicas)
        elseif #pods == 1 and replicas == 1 then
            report(entry, { "spec", field }, "%s '%s' runs one pod: a budget can't keep it there; give replicas = 2 or "
                .. "leave the budget out", pods[1].kind, pods[1].name)
        end
    end
end

local limits = { { "minute", 0, 59 }, { "hour", 0, 23 }, { "day of the month", 1, 31 }, { "month", 1, 12 },
    { "day of the week", 0, 7 } }
local words = {}
for word in ("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC SUN MON TUE WED THU FRI SAT"):gmatch "%a+" do
    words[word] = true
end

local function bad_part(part, limit)
    local range, step = part:match "^([^/]+)/(%d+)$"
    if step and tonumber(step) == 0 then
        return true
    end
    range = range or part
    if range == "*" or range == "?" or words[range:upper()] then
        return false
    end
    local from, to = range:match "^(%w+)%-(%w+)$"
    from, to = from or range, to or range
    if words[from:upper()] and words[to:upper()] then
        return false
    end
    from, to = math.tointeger(from), math.tointeger(to)
    return not from or not to or from < limit[2] or to > limit[3] or from > to
end

--- What is wrong with a schedule, or nil: kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#schedule-syntax
local function schedule_problem(schedule)
    local known = { ["@yearly"] = true, ["@annually"] = true, ["@monthly"] = true, ["@weekly"] = true,
        ["@daily"] = true, ["@midnight"] = true, ["@hourly"] = true }
    if known[schedule] or schedule:find "^@every %d" then
        return nil
    end
    local fields = {}
    for field in schedule:gmatch "%S+" do
        fields[#fields + 1] = field
    end
    if #fields ~= 5 then
        return "wants five fields (minute, hour, day, month, weekday), as \"0 3 * * *\""
    end
    for i, field in ipairs(fields) do
        for part in (field .. ","):gmatch "([^,]*)," do
            if bad_part(part, limits[i]) then
                return ("'%s' is no %s (%d to %d)"):format(field, table.unpack(limits[i]))
            end
        end
    end
end

return {
    { name = "duplicate-object", severity = "error", doc = "an object stands once", check = check_duplicates },
    { name = "dependency-cycle", severity = "error", doc = "components don't wait for each other in a circle",
        check = check_cycles },
    { name = "budget", severity = "warning", doc = "a disruption budget lets some pod go", check = check_budgets },
    { name = "budget-without-pods", severity = "error", whole = true,
        doc = "a disruption budget is for pods of the profile",
        check = function(all, report)
            for entry in all:each "PodDisruptionBudget" do
                if not all:selected(table_of(entry.object.spec).selector, entry.namespace)[1] then
                    report(entry, { "spec", "selector" }, "the selector matches no pods of the profile")
                end
            end
        end },
    { name = "bad-schedule", severity = "error", doc = "a CronJob's schedule is one of cron",
        check = function(all, report)
        for entry in all:each "CronJob" do
            local schedule = table_of(entry.object.spec).schedule
            local problem = type(schedule) == "string" and schedule_problem(schedule)
            if problem then
                report(entry, { "spec", "schedule" }, "%s", problem)
            end
        end
    end },
}
