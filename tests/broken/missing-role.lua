local bk = require "bk"

local account = bk.service_account "deployer" { token = false }

local binding = bk.role_binding "deploys" {
    role = "deploy", -- <- missing-role roleRef.name
    to = { account },
}

local role = bk.role "deploy-all" {
    rules = { { groups = { "apps" }, resources = { "deployments" }, verbs = { "get", "patch" } } },
}

return bk.profile "shop" { components = { account, role, binding } }
