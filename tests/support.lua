--- What the specs share: the program under test, run as a user runs it.
local cjson = require "cjson"

local support = {}

local program = os.getenv("BKDEPLOY") or "build/bkdeploy"

local function quote(word)
    return "'" .. tostring(word):gsub("'", "'\\''") .. "'"
end

--- Text of a file.
function support.read(path)
    local file <close> = assert(io.open(path, "rb"))
    return file:read("a")
end

--- A fresh folder below build/, with `files` = { ["profile.lua"] = text }; returns its path.
function support.folder(files)
    local path = io.popen("mkdir -p build/tmp && mktemp -d build/tmp/XXXXXX"):read("l")
    for name, text in pairs(files or {}) do
        if name:find("/") then
            os.execute("mkdir -p " .. quote(path .. "/" .. name:match("(.*)/")))
        end
        local file <close> = assert(io.open(path .. "/" .. name, "wb"))
        file:write(text)
    end
    return path
end

--- Runs the program with the given words. Returns { code =, out =, err = }.
function support.run(...)
    local words = { quote(program) }
    for i, word in ipairs({ ... }) do
        words[i + 1] = quote(word)
    end
    return support.shell(table.concat(words, " "))
end

--- Runs a shell command line. Returns { code =, out =, err = }.
function support.shell(line)
    local out, err = os.tmpname(), os.tmpname()
    local _, how, code = os.execute(("{ %s\n} >%s 2>%s </dev/null"):format(line, out, err))
    local result = {
        code = how == "exit" and code or 128 + code,
        out = support.read(out),
        err = support.read(err),
    }
    os.remove(out)
    os.remove(err)
    return result
end

--- What a command has printed with -o json while it worked: a list of events, one of a line.
function support.feed(text)
    local list = {}
    for line in text:gmatch "[^\n]+" do
        list[#list + 1] = cjson.decode(line)
    end
    return list
end

--- The last of them, which has the result or the error.
function support.ending(text)
    local list = support.feed(text)
    return list[#list]
end

--- The kubeconfig of the control plane that the e2e specs run on.
support.kubeconfig = os.getenv("TEST_KUBECONFIG") or "build/cluster/test/kubeconfig"

local asks = { apply = true, rollback = true, delete = true }

--- A command of the program on the test cluster: support.on_cluster("apply", "profiles/hello"). What would ask is told
--- not to.
function support.on_cluster(...)
    local words = { ... }
    words[#words + 1] = asks[words[1]] and "--yes" or nil
    words[#words + 1], words[#words + 2] = "--kubeconfig", support.kubeconfig
    return support.run(table.unpack(words))
end

--- What kubectl prints for the rest of its command line; an error when it fails.
function support.kubectl(line)
    local run = support.shell(("build/cluster/bin/kubectl --kubeconfig %s %s"):format(support.kubeconfig, line))
    assert(run.code == 0, run.err)
    return run.out
end

--- A profile's folder: `body` returns the list of components of profile `name`.
function support.profile(name, body)
    return support.folder({ ["profile.lua"] = ("local bk = require 'bk'\nreturn bk.profile '%s' { components = "
        .. "function()\n%s\nend }"):format(name, body) })
end

--- Starts a command on the test cluster, runs a shell command (the program's pid is $PID there) once
--- its stderr matches the Python pattern, and returns { code =, err = }.
function support.during(pattern, action, ...)
    local words = { quote(program) }
    for _, word in ipairs { ... } do
        words[#words + 1] = quote(word)
    end
    words[#words + 1] = asks[(...)] and "--yes" or nil
    local run = support.shell(("python3 -c '%s' %s %s %s --kubeconfig %s"):format([[
import os, re, subprocess, sys, threading
child = subprocess.Popen(sys.argv[3:], stderr=subprocess.PIPE, text=True)
guard = threading.Timer(60, child.kill)
guard.start()
seen = ""
for line in child.stderr:
    seen += line
    if re.search(sys.argv[2], line):
        subprocess.run(sys.argv[1], shell=True, check=True, env={**os.environ, "PID": str(child.pid)})
        break
seen += child.stderr.read()
print(seen, end="")
code = child.wait()
guard.cancel()
sys.exit(code % 256)]], quote(action), quote(pattern), table.concat(words, " "), support.kubeconfig))
    return { code = run.code, err = run.out }
end

--- Runs a command on the test cluster on a pseudo-terminal, with `answer` (Python's escapes) typed in at
--- its question, after the shell command `before` (or nil). Returns { code =, out = what is seen }.
function support.answering(answer, before, ...)
    local words = { quote(program) }
    for _, word in ipairs { ... } do
        words[#words + 1] = quote(word)
    end
    return support.shell(("python3 -c '%s' %s %s %s --kubeconfig %s"):format([[
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[3], sys.argv[3:])
seen, asked = b"", False
while True:
    try:
        bytes = os.read(fd, 4096)
    except OSError:
        break
    if not bytes:
        break
    seen += bytes
    if b"[y/N]" in seen and not asked:
        asked = True
        os.system(sys.argv[2])
        os.write(fd, sys.argv[1].encode().decode("unicode_escape").encode())
sys.stdout.write(seen.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))]], quote(answer), quote(before or "true"),
        table.concat(words, " "), support.kubeconfig))
end

return support
