-- What is around an object of the input: the parts that it may hold, and what the profile gives to all.

local difference = require "import.difference"
local expression = require "import.expression"
local json = require "import.json"
local port = require "bk.port"
local profile = require "bk.profile"

local surroundings = {}

local call, method, reference = expression.call, expression.method, expression.reference

-- Kinds that belong to no namespace.
local of_cluster = {}
for kind in ("Namespace Node PersistentVolume ClusterRole ClusterRoleBinding CustomResourceDefinition StorageClass "
    .. "PriorityClass IngressClass ValidatingWebhookConfiguration MutatingWebhookConfiguration APIService CSIDriver "
    .. "CSINode RuntimeClass FlowSchema PriorityLevelConfiguration ValidatingAdmissionPolicy VolumeAttachment "
    .. "ValidatingAdmissionPolicyBinding CertificateSigningRequest ClusterIssuer GatewayClass"):gmatch "%S+" do
    of_cluster[kind] = true
end
surroundings.of_cluster = of_cluster

local named_words = { StorageClass = "storage_class", PriorityClass = "priority_class",
    PersistentVolume = "persistent_volume", ServiceAccount = "service_account" }

--- The labels that most objects have.
local function common_labels(objects)
    local counts, common = {}, {}
    for _, object in ipairs(objects) do
        for key, value in pairs(json.map(object.metadata.labels)) do
            if type(value) == "string" then
                counts[key] = counts[key] or {}
                counts[key][value] = (counts[key][value] or 0) + 1
            end
        end
    end
    for key, values in pairs(counts) do
        for value, count in pairs(values) do
            if count > 2 and count * 10 >= #objects * 9 then
                common[key] = value
            end
        end
    end
    return next(common) and common or nil
end

--- The namespace that most objects have, of those that have one or could.
local function common_namespace(objects)
    local counts, total, best = {}, 0, nil
    for _, object in ipairs(objects) do
        if not of_cluster[object.kind] then
            local name = object.metadata.namespace
            total = total + 1
            if type(name) == "string" and #name <= 63 and name:find "^[a-z0-9][-a-z0-9]*$" and not name:find "%-$" then
                counts[name] = (counts[name] or 0) + 1
                best = (not best or counts[name] > counts[best]) and name or best
            end
        end
    end
    return best and counts[best] * 2 >= total and best or nil
end

--- The surroundings of a list of objects; `is_plain`: nothing is said for all of them.
function surroundings.of(name, objects, is_plain)
    local self = { parts = {}, index = {}, labels = not is_plain and common_labels(objects) or nil,
        namespace = not is_plain and common_namespace(objects) or nil }
    --- What Helm calls the release, as its charts say: it stands before the names of all objects.
    self.release_name = (self.labels or {})["app.kubernetes.io/instance"]
    self.release = profile.release({ name = name, spec = { bare = true, labels = self.labels } },
        self.namespace or "default", self.namespace)

    --- The namespace of an object, as others mean it.
    function self.place(object)
        local own = object.metadata.namespace
        return type(own) == "string" and own ~= "" and own or self.namespace or "default"
    end

    local function key_of(kind, place, name_of)
        return ("%s|%s|%s"):format(kind, of_cluster[kind] and "" or place, tostring(name_of))
    end

    --- Notes which part makes an object.
    function self.note(object, part)
        self.index[key_of(object.kind, self.place(object), object.metadata.name)] = part
    end

    --- The part that makes an object of this name, or nil.
    function self.find(kind, place, name_of)
        return self.index[key_of(kind, place, name_of)]
    end

    --- What a part sees from the namespace of `object`.
    function self.context(object)
        local place, context = self.place(object), { release = self.release }

        local function part_of(kind, word, name_of)
            local part = self.find(kind, place, name_of)
            return part and part.word == word and part or nil
        end

        function context.source(kind, name_of)
            local word = kind == "Secret" and "secret" or "config"
            local part = part_of(kind, word, name_of)
            return part and reference(part) or type(name_of) == "string" and call("existing_" .. word, name_of) or nil
        end

        function context.key(kind, name_of, key)
            local word = kind == "Secret" and "secret" or "config"
            local part = part_of(kind, word, name_of)
            if part and part.fields[key] == nil then
                return method(call("existing_" .. word, name_of), "key", key)
            end
            local source = context.source(kind, name_of)
            return source and method(source, "key", key)
        end

        local function reference_to(kind, word)
            return function(name_of)
                local part = part_of(kind, word, name_of)
                return part and reference(part)
            end
        end

        context.secret = reference_to("Secret", "secret")
        context.claim = reference_to("PersistentVolumeClaim", "claim")

        function context.account_in(namespace, name_of)
            local part = self.find("ServiceAccount", namespace or "default", name_of)
            return part and part.word == "service_account" and reference(part) or nil
        end

        --- A class, account or volume by its name: the part, or the name where there is none.
        function context.named(kind, name_of)
            local part = part_of(kind, named_words[kind], name_of)
            return part and reference(part) or name_of
        end

        function context.role(kind, name_of)
            local part = part_of(kind, kind == "Role" and "role" or "cluster_role", name_of)
            return part and reference(part)
        end

        --- The part whose Service this is, and the port that the language leads to.
        function context.by_service(name_of)
            local part = self.find("Service", place, name_of)
            if part and part.live and rawget(part.live, "service_name") == name_of then
                return part, port.default(part.live.spec.ports)
            end
        end

        --- The annotations that all objects of a component have.
        function context.common_annotations(main, others)
            local common = {}
            for key, value in pairs(json.map(main.metadata.annotations)) do
                common[key] = value
                for _, other in ipairs(others) do
                    if json.map(other.metadata.annotations)[key] ~= value then
                        common[key] = nil
                    end
                end
            end
            return common
        end

        --- The meta of a component called `name_of` that makes `wanted` and others, or nil.
        function context.meta(wanted, name_of, others)
            local metadata, meta = wanted.metadata, {}
            meta.name = metadata.name ~= name_of and metadata.name or nil
            if not of_cluster[wanted.kind] and metadata.namespace ~= self.namespace then
                meta.namespace = metadata.namespace or expression.remove
            end
            meta.labels = difference.between(self.labels or {}, json.map(metadata.labels))
            local annotations = context.common_annotations(wanted, others or {})
            meta.annotations = next(annotations) and annotations or nil
            return next(meta) and meta or nil
        end

        --- The labels in which an object differs from its component's main one, and the annotations that it has
        --- beside the common ones.
        function context.own_metadata(child, main, annotations)
            return { labels = difference.between(json.map(main.metadata.labels), json.map(child.metadata.labels)),
                annotations = difference.between(annotations, json.map(child.metadata.annotations)) }
        end

        return context
    end

    return self
end

return surroundings
