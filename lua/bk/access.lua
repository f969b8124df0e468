-- What pods and people may do: service accounts, roles, and who has them.
-- kubernetes.io/docs/reference/access-authn-authz/rbac/

local check = require "bk.check"
local component = require "bk.component"
local patch = require "bk.patch"

local access = {}

local rbac = "rbac.authorization.k8s.io/v1"
local rule_fields = {
    groups = check.list(check.text), resources = check.list(check.text), verbs = check.list(check.text),
    names = check.list(check.text), urls = check.list(check.text),
}

local function policy_rules(self, field)
    local made = {}
    for i, rule in ipairs(self.spec[field]) do
        local what = ("%s '%s': %s[%d]"):format(self.word, self.name, field, i)
        check.fields(self.where, what, rule, rule_fields)
        if check.missing(rule, "verbs") or check.missing(rule, "resources") and check.missing(rule, "urls") then
            check.fail_at(self.where, self.spec[field], i, "%s: wants resources (or urls) and verbs", what)
        end
        made[i] = {
            apiGroups = rule.resources and (rule.groups or { "" }), resources = rule.resources, verbs = rule.verbs,
            resourceNames = rule.names, nonResourceURLs = rule.urls,
        }
    end
    return made
end

local function account_subject(account, release)
    return { kind = "ServiceAccount", name = component.object_name(account), namespace = release.namespace_of(account) }
end

local function binding(kind, role, metadata, subjects)
    return {
        apiVersion = rbac, kind = kind .. "Binding", metadata = metadata, subjects = subjects,
        roleRef = { apiGroup = "rbac.authorization.k8s.io", kind = role.kind, name = role.name },
    }
end

--- bk.service_account "name" { rules = { { groups, resources, verbs, names } }, cluster_rules, token,
--- pull_secrets, annotations }: a ServiceAccount, with a Role for its namespace and a ClusterRole (named
--- namespace-name; in a bare profile as the account) bound to it. A component has it as service_account.
access.service_account = component.define("service account", {
    rules = check.list(check.map), cluster_rules = check.list(check.map), token = check.flag,
    pull_secrets = check.list(check.text), annotations = check.map,
}, {}, function(self, release)
    local spec, name, pull_secrets = self.spec, component.object_name(self), nil
    for i, secret in ipairs(spec.pull_secrets or {}) do
        pull_secrets = pull_secrets or {}
        pull_secrets[i] = { name = secret }
    end
    local metadata = release.metadata(self, name)
    metadata.annotations = spec.annotations and patch.merge(metadata.annotations or {}, spec.annotations)
        or metadata.annotations
    local objects = { {
        apiVersion = "v1", kind = "ServiceAccount", metadata = metadata, imagePullSecrets = pull_secrets,
        automountServiceAccountToken = spec.token,
    } }
    local function add(field, kind, make)
        if spec[field] then
            local role = make()
            objects[#objects + 1] = { apiVersion = rbac, kind = kind, metadata = role,
                rules = policy_rules(self, field) }
            objects[#objects + 1] = binding(kind, { kind = kind, name = role.name }, make(),
                { account_subject(self, release) })
        end
    end
    add("rules", "Role", function()
        return release.metadata(self, name)
    end)
    add("cluster_rules", "ClusterRole", function()
        return release.cluster_metadata(self, release.bare and name or release.namespace .. "-" .. name)
    end)
    return objects
end)

-- Roles of their own, and who has them.

local subject_rules = { user = check.text, group = check.text, account = check.text, namespace = check.text }

local is_subject = check.either("a bk.service_account, or { user = \"name\" }, { group = \"name\" } or "
    .. "{ account = \"name\", namespace = \"name\" }", check.map, function(value)
    return check.kind(value) ~= "component" or value.word ~= "service account" or nil
end)

local function subjects_of(self, release, uses)
    local made = {}
    for i, one in ipairs(self.spec.to) do
        if check.kind(one) == "component" then
            uses(one)
            made[i] = account_subject(one, release)
        else
            local what = ("%s '%s': to[%d]"):format(self.word, self.name, i)
            check.fields(self.where, what, one, subject_rules)
            local kind = one.user and "User" or one.group and "Group" or one.account and "ServiceAccount"
            if not kind then
                check.fail_at(self.where, self.spec.to, i, "%s: wants a user, a group or an account", what)
            end
            made[i] = { kind = kind, name = one.user or one.group or one.account,
                apiGroup = not one.account and "rbac.authorization.k8s.io" or nil,
                namespace = one.account and (one.namespace or release.namespace) or nil }
        end
    end
    return made
end

local function role(word, kind, metadata_of)
    return component.define(word, {
        rules = check.list(check.map), to = check.list(is_subject),
        aggregate = kind == "ClusterRole" and check.list(check.map) or nil,
    }, {}, function(self, release, uses)
        local spec, name = self.spec, component.object_name(self)
        local objects = { {
            apiVersion = rbac, kind = kind, metadata = release[metadata_of](self, name),
            rules = spec.rules and setmetatable(policy_rules(self, "rules"), { __name = "bk.array" }) or nil,
            aggregationRule = spec.aggregate and { clusterRoleSelectors = spec.aggregate } or nil,
        } }
        if spec.to then
            objects[2] = binding(kind, { kind = kind, name = name }, release[metadata_of](self, name),
                subjects_of(self, release, uses))
        end
        return objects
    end)
end

local is_role = check.either("a bk.role, a bk.cluster_role or the name of one", check.text, function(value)
    return check.kind(value) ~= "component" or value.word ~= "role" and value.word ~= "cluster role" or nil
end)

local function role_binding(word, kind, metadata_of)
    return component.define(word, {
        role = kind == "Role" and is_role or nil, cluster_role = is_role, to = check.list(is_subject),
    }, { "to" }, function(self, release, uses)
        local spec = self.spec
        local given = spec.role or spec.cluster_role
        if not given or spec.role and spec.cluster_role then
            check.fail(self.where, "%s '%s': wants %s", word, self.name,
                kind == "Role" and "either a role or a cluster_role" or "a cluster_role")
        end
        local bound = { kind = spec.role and "Role" or "ClusterRole", name = component.use(given, uses) }
        return { binding(kind, bound, release[metadata_of](self, component.object_name(self)),
            subjects_of(self, release, uses)) }
    end)
end

--- bk.role "name" { rules = { { groups, resources, verbs, names } }, to = { account, { group = "name" } } }: a Role,
--- and with `to` its RoleBinding. bk.cluster_role: for the whole cluster; `aggregate` are labels of those that it is
--- made of.
access.role = role("role", "Role", "metadata")
access.cluster_role = role("cluster role", "ClusterRole", "cluster_metadata")
--- bk.role_binding "name" { role or cluster_role, to = { ... } }: who has a role that is made elsewhere, or that has
--- more than one binding. bk.cluster_role_binding: for the whole cluster.
access.role_binding = role_binding("role binding", "Role", "metadata")
access.cluster_role_binding = role_binding("cluster role binding", "ClusterRole", "cluster_metadata")

return access
