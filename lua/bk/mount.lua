-- How a volume is mounted: the views :named "x", :sub "path", :read_only(), :writable() and :propagation "x" that
-- volumes and files share; and bk.mount, a volume of the pod by its name.

local check = require "bk.check"
local tables = require "bk.tables"

local mount = {}

local Mount = { kind = "mount", what = "a bk.mount" }

--- The number of permissions that are written as "0400".
function mount.octal(mode)
    if type(mode) ~= "string" or not mode:find "^0?[0-7][0-7][0-7]$" then
        check.fail(nil, "mode wants permissions such as '0400', not %s", check.show(mode))
    end
    return tonumber(mode, 8)
end

--- Gives `methods` the views; `view(value)` is the copy of a value that the view's own fields go to.
function mount.add_methods(methods, view)
    local function text(name, field)
        methods[name] = function(value, given)
            if check.text(given) or given == "" then
                check.fail(nil, ":%s wants a string, not %s", name, check.show(given))
            end
            return tables.with(view(value), { [field] = given })
        end
    end
    text("sub", "sub_path")

    --- :named "x": the name of the volume in the pod.
    function methods.named(value, name)
        check.name(nil, "volume", name)
        return tables.with(view(value), { volume_name = name })
    end

    --- :propagation "HostToContainer": whether mounts that are made in it later are seen on the other side.
    function methods.propagation(value, given)
        local wanted = check.one_of("None", "HostToContainer", "Bidirectional")(given)
        if wanted then
            check.fail(nil, ":propagation wants %s, not %s", wanted, check.show(given))
        end
        return tables.with(view(value), { mount_propagation = given })
    end

    function methods.read_only(value)
        return tables.with(view(value), { is_read_only = true })
    end

    function methods.writable(value)
        return tables.with(view(value), { is_read_only = false })
    end
end

Mount.__index = {}
mount.add_methods(Mount.__index, function(value)
    return value
end)

--- bk.mount "data": a volume of `pod_volumes`, or a claim of the component, by its name.
function mount.by_name(name)
    check.name(nil, "volume", name)
    return setmetatable({ volume_name = name }, Mount)
end

--- The volumeMount of a value at a path; `read_only` and `sub_path` are what it has without a view.
function mount.build(value, name, path, read_only, sub_path)
    if value.is_read_only ~= nil then
        read_only = value.is_read_only
    end
    return { name = name, mountPath = path, readOnly = read_only, subPath = value.sub_path or sub_path,
        mountPropagation = value.mount_propagation }
end

return mount
