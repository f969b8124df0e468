local cjson = require "cjson"
local support = require "support"

local base = [[
local bk = require "bk"
return bk.profile "shop" {
    default = "dev",
    environments = {
        dev = { replicas = 1, tag = "1.0", debug = true, db = { size = "1Gi" } },
        prod = { replicas = 3, tag = "1.0", debug = false, db = { size = "50Gi" } },
    },
    components = function(env)
        local db = bk.statefulset "db" { image = "hub.example.com/mysql:8", ports = { mysql = 3306 },
            claims = { data = { size = env.db.size, path = "/d" } } }
        local conf = bk.config "conf" { level = require("parts.level"), text = bk.read "files/a.txt" }
        return { db, bk.deployment "web" { image = "hub.example.com/shop:" .. env.tag, replicas = env.replicas,
            ports = { http = 80 }, env = { DB = db.host, DEBUG = env.debug }, env_from = { conf } },
            bk.deployment "worker" { image = "hub.example.com/shop:" .. env.tag } }
    end,
}]]

--- A folder with the base profile and a site beside it; runs a command on the site (or the base).
local function run(site, ...)
    local folder = support.folder({
        ["shop/profile.lua"] = base, ["shop/parts/level.lua"] = "return 'INFO'", ["shop/files/a.txt"] = "from the base",
        ["sites/here/profile.lua"] = site and "local bk = require 'bk'\n" .. site or nil,
        ["sites/here/parts/level.lua"] = "return 'of the site'",
    })
    return support.run("render", folder .. (site and "/sites/here" or "/shop"), "-o", "json", ...)
end

local function objects(...)
    local made = run(...)
    assert.equal("", made.err)
    local found = {}
    for _, object in ipairs(cjson.decode(made.out).items) do
        found[object.kind .. "/" .. object.metadata.name] = object
    end
    return found
end

local function fails(pattern, ...)
    local made = run(...)
    assert.equal(2, made.code)
    assert.equal("error", support.ending(made.out).type)
    assert.matches(pattern, made.err)
end

describe("a site", function()
    it("is the profile that it extends, with its own values", function()
        local made = objects([[return bk.extend "shop" {
            environments = { here = { base = "prod", replicas = 5 } }, default = "here", namespace = "shop-here" }]])
        assert.equal(5, made["Deployment/web"].spec.replicas)
        assert.equal("shop-here", made["Deployment/web"].metadata.namespace)
        assert.equal("50Gi", made["StatefulSet/db"].spec.volumeClaimTemplates[1].spec.resources.requests.storage)
        -- Code of the base sees its own folder.
        assert.same({ level = "INFO", text = "from the base" }, made["ConfigMap/conf"].data)
    end)

    it("overrides, removes, replaces and adds components", function()
        local made = objects([[return bk.extend "shop" {
            remove = { "worker" },
            replace = { db = bk.external "db" { host = "db.here" } },
            override = { web = { replicas = 7, env = { MORE = 1, DEBUG = bk.remove } } },
            add = { bk.deployment "extra" { image = "extra:1" } },
        }]])
        assert.is_nil(made["Deployment/worker"])
        assert.is_nil(made["StatefulSet/db"])
        assert.equal("db.here", made["Service/db"].spec.externalName)
        assert.equal(7, made["Deployment/web"].spec.replicas)
        assert.same({ { name = "DB", value = "db" }, { name = "MORE", value = "1" } },
            made["Deployment/web"].spec.template.spec.containers[1].env)
        assert.is_table(made["Deployment/extra"])
    end)

    it("takes images from elsewhere, and sees every object", function()
        local made = objects([[return bk.extend "shop" {
            images = { ["hub.example.com/"] = "registry.here/", ["hub.example.com/mysql"] = "mirror/mysql" },
            transform = function(object, component, env)
                object.metadata.labels.site = component .. "-" .. env.name
            end,
        }]])
        assert.equal("registry.here/shop:1.0", made["Deployment/web"].spec.template.spec.containers[1].image)
        assert.equal("mirror/mysql:8", made["StatefulSet/db"].spec.template.spec.containers[1].image)
        assert.equal("web-dev", made["Service/web"].metadata.labels.site)
        assert.equal("namespace-dev", made["Namespace/shop-dev"].metadata.labels.site)
    end)

    it("may lie inside the folder of what it extends, and still has its own files", function()
        local folder = support.folder({
            ["shop/profile.lua"] = base, ["shop/parts/level.lua"] = "return 'INFO'", ["shop/files/a.txt"] = "from the base",
            ["shop/sites/here/profile.lua"] = "local extend = require('bk').extend 'shop'\n"
                .. "return extend { namespace = require 'parts.name' }",
            ["shop/sites/here/parts/name.lua"] = "return 'of-here'",
        })
        local made = support.run("render", folder .. "/shop/sites/here")
        assert.equal("", made.err)
        assert.matches("namespace: of%-here\n", made.out)
        assert.matches("level: INFO\n", made.out)
    end)

    it("is told of a cycle", function()
        local folder = support.folder({
            ["east/profile.lua"] = "return require('bk').extend 'west' {}",
            ["west/profile.lua"] = "return require('bk').extend 'north' {}",
            ["north/profile.lua"] = "return require('bk').extend 'west' {}",
        })
        local made = support.run("render", folder .. "/east")
        assert.equal(2, made.code)
        assert.matches("north/profile.lua:1: profile 'west' extends itself, through what it extends", made.err)
    end)

    it("may be extended itself", function()
        local folder = support.folder({
            ["shop/profile.lua"] = base, ["shop/parts/level.lua"] = "return 1", ["shop/files/a.txt"] = "a",
            ["east/profile.lua"] = "return require('bk').extend 'shop' { override = { web = { replicas = 4 } } }",
            ["far/profile.lua"] = "return require('bk').extend 'east' { remove = { 'worker' } }",
        })
        local made = cjson.decode(support.run("render", folder .. "/far", "-o", "json").out).items
        local web
        for _, object in ipairs(made) do
            assert.not_equal("worker", object.metadata.name)
            web = object.kind == "Deployment" and object or web
        end
        assert.equal(4, web.spec.replicas)
    end)

    local wrong = {
        { "return bk.extend 'shp' {}", "profile.lua:2: no profile 'shp'" },
        { "return bk.extend '../shop' {}", "profile.lua:2: profile name '../shop'" },
        { "return bk.extend 'here' {}", "profile.lua:2: profile 'here' extends itself" },
        { "return bk.extend 'shop' { overide = {} }", "no field 'overide'; did you mean 'override'%?" },
        { "return bk.extend 'shop' {\n override = { wbe = { replicas = 1 } } }",
            "profile.lua:3: override: the profile that is extended has no component 'wbe'; did you mean 'web'%?" },
        { "return bk.extend 'shop' { remove = { 'gone' } }", "remove: the profile that is extended has no component 'gone'" },
        { "return bk.extend 'shop' { remove = { 'db' } }", "component 'web' needs 'db' .*, which the profile does not list" },
        { "return bk.extend 'shop' { override = { web = { replica = 1 } } }",
            "sites/here/profile.lua:2: component 'web': no field 'replica'" },
        { "return bk.extend 'shop' { environments = { here = { base = 'live' } } }",
            "environment 'here': its base 'live' is none of profile 'shop'" },
        { "return bk.extend 'shop' { environments = { here = { base = 'prod', replcas = 5 } } }",
            "environment 'here': profile 'shop' has no value 'replcas' in 'prod'; did you mean 'replicas'%?" },
        { "return bk.extend 'shop' { environments = { here = { base = 'prod', replicas = '5' } } }",
            "environment 'here': 'replicas' should be a number as in 'prod', not '5'" },
        { "return bk.extend 'shop' { transform = function() return 1 end }", "profile.lua:2: transform of Namespace .* returns 1" },
    }
    for _, row in ipairs(wrong) do
        it("is told: " .. row[2], function()
            fails(row[2], row[1])
        end)
    end
end)

describe("--set", function()
    it("changes values of the environment and fields of components, by their type", function()
        local made = objects(nil, "--set", "replicas=5", "--set", "db.size=2Gi", "--set", "debug=false",
            "--set", "worker.image=other:2", "--set", "web.env.DEBUG=true")
        assert.equal(5, made["Deployment/web"].spec.replicas)
        assert.equal("2Gi", made["StatefulSet/db"].spec.volumeClaimTemplates[1].spec.resources.requests.storage)
        assert.equal("other:2", made["Deployment/worker"].spec.template.spec.containers[1].image)
        assert.equal("true", made["Deployment/web"].spec.template.spec.containers[1].env[2].value)
    end)

    local wrong = {
        { "replica=5", "%-%-set replica: neither a value of environment 'dev' nor a field of a component; did you mean 'replicas'%?" },
        { "replicas=many", "%-%-set replicas: 'many' is no whole number, which it replaces %(1%)" },
        { "debug=yes", "%-%-set debug: 'yes' is no boolean" },
        { "db=1", "%-%-set db: is a table; set what is in it" },
        { "db.sise=1", "%-%-set db.sise: there is no 'sise' in db; did you mean 'size'%?" },
        { "web.replica=1", "component 'web' sets no 'replica'.*did you mean 'replicas'%?" },
        { "web.replicas=%-1", "%-%-set web.replicas: component 'web': 'replicas' should be a whole number from 0 on" },
        { "web.ports.http=0", "port 'http' should be" },
        { "replicas", "%-%-set wants path=value, e.g. web.replicas=5, not 'replicas'" },
    }
    for _, row in ipairs(wrong) do
        it("refuses " .. row[1], function()
            fails(row[2], nil, "--set", (row[1]:gsub("%%", "")))
        end)
    end
end)
