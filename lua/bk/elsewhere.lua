-- What a profile says to be on the cluster already, by bk.existing_config and the like.

local elsewhere = {}

local known = {}

--- Remembers an object by its kind and name.
function elsewhere.note(kind, name)
    known[kind .. "/" .. name] = true
end

--- Whether an object was said to be there already.
function elsewhere.has(kind, name)
    return known[kind .. "/" .. name] ~= nil
end

return elsewhere
