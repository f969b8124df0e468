local support = require "support"
local profile = support.profile

local program = os.getenv("BKDEPLOY") or "build/bkdeploy"
local pki = support.kubeconfig:gsub("kubeconfig$", "pki/")
local server = support.read(support.kubeconfig):match "server: (%S+)"

--- A kubeconfig of one context for this cluster and user (both in YAML).
local function kubeconfig(cluster, user, more)
    local files = more or {}
    files.config = ("current-context: here\nclusters: [{name: c, cluster: %s}]\nusers: [{name: u, user: %s}]\n"
        .. "contexts: [{name: here, context: {cluster: c, user: u}}]\n"):format(cluster, user)
    return support.folder(files) .. "/config"
end

local function absolute(path)
    return io.popen("realpath " .. path):read("l")
end

local trusted = ("{server: %q, certificate-authority: %s}"):format(server, absolute(pki .. "ca.crt"))
local admin = ("{token: %s}"):format(support.read(pki .. "admin.token"):match "%S+")

local function status(path, ...)
    return support.run("status", profile("access", "return { bk.deployment 'web' { image = 'i' } }"),
        "--kubeconfig", path, ...)
end

--- No access, told in one line that matches.
local function refused(run, pattern)
    assert.equal(8, run.code, run.err)
    assert.equal("", run.out)
    assert.matches("^bkdeploy: [^\n]*" .. pattern .. "[^\n]*\n$", run.err)
end

describe("the way to the cluster", function()
    it("is by client certificate, token or token file", function()
        assert.equal(1, status(support.kubeconfig).code) -- there, but nothing is applied
        assert.equal(1, status(support.kubeconfig, "--context", "token").code)
        assert.equal(1, status(kubeconfig(trusted, admin)).code)
        assert.equal(1, status(kubeconfig(trusted, "{tokenFile: t}",
            { t = support.read(pki .. "admin.token") .. "\n" })).code)
        assert.equal(1, status(kubeconfig(trusted, ("{client-certificate: %s, client-key: %s}"):format(
            absolute(pki .. "admin.crt"), absolute(pki .. "admin.key")))).code)
    end)

    it("may be found in several files of KUBECONFIG", function()
        local run = support.shell(("KUBECONFIG=/nowhere:%s:%s %s status %s"):format(
            support.folder({ config = "current-context: token\n" }) .. "/config", support.kubeconfig, program,
            profile("access", "return { bk.deployment 'web' { image = 'i' } }")))
        assert.equal(1, run.code)
        assert.equal("", run.err)
    end)

    it("may go by a gateway that serves the cluster below a path", function()
        local run = support.shell(([[
build/cluster/bin/kubectl --kubeconfig %s proxy --port=0 --api-prefix=/clusters/BCS-K8S-1/ >proxy.$$ &
trap 'kill $!; rm -f proxy.$$' EXIT
until grep -q Starting proxy.$$; do sleep 0.05; done
port=$(sed 's/.*://' proxy.$$)
sed "s,server: .*,server: http://127.0.0.1:$port/clusters/BCS-K8S-1," %s >proxy.$$.config
%s apply %s --yes --kubeconfig proxy.$$.config; code=$?
rm -f proxy.$$.config; exit $code]]):format(support.kubeconfig, support.kubeconfig, program,
            profile("gateway", "return { bk.deployment 'web' { image = 'i:1' } }")))
        assert.equal(0, run.code, run.err)
        assert.equal("1", support.kubectl "get deployment web -n gateway -o 'jsonpath={.status.readyReplicas}'")
    end)

    it("verifies the name that tls-server-name says", function()
        local named = trusted:gsub("}$", ", tls-server-name: kubernetes.default.svc}")
        assert.equal(1, status(kubeconfig(named, admin)).code)
        refused(status(kubeconfig((trusted:gsub("}$", ", tls-server-name: other}")), admin)), "is not trusted")
    end)

    it("ends where nothing listens", function()
        refused(status(kubeconfig("{server: 'https://127.0.0.1:1'}", "{token: t}")),
            "https://127.0.0.1:1: cannot reach the API server of context 'here': ")
    end)

    it("ends at a certificate that is not trusted", function()
        local other = ("{server: %q, certificate-authority: %s}"):format(server, absolute(pki .. "other-ca.crt"))
        refused(status(kubeconfig(other, admin)), "the server's certificate is not trusted .*context 'here'")
        refused(status(kubeconfig(("{server: %q}"):format(server), admin)), "the server's certificate is not trusted")
        refused(status(kubeconfig(("{server: %q, certificate-authority-data: QUJD}"):format(server), admin)),
            "context 'here'")
    end)

    it("ends at credentials that are not accepted, and shows them not", function()
        local run = status(kubeconfig(trusted, "{token: wrong-token-of-mine}"))
        refused(run, "does not accept the credentials of context 'here' %(401 Unauthorized%)")
        assert.is_nil(run.err:find("wrong-token", 1, true))
    end)

    it("ends where the user may not", function()
        local folder = profile("forbidden", "return { bk.deployment 'web' { image = 'i' } }")
        local run = support.on_cluster("apply", folder, "--context", "nobody")
        assert.equal(8, run.code)
        assert.matches("User \"nobody\" cannot get resource .* %(nothing was applied%)\n$", run.err)
    end)

    it("ends at a kubeconfig that is missing, malformed or lacks the context", function()
        refused(status("build/nowhere"), "build/nowhere: No such file")
        refused(status(kubeconfig("{", "{}")), "config:%d+: not YAML")
        refused(status(support.kubeconfig, "--context", "gone"),
            "%-%-context names 'gone' in 'contexts'; there is: test, token, nobody")
        refused(support.shell(("env -u KUBECONFIG HOME=/nowhere %s status profiles/hello"):format(program)),
            "no kubeconfig: /nowhere/.kube/config does not exist; give %-%-kubeconfig FILE or set KUBECONFIG")
    end)
end)
