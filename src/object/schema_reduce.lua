-- Reduces the API description of a Kubernetes release to the tables of src/object/schema_table.h:
--   lua5.4 schema_reduce.lua <folder of the Go module k8s.io/kubernetes> > schema_data.c
-- Types, fields and what is required come from its swagger.json. That file lacks the enumerations,
-- which come from the Go source of the same description.
local cjson = require "cjson"

local root = assert(arg[1], "usage: schema_reduce.lua FOLDER")

local function read(name)
    local file = assert(io.open(root .. "/" .. name, "rb"))
    local text = file:read "a"
    file:close()
    return text
end

local swagger = cjson.decode(read "api/openapi-spec/swagger.json")
local definitions = swagger.definitions

local function sorted_keys(map)
    local keys = {}
    for key in pairs(map) do keys[#keys + 1] = key end
    table.sort(keys)
    return keys
end

local core, meta = "io.k8s.api.core.v1.", "io.k8s.apimachinery.pkg.apis.meta.v1."

-- Rules that no schema states, by the definition and field that they hold for.
local checks = {
    [meta .. "ObjectMeta"] = { labels = "LABELS", annotations = "ANNOTATIONS", namespace = "DNS_LABEL" },
    [meta .. "LabelSelector"] = { matchLabels = "LABELS" },
    [meta .. "LabelSelectorRequirement"] = { key = "LABEL_KEY" },
    [core .. "PodSpec"] = { nodeSelector = "LABELS", hostname = "DNS_LABEL", subdomain = "DNS_LABEL" },
    [core .. "ServiceSpec"] = { selector = "LABELS" },
    [core .. "ReplicationControllerSpec"] = { selector = "LABELS" },
    ["io.k8s.api.node.v1.Scheduling"] = { nodeSelector = "LABELS" },
    [core .. "Container"] = { name = "DNS_LABEL" },
    [core .. "EphemeralContainer"] = { name = "DNS_LABEL" },
    [core .. "Volume"] = { name = "DNS_LABEL" },
    [core .. "EnvVar"] = { name = "ENV_NAME" },
    [core .. "ContainerPort"] = { containerPort = "PORT", hostPort = "PORT_OR_ZERO", name = "PORT_NAME" },
    [core .. "ServicePort"] = { port = "PORT", nodePort = "PORT_OR_ZERO", targetPort = "PORT_REF", name = "DNS_LABEL" },
    [core .. "HTTPGetAction"] = { port = "PORT_REF" },
    [core .. "TCPSocketAction"] = { port = "PORT_REF" },
    [core .. "GRPCAction"] = { port = "PORT" },
    [core .. "ConfigMap"] = { data = "DATA_KEYS", binaryData = "DATA_KEYS" },
    [core .. "Secret"] = { data = "DATA_KEYS", stringData = "DATA_KEYS" },
}

-- Required by the description, yet the server takes their absence for 0; so it does with booleans.
local zero_will_do = {
    [core .. "ISCSIVolumeSource"] = { lun = true },
    [core .. "ISCSIPersistentVolumeSource"] = { lun = true },
    [core .. "SleepAction"] = { seconds = true },
    ["io.k8s.api.apps.v1.ControllerRevision"] = { revision = true },
}

local special = {
    ["io.k8s.apimachinery.pkg.api.resource.Quantity"] = "QUANTITY",
    ["io.k8s.apimachinery.pkg.util.intstr.IntOrString"] = "INT_OR_STRING",
    [meta .. "Time"] = "TIME",
    [meta .. "MicroTime"] = "TIME",
}

-- "api_core_v1_Container", as the names of the functions in the Go source end
local function go_name(definition)
    return definition:gsub("[^%w]", "_"):match "([^_]+_[^_]+_[^_]+_[^_]+)$"
end

-- enums[definition][field] = { values, of_items }
local function read_enums()
    local by_go_name, enums = {}, {}
    for name in pairs(definitions) do
        local go = go_name(name)
        if go then by_go_name[go] = name end
    end
    local definition, property
    for line in read "pkg/generated/openapi/zz_generated.openapi.go":gmatch "[^\n]+" do
        local func = line:match "^func schema_([%w_]+)"
        if func then definition = by_go_name[func:match "([^_]+_[^_]+_[^_]+_[^_]+)$"] end
        property = line:match '^\t\t\t\t\t"([^"]+)": {$' or property
        local tabs, list = line:match "^(\t+)Enum: +%[%]interface{}{(.*)}"
        if list and definition then
            local values = {}
            for value in list:gmatch '"([^"]*)"' do values[#values + 1] = value end
            table.sort(values)
            assert(#tabs == 7 or #tabs == 10, "an enumeration at an unknown depth")
            assert(definitions[definition].properties[property], property)
            enums[definition] = enums[definition] or {}
            enums[definition][property] = { values = values, of_items = #tabs == 10 }
        end
    end
    return enums
end
local enums = read_enums()

-- nodes[i] = { type, flags, words, child, fields = { { name, node, required, check } } }; a definition
-- is a node from the moment it is first met, so that it may contain itself.
local nodes, by_definition = {}, {}
local convert

local function new_node(node)
    nodes[#nodes + 1] = node
    return #nodes
end

local function convert_definition(name)
    if by_definition[name] then return by_definition[name] end
    local definition = assert(definitions[name], name)
    local node = { type = "ANY", flags = {} }
    local index = new_node(node)
    by_definition[name] = index
    if special[name] then
        node.type = special[name]
        if node.type == "TIME" then node.flags = { "SCHEMA_NULLABLE" } end
        if node.type == "INT_OR_STRING" then node.flags = { "SCHEMA_INT32" } end
    elseif definition.properties then
        local required = {}
        for _, field in ipairs(definition.required or {}) do required[field] = true end
        node.type, node.fields = "OBJECT", {}
        for _, field in ipairs(sorted_keys(definition.properties)) do
            local property = definition.properties[field]
            node.fields[#node.fields + 1] = {
                name = field,
                node = convert(property, enums[name] and enums[name][field]),
                required = required[field] and property.type ~= "boolean"
                    and not (zero_will_do[name] and zero_will_do[name][field]) or false,
                check = checks[name] and checks[name][field] or "NONE",
            }
        end
        for field in pairs(checks[name] or {}) do assert(definition.properties[field], name .. "." .. field) end
    elseif definition.type == "string" then
        node.type = "STRING"
    end
    return index
end

function convert(schema, enum)
    if schema["$ref"] then return convert_definition(schema["$ref"]:match "^#/definitions/(.+)$") end
    local node = { type = "ANY", flags = {} }
    if schema.type == "string" then
        node.type = schema.format == "byte" and "BYTES" or schema.format == "date-time" and "TIME" or "STRING"
        if enum and not enum.of_items then node.words = enum.values end
    elseif schema.type == "integer" then
        node.type = "INTEGER"
        if schema.format == "int32" then node.flags = { "SCHEMA_INT32" } end
    elseif schema.type == "number" then
        node.type = "NUMBER"
    elseif schema.type == "boolean" then
        node.type = "BOOLEAN"
    elseif schema.type == "array" then
        node.type = "ARRAY"
        node.child = convert(schema.items, enum and enum.of_items and { values = enum.values })
        node.words = schema["x-kubernetes-list-map-keys"]
            or schema["x-kubernetes-patch-merge-key"] and { schema["x-kubernetes-patch-merge-key"] }
    elseif schema.additionalProperties then
        node.type, node.child = "MAP", convert(schema.additionalProperties)
    elseif schema.properties then
        error "an object inside an object has a definition of its own"
    end
    return new_node(node)
end

-- Kinds. Those that describe the API itself are no objects of it.
local namespaced = {}
for path, operations in pairs(swagger.paths) do
    for _, operation in pairs(operations) do
        local gvk = type(operation) == "table" and operation["x-kubernetes-group-version-kind"]
        if gvk and path:find("/namespaces/{namespace}/", 1, true) then
            namespaced[gvk.group .. "/" .. gvk.version .. "/" .. gvk.kind] = true
        end
    end
end

local kinds = {}
for _, name in ipairs(sorted_keys(definitions)) do
    for _, gvk in ipairs(definitions[name]["x-kubernetes-group-version-kind"] or {}) do
        local listing = gvk.kind:find "List$" and definitions[name].properties.items
        if not listing and name:sub(1, #meta) ~= meta then
            kinds[#kinds + 1] = {
                group = gvk.group, version = gvk.version, kind = gvk.kind, node = convert_definition(name),
                namespaced = namespaced[gvk.group .. "/" .. gvk.version .. "/" .. gvk.kind] or false,
            }
        end
    end
end
table.sort(kinds, function(a, b)
    if a.kind ~= b.kind then return a.kind < b.kind end
    if a.group ~= b.group then return a.group < b.group end
    return a.version < b.version
end)
local object_meta = convert_definition(meta .. "ObjectMeta")

-- Nodes of equal meaning become one: classes of nodes are split until no two nodes of a class differ
-- in themselves or in the classes of what they contain.
local class = {}
for i = 1, #nodes do class[i] = 1 end
local function describe(node)
    local parts = { node.type, table.concat(node.flags, "|"), table.concat(node.words or {}, ","),
        node.child and class[node.child] or 0 }
    for _, field in ipairs(node.fields or {}) do
        parts[#parts + 1] = ("%s:%d:%s:%s"):format(field.name, class[field.node], field.required, field.check)
    end
    return table.concat(parts, ";")
end
local count, before = 1, 0
while count ~= before do
    local seen, split = {}, {}
    before, count = count, 0
    for i, node in ipairs(nodes) do
        local key = class[i] .. "/" .. describe(node)
        if not seen[key] then
            count = count + 1
            seen[key] = count
        end
        split[i] = seen[key]
    end
    class = split
end
local chosen = {}
for i, node in ipairs(nodes) do chosen[class[i]] = chosen[class[i]] or node end

-- Output
local pool, offsets, pool_size = {}, {}, 0
local function offset(text)
    if not offsets[text] then
        assert(not text:find '[^ -~]' and not text:find '["\\?]', text)
        offsets[text] = pool_size
        pool[#pool + 1] = ('"%s\\0"'):format(text)
        pool_size = pool_size + #text + 1
    end
    return offsets[text]
end

local fields, words, node_rows, kind_rows = {}, {}, {}, {}
local function place(list, rows)
    local key = table.concat(rows, " ")
    list.places = list.places or {}
    if not list.places[key] then
        list.places[key] = #list
        table.move(rows, 1, #rows, #list + 1, list)
    end
    return list.places[key]
end

for i, node in ipairs(chosen) do
    local first, number, flags, rows = 0, 0, { table.unpack(node.flags) }, {}
    for k, field in ipairs(node.fields or {}) do
        rows[k] = ("{%d,%d,%d,SCHEMA_CHECK_%s},"):format(offset(field.name), class[field.node] - 1,
            field.required and 1 or 0, field.check)
        if field.required then flags[1] = "SCHEMA_HAS_REQUIRED" end
    end
    if node.fields then first, number = place(fields, rows), #rows end
    if node.words then
        for k, word in ipairs(node.words) do rows[k] = offset(word) .. "," end
        first, number = place(words, rows), #rows
    end
    node_rows[i] = ("{%d,%d,%d,SCHEMA_%s,%s},"):format(first, node.child and class[node.child] - 1 or 0, number,
        node.type, flags[1] and table.concat(flags, "|") or "0")
end
for i, kind in ipairs(kinds) do
    kind_rows[i] = ("{%d,%d,%d,%d,%s},"):format(offset(kind.group), offset(kind.version), offset(kind.kind),
        class[kind.node] - 1, kind.namespaced and "SCHEMA_NAMESPACED" or "0")
end
assert(#chosen < 65536 and object_meta)

local function print_rows(head, rows, tail)
    print(head)
    local line = ""
    for _, row in ipairs(rows) do
        if #line + #row > 100 then
            print(line)
            line = ""
        end
        line = line .. row
    end
    print(line)
    print(tail)
end

-- SCHEMA_CHECK_NONE is all but every field's.
for i, row in ipairs(fields) do fields[i] = row:gsub("SCHEMA_CHECK_NONE", "0") end

local version = root:match "@(v[%d.]+)" or "?"
print(([[
/*
 * The schemas of Kubernetes %s. Made by `make schema` (src/object/schema_reduce.lua) from
 * swagger.json and zz_generated.openapi.go of the Go module k8s.io/kubernetes; don't edit.
 */
#include "object/schema_table.h"

/* clang-format off */]]):format(version))
print_rows("static const char pool[] =", pool, ";")
print_rows("static const struct schema_node nodes[] = {", node_rows, "};")
print_rows("static const struct schema_entry entries[] = {", fields, "};")
print_rows("static const uint32_t words[] = {", words, "};")
print_rows("static const struct schema_kind_entry kinds[] = {", kind_rows, "};")
print(([[
const struct schema_table schema_builtin = {
    pool, nodes, entries, words, kinds, %d, %d,
};

const char schema_release[] = "%s";]]):format(#kinds, class[object_meta] - 1, version))
