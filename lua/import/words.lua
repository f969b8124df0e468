-- Objects of the input that are a component by themselves, by their kind: how the language says them. Each is a
-- function of the object and of what is around it, which returns the word and its fields.

local expression = require "import.expression"
local json = require "import.json"
local route = require "import.route"
local workload = require "import.workload"

local words = {}

--- The apiVersions that the language writes; objects of others stay as they are.
words.versions = {
    ConfigMap = "v1", Secret = "v1", Service = "v1", ServiceAccount = "v1", PersistentVolumeClaim = "v1",
    PersistentVolume = "v1", Namespace = "v1", ResourceQuota = "v1", LimitRange = "v1",
    Deployment = "apps/v1", StatefulSet = "apps/v1", DaemonSet = "apps/v1", Job = "batch/v1", CronJob = "batch/v1",
    Ingress = "networking.k8s.io/v1", NetworkPolicy = "networking.k8s.io/v1",
    HorizontalPodAutoscaler = "autoscaling/v2", PodDisruptionBudget = "policy/v1",
    Role = "rbac.authorization.k8s.io/v1", ClusterRole = "rbac.authorization.k8s.io/v1",
    RoleBinding = "rbac.authorization.k8s.io/v1", ClusterRoleBinding = "rbac.authorization.k8s.io/v1",
    StorageClass = "storage.k8s.io/v1", PriorityClass = "scheduling.k8s.io/v1",
    CustomResourceDefinition = "apiextensions.k8s.io/v1",
}

local made = {}
words.made = made

function made.Service(object)
    local spec = json.map(object.spec)
    if spec.type == "ExternalName" then
        return "external", { host = spec.externalName }
    end
    return "service", route.service_fields(object)
end

function made.Ingress(object, context)
    return "ingress", route.ingress_fields(object, context, function(backend)
        local name, port = json.map(backend.service).name, route.backend_port(backend)
        local part, default = context.by_service(name)
        if part and port == default then
            return expression.reference(part)
        end
        return { service = part and expression.reference(part) or name, port = port }
    end)
end

function made.NetworkPolicy(object, context)
    local fields = route.policy_fields(object, nil, context.release)
    local labels = json.map(json.map(object.spec).podSelector).matchLabels
    fields.selector = labels
    return "network_policy", fields
end

function made.PersistentVolumeClaim(object, context)
    return "claim", workload.claim_fields(json.map(object.spec), {}, context)
end

local volume_sources = {}
for kind in ("csi local iscsi fc rbd cephfs awsElasticBlockStore gcePersistentDisk azureDisk azureFile vsphereVolume "
    .. "glusterfs cinder portworxVolume scaleIO flexVolume storageos"):gmatch "%S+" do
    volume_sources[kind] = true
end

function made.PersistentVolume(object, context)
    local spec = json.map(object.spec)
    local fields = {
        size = json.map(spec.capacity).storage, modes = spec.accessModes, reclaim = spec.persistentVolumeReclaimPolicy,
        class = context.named("StorageClass", spec.storageClassName),
        mount_options = spec.mountOptions, volume_mode = spec.volumeMode,
    }
    if spec.hostPath then
        fields.source = expression.call("host_path", spec.hostPath.path, spec.hostPath.type)
    elseif spec.nfs then
        fields.source = expression.call("nfs", { server = spec.nfs.server, path = spec.nfs.path,
            read_only = spec.nfs.readOnly })
    else
        for kind, source in pairs(spec) do
            if volume_sources[kind] then
                fields.source = expression.call("volume", { [kind] = source })
            end
        end
    end
    local term = json.list(json.map(json.map(spec.nodeAffinity).required).nodeSelectorTerms)[1]
    for _, one in ipairs(json.list(json.map(term).matchExpressions)) do
        fields.nodes = fields.nodes or {}
        local values = json.list(one.values)
        fields.nodes[one.key] = #values == 1 and values[1] or values
    end
    return "persistent_volume", fields
end

function made.StorageClass(object)
    local annotations, said = {}, { kind = object.kind, metadata = {} }
    for key, value in pairs(object.metadata) do
        said.metadata[key] = value
    end
    for key, value in pairs(json.map(object.metadata.annotations)) do
        annotations[key] = value
    end
    local flag = annotations["storageclass.kubernetes.io/is-default-class"]
    local is_default = ({ ["true"] = true, ["false"] = false })[flag]
    if is_default ~= nil then
        annotations["storageclass.kubernetes.io/is-default-class"] = nil
    end
    said.metadata.annotations = annotations
    return "storage_class", {
        default = is_default,
        provisioner = object.provisioner, parameters = object.parameters, reclaim = object.reclaimPolicy,
        binding = object.volumeBindingMode, expansion = object.allowVolumeExpansion,
        mount_options = object.mountOptions,
    }, said
end

function made.PriorityClass(object)
    return "priority_class", { value = object.value, default = object.globalDefault, description = object.description,
        preemption = object.preemptionPolicy }
end

function made.Namespace()
    return "namespace", {}
end

function made.ResourceQuota(object)
    local spec = json.map(object.spec)
    return "quota", { hard = spec.hard, scopes = spec.scopes }
end

function made.LimitRange(object)
    local fields = {}
    for _, one in ipairs(json.list(json.map(object.spec).limits)) do
        local name = ({ Container = "container", Pod = "pod", PersistentVolumeClaim = "claim" })[one.type]
        if name then
            fields[name] = { max = one.max, min = one.min, default = one.default, request = one.defaultRequest,
                ratio = one.maxLimitRequestRatio }
        end
    end
    return "limits", fields
end

function made.CustomResourceDefinition(object)
    local spec = json.map(object.spec)
    local names, entries = json.map(spec.names), {}
    local fields = { kind = names.kind, list = names.listKind, singular = names.singular, short = names.shortNames,
        categories = names.categories, scope = spec.scope ~= "Namespaced" and spec.scope or nil }
    local last, is_sorted = nil, true
    for i, one in ipairs(json.list(spec.versions)) do
        entries[i] = { [one.name] = json.map(one.schema).openAPIV3Schema }
        is_sorted = is_sorted and (not last or last < one.name)
        last = one.name
        fields.storage = one.storage == true and one.name or fields.storage
        fields.status = fields.status or json.map(one.subresources).status and true or nil
        if one.additionalPrinterColumns then
            fields.columns = fields.columns or {}
            fields.columns[one.name] = one.additionalPrinterColumns
        end
    end
    if #entries == 1 then
        fields.storage = nil
    end
    fields.versions = entries
    if is_sorted then
        fields.versions = {}
        for _, entry in ipairs(entries) do
            local name, schema = next(entry)
            fields.versions[name] = schema
        end
    end
    return "crd", fields
end

-- Rights.

--- The rules of a role in the language's words.
local function rules_of(list)
    if not json.is_list(list) then
        return nil
    end
    local rules = {}
    for i, rule in ipairs(list) do
        local groups = rule.apiGroups
        if rule.resources and json.same(groups, { "" }) then
            groups = nil
        end
        rules[i] = { groups = groups, resources = rule.resources, verbs = rule.verbs, names = rule.resourceNames,
            urls = rule.nonResourceURLs }
    end
    return setmetatable(rules, #rules == 0 and getmetatable(list) or nil)
end
words.rules_of = rules_of

--- Who has a role.
local function subjects_of(list, context)
    local to = {}
    for i, one in ipairs(json.list(list)) do
        if one.kind == "ServiceAccount" then
            local part = context.account_in(one.namespace, one.name)
            to[i] = part or { account = one.name, namespace = one.namespace }
        else
            to[i] = { [one.kind == "Group" and "group" or "user"] = one.name }
        end
    end
    return to
end

local function role(word)
    return function(object, context, binding)
        local aggregate = json.map(object.aggregationRule).clusterRoleSelectors
        return word, { rules = rules_of(object.rules), aggregate = aggregate,
            to = binding and subjects_of(binding.subjects, context) }
    end
end

made.Role, made.ClusterRole = role "role", role "cluster_role"

local function binding(word)
    return function(object, context)
        local reference = json.map(object.roleRef)
        local node = context.role(reference.kind, reference.name) or reference.name
        return word, { [reference.kind == "Role" and "role" or "cluster_role"] = node,
            to = subjects_of(object.subjects, context) }
    end
end

made.RoleBinding, made.ClusterRoleBinding = binding "role_binding", binding "cluster_role_binding"

function made.ServiceAccount(object, _, roles)
    local fields = { token = object.automountServiceAccountToken }
    for i, one in ipairs(json.list(object.imagePullSecrets)) do
        fields.pull_secrets = fields.pull_secrets or {}
        fields.pull_secrets[i] = one.name
    end
    roles = roles or {}
    fields.rules = roles.Role and rules_of(roles.Role.rules)
    fields.cluster_rules = roles.ClusterRole and rules_of(roles.ClusterRole.rules)
    return "service_account", fields
end

return words
