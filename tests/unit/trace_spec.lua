local native = require "native"

local HEADER = "local __bk_t,__bk_s,__bk_k=__bk_trace();"

local function rewritten(text)
    local sites, made = native.trace(text)
    return made, sites
end

local function read(path)
    local file = assert(io.open(path, "rb"))
    local text = file:read("a")
    file:close()
    return text
end

--- A `__bk_trace` that notes what is reported; `notes.bad` when a site reports what it can't.
local function recorder(sites)
    local notes = { t = 0, s = 0, k = 0, bases = {} }
    local function bases(id, ...)
        if not sites[id] or select("#", ...) ~= sites[id].bases then
            notes.bad = ("site %s with %d bases"):format(id, select("#", ...))
        end
        notes.bases[id] = { ... }
    end
    return function()
        return function(id, made, ...)
            notes.t = notes.t + 1
            bases(id, ...)
            if type(made) ~= "table" or sites[id].kind ~= "constructor" then
                notes.bad = "t: no table"
            end
            return made
        end, function(id, key, value, ...)
            notes.s = notes.s + 1
            if sites[id].fields[1].kind ~= "computed" and key ~= sites[id].fields[1].key or math.type(key) == "float" then
                notes.bad = "s: another key"
            end
            bases(id, ...)
            if sites[id].kind ~= "assignment" then
                notes.bad = "s: no assignment"
            end
            return value
        end, function(id, key, ...)
            notes.k = notes.k + 1
            if select("#", ...) > 0 or sites[id].fields[1].kind ~= "computed" then
                notes.bad = "k: a literal key"
            end
            return key
        end
    end, notes
end

--- What a chunk prints and returns, one text; its error instead.
local function run(text, trace)
    local out = {}
    local env = setmetatable({ __bk_trace = trace, print = function(...)
        for _, value in ipairs { ... } do
            out[#out + 1] = math.type(value) or type(value)
            out[#out + 1] = tostring(value)
        end
    end }, { __index = _G })
    local chunk, message = load(text, "@chunk", "t", env)
    if not chunk then
        return message
    end
    local results = table.pack(pcall(chunk, "one", nil, "three"))
    for i = 1, results.n do
        out[#out + 1] = tostring(results[i])
    end
    return table.concat(out, " ")
end

--- Runs the text and what it becomes; both must do the same. Returns what was noted.
local function same(text)
    local made, sites = rewritten(text)
    assert.is_string(made, text)
    local trace, notes = recorder(sites)
    assert.equal(run(text), run(made, trace))
    assert.is_nil(notes.bad)
    return notes
end

describe("a traced chunk's text", function()
    for _, case in ipairs {
        { "", "" },
        { "return {}", "return __bk_t(0,{})" },
        { "return{}", "return __bk_t(0,{})" },
        { "x = y or{1}", "x = y or __bk_t(0,{1})" },
        { "return f{...}", "return f(__bk_t(0,{...}))" },
        { "f { }", "f (__bk_t(0,{ }))" },
        { 'o:m{}"x"{}', 'o:m(__bk_t(0,{}))"x"(__bk_t(1,{}))' },
        { 'f "x" -- c\n{ 1,\n 2; }', 'f "x" -- c\n(__bk_t(0,{ 1,\n 2; }))' },
        { "local a = {{}, b = {}}", "local a = __bk_t(0,{__bk_t(1,{}), b = __bk_t(2,{})})" },
        { "local a = {}\n(f)()", "local a = __bk_t(0,{});\n(f)()" },
        { "repeat until x == {} (f){}", "repeat until x == __bk_t(0,{}); (f)(__bk_t(1,{}))" },
        { "f{}\n(g)()", "f(__bk_t(0,{}))\n(g)()" },
        { "x.y = 1", '__bk_s(0,"y",(x)).y = 1' },
        { "x.y\n.z\n=\n1", '__bk_s(0,"z",(x.y))\n.z\n=\n1' },
        { "local t t.x = 1", 'local t __bk_s(0,"x",t);t.x = 1' },
        { "local t t[t.i] = t.x.y", "local t __bk_s(0,nil,t,t);t[__bk_k(0,t.i)] = t.x.y" },
        { "local t t[ [[k]] ], t[-1] = 1", 'local t __bk_s(0,"k",(t))[ [[k]] ], __bk_s(1,nil,(t))[__bk_k(1,-1)] = 1' },
        { "x['a\\n.'], x[10], x[0x8000000000000000] = 1", [[__bk_s(0,"a\010\046",(x))['a\n.'], __bk_s(1,0xa,(x))[10], ]]
            .. "__bk_s(2,0x8000000000000000,(x))[0x8000000000000000] = 1" },
        { "local e t.a, b, t['c'].d = e.x, e.y, e.z",
            [[local e __bk_s(0,"a",(t),e).a, b, __bk_s(1,"d",(t['c']),e).d = e.x, e.y, e.z]] },
        { "x=1(f{}).y=2", 'x=1 __bk_s(1,"y",((f(__bk_t(0,{}))))).y=2' },
        { "f().x[{}] = {}", "__bk_s(1,nil,(f().x))[__bk_k(1,__bk_t(0,{}))] = __bk_t(2,{})" },
        { "do(f{}):m()[a[b]]=v end", "do __bk_s(1,nil,((f(__bk_t(0,{}))):m()))[__bk_k(1,a[b])]=v end" },
        { "function t.x:y(a) self.z = a.b end", 'function t.x:y(a) __bk_s(0,"z",self,a);self.z = a.b end' },
        { "local a, b = x.y; return { a.k, b[1].z, f(a.l.m()), a:n(), a.o:p(), -a.q, a[c].r }",
            "local a, b = x.y; return __bk_t(0,{ a.k, b[1].z, f(a.l.m()), a:n(), a.o:p(), -a.q, a[c].r },a,b)" },
        { "for i, v in pairs{} do local w = v.x t.y = w end",
            'for i, v in pairs(__bk_t(0,{})) do local w = v.x __bk_s(1,"y",(t),v).y = w end' },
    } do
        it(("%q"):format(case[1]), function()
            assert.equal(HEADER .. case[2], (rewritten(case[1])))
        end)
    end

    it("is left to Lua where it is wrong or can't be rewritten", function()
        for _, text in ipairs { "x =", "return {} {}", "return {} (f)()", "f({} (x))", "x = {}.y", "{}", "f().x", "f() = 1",
            "(a) = 1", "a.b", "break", "for i = 1 do end", "local x <constant> = 1", "local x <const> = 1; x = 2",
            "local x <close>, y <close> = 1", "function f() return ... end", "x = 0x", "x = 3..2", "x = 1e", "x = 3x",
            "x = '\\q'", "x = '\\300'", "x = '\\u{80000000}'", "x = '\\xg0'", "x = 'a\nb'", "x = [==[ ]=]", "x = [=", "--[[",
            "a:b = 1", "function f(..., a) end", "function f(a,) end", "goto 1", "::a:", "x = }", "end", "x = \0", "x = é",
            "#!/bin/lua", "\u{FEFF}x = 1", "\27Lua", "local _ENV = {}", "return t._ENV", "__bk_x = 1", "return x.__bk_t",
            "x = " .. ("{"):rep(500) .. ("}"):rep(500), "x = " .. ("("):rep(1e5), "x = " .. ("-"):rep(1e5) .. "1",
            ("do "):rep(300) .. ("end "):rep(300), "local " .. ("a,"):rep(198) .. "a" } do
            assert.is_false((rewritten(text)), text)
        end
    end)

    it("keeps within Lua's limits", function()
        local names, uses = {}, {}
        for i = 1, 197 do
            names[i], uses[i] = "a" .. i, "x = a" .. i
        end
        for _, text in ipairs { "local " .. table.concat(names, ",") .. " x.y = {}",
            "local " .. table.concat(names, ",") .. " return function() " .. table.concat(uses, " ") .. " x.y = {} end",
            "return {" .. ("{},"):rep(5000) .. "}", "return " .. ("{"):rep(30) .. ("}"):rep(30),
            "return " .. ("{ 1, 2, x = "):rep(30) .. "1" .. ("}"):rep(30), "x = " .. ("1 .. "):rep(100) .. "{}" } do
            local made = rewritten(text)
            assert.is_string(made, text)
            assert(load(made))
        end
    end)
end)

describe("a traced chunk", function()
    local programs = {
        closures = [[
            local list = {}
            for i = 1, 3 do local t = { i = i }; list[#list + 1] = function() t.i = t.i + 1; return t.i end end
            print(list[1](), list[1](), list[2](), list[3]())]],
        varargs = [[
            local function f(...) return select("#", ...), { ... }, { ..., "x" }, { (...) } end
            local n, a, b, c = f(1, nil, 3, nil)
            print(n, #b, a[3], b[1], b[2], c[1], #c, select("#", table.unpack({ n = 1, ... }, 1, 3)))
            return ...]],
        goto_ = [[
            local out = {}
            for i = 1, 5 do
                if i % 2 == 0 then goto continue end
                out[#out + 1] = i
                ::continue::
            end
            do local k = 0 ::top:: k = k + 1; out.k = k; if k < 3 then goto top end end
            print(#out, out.k, out[3])]],
        several_targets = [[
            local log = {}
            local function at(name, value) log[#log + 1] = name; return value end
            local t, u = {}, {}
            at("a", t)[at("k", "x")], at("b", u).y, at("c", t)[at("l", 1)] = at("v", 1), at("w", 2), at("z", 3)
            print(table.concat(log, " "), t.x, u.y, t[1])
            local i, a = 3, {}
            i, a[i] = i + 1, 20
            print(i, a[3])
            local x = { n = 1 }; local y = x
            x.n, x = 5, { n = 9 }
            print(x.n, y.n)]],
        methods = [[
            local o = { list = {} }
            function o:add(t) self.list[#self.list + 1] = t.v; return self end
            function o.list.f(t) return function(u) return t[1] .. u[1] end end
            print(#o:add{ v = 1 }:add{ v = 2 }.list, o:add { v = 3 }.list[3], o.list.f{ "a" }{ "b" })]],
        strings = "local t = { [ [==[\n]]x]==] ] = [[\n\na]], ['\\z  \n q'] = '\\65\\x41\\u{48}\\\n\\'' } --[==[ ]]\n{ ]==]\n"
            .. "for k, v in pairs(t) do print(#k, v) end --{\nlocal s = 'x' print(s, ('y'):rep(3), #'{}') print(debug.traceback)",
        keys = [[
            local t = { [1] = "a", [2.0] = "b", [3.5] = "c", [0x10] = "d", [1e1] = "e", [0x.8p1] = "f", [-1] = "g", [true] = "h" }
            t[4.0], t[2^53] = "i", "j"
            local keys = {}
            for k in pairs(t) do keys[#keys + 1] = (math.type(k) or type(k)) .. tostring(k) .. t[k] end
            table.sort(keys) print(table.concat(keys, " "))
            local a = { b = { c = {} } }
            a.b["c"].d = { 7 // 2, 7 / 2, 1 << 62, ~5 & 0xFF | 1 ~ 3, "a" .. 1 .. 2, 2 ^ 3 ^ 2, not nil == true, -2 ^ 2 }
            for _, v in ipairs(a.b.c.d) do print(v) end]],
        metamethods = [[
            local log = {}
            local t = setmetatable({}, { __newindex = function(t, k, v) log[#log + 1] = k; rawset(t, k, v) end,
                __index = function(_, k) return { name = k } end, __call = function(_, a) return a[1] end })
            t.x = 1; t.x = 2; t["y"], t[3] = {}, {}
            t.q.z = 4
            print(#log, log[1], log[2], t.unknown.name, t{ "called" })]],
        ambiguous = [[
            local f = function(x) print(type(x)) return { x = x, y = function() return print end } end
            local a = {};
            (f)(1)
            local b = { f }
            (f)(2)
            f{}
            .y = 3
            local c = a == {} (f)("4").z = {}
            repeat local d = {} until d ~= {} (f)(5);;
            do local e = 1 (f)(a).x = 1 end
            local s = f"x".y() "w"
            print(b[1] == f, c, s)]],
        nested = [[
            local t = { f = function(x) local u = { x }; u.y = { x, n = function() return u[1] end }; return u end,
                { g = function() return { { "deep" } } end } }
            print(t.f(5).y.n(), t[1].g()[1][1])]],
        attributes = [[
            local log <const> = {}
            do
                local c <close> = setmetatable({ n = 1 }, { __close = function(o) log[#log + 1] = o.n end })
                local k <const>, l <const> = "key", 5
                log[k] = { k, l, [k] = l }
                c.n = 7
            end
            print(#log, log[1], log.key[2], log.key.key)]],
        tail_calls = [[
            local function loop(t) if t.n == 0 then return "done" end return loop{ n = t.n - 1 } end
            return loop{ n = 300000 }]],
        results = [[
            local function two() return 1, 2 end
            local function none() end
            print(#{ two(), two() }, #{ (two()) }, #{ none() }, #{ two(), }, #{ two(), x = 1 }, select("#", { two() }, two()))]],
        coroutines = [[
            local c = coroutine.wrap(function(...) local t = { coroutine.yield{ ... } }; t.x = coroutine.yield(t); return t end)
            print(#c(1, 2), #c(3, 4, 5), c{ 1 }.x[1])]],
    }
    for name, text in pairs(programs) do
        it("does as before: " .. name, function()
            local notes = same(text)
            assert.is_true(notes.t > 0, "nothing was reported")
        end)
    end

    for _, text in ipairs {
        "local t = {\n a = 1,\n b = nil + 1,\n}", "local t\nt.x\n=\n{\n}", "x.y.z\n.w = {\n1 }", "local a = {}\na.b\n.c\n= {\n}",
        "local t = {}\nt\n[\nnil\n] = {\n1\n}", "local t = {}\nt[1], t\n[nil] = 1, {\n}", "f{\n}\n{\n}", "type{\n}\n.x.y = 1",
        "error(#{\n})", "local f\nf\n{\n1\n}", "local o = {}\no\n:m\n{\n}", "return {\n\n} + {\n}", "return -{\n}", "return #nil, {\n}",
        "return {} .. {\n}", "return {\n} < {\n}", "local t = setmetatable({}, { __newindex = function() error'no' end })\nt.x\n= {}",
        "local t <close> = {\n}", "for i in {\n} do end", "for i = 1, {\n} do end", "error('x', 2)", "assert(\nfalse, #{\n})",
        "string.rep{\n}", "('x'):rep{\n}", "local function f(t) error('here', 2) end\nlocal t = {\n f\n{\n}\n, 1 }",
        "local t = { x = function()\nlocal u\nu.v = { 1 } end }\nt\n.x{\n}",
    } do
        it(("fails on the same line: %q"):format(text), function()
            local made, sites = rewritten(text)
            local before, after = run(text), run(made, (recorder(sites)))
            assert.matches("^false ", before)
            -- Lua can't name what a function returned; the site can.
            local subject = before:match(" %((.-)%)$")
            if before ~= after then
                assert.equal(before:gsub(" %(.-%)$", ""), after .. "")
                local told
                for i = 0, sites.count - 1 do
                    told = told or sites[i].subject == subject
                end
                assert.is_true(told)
            end
        end)
    end

    it("passes the variables that links begin at", function()
        local text = "local a, b = { x = 1, y = { z = 2 } }, { [3] = {} }\nlocal p = a.y.z\nlocal t = { a.x, q = p, r = b[3] }\nt.u = p"
        local made, sites = rewritten(text .. "\nreturn a, b")
        local trace, notes = recorder(sites)
        local env = { __bk_trace = trace }
        local a, b = load(made, "@chunk", "t", env)()
        assert.equal(a, notes.bases[4][1])
        assert.equal(b, notes.bases[4][2])
        assert.equal(a, notes.bases[5][1])
    end)
end)

describe("a site", function()
    local profile = [==[
local bk = require "bk"
local common = { tag = "1", es = { size = "10Gi" } }
local function component(env, stores)
    local image = env.registry .. "/web:" .. env.image.tag
    local full = "x-" .. image
    local port, host = 8080, stores.mysql.host
    local changed = env.a
    changed = 5
    local list = {
        bk.env { HOST = host, PORT = port, ["LOG.LEVEL"] = env["log"].level, [env.name] = env.value },
        full,
        f(env.x.y(common.es.size), { env.hidden }, function() return env.hidden end),
        changed,
        env.servers[1] + env.servers[2],
        env.list[port].z,
        stores:get(env), common.es:get(),
        unknown.x.y,
        ...,
    }
    for i, server in ipairs(list) do
        list[i].name, list[i + 1] = server.name, image
        list[ [[a"b]] ]
            .c[3] = i
    end
    return list
end
return component]==]
    local _, sites = rewritten((profile:gsub("stores%)", "stores, ...)")))

    local function field(site, number)
        return sites[site].fields[number]
    end

    it("has its file, line and kind", function()
        local all = {}
        for i = 0, sites.count - 1 do
            all[#all + 1] = ("%s:%d %s %d"):format(sites[i].file, sites[i].line, sites[i].kind, #sites[i].fields)
        end
        assert.same({ "1:2 constructor 2", "1:2 constructor 1", "1:9 constructor 10", "1:10 constructor 4", "1:12 constructor 1",
            "1:21 assignment 1", "1:21 assignment 1", "1:22 assignment 1" }, all)
    end)

    it("has its keys and their lines", function()
        local all = {}
        for i = 0, sites.count - 1 do
            for _, each in ipairs(sites[i].fields) do
                all[#all + 1] = ("%d %s %s:%d"):format(i, each.kind, each.key, each.line)
            end
        end
        assert.same({ "0 name tag:2", "0 name es:2", "1 name size:2",
            "2 index 1:10", "2 index 2:11", "2 index 3:12", "2 index 4:13", "2 index 5:14", "2 index 6:15", "2 index 7:16",
            "2 index 8:16", "2 index 9:17", "2 rest 10:18",
            "3 name HOST:10", "3 name PORT:10", "3 name LOG.LEVEL:10", "3 computed nil:10", "4 index 1:12",
            "5 name name:21", "6 computed nil:21", "7 index 3:23" }, all)
        local _, strings = rewritten([[return { ["\x61\z
            \u{E9}\98"] = 1, ['a\0b'] = 2 }]])
        assert.same({ "aéb" }, { strings[0].fields[1].key, strings[0].fields[2].key })
        assert.same({ "name", "computed" }, { strings[0].fields[1].kind, strings[0].fields[2].kind })
    end)

    it("has what its values were made from", function()
        assert.same({ { 0, "mysql", "host" } }, field(3, 1).links)
        assert.same({ "host:6" }, field(3, 1).locals)
        assert.same({}, field(3, 2).links)
        assert.same({ "port:6" }, field(3, 2).locals)
        assert.same({ { 1, "log", "level" } }, field(3, 3).links)
        assert.same({ { 1, "value" } }, field(3, 4).links)
        assert.same({}, field(2, 1).links) -- all in the nested one
        -- full, through image: what image was made from
        assert.same({ { 0, "registry" }, { 0, "image", "tag" } }, field(2, 2).links)
        assert.same({ "full:5", "image:4" }, field(2, 2).locals)
        assert.same({ { 0, "x" }, { 1, "es", "size" } }, field(2, 3).links)
        assert.same({ {}, {} }, { field(2, 4).links, field(2, 4).locals })
        assert.same({ { 0, "servers", 1 }, { 0, "servers", 2 } }, field(2, 5).links)
        assert.same({ { 0, "list" } }, field(2, 6).links)
        assert.same({ "port:6" }, field(2, 6).locals)
        assert.same({ {}, {} }, { field(2, 7).links, field(2, 7).locals }) -- a parameter
        assert.same({ { 1, "es" } }, field(2, 8).links)
        assert.same({}, field(2, 9).links)
        assert.same({ { 0, "name" } }, field(5, 1).links)
        assert.same({ "image:4" }, field(6, 1).locals)
        assert.same({ { 0, "registry" }, { 0, "image", "tag" } }, field(6, 1).links)
        assert.same({ {}, {} }, { field(7, 1).links, field(7, 1).locals })
        assert.same({ 2, 2, 1, 1 }, { sites[2].bases, sites[3].bases, sites[5].bases, sites[6].bases })
    end)

    it("has no base that its name no longer stands for", function()
        local _, all = rewritten("local e = q local v = e.x do local e = r local t = { v } end local t = { v }")
        assert.same({ 0, 1 }, { all[0].bases, all[1].bases })
        assert.same({ "v:1" }, all[0].fields[1].locals)
    end)

    it("has at most so many bases and keys", function()
        local names, values = {}, {}
        for i = 1, 12 do
            names[i], values[i] = "a" .. i, "a" .. i .. ".x"
        end
        local made, all = rewritten("local " .. table.concat(names, ",") .. "\nreturn {" .. table.concat(values, ",") .. "}")
        assert.equal(8, all[0].bases)
        assert.same({ { 7, "x" } }, all[0].fields[8].links)
        assert.same({}, all[0].fields[9].links)
        assert(load(made))
        _, all = rewritten("local a return { a.b.c.d.e.f.g.h.i.j, a.b.c.d.e.f.g.h.i(), a.b.c.d.e.f.g.h() }")
        assert.same({ { 0, "b", "c", "d", "e", "f", "g", "h", "i" } }, all[0].fields[1].links)
        assert.same({ { 0, "b", "c", "d", "e", "f", "g", "h" } }, all[0].fields[2].links)
        assert.same({ { 0, "b", "c", "d", "e", "f", "g" } }, all[0].fields[3].links)
    end)

    it("is found by key", function()
        local text = "return {\na = 1,\n5,\n[7] = 2,\na = 3,\n6,\nf() }"
        assert.equal(5, native.trace_field(text, 0, "a"))
        assert.is_nil(native.trace_field(text, 0, "b"))
        assert.same({ 3, 6, 7, 7, 4 }, { native.trace_field(text, 0, 1), native.trace_field(text, 0, 2),
            native.trace_field(text, 0, 3), native.trace_field(text, 0, 100), native.trace_field(text, 0, 7) })
        assert.is_nil(native.trace_field(text, 0, 0))
        text = "return {\na = 1,\n[k] = 2,\n3 }"
        assert.same({ 2, 3, 4, 3 }, { native.trace_field(text, 0, "a"), native.trace_field(text, 0, "b"),
            native.trace_field(text, 0, 1), native.trace_field(text, 0, 2) })
        assert.equal(2, native.trace_field("t.x\n.y = 1", 0, "y"))
        assert.is_nil(native.trace_field("t.x = 1", 0, "y"))
        assert.equal(1, native.trace_field("t[k] = 1", 0, "y"))
    end)

    it("is numbered on across files", function()
        local all, first, wrong, second = native.trace("return {}", "x = {} y = {", "x = {} x.y = 1")
        assert.equal(HEADER .. "return __bk_t(0,{})", first)
        assert.is_false(wrong)
        assert.equal(HEADER .. 'x = __bk_t(1,{}) __bk_s(2,"y",(x)).y = 1', second)
        assert.same({ "1", "3", "3", 3 }, { all[0].file, all[1].file, all[2].file, all.count })
    end)
end)

describe("every Lua file here", function()
    local files = {}
    for path in io.popen("find lua profiles tests docs src /usr/share/lua/5.4 /usr/share/lua/ -name '*.lua' -type f"):lines() do
        files[#files + 1] = path
    end

    it("compiles as before, with the lines that it had", function()
        local given_up = {}
        for _, path in ipairs(files) do
            local text = read(path)
            local made, sites = rewritten(text)
            local original = load(text, "@" .. path, "t")
            if made then
                local chunk, message = load(made, "@" .. path, "t")
                if original then
                    assert.is_truthy(chunk, message)
                else
                    assert.is_nil(chunk, path) -- what only Lua sees, as a label that is missing
                end
                assert.equal(select(2, text:gsub("\n", "")), select(2, made:gsub("\n", "")))
                for i = 0, sites.count - 1 do
                    assert.is_truthy(sites[i].kind == "constructor" or #sites[i].fields == 1)
                end
            elseif original then
                given_up[#given_up + 1] = path
                assert.is_truthy(text:find("_ENV", 1, true) or text:find("__bk_", 1, true), path)
            end
        end
        assert.is_true(#files > 50 and #given_up * 10 < #files)
    end)

    it("does as before, where it is a library", function()
        for _, name in ipairs { "dkjson", "inifile", "pl.pretty" } do
            local path = package.searchpath(name, package.path)
            local text = path and read(path)
            local made, sites = rewritten(text or "")
            if text and made then
                local trace, notes = recorder(sites)
                local env = setmetatable({ __bk_trace = trace }, { __index = _G })
                local plain, traced = load(text, "@x", "t", env)(), load(made, "@x", "t", env)()
                if name == "dkjson" then
                    local value = { a = { 1, 2, { b = "é\n" } }, c = true }
                    local order = { keyorder = { "a", "b", "c" } }
                    assert.equal(plain.encode(value, order), traced.encode(value, order))
                    assert.same(value, traced.decode(plain.encode(value)))
                end
                assert.is_nil(notes.bad)
                assert.is_true(notes.t > 0)
            end
        end
    end)
end)

describe("broken text", function()
    local seeds = { read("tests/support.lua"), read("lua/bk/workload.lua"), read("profiles/bklog/profile.lua"), [===[
local a <const>, b <close> = 0x1p4, nil; ::l:: goto l; t[ [[x]] ].y["z"], q.r = {1, [2] = 3; n = ..., function(...) return ... end}
x = "\z
 \u{7FFFFFFF}\065\x41\
" .. 'a' .. [=[ ]] ]=] --[==[ c ]==] f{}{}"s":m[[l]].k = -~#not 1 // 2 >> 3 ~= 4 ~ 5]===] }

    it("is never rewritten to something that Lua takes when it doesn't take the text", function()
        math.randomseed(11)
        local pieces = { "{", "}", "(", ")", "[", "]", "[[", "]]", "\"", "'", "\\", "--", "--[[", "\n", "\r", "end", "=", ",", ".",
            "..", ":", "::", "0x", "1e", "\0", "\255", "function", "<", "local ", "return", "...", "\\u{", "~", "\\z", "a.b", "{}" }
        local started, rounds = os.clock(), 0
        while rounds < 20000 and os.clock() - started < 0.8 do
            local text = seeds[math.random(#seeds)]
            local first = math.random(#text)
            text = text:sub(first, first + math.random(0, 600))
            if math.random(2) == 1 then
                text = text:match("\n(.*)\n") or text
            end
            for _ = 1, math.random(0, 4) do
                local at = math.random(0, #text)
                text = text:sub(1, at) .. (math.random(3) > 1 and pieces[math.random(#pieces)] or "")
                    .. text:sub(at + math.random(0, 3))
            end
            local made = rewritten(text)
            local original = load(text, "=x", "t")
            if made and (load(made, "=x", "t") == nil) ~= (original == nil) then
                error(("%q -> %q"):format(text, made))
            end
            if original and not made and not text:find("^#") and not text:find("_ENV") then
                error(("%q is given up"):format(text))
            end
            rounds = rounds + 1
        end
        assert.is_true(rounds > 100)
    end)

    it("may end anywhere", function()
        local text = seeds[#seeds]
        for i = 0, #text do
            local made = rewritten(text:sub(1, i))
            if load(text:sub(1, i)) then
                assert(load(assert(made)))
            end
        end
    end)

    it("takes time in proportion", function()
        local piece = "local a = { b = c.d, { 1, 2, 3 }, f{ x = 1 } }\n"
        local function seconds(text)
            local started = os.clock()
            rewritten(text)
            return os.clock() - started
        end
        local deep = "x = { " .. ("f(a.b.c, "):rep(40) .. "1" .. (")"):rep(40) .. " }\n"
        for _, each in ipairs { "do " .. piece .. "end\n", deep, "a, b.c = 1, 2\n", "x = 'abc' -- d\n", "a.b.c.d.e.f = g\n" } do
            assert.is_true(seconds(each:rep(300000 // #each)) < 1)
        end
        assert.is_true(seconds("x = {" .. ("a.b,"):rep(100000) .. "}") < 1)
        assert.is_true(seconds("x" .. (".y"):rep(200000) .. " = 1") < 1)
        assert.is_true(seconds("x = " .. ("["):rep(300000)) < 1)
        assert.is_true(seconds("x = [" .. ("="):rep(300000)) < 1)
    end)
end)
