-- The objects of a whole profile as its rules see them: by kind, by name, and the pods that workloads make.

local release = {}

local methods = {}
local Release = { __index = methods }

local function table_of(value)
    return type(value) == "table" and value or {}
end

--- The items of what should be a list; none when it is something else (which the schema tells).
function release.list(value)
    return ipairs(table_of(value))
end

local list = release.list

--- A path further down: release.below({ "spec" }, "containers", 0) is { "spec", "containers", 0 }.
function release.below(path, ...)
    local longer = table.move(path, 1, #path, 1, {})
    for _, key in ipairs { ... } do
        longer[#longer + 1] = key
    end
    return longer
end

local below = release.below

local templates = {
    Deployment = { "spec", "template" }, StatefulSet = { "spec", "template" }, DaemonSet = { "spec", "template" },
    ReplicaSet = { "spec", "template" }, ReplicationController = { "spec", "template" }, Job = { "spec", "template" },
    CronJob = { "spec", "jobTemplate", "spec", "template" }, Pod = {},
}

local function follow(object, path)
    for _, key in ipairs(path) do
        object = table_of(object)[key]
    end
    return object
end

local Pod = {}
Pod.__index = Pod

--- The containers of a pod, each as { spec, path, is_init, goes_on }: init containers first; `goes_on` are those that
--- run beside the others, sidecars among them.
function Pod:containers()
    local all = rawget(self, "all")
    if all then
        return ipairs(all)
    end
    all = {}
    self.all = all
    for _, field in ipairs { "initContainers", "containers" } do
        for i, spec in list(self.spec[field]) do
            if type(spec) == "table" then
                local is_init = field == "initContainers"
                all[#all + 1] = { spec = spec, path = below(self.path, field, i - 1), is_init = is_init,
                    goes_on = not is_init or spec.restartPolicy == "Always" }
            end
        end
    end
    return ipairs(all)
end

local function pod_of(entry)
    local path = templates[entry.kind]
    local template = path and follow(entry.object, path)
    local spec = table_of(template).spec
    if type(spec) ~= "table" then
        return nil
    end
    return setmetatable({ entry = entry, kind = entry.kind, name = entry.name, namespace = entry.namespace,
        object = entry.object, spec = spec, path = below(path, "spec"),
        labels = table_of(table_of(template.metadata).labels), labels_path = below(path, "metadata", "labels") }, Pod)
end

--- A release of what profile.compile() made. `broken(object)` tells of objects whose form is wrong: they are found, but
--- rules don't look into them.
function release.new(compiled, broken)
    local self = setmetatable({ name = compiled.name, environment = compiled.environment,
        namespace = compiled.namespace, components = compiled.components, entries = {}, by_kind = {}, by_name = {},
        all_pods = {}, sound_pods = {} }, Release)
    for _, component in ipairs(compiled.components) do
        for _, object in ipairs(component.objects) do
            local metadata = table_of(object.metadata)
            local entry = { component = component, object = object, kind = object.kind, name = metadata.name,
                namespace = metadata.namespace or compiled.namespace, broken = broken(object) }
            self.entries[#self.entries + 1] = entry
            local kind = tostring(entry.kind) -- a transform may have taken it away
            self.by_kind[kind] = self.by_kind[kind] or {}
            table.insert(self.by_kind[kind], entry)
            local key = ("%s/%s"):format(entry.kind, entry.name)
            self.by_name[key] = self.by_name[key] or {}
            table.insert(self.by_name[key], entry)
            local pod = pod_of(entry)
            self.all_pods[#self.all_pods + 1] = pod
            self.sound_pods[#self.sound_pods + 1] = not entry.broken and pod or nil
        end
    end
    return self
end

--- The objects of some kinds, or all, each as { object, component, kind, name, namespace }.
function methods:each(...)
    local kinds, found = { ... }, {}
    for _, kind in ipairs(kinds) do
        for _, entry in ipairs(self.by_kind[kind] or {}) do
            found[#found + 1] = not entry.broken and entry or nil
        end
    end
    if #kinds == 0 then
        for _, entry in ipairs(self.entries) do
            found[#found + 1] = not entry.broken and entry or nil
        end
    end
    local i = 0
    return function()
        i = i + 1
        return found[i]
    end
end

--- The object of that kind and name in a namespace (nil: any), or nil.
function methods:find(kind, name, namespace)
    for _, entry in ipairs(self.by_name[("%s/%s"):format(kind, tostring(name))] or {}) do
        if not namespace or entry.namespace == namespace then
            return entry
        end
    end
end

--- The names of all objects of a kind in a namespace, as a set for check.suggest().
function methods:names(kind, namespace)
    local names = {}
    for _, entry in ipairs(self.by_kind[kind] or {}) do
        if entry.namespace == namespace and type(entry.name) == "string" then
            names[entry.name] = true
        end
    end
    return names
end

--- The pods that workloads make: { object, kind, name, namespace, spec, labels, path } with containers().
function methods:pods()
    local i = 0
    return function()
        i = i + 1
        return self.sound_pods[i]
    end
end

local function matches(label, operator, values, labels)
    local value = labels[label]
    if operator == "Exists" or operator == "DoesNotExist" then
        return (value ~= nil) == (operator == "Exists")
    end
    local has = false
    for _, one in list(values) do
        has = has or one == value
    end
    return has == (operator ~= "NotIn")
end

--- Whether a LabelSelector ({ matchLabels, matchExpressions }) selects these labels.
--- kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
function release.selects(selector, labels)
    selector = table_of(selector)
    for key, value in next, table_of(selector.matchLabels) do
        if labels[key] ~= value then
            return false
        end
    end
    for _, one in list(selector.matchExpressions) do
        if type(one) == "table" and one.key and not matches(one.key, one.operator, one.values, labels) then
            return false
        end
    end
    return true
end

local function label_key(namespace, key, value)
    return ("%s|%s=%s"):format(tostring(namespace), tostring(key), tostring(value))
end

--- Pods by each of their labels, so that a selector does not look at all of them.
local function index_labels(pods)
    local by_label = {}
    for _, pod in ipairs(pods) do
        for key, value in next, pod.labels do
            local full = label_key(pod.namespace, key, value)
            by_label[full] = by_label[full] or {}
            table.insert(by_label[full], pod)
        end
    end
    return by_label
end

--- The pods of a namespace that a LabelSelector selects, as a list; also those of objects whose form is wrong.
function methods:selected(selector, namespace)
    self.by_label = self.by_label or index_labels(self.all_pods)
    local candidates, found = self.all_pods, {}
    for key, value in next, table_of(table_of(selector).matchLabels) do
        local having = self.by_label[label_key(namespace, key, value)] or {}
        candidates = #having < #candidates and having or candidates
    end
    for _, pod in ipairs(candidates) do
        if pod.namespace == namespace and release.selects(selector, pod.labels) then
            found[#found + 1] = pod
        end
    end
    return found
end

--- A Service that leads to a pod, or nil.
function methods:service_of(pod)
    if not self.services then
        self.services = {}
        for service in self:each "Service" do
            local selector = table_of(service.object.spec).selector
            local has_any = type(selector) == "table" and next(selector) ~= nil
            for _, one in ipairs(has_any and self:selected({ matchLabels = selector }, service.namespace) or {}) do
                self.services[one] = self.services[one] or service
            end
        end
    end
    return self.services[pod]
end

return release
