--- What the specs share: the program under test, run as a user runs it.
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

return support
