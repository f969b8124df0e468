-- Names of components for objects of the input.

local names = {}

local suffixes = { ConfigMap = "config", ServiceAccount = "account", CustomResourceDefinition = "crd",
    ClusterRoleBinding = "cluster-binding", RoleBinding = "binding", PersistentVolumeClaim = "claim" }

--- What tells an object from others of its name: "account", "flow-schema".
function names.suffix(kind)
    return suffixes[kind] or kind:gsub("(%l)(%u)", "%1-%2"):lower():gsub("[^a-z0-9]+", "-"):sub(1, 40)
end

--- A name of the language for an object: its own where the language allows it and none of `taken` is it. Else what a
--- release of Helm puts before all names is left out.
function names.new(text, kind, taken, release)
    local name, is_taken = text, taken[text]
    if #text > 63 or not text:find "^[a-z0-9][-a-z0-9]*$" or text:find "%-$" or taken[text] then
        if release and text:sub(1, #release + 1) == release .. "-" then
            text = text:sub(#release + 2)
        end
        local plain = text:lower():gsub("[^a-z0-9]+", "-"):gsub("^%-+", ""):sub(1, 63):gsub("%-+$", "")
        local suffix, count = names.suffix(kind), 1
        name = plain ~= "" and plain or "part"
        while taken[name] or is_taken do
            is_taken = false
            local tail = "-" .. suffix .. (count > 1 and "-" .. count or "")
            name = plain:sub(1, 63 - #tail):gsub("%-+$", "") .. tail
            count = count + 1
        end
    end
    taken[name] = true
    return name
end

return names
