-- What pods may do: service accounts with their roles.
-- kubernetes.io/docs/reference/access-authn-authz/rbac/

local check = require "bk.check"
local component = require "bk.component"

local access = {}

local rbac = "rbac.authorization.k8s.io/v1"
local rule_fields = {
    groups = check.list(check.text), resources = check.list(check.text), verbs = check.list(check.text),
    names = check.list(check.text), urls = check.list(check.text),
}

local function policy_rules(self, field)
    local made = {}
    for i, rule in ipairs(self.spec[field]) do
        local what = ("service account '%s': %s[%d]"):format(self.name, field, i)
        check.fields(self.where, what, rule, rule_fields)
        if not rule.verbs or not (rule.resources or rule.urls) then
            check.fail(self.where, "%s: wants resources (or urls) and verbs", what)
        end
        made[i] = {
            apiGroups = rule.resources and (rule.groups or { "" }), resources = rule.resources, verbs = rule.verbs,
            resourceNames = rule.names, nonResourceURLs = rule.urls,
        }
    end
    return made
end

local function bound(self, field, kind, metadata, release)
    local subject = { kind = "ServiceAccount", name = self.name, namespace = release.namespace }
    return {
        { apiVersion = rbac, kind = kind, metadata = metadata(), rules = policy_rules(self, field) },
        {
            apiVersion = rbac, kind = kind .. "Binding", metadata = metadata(), subjects = { subject },
            roleRef = { apiGroup = "rbac.authorization.k8s.io", kind = kind, name = metadata().name },
        },
    }
end

--- bk.service_account "name" { rules = { { groups, resources, verbs, names } }, cluster_rules, token,
--- pull_secrets, annotations }: a ServiceAccount, with a Role for its namespace and a ClusterRole (named
--- namespace-name) bound to it. A component has it as service_account.
access.service_account = component.define("service account", {
    rules = check.list(check.map), cluster_rules = check.list(check.map), token = check.flag,
    pull_secrets = check.list(check.text), annotations = check.map,
}, {}, function(self, release)
    local spec, pull_secrets = self.spec, nil
    for i, name in ipairs(spec.pull_secrets or {}) do
        pull_secrets = pull_secrets or {}
        pull_secrets[i] = { name = name }
    end
    local metadata = release.metadata(self, self.name)
    metadata.annotations = spec.annotations
    local objects = { {
        apiVersion = "v1", kind = "ServiceAccount", metadata = metadata, imagePullSecrets = pull_secrets,
        automountServiceAccountToken = spec.token,
    } }
    local function add(field, kind, make)
        if spec[field] then
            for _, object in ipairs(bound(self, field, kind, make, release)) do
                objects[#objects + 1] = object
            end
        end
    end
    add("rules", "Role", function()
        return release.metadata(self, self.name)
    end)
    add("cluster_rules", "ClusterRole", function()
        return release.cluster_metadata(self, release.namespace .. "-" .. self.name)
    end)
    return objects
end)

return access
