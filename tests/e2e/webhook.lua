--- An admission webhook on the test cluster, for the objects of one namespace.
local support = require "support"

local webhook = {}

local configuration = [[
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: { name: %s }
webhooks:
  - name: %s.example.org
    clientConfig: { url: "https://127.0.0.1:%s/", caBundle: %s }
    namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: %s } }
    matchConditions: [{ name: these, expression: %q }]
    rules:
      - { apiGroups: ["*"], apiVersions: ["*"], operations: [CREATE, UPDATE],
          resources: [configmaps, secrets, deployments] }
    admissionReviewVersions: [v1]
    sideEffects: None
    timeoutSeconds: 1
]]

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

--- Runs `work` while a webhook of webhook.py's `mode` judges what the CEL `condition` names in a namespace.
function webhook.during(namespace, mode, condition, work)
    local folder = support.folder()
    local made = support.shell(("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
        .. " -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -keyout %s/key.pem -out %s/cert.pem")
        :format(folder, folder))
    assert(made.code == 0, made.err)
    os.execute(("python3 tests/e2e/webhook.py %s %s </dev/null >/dev/null 2>&1 & echo $! >%s/pid")
        :format(folder, mode, folder))
    local port = wait_for(folder .. "/port")
    local bundle = support.shell(("base64 -w0 %s/cert.pem"):format(folder)).out
    local file <close> = assert(io.open(folder .. "/w.yaml", "w"))
    file:write(configuration:format(namespace, namespace, port, bundle, namespace, condition))
    file:flush()
    support.kubectl(("apply --server-side -f %s/w.yaml"):format(folder))
    os.execute("sleep 0.5") -- the API server takes it in
    local good, problem = pcall(work)
    support.kubectl("delete validatingwebhookconfiguration " .. namespace)
    os.execute("kill " .. wait_for(folder .. "/pid"))
    if not good then
        error(problem, 0)
    end
end

return webhook
