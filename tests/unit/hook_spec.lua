-- Hooks as a profile and its sites write them; tests/e2e/hooks_spec.lua runs them.
local support = require "support"

local function profile(hooks, components)
    return support.folder { ["profile.lua"] = ([[
local bk = require "bk"
local function fn() end
return bk.profile "shop" {
    default = "dev", environments = { dev = { chat = "a" }, prod = { chat = "b" } },
    components = %s,
    hooks = %s,
}
]]):format(components or [[{ bk.config "page" { a = "1" }, bk.config "menu" { a = "1" } }]], hooks) }
end

describe("the hooks of a profile", function()
    local good = {
        "{}",
        "{ before_plan = fn, before_apply = fn, before_component = fn, after_component = fn, after_apply = fn, "
            .. "on_failure = fn, before_delete = fn, timeout = '5m' }",
        "{ before_component = { page = fn }, after_component = { menu = fn } }",
        "function(env) return { after_apply = env.name == 'prod' and fn or nil } end",
    }
    it("are functions by their names, of all components or of one", function()
        for _, hooks in ipairs(good) do
            local run = support.run("check", profile(hooks), "--all-environments")
            assert.equal(0, run.code, run.err .. run.out)
        end
    end)

    it("change nothing of what it makes", function()
        local plain = support.run("render", profile "{}").out
        assert.equal(plain, support.run("render", profile(good[2])).out)
    end)

    local bad = {
        { "{ before_aply = fn }", "hooks: no field 'before_aply'; did you mean 'before_apply'?" },
        { "{ before_apply = 'x' }", "hooks: 'before_apply' should be a function of the context, not 'x'" },
        { "{ before_apply = { page = fn } }", "hooks: 'before_apply' should be a function of the context, not a table" },
        { "{ before_component = 3 }", "'before_component' should be a function of the context, or a table" },
        { "{ after_component = { page = 'x' } }", "'after_component' should be a function of the context, or a table" },
        { "{ after_component = { pgae = fn } }", "profile has no component 'pgae'; did you mean 'page'?" },
        { "{ timeout = 'long' }", "hooks: 'timeout' should be a duration such as 10s, 5m or 1h, not 'long'" },
        { "7", "'hooks' should be a table { before_apply = function(ctx) ... end }, or a function of the environment" },
        { "function() return { after_aply = fn } end", "hooks: no field 'after_aply'" },
        { "function(env) return env.caht end", "environment 'dev' has no value 'caht'" },
    }
    it("that are wrong are told with their line", function()
        for _, row in ipairs(bad) do
            local run = support.run("check", profile(row[1]))
            assert.equal(2, run.code, row[1])
            assert.is_truthy(run.out:find(row[2], 1, true), row[1] .. ": " .. run.out)
            assert.matches("profile.lua:%d+: error: ", run.out)
            run = support.run("render", profile(row[1]))
            assert.equal(2, run.code, row[1])
            assert.is_truthy(run.err:find(row[2], 1, true), row[1] .. ": " .. run.err)
            assert.matches("^bkdeploy: [%w/._-]+profile.lua:%d+: ", run.err)
        end
    end)

    it("of a base may name a component that a site takes out, those of the site may not", function()
        local function site(hooks)
            return support.folder {
                ["shop/profile.lua"] = [[
local bk = require "bk"
return bk.profile "shop" { components = { bk.config "page" { a = "1" }, bk.config "menu" { a = "1" } },
    hooks = { after_component = { menu = function() end } } }
]],
                ["here/profile.lua"] = ([[
local bk = require "bk"
return bk.extend "shop" { remove = { "menu" }, hooks = { before_component = { %s = function() end } } }
]]):format(hooks),
            } .. "/here"
        end
        local run = support.run("check", site "page")
        assert.equal(0, run.code, run.out)
        run = support.run("check", site "menu")
        assert.equal(2, run.code)
        assert.matches("profile.lua:2: error: hooks: before_component: the profile has no component 'menu'", run.out)
    end)

    it("are not called without a cluster", function()
        local path = profile "{ before_plan = function() error 'called' end, before_apply = function() error 'called' end }"
        for _, command in ipairs { "check", "render" } do
            assert.equal(0, support.run(command, path).code)
        end
    end)
end)
