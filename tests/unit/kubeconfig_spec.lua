local cjson = require "cjson"
local native = require "native"
local support = require "support"

local simple = [[
apiVersion: v1
kind: Config
current-context: a
clusters:
- {name: one, cluster: {server: "https://one.example.com:6443/clusters/x/"}}
- {name: two, cluster: {server: "https://two.example.com", tls-server-name: inside}}
users:
- {name: u, user: {token: T}}
- {name: v, user: {username: jo, password: secret}}
contexts:
- {name: a, context: {cluster: one, user: u, namespace: n}}
- {name: b, context: {cluster: two, user: v}}
]]

--- The access that is loaded, as a table, or nil and the message.
local function load(path, context)
    local text, problem = native.kube_access(path, context)
    return text and cjson.decode(text), problem
end

local function file(text)
    return support.folder({ config = text }) .. "/config"
end

local function fails(text, pattern, context)
    local access, problem = load(file(text), context)
    assert.is_nil(access)
    assert.matches(pattern, problem)
    assert.is_nil(problem:find("\n"))
end

describe("kubeconfig", function()
    after_each(function()
        native.setenv("KUBECONFIG", nil)
    end)

    it("takes the current context, and keeps a path in the server's URL", function()
        local access = load(file(simple))
        assert.equal("a", access.context)
        assert.equal("https://one.example.com:6443/clusters/x", access.server)
        assert.equal("T", access.token)
        assert.equal("n", access.namespace)
    end)

    it("takes the context that is asked for", function()
        local access = load(file(simple), "b")
        assert.equal("https://two.example.com", access.server)
        assert.equal("inside", access.tls_server_name)
        assert.same({ "jo", "secret" }, { access.username, access.password })
    end)

    it("merges the files of KUBECONFIG: the first to name something wins, missing files don't matter", function()
        local first = file("current-context: b\nusers: [{name: v, user: {token: first}}]\n")
        local second = file(simple)
        native.setenv("KUBECONFIG", first .. ":/nowhere/config:" .. second)
        local access = load()
        assert.equal("b", access.context)
        assert.equal("first", access.token)
        assert.is_nil(access.username ~= cjson.null and access.username or nil)
    end)

    it("says so when KUBECONFIG names no file that is there", function()
        native.setenv("KUBECONFIG", "/nowhere/a:/nowhere/b")
        assert.matches("KUBECONFIG=/nowhere/a:/nowhere/b: no such file", select(2, load()))
    end)

    it("reads ~/.kube/config", function()
        local folder = support.folder({ [".kube/config"] = simple })
        local home = os.getenv("HOME")
        native.setenv("HOME", folder)
        local access = load()
        native.setenv("HOME", home)
        assert.equal("a", access.context)
    end)

    it("finds certificates, keys and token files beside the file that names them", function()
        local folder = support.folder({
            ["sub/config"] = [[
current-context: a
clusters: [{name: one, cluster: {server: "https://h", certificate-authority: ca.pem}}]
users: [{name: u, user: {client-certificate: ../c.pem, client-key-data: S0VZ, tokenFile: token}}]
contexts: [{name: a, context: {cluster: one, user: u}}]
]],
            ["sub/ca.pem"] = "CA", ["c.pem"] = "CERT", ["sub/token"] = "TOKEN\n",
        })
        local access = load(folder .. "/sub/config")
        assert.same({ "CA", "CERT", "KEY", "TOKEN" }, { access.ca, access.cert, access.key, access.token })
    end)

    it("names the contexts there are when one is missing", function()
        fails(simple, "%-%-context names 'c' in 'contexts'; there is: a, b", "c")
        fails(simple:gsub("current%-context: a\n", ""), "no current%-context; choose one with %-%-context; there is: a, b")
    end)

    it("names file and line of what is no YAML", function()
        fails("clusters: [\n", "^build/tmp/%w+/config:2: not YAML")
    end)

    local bad = {
        ["- a\n"] = "not a kubeconfig",
        ["clusters: 1\n"] = "'clusters' is not a list",
        ["clusters: [{cluster: {}}]\n"] = "clusters%[0%] is not of the form",
        [simple:gsub("cluster: one", "cluster: three")] = "names 'three' in 'clusters'; there is: one, two",
        [simple:gsub("user: u,", "user: w,")] = "names 'w' in 'users'; there is: u, v",
        [simple:gsub("https://one", "ftp://one")] = "does not begin with https://",
        [simple:gsub("{server: \"https://one[^}]*}", "{}")] = "cluster 'one' has no 'server'",
        [simple:gsub("token: T", "exec: {command: x}")] = "user 'u' gets its credentials by 'exec'",
        [simple:gsub("token: T", "client-certificate-data: QUJD")] = "a client%-certificate but no client%-key",
        [simple:gsub("token: T", "client-key: gone.pem")] = "'client%-key': build/tmp/%w+/gone.pem: No such file",
        [simple:gsub("token: T", "tokenFile: gone")] = "'tokenFile': build/tmp/%w+/gone: No such file",
        [simple:gsub("{server: (\"https://one[^}]*)}", "{server: %1, insecure-skip-tls-verify: true}")] =
            "insecure%-skip%-tls%-verify, which bkdeploy refuses",
        [simple:gsub("{server: (\"https://one[^}]*)}", "{server: %1, certificate-authority-data: '*'}")] =
            "'certificate%-authority%-data' is not base64",
    }
    for text, pattern in pairs(bad) do
        it("refuses what says: " .. pattern, function()
            fails(text, pattern)
        end)
    end

    it("uses the pod's service account where there is no kubeconfig", function()
        -- In a mount namespace of its own, so that the machine keeps its /run.
        local run = support.shell([[
export LUA_PATH="$LUA_PATH" LUA_CPATH="$LUA_CPATH" KUBERNETES_SERVICE_HOST=fd00::1 KUBERNETES_SERVICE_PORT=443
export HOME=/nowhere; unset KUBECONFIG
unshare -rm sh -c 'mount -t tmpfs tmpfs /run && cd /run && mkdir -p secrets/kubernetes.io/serviceaccount &&
cd secrets/kubernetes.io/serviceaccount && printf CA >ca.crt && printf "T\n" >token && printf ns >namespace &&
cd "$OLDPWD" && cd "$0" && lua5.4 -e "print(require(\"native\").kube_access())"' "$PWD"]])
        assert.equal("", run.err)
        local access = cjson.decode(run.out)
        assert.equal("https://[fd00::1]:443", access.server)
        assert.same({ "in-cluster", "CA", "T", "ns" },
            { access.context, access.ca, access.token, access.namespace })
    end)
end)
