local support = require "support"

-- Apply on a real terminal: tmux plays it, on a socket of its own, and says what is on its screen.
local socket, sockets = nil, 0
local program = os.getenv("BKDEPLOY") or "build/bkdeploy"

local function tmux(line)
    local run = support.shell("tmux -u -L " .. socket .. " -f /dev/null " .. line)
    assert(run.code == 0, run.err)
    return run.out
end

local function sleep(seconds)
    support.shell("sleep " .. seconds)
end

--- The lines of the screen, without the empty ones at its end.
local function screen()
    return (tmux("capture-pane -p -t bk"):gsub("%s+$", "\n"))
end

--- The screen once it matches the pattern; an error after some seconds.
local function screen_with(pattern)
    local seen
    for _ = 1, 200 do
        seen = screen()
        if seen:match(pattern) then
            return seen
        end
        sleep(0.1)
    end
    error(("no '%s' on the screen:\n%s"):format(pattern, seen), 2)
end

--- How many lines of progress there are of a name (or its beginning): "ready     web  0.3s".
local function count(text, name, state)
    local found = 0
    for line in text:gmatch "[^\n]+" do
        local its, rest = line:match "^(%l+)  +(%S.*)"
        if its and (not state or its == state) and rest:sub(1, #name) == name then
            found = found + 1
        end
    end
    return found
end

local function last_lines(text, wanted)
    local lines = {}
    for line in text:gmatch "[^\n]+" do
        lines[#lines + 1] = line
    end
    return table.concat(lines, "\n", math.max(1, #lines - wanted + 1))
end

--- Runs a command of the program in a window of a size.
local function open(columns, rows, environment, ...)
    sockets = sockets + 1
    socket = ("bkdeploy-%d-%d"):format(os.time(), sockets)
    local words = { program, ... }
    tmux(("new-session -d -s bk -x %d -y %d 'env %s %s --grace 5m --yes --kubeconfig %s; echo \"exit $?\"; sleep 1000'")
        :format(columns, rows, environment, table.concat(words, " "), support.kubeconfig))
end

local function close()
    support.shell("tmux -L " .. socket .. " kill-server")
end

--- A profile that waits for a node which only free() makes.
local function held(name, more)
    return support.profile(name, ([[
    local list = {}
    for _, name in ipairs { "alpha", "beta", "gamma" } do
        list[#list + 1] = bk.config(name) { k = "v" }
    end
    local db = bk.deployment "db" { image = "nginx:1.27", replicas = 2, pod = { nodeSelector = { held = "%s" } } }
    local web = bk.deployment "a-rather-long-name-of-a-component" { image = "nginx:1.27", needs = { db } }
    list[#list + 1], list[#list + 2] = web, db
    %s
    return list]]):format(name, more or ""))
end

local function free(name)
    support.kubectl("label --overwrite node node-1 held=" .. name)
end

local components = { "namespace", "alpha", "beta", "gamma", "db", "a-rather-long-name-of-a-component" }

describe("apply on a terminal", function()
    after_each(close)
    teardown(function()
        support.shell(("build/cluster/bin/kubectl --kubeconfig %s label node node-1 held-"):format(support.kubeconfig))
        support.shell(("build/cluster/bin/kubectl --kubeconfig %s delete namespace --wait=false term-size term-small "
            .. "term-plain term-stop"):format(support.kubeconfig))
    end)

    it("keeps a line for each component through changes of the window's size", function()
        open(110, 30, "A=1", "apply", held "term-size")
        local wide = screen_with "rolling   db .- 0/2  Deployment db: 0 of 2"
        assert.matches("waiting   a%-rather%-long%-name%-of%-a%-component +needs db", wide)
        assert(wide:find("rolling   db", 1, true) < wide:find("waiting   a-rather", 1, true), "what others need comes first")
        for _, size in ipairs { { 60, 30 }, { 40, 12 }, { 20, 10 }, { 100, 24 } } do
            tmux(("resize-window -t bk -x %d -y %d"):format(size[1], size[2]))
            sleep(0.5)
            -- Of a narrower window tmux moves lines that it breaks to its history, out of reach, and a higher one brings
            -- them back; below those there is what the program shows.
            local seen = size[2] < 24 and screen() or last_lines(screen(), #components)
            for _, name in ipairs(components) do
                local times = count(seen, size[1] > 50 and name or name:sub(1, 8))
                assert(times == 1, ("%s %d times at %d columns:\n%s"):format(name, times, size[1], seen))
            end
        end
        free "term-size"
        local seen = screen_with "exit 0"
        assert.matches("ready     db +%d+%.%ds  2/2  1 object\n", seen)
        for _, name in ipairs(components) do
            assert.equal(1, count(last_lines(seen, #components + 2), name, "ready"), seen)
        end
        assert.matches("\nterm%-size: 6 components ready in [%d.]+s; [^\n]*\nexit 0\n$", seen)
        assert.equal("1 1\n", tmux "display-message -p -t bk '#{cursor_flag} #{wrap_flag}'")
    end)

    it("scrolls finished components up when there are more than lines", function()
        local folder = held("term-small", [[
    for i = 1, 30 do
        list[#list + 1] = bk.config(("config-%02d"):format(i)) { k = "v" }
    end]])
        open(80, 8, "A=1", "apply", folder)
        local seen = screen_with "rolling   db .*waiting   a%-rather"
        assert.is_true(#seen < 80 * 8 and count(seen, "db") == 1, seen)
        free "term-small"
        screen_with "exit 0"
        seen = tmux "capture-pane -p -S - -t bk"
        for i = 1, 30 do
            assert.equal(1, count(seen, ("config-%02d"):format(i), "ready"), seen)
        end
        for _, name in ipairs(components) do
            assert.equal(1, count(seen, name:sub(1, 30)), seen)
        end
    end)

    it("prints plain lines on a dumb terminal, and no colour where that is unwanted", function()
        local folder = support.profile("term-plain", "return { bk.config 'page' { k = 'v' } }")
        open(80, 24, "TERM=dumb", "apply", folder)
        assert.matches("ready     page +%d+%.%ds  1 object\n", screen_with "exit 0")
        close()
        open(80, 24, "NO_COLOR=1", "apply", folder)
        screen_with "exit 0"
        assert.not_matches("\27%[3[0-9]m", tmux "capture-pane -e -p -t bk")
        close()
        open(80, 24, "A=1", "apply", folder)
        screen_with "exit 0"
        assert.matches("\27%[32mready", tmux "capture-pane -e -p -t bk")
    end)

    it("leaves the terminal in order after Ctrl-C", function()
        open(60, 24, "A=1", "apply", held "term-stop")
        screen_with "rolling   db"
        tmux "send-keys -t bk C-c"
        local seen = screen_with "exit 130"
        assert.equal(1, count(seen, "db"), seen)
        assert.matches("\nbkdeploy: interrupted", seen)
        assert.equal("1 1\n", tmux "display-message -p -t bk '#{cursor_flag} #{wrap_flag}'")
    end)
end)
