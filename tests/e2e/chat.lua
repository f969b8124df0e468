--- A server on this machine that hooks write to, with a certificate of its own authority (see chat.py).
local cjson = require "cjson"
local support = require "support"

local chat = {}

local function wait_for(path)
    for _ = 1, 100 do
        local file = io.open(path)
        local text = file and file:read("a") or ""
        if file then
            file:close()
        end
        if text ~= "" then
            return text
        end
        os.execute("sleep 0.05")
    end
    error("no " .. path)
end

--- Starts one: { url, plain (urls), ca (PEM), requests() since the last call, stop() }.
function chat.start()
    local folder = support.folder()
    local made = support.shell(("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
        .. " -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1,DNS:localhost -keyout %s/key.pem -out %s/cert.pem")
        :format(folder, folder))
    assert(made.code == 0, made.err)
    os.execute(("python3 tests/e2e/chat.py %s </dev/null >/dev/null 2>&1 & echo $! >%s/pid"):format(folder, folder))
    local self = { url = "https://127.0.0.1:" .. wait_for(folder .. "/port"),
        plain = "http://127.0.0.1:" .. wait_for(folder .. "/plain"), ca = support.read(folder .. "/cert.pem") }
    local seen = 0

    function self.requests()
        local found, count = {}, 0
        local file = io.open(folder .. "/requests")
        for line in file and file:lines() or function() end do
            count = count + 1
            found[#found + 1] = count > seen and cjson.decode(line) or nil
        end
        if file then
            file:close()
        end
        seen = count
        return found
    end

    function self.stop()
        os.execute("kill " .. wait_for(folder .. "/pid"))
    end

    return self
end

return chat
