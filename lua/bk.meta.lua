---@meta bk
--- The language of profiles, for editors (LuaLS) and for docs/profile.md, which `make docs` writes from it.

---@class bk
local bk = {}

---@class bk.Rule

--## Profile

---@class bk.ConflictFields
---@field kind? string `"Deployment"`; in it, as in the others, `*` stands for any part
---@field field? string its place, as `bkdeploy` or the API server names it: `spec.replicas`, `spec.template.spec.containers[web].image`; what is in it is meant too
---@field manager? string who has set it: `"kube-controller-manager"`, `"kubectl*"`
---@field action "take"|"yield"|"stop" `take`: it is the profile's; `yield`: what the profile says of it is left out; `stop`: the apply ends before it changes anything

--- What a hook is given; docs/hooks.md has its fields and functions.
---@class bk.HookContext

---@class bk.HookFields
---@field before_plan? fun(ctx: bk.HookContext) first of all, before the cluster is looked at; the lock is not held yet
---@field before_apply? fun(ctx: bk.HookContext) before the first object is sent, where something is to be done
---@field before_component? (fun(ctx: bk.HookContext))|table<string, fun(ctx: bk.HookContext)> before the first object of a component that changes; a function for all, or by the component's name
---@field after_component? (fun(ctx: bk.HookContext))|table<string, fun(ctx: bk.HookContext)> when such a component is ready, or has failed
---@field after_apply? fun(ctx: bk.HookContext) when all is ready, and what has left the profile is deleted
---@field on_failure? fun(ctx: bk.HookContext) when the apply has failed, whatever for
---@field before_delete? fun(ctx: bk.HookContext) before the release is deleted
---@field timeout? string|integer how long each may take, waiting included; without one 60s

---@class bk.ProfileFields
---@field components (bk.Part[])|fun(env: table): bk.Part[] a list of components, configs and secrets, or a function of the environment that returns one
---@field environments? table<string, table> values by the environment's name; reading one that is not set is an error, `env.name` is the name
---@field default? string the environment that is taken without `-e`
---@field namespace? string where everything goes; an environment's own `namespace` wins; without one the profile's name, with environments `name-environment`
---@field create_namespace? boolean `false`: the namespace is there already
---@field labels? table<string, string> on every object; a component's `meta` goes before, `bk.remove` takes one away
---@field bare? boolean `true`: objects carry only what is written, for what was there before it was a profile: no labels, selectors, namespaces or defaults of the language's own; pods have the label `app` with the component's name if they have no `selector`, `namespace` stands on the objects only if it is given, and it is not made without `create_namespace`
---@field version? string|fun(env: table): string stands on the namespace, for others that require this profile
---@field requires? (string[])|fun(env: table): string[]? other releases, by version, that must be on the cluster: `{ "bkiam ^1.12.0", "bkpaas ^2.14.0 or bk-apigateway ^1.12.0" }`
---@field transform? fun(object: table, component: string, env: table): table? sees every object before it leaves the profile; changes it, or returns another
---@field hooks? bk.HookFields|fun(env: table): bk.HookFields functions that run while the profile is applied or deleted ([fields](#fields-of-hooks))
---@field rules? (bk.Rule[])|fun(): bk.Rule[] the profile's own rules for `bkdeploy check`; a function is called by it only, so that other commands need not load them
---@field allow? table<string, string> rules of `bkdeploy check` that are not for this profile, each with the reason: `{ ["latest-tag"] = "a mirror that never moves" }`
---@field conflicts? (bk.ConflictFields)[] whose a field is to be that somebody else has set on the cluster ([fields](#fields-of-conflicts)); the first that fits counts. Without one spec.replicas is left to an autoscaler and a webhook's caBundle to who puts it in, and the rest ends the apply

--- A profile: what a script returns. `--set replicas=5` changes a value of the environment, `--set web.image=a:2` a field
--- that a component has, each to one of the same type.
---
--- ```lua
--- return bk.profile "shop" {
---     default = "dev",
---     environments = { dev = { replicas = 1 }, prod = { replicas = 3, namespace = "live" } },
---     conflicts = { { field = "spec.replicas", manager = "kubectl*", action = "take" } },
---     components = function(env)
---         return { bk.deployment "web" { image = "shop:1", replicas = env.replicas } }
---     end,
--- }
--- ```
---@param name string
---@return fun(fields: bk.ProfileFields): bk.Profile
function bk.profile(name) end

---@class bk.RuleFields
---@field check fun(release: table, report: fun(at: table, path: string, format: string, ...: any)) looks at the release and reports what it finds; `release:each "Deployment"` gives entries with `object`, `kind` and `name`, `release:pods()` pods with `spec`, `labels` and `name`; `at` is one of these, `path` a field of it as `spec.replicas`, of a pod as `containers[0].image`
---@field severity? "error"|"warning" without one `error`
---@field doc? string what the rule is for

--- A rule of the profile's own, for its field `rules`: `bkdeploy check` runs it on a profile without errors.
---
--- ```lua
--- local team = bk.rule "team" { severity = "warning", doc = "who is called at night", check = function(release, report)
---     for entry in release:each("Deployment", "StatefulSet") do
---         if not entry.object.metadata.labels.team then
---             report(entry, "metadata.labels", "%s has no team", entry.name)
---         end
---     end
--- end }
--- return bk.profile "shop" {
---     rules = { team },
---     components = { bk.deployment "web" { image = "shop:1", meta = { labels = { team = "shop" } } } },
--- }
--- ```
---@param name string
---@return fun(fields: bk.RuleFields): bk.Rule
function bk.rule(name) end

---@class bk.ClusterFields
---@field server? string the server's URL in the kubeconfig
---@field context? string a pattern of the context's name, `site-a-*`
---@field uid? string of the cluster's namespace kube-system

--- The cluster that an environment belongs to, as its `cluster`: on another one nothing is done.
---
--- ```lua
--- return bk.profile "shop" {
---     default = "prod",
---     environments = { prod = { cluster = bk.cluster { context = "prod-*" } } },
---     components = { bk.deployment "web" { image = "shop:1" } },
--- }
--- ```
---@param fields bk.ClusterFields
---@return bk.Cluster
function bk.cluster(fields) end

---@class bk.ExtendFields
---@field name? string another name for the profile
---@field namespace? string
---@field create_namespace? boolean
---@field default? string
---@field environments? table<string, table> each takes the values of the environment that its `base` names, and changes some
---@field images? table<string, string> beginnings of images and what stands in their place
---@field remove? string[] components that are left out
---@field replace? table<string, bk.Component> components in the place of others of the same name
---@field override? table<string, table>|fun(env: table): table<string, table> fields by component; maps are merged, lists replaced, `bk.remove` takes one away
---@field add? (bk.Part[])|fun(env: table): bk.Part[] more components
---@field transform? fun(object: table, component: string, env: table): table?
---@field rules? (bk.Rule[])|fun(): bk.Rule[] the profile's own rules for `bkdeploy check`; a function is called by it only, so that other commands need not load them
---@field allow? table<string, string> rules of `bkdeploy check` that are not for this site, each with the reason: `{ ["latest-tag"] = "a mirror that never moves" }`
---@field conflicts? (bk.ConflictFields)[] looked at before those of the profile that is extended
---@field hooks? bk.HookFields|fun(env: table): bk.HookFields run beside those of the profile that is extended: after its `before_` hooks, and before the others

--- A site: another profile with changes. It is the folder of that name beside the profile's own folder, or beside one of
--- the two folders around it; its code goes on to see its own files only.
---
--- ```lua
--- return bk.extend "shop" {
---     environments = { here = { base = "prod", replicas = 2 } }, default = "here",
---     images = { ["hub.example.com/"] = "registry.here/" },
---     override = { web = { ingress = { class = "here" } } },
---     add = { bk.config "of-here" { town = "Shenzhen" } },
---     transform = function(object)
---         object.metadata.labels.site = "here"
---     end,
--- }
--- ```
---@param name string
---@return fun(fields: bk.ExtendFields): bk.Profile
function bk.extend(name) end

---@class bk.InputFields
---@field type? "string"|"integer"|"number"|"boolean"
---@field secret? boolean the value can only go into a `bk.secret`
---@field optional? boolean nil when nobody gives it
---@field default? string|number|boolean
---@field doc? string what it is, for who has to give it
---@field env? string a variable of the environment that has it
---@field file? string a file below the profile's folder that has it
---@field command? string[] a program that prints it; run with `--allow-exec` only

--- A value that a site gives: by `--input name=value` or `--input name=@file`, else the variable, the file, the command,
--- or the default.
---
--- ```lua
--- local host = bk.input "host" { default = "shop.example.com", doc = "where the shop is found" }
--- local web = bk.deployment "web" { image = "shop:1", ports = { http = 80 }, ingress = { host = host } }
--- ```
---@param name string
---@return fun(fields: bk.InputFields): any
function bk.input(name) end

--## Workloads

---@class bk.ContainerFields
---@field image string
---@field command? (string|number)[]
---@field args? (string|number)[]
---@field working_dir? string
---@field pull_policy? "Always"|"IfNotPresent"|"Never"
---@field ports? table<string, integer|string>|(integer|string|table)[] name and number; `"53/UDP"` for another protocol; a list for an order, where a plain number has no name
---@field host_ports? table<string, integer> ports of the node, by the names in `ports`
---@field resources? table<string, any> `{ cpu = "500m..2", memory = "1Gi" }`: request and limit, or one figure for both; `"500m.."` and `"..2"` are one of them only, as `{ request = 1, limit = 2 }` is both
---@field liveness? bk.Probe
---@field readiness? bk.Probe
---@field startup? bk.Probe
---@field env? table<string, any>|table<string, any>[] by name, or a list `{ { A = 1 }, { B = "$(A)" } }` for an order: text, number, boolean, a key of a config or secret, `bk.field`, `bk.resource`, or text with `component.host` in it
---@field env_from? bk.Source[] configs and secrets whose keys all become variables; `:prefix "APP_"` before their names
---@field files? table<string, bk.Source|bk.Key>|table<string, any>[] by path, or a list for an order: all keys of a config or secret, those of `:only { "key", ["file"] = "key" }`, or one
---@field volumes? table<string, any>|table<string, any>[] by path, or a list for an order: a volume, what `files` may have, or the name of one of `pod_volumes` or of a claim; these and files have `:named "x"` for the volume's name in the pod, `:sub "path"`, `:read_only()`, `:writable()` and `:propagation "HostToContainer"`
---@field pre_stop? string[]|bk.Probe a command, or what a probe asks, before the container is ended
---@field post_start? string[]|bk.Probe the same after it began
---@field security? table securityContext, as Kubernetes has it
---@field stdin? boolean
---@field tty? boolean

---@class bk.PodFields: bk.ContainerFields
---@field meta? table `{ labels, annotations, namespace, name }` of the objects that the component makes; `name` where theirs is not the component's
---@field selector? table<string, string> the labels by which the pods are found, instead of the language's own
---@field container? string the name of the main container, where it is not the component's
---@field pod_volumes? table<string, any>|table<string, any>[] volumes, configs and secrets by the volume's name, mounted by that name or not at all; in a list the name of a claim stands for its volume
---@field pod? table more of the pod's spec, as Kubernetes has it: `{ dnsConfig = { ... } }`
---@field restart? "Always"|"Never"|"OnFailure" of a Job OnFailure without
---@field needs? bk.Part[] what must have come up before; configs and `component.host` are needs by themselves
---@field after? (bk.Part|string)[] what else must have come up before, though nothing of it is used; a component that is written later, or that a site adds, by its name
---@field grace? string how long a cause of failure that is certain must stay so to fail this component, instead of `--grace`: `"30s"`
---@field init? bk.ContainerFields[] containers, with `name`, that run before; one with `restart = "Always"` goes on
---@field sidecars? bk.ContainerFields[] containers that begin before `init` and go on
---@field containers? bk.ContainerFields[] more containers beside the main one
---@field labels? table<string, string>
---@field annotations? table<string, string>
---@field service_account? bk.Component|string
---@field token? boolean `false`: no token of the service account in the pod
---@field priority_class? bk.Component|string
---@field pull_secrets? string[]
---@field grace_period? string how long a pod may take to end: `"2m"`
---@field pod_security? table securityContext of the pod
---@field host_aliases? table[]
---@field host_network? boolean
---@field host_pid? boolean
---@field dns_policy? string
---@field nodes? table<string, string|string[]> labels that a node must have
---@field prefer_nodes? table<string, string|string[]> labels that it better has
---@field apart? string|table a node label such as `"kubernetes.io/hostname"`: not beside each other; `{ key, required = true }`
---@field spread? string|table a node label to spread over; `{ key, max_skew, required }`; or a list of constraints, as Kubernetes has them
---@field node_selector? table<string, string>
---@field affinity? table as Kubernetes has it, instead of `nodes` and `apart`
---@field tolerations? table[]
---@field patch? table<string, table>|fun(object: table): table? changes of what is made, by kind: `{ deployment = { ... } }`, or by kind and name: `{ ["service/web"] = { ... } }`; lists of named items are merged by name, `bk.remove` and `bk.replace` take away and replace
---@field keep? boolean `true`: its objects stay on the cluster when the profile no longer has them, and when the release is deleted; `false`: its PersistentVolumeClaims, which stay else, do not
---@field replace? boolean whether its objects may be deleted and made anew when a field changes that can't be changed in place; without it a Job's may
---@field allow? table<string, string> rules of `bkdeploy check` that are not for this component, each with the reason: `{ ["no-limits"] = "it has the node to itself" }`

---@class bk.ServedFields: bk.PodFields
---@field service? boolean|bk.ServicePart made with ports; `false` for none
---@field services? (bk.ServicePart)[] Services, with their `name`; beside `service`, where that is given
---@field ingress? bk.IngressPart
---@field claims? table<string, table>|table<string, table>[] `{ data = { size, path, class, modes, volume, selector, volume_mode, read_only, sub, keep, name, labels, annotations } }`; a list for an order; `keep = false`: it goes with the component
---@field network? table `{ from = { ... }, to = { ... } }`: components, names of namespaces, `bk.cidr`; an empty list is nobody; or `{ ingress, egress, types }` as Kubernetes has them; `name`, `labels` and `annotations` of the NetworkPolicy
---@field disruption? table `{ min_available }` or `{ max_unavailable }`: a number or `"25%"`; `unhealthy = "AlwaysAllow"`; `name`, `labels`, `annotations`

---@class bk.ServicePart
---@field ports? table<string, any>|any[] name and number, leading to the port of the component by that name; or `{ 443, target = "https", node_port, app_protocol }`, whose `target` is another port or its number; all the component's ports without
---@field type? "ClusterIP"|"NodePort"|"LoadBalancer"
---@field headless? boolean
---@field publish_not_ready? boolean
---@field node_ports? table<string, integer>
---@field addresses? string[] externalIPs
---@field external_traffic? "Cluster"|"Local"
---@field internal_traffic? "Cluster"|"Local"
---@field sticky? boolean by the client's address
---@field class? string of the load balancer
---@field sources? string[] from which the load balancer may be used
---@field cluster_ip? string
---@field load_balancer_ip? string
---@field ip_families? ("IPv4"|"IPv6")[]
---@field ip_family_policy? "SingleStack"|"PreferDualStack"|"RequireDualStack"
---@field selector? table<string, string> where it is not the component's
---@field name? string where it is not the component's
---@field labels? table<string, string> beside those of `meta`
---@field annotations? table<string, string>

---@class bk.IngressPart
---@field host? string
---@field hosts? string[]
---@field path? string `/` without
---@field paths? table<string, any>|table<string, any>[] by path, or a list for an order: the name or number of a port, a component, or `{ service, port, path_type }`
---@field rules? table[] `{ { host, paths }, ... }` for hosts whose paths differ
---@field port? string|integer `http` or the only one without
---@field path_type? "Prefix"|"Exact"|"ImplementationSpecific" Prefix without
---@field class? string
---@field tls? any a `bk.secret`, the name of one, `{ host = secret }`, or a list `{ { hosts, secret }, ... }`
---@field default? any where everything else goes: a component or `{ service, port }`
---@field name? string where it is not the component's
---@field labels? table<string, string> beside those of `meta`
---@field annotations? table<string, string>

---@class bk.DeploymentFields: bk.ServedFields
---@field replicas? integer 1 without
---@field scale? table `{ min, max, cpu = "70%", memory, metrics, behavior }`: an autoscaler instead of `replicas`; `name`, `labels`, `annotations`
---@field strategy? string|table `"Recreate"`, `"RollingUpdate"`, `{ max_surge, max_unavailable }`
---@field progress_deadline? string
---@field min_ready? string
---@field revision_history? integer

--- A Deployment, with what belongs to it. `component.host` is the name of its Service; text made with it carries the need
--- along.
---
--- ```lua
--- local db = bk.statefulset "db" { image = "mysql:8", ports = { mysql = 3306 },
---     claims = { data = { size = "10Gi", path = "/var/lib/mysql" } } }
--- local web = bk.deployment "web" {
---     image = "shop:1", ports = { http = 8080 }, scale = { min = 2, max = 6, cpu = "70%" },
---     resources = { cpu = "100m..1", memory = "128Mi..512Mi" }, apart = "kubernetes.io/hostname",
---     readiness = bk.http { path = "/ready", period = "5s" }, pre_stop = { "sleep", "5" },
---     env = { DATABASE = "mysql://" .. db.host .. ":3306" }, disruption = { max_unavailable = 1 },
---     ingress = { host = "shop.example.com", tls = "shop-tls" }, network = { from = { "ingress-nginx" } },
--- }
--- ```
---@param name string
---@return fun(fields: bk.DeploymentFields): bk.Component
function bk.deployment(name) end

---@class bk.StatefulsetFields: bk.ServedFields
---@field replicas? integer 1 without
---@field scale? table as of a Deployment
---@field strategy? "OnDelete"|"RollingUpdate"
---@field partition? integer pods from this number on are updated
---@field pod_management? "OrderedReady"|"Parallel"
---@field service_name? string the Service that names the pods; without it the first headless one
---@field keep_claims? table `{ deleted = false }`, `{ scaled = false }`: when claims go with their pods
---@field min_ready? string
---@field revision_history? integer

--- A StatefulSet with claim templates and a headless Service.
---
--- ```lua
--- local redis = bk.statefulset "redis" { image = "redis:7", replicas = 3, ports = { redis = 6379 },
---     claims = { data = { size = "1Gi", path = "/data", class = "fast" } }, pod_management = "Parallel" }
--- ```
---@param name string
---@return fun(fields: bk.StatefulsetFields): bk.Component
function bk.statefulset(name) end

---@class bk.DaemonsetFields: bk.ServedFields
---@field strategy? string|table `"OnDelete"`, `{ max_surge, max_unavailable }`
---@field min_ready? string
---@field revision_history? integer

--- A DaemonSet: a pod on every node that it may go to.
---
--- ```lua
--- local agent = bk.daemonset "agent" { image = "agent:1", volumes = { ["/var/log"] = bk.host_path "/var/log" },
---     tolerations = { { operator = "Exists" } } }
--- ```
---@param name string
---@return fun(fields: bk.DaemonsetFields): bk.Component
function bk.daemonset(name) end

---@class bk.JobFields: bk.PodFields
---@field backoff_limit? integer
---@field deadline? string
---@field completions? integer
---@field parallelism? integer
---@field ttl? string how long it stays when it is done

--- A Job. Who needs it waits until it is complete; a changed one is deleted and run anew.
---
--- ```lua
--- local migrate = bk.job "migrate" { image = "shop:1", command = { "manage.py", "migrate" }, deadline = "10m" }
--- local web = bk.deployment "web" { image = "shop:1", needs = { migrate } }
--- ```
---@param name string
---@return fun(fields: bk.JobFields): bk.Component
function bk.job(name) end

---@class bk.TaskFields: bk.JobFields
---@field before? bk.Part[] components that wait until it is done; its own `needs` are what it runs after
---@field run? "changed"|"always" `changed` (without one): when its description has changed; `always`: also at every apply that changes something else; and one that failed runs again at the next apply

--- A step of the release that runs in the cluster: a Job whose log is shown while it runs. When it fails the apply does.
--- Without `restart` and `backoff_limit` it is tried once, and its pod stays.
---
--- ```lua
--- local web = bk.deployment "web" { image = "shop:1" }
--- local migrate = bk.task "migrate" { image = "shop:1", command = { "manage.py", "migrate" }, before = { web } }
--- ```
---@param name string
---@return fun(fields: bk.TaskFields): bk.Component
function bk.task(name) end

---@class bk.CronjobFields: bk.JobFields
---@field schedule string minute, hour, day, month, weekday
---@field time_zone? string
---@field concurrency? "Allow"|"Forbid"|"Replace"
---@field suspend? boolean
---@field keep_successful? integer
---@field keep_failed? integer
---@field starting_deadline? string

--- A CronJob.
---
--- ```lua
--- local clean = bk.cronjob "clean" { image = "shop:1", schedule = "30 3 * * *", time_zone = "Asia/Shanghai" }
--- ```
---@param name string
---@return fun(fields: bk.CronjobFields): bk.Component
function bk.cronjob(name) end

--## Probes

---@class bk.ProbeFields
---@field initial_delay? string
---@field period? string
---@field timeout? string
---@field success? integer
---@field failure? integer

--- Asks by HTTP: a path, or `{ path, port, scheme, host, headers }` with the timings `initial_delay`, `period`, `timeout`,
--- `success` and `failure`. Without a port it is `http`, or the only one.
---
--- ```lua
--- local web = bk.deployment "web" { image = "shop:1", ports = { http = 80 },
---     liveness = bk.http { path = "/live", initial_delay = "10s", failure = 6 }, readiness = bk.http "/ready" }
--- ```
---@param fields string|table
---@return bk.Probe
function bk.http(fields) end

--- Asks by connecting: a port, or `{ port }` with the timings.
---
--- ```lua
--- local db = bk.statefulset "db" { image = "mysql:8", ports = { mysql = 3306 }, readiness = bk.tcp "mysql" }
--- ```
---@param fields string|integer|table
---@return bk.Probe
function bk.tcp(fields) end

--- Asks by running a command: a list, or `{ command }` with the timings.
---
--- ```lua
--- local redis = bk.statefulset "redis" { image = "redis:7",
---     readiness = bk.exec { command = { "redis-cli", "ping" }, period = "5s" } }
--- ```
---@param fields table
---@return bk.Probe
function bk.exec(fields) end

--- Asks by gRPC's health service: `{ port, service }` with the timings.
---
--- ```lua
--- local api = bk.deployment "api" { image = "api:1", ports = { grpc = 9000 }, liveness = bk.grpc { port = 9000 } }
--- ```
---@param fields table
---@return bk.Probe
function bk.grpc(fields) end

--## Configuration

--- A ConfigMap as a value: who uses it holds it, and it is listed by itself. `conf:key "a"` is one key, `conf:mode "0440"`
--- all as files with these permissions, `conf:key "a":mode "0440"` one; `:optional()` may be missing; `:immutable()`;
--- `:keep()` stays on the cluster when the profile no longer has it;
--- `:hashed()` is named by its content, so that a change is a new one; `:meta { labels, annotations, namespace, name }`.
---
--- ```lua
--- local conf = bk.config "conf" { LEVEL = "INFO", ["app.yaml"] = bk.yaml { cache = { size = 10 } } }:hashed()
--- local web = bk.deployment "web" { image = "shop:1", env_from = { conf },
---     files = { ["/etc/app.yaml"] = conf:key "app.yaml" } }
--- ```
---@param name string
---@return fun(data: table<string, string|number|boolean>): bk.Source
function bk.config(name) end

--- A Secret as a value, used as a config is; given as text. `render` shows its values with `--show-secrets` only.
--- `:type "kubernetes.io/basic-auth"` if it has one of its own; `:plain()` sends it as `stringData`.
---
--- ```lua
--- local pass = bk.secret "pass" { password = bk.generated(), user = "shop" }
--- local web = bk.deployment "web" { image = "shop:1", env = { PASSWORD = pass:key "password" },
---     files = { ["/etc/pass"] = pass:mode "0400" } }
--- ```
---@param name string
---@return fun(data: table<string, any>): bk.Source
function bk.secret(name) end

--- A ConfigMap that is there already.
---
--- ```lua
--- local web = bk.deployment "web" { image = "shop:1", env_from = { bk.existing_config "site":optional() } }
--- ```
---@param name string
---@return bk.Source
function bk.existing_config(name) end

--- A Secret that is there already.
---
--- ```lua
--- local web = bk.deployment "web" { image = "shop:1", env = { TOKEN = bk.existing_secret "vault":key "token" } }
--- ```
---@param name string
---@return bk.Source
function bk.existing_secret(name) end

--- A password that is made at the first apply and kept from then on: `{ length = 24, alphabet = "..." }`.
---
--- ```lua
--- local pass = bk.secret "pass" { pin = bk.generated { length = 6, alphabet = "0123456789" } }
--- ```
---@param fields? table
---@return bk.Generated
function bk.generated(fields) end

--- An RSA key pair that is made once, `{ private, public }` in PEM, for keys of one secret: `{ bits = 2048 }`.
---
--- ```lua
--- local pair = bk.rsa_pair { bits = 4096 }
--- local jwt = bk.secret "jwt" { ["private.pem"] = pair.private, ["public.pem"] = pair.public }
--- ```
---@param fields? table
---@return table
function bk.rsa_pair(fields) end

--- A key with a certificate that it signed itself, made once: `{ names, days = 3650, bits = 2048 }`. It is all of a secret,
--- with the keys `tls.crt` and `tls.key`.
---
--- ```lua
--- local cert = bk.secret "cert" (bk.tls_pair { names = { "shop.example.com" } })
--- local web = bk.deployment "web" { image = "shop:1", ports = { http = 80 },
---     ingress = { host = "shop.example.com", tls = cert } }
--- ```
---@param fields table
---@return table
function bk.tls_pair(fields) end

--- A field of the pod as a variable, or as a file of `bk.projected`; with its API version where that is written.
---
--- ```lua
--- local web = bk.deployment "web" { image = "shop:1", env = { NODE_IP = bk.field "status.hostIP" } }
--- ```
---@param path string
---@param version? string
---@return bk.Field
function bk.field(path, version) end

--- A request or limit of the container as a variable; of another one, in another unit: `{ container, divisor }`.
---
--- ```lua
--- local web = bk.deployment "web" { image = "shop:1", resources = { memory = "1Gi" },
---     env = { MEMORY = bk.resource "limits.memory" } }
--- ```
---@param name string
---@param more? table
---@return bk.Field
function bk.resource(name, more) end

--## Storage

--- A folder of the node, made when it is not there; or another type of path.
---
--- ```lua
--- local web = bk.deployment "web" { image = "shop:1", volumes = { ["/run/x.sock"] = bk.host_path("/run/x.sock", "Socket") } }
--- ```
---@param path string
---@param type? string
---@return bk.Volume
function bk.host_path(path, type) end

--- Scratch space of the pod: `{ size, memory = true }`.
---
--- ```lua
--- local web = bk.deployment "web" { image = "shop:1", volumes = { ["/tmp"] = bk.empty_dir { size = "1Gi" } } }
--- ```
---@param fields? table
---@return bk.Volume
function bk.empty_dir(fields) end

--- A PersistentVolumeClaim that is there already, or a `bk.claim`.
---
--- ```lua
--- local web = bk.deployment "web" { image = "shop:1", volumes = { ["/in"] = bk.existing_claim "inbox" } }
--- ```
---@param claim string|bk.Component
---@return bk.Volume
function bk.existing_claim(claim) end

--- Any other volume, as Kubernetes has it.
---
--- ```lua
--- local web = bk.deployment "web" { image = "shop:1", volumes = {
---     ["/labels"] = bk.volume { downwardAPI = { items = { { path = "all", fieldRef = { fieldPath = "metadata.labels" } } } } },
--- } }
--- ```
---@param source table
---@return bk.Volume
function bk.volume(source) end

--- A volume of `pod_volumes`, or a claim of the component, by its name: what `"name"` alone is, for `:sub "path"` and the
--- like.
---
--- ```lua
--- local db = bk.statefulset "db" { image = "mysql:8", claims = { data = { size = "1Gi" } },
---     pod_volumes = { tmp = bk.empty_dir() },
---     volumes = { ["/var/lib/mysql"] = bk.mount "data":sub "mysql", ["/tmp"] = "tmp" } }
--- ```
---@param name string
---@return bk.Volume
function bk.mount(name) end

---@class bk.ClaimFields
---@field size string
---@field class? bk.Component|string
---@field modes? string[]
---@field volume? bk.Component|string
---@field selector? table<string, string>
---@field volume_mode? "Filesystem"|"Block"

--- A PersistentVolumeClaim that several components mount; for one component there is its `claims`.
---
--- ```lua
--- local shared = bk.claim "shared" { size = "5Gi", modes = { "ReadWriteMany" } }
--- local web = bk.deployment "web" { image = "shop:1", volumes = { ["/in"] = bk.existing_claim(shared) } }
--- local job = bk.job "fill" { image = "shop:1", volumes = { ["/out"] = bk.existing_claim(shared):sub "new" } }
--- ```
---@param name string
---@return fun(fields: bk.ClaimFields): bk.Component
function bk.claim(name) end

--- A folder of an NFS server: `{ server, path, read_only }`.
---
--- ```lua
--- local web = bk.deployment "web" { image = "shop:1",
---     volumes = { ["/share"] = bk.nfs { server = "nfs.example.com", path = "/share" } } }
--- ```
---@param fields table
---@return bk.Volume
function bk.nfs(fields) end

--- A volume of a CSI driver: `{ driver, handle, filesystem, attributes, read_only }`.
---
--- ```lua
--- local disk = bk.persistent_volume "disk" { size = "10Gi", source = bk.csi { driver = "csi.example.com", handle = "vol-1" } }
--- ```
---@param fields table
---@return bk.Volume
function bk.csi(fields) end

--- Several sources in one folder, with `:mode "0440"` for all: configs, secrets, keys of them, `bk.token`, and fields of the pod under a name.
---
--- ```lua
--- local conf = bk.config "conf" { level = "INFO" }
--- local web = bk.deployment "web" { image = "shop:1", volumes = { ["/etc/all"] = bk.projected {
---     conf, bk.token { audience = "vault", expires = "1h" }, name = bk.field "metadata.name" } } }
--- ```
---@param parts table
---@return bk.Volume
function bk.projected(parts) end

--- The service account's token for an audience, in `bk.projected`: `{ path = "token", audience, expires }`.
---
--- ```lua
--- local web = bk.deployment "web" { image = "shop:1",
---     volumes = { ["/var/token"] = bk.projected { bk.token { path = "vault", audience = "vault" } } } }
--- ```
---@param fields table
---@return bk.Token
function bk.token(fields) end

---@class bk.PersistentVolumeFields
---@field size string
---@field source bk.Volume `bk.host_path`, `bk.nfs`, `bk.csi` or `bk.volume`
---@field class? bk.Component|string
---@field modes? string[]
---@field reclaim? "Retain"|"Delete"|"Recycle"
---@field nodes? table<string, string|string[]> labels of the nodes that have it
---@field labels? table<string, string>
---@field mount_options? string[]
---@field volume_mode? "Filesystem"|"Block"

--- A PersistentVolume, for sites without a provisioner; a claim takes it by `volume`.
---
--- ```lua
--- local slow = bk.storage_class "slow" {}
--- local disk = bk.persistent_volume "disk-1" { size = "50Gi", source = bk.host_path "/disks/1", class = slow,
---     nodes = { ["kubernetes.io/hostname"] = "node-1" } }
--- local db = bk.statefulset "db" { image = "mysql:8",
---     claims = { data = { size = "50Gi", path = "/var/lib/mysql", class = slow, volume = disk } } }
--- ```
---@param name string
---@return fun(fields: bk.PersistentVolumeFields): bk.Component
function bk.persistent_volume(name) end

---@class bk.StorageClassFields
---@field provisioner? string without one, volumes are made by hand
---@field parameters? table<string, string>
---@field reclaim? "Delete"|"Retain"
---@field binding? "Immediate"|"WaitForFirstConsumer"
---@field expansion? boolean
---@field default? boolean
---@field mount_options? string[]

--- A StorageClass.
---
--- ```lua
--- local fast = bk.storage_class "fast" { provisioner = "csi.example.com", expansion = true, reclaim = "Retain" }
--- ```
---@param name string
---@return fun(fields: bk.StorageClassFields): bk.Component
function bk.storage_class(name) end

--## Routes and names

--- An Ingress for several components, with the fields of a component's own; `paths` lead to components.
---
--- ```lua
--- local web = bk.deployment "web" { image = "shop:1", ports = { http = 80 } }
--- local api = bk.deployment "api" { image = "api:1", ports = { http = 80 } }
--- local public = bk.ingress "public" { hosts = { "shop.example.com" }, paths = { ["/"] = web, ["/api/"] = api } }
--- ```
---@param name string
---@return fun(fields: table): bk.Component
function bk.ingress(name) end

--- A Service for the pods of several components, or of others; with the fields of a component's `service`.
---
--- ```lua
--- local one = bk.deployment "one" { image = "shop:1", labels = { shop = "all" }, ports = { http = 80 } }
--- local two = bk.deployment "two" { image = "shop:2", labels = { shop = "all" }, ports = { http = 80 } }
--- local all = bk.service "all" { selector = { shop = "all" }, ports = { http = { 80, target = "http" } } }
--- ```
---@param name string
---@return fun(fields: bk.ServicePart): bk.Component
function bk.service(name) end

---@class bk.ExternalFields
---@field host? string a Service of type ExternalName
---@field addresses? string[] a Service with these endpoints
---@field ports? table<string, integer|string> with `addresses`
---@field annotations? table<string, string>

--- A name in the namespace for what lies outside, with a `host` as a component has one.
---
--- ```lua
--- local db = bk.external "mysql" { addresses = { "10.0.0.5" }, ports = { mysql = 3306 } }
--- local mail = bk.external "mail" { host = "smtp.example.com" }
--- local web = bk.deployment "web" { image = "shop:1", env = { DB_HOST = db.host, MAIL_HOST = mail.host } }
--- ```
---@param name string
---@return fun(fields: bk.ExternalFields): bk.Component
function bk.external(name) end

--- Addresses, for `network`; those of the second argument excepted.
---
--- ```lua
--- local db = bk.statefulset "db" { image = "mysql:8", ports = { mysql = 3306 },
---     network = { from = { bk.cidr("10.0.0.0/8", { "10.9.0.0/16" }) }, to = {} } }
--- ```
---@param block string
---@param except? string[]
---@return bk.Cidr
function bk.cidr(block, except) end

--## Rights and limits

---@class bk.NetworkPolicyFields
---@field selector? table<string, string> labels of the pods; without it all of the namespace
---@field from? any[] components, names of namespaces, `bk.cidr`; an empty list is nobody
---@field to? any[]
---@field ingress? table[] as Kubernetes has it, instead of `from`
---@field egress? table[] as Kubernetes has it, instead of `to`
---@field types? ("Ingress"|"Egress")[] those that it speaks of without

--- A NetworkPolicy that belongs to no component; a component has its own as `network`.
---
--- ```lua
--- local nobody = bk.network_policy "nobody" { from = {} }
--- ```
---@param name string
---@return fun(fields: bk.NetworkPolicyFields): bk.Component
function bk.network_policy(name) end

---@class bk.ServiceAccountFields
---@field rules? table[] `{ groups, resources, verbs, names, urls }`: a Role in the namespace
---@field cluster_rules? table[] the same: a ClusterRole named `namespace-name`, in a bare profile as the account
---@field token? boolean
---@field pull_secrets? string[]
---@field annotations? table<string, string>

--- A ServiceAccount with its rights.
---
--- ```lua
--- local reader = bk.service_account "reader" { rules = { { resources = { "pods" }, verbs = { "get", "list" } } } }
--- local web = bk.deployment "web" { image = "shop:1", service_account = reader }
--- ```
---@param name string
---@return fun(fields: bk.ServiceAccountFields): bk.Component
function bk.service_account(name) end

---@class bk.RoleFields
---@field rules? table[] `{ groups, resources, verbs, names, urls }`
---@field to? any[] who has it: service accounts, `{ user = "name" }`, `{ group = "name" }`, `{ account, namespace }`

--- A Role of the namespace, and with `to` its RoleBinding.
---
--- ```lua
--- local account = bk.service_account "shop" {}
--- local reader = bk.role "reader" { rules = { { resources = { "pods" }, verbs = { "get" } } },
---     to = { account, { group = "operators" } } }
--- ```
---@param name string
---@return fun(fields: bk.RoleFields): bk.Component
function bk.role(name) end

---@class bk.ClusterRoleFields: bk.RoleFields
---@field aggregate? table[] labels of the roles that it is made of, as `{ { matchLabels = { ... } } }`

--- A ClusterRole, and with `to` its ClusterRoleBinding. Its name in the cluster is the component's, or that of `meta`.
---
--- ```lua
--- local account = bk.service_account "metrics" {}
--- local reader = bk.cluster_role "nodes" { meta = { name = "shop:nodes" }, to = { account },
---     rules = { { resources = { "nodes" }, verbs = { "get", "list" } }, { urls = { "/metrics" }, verbs = { "get" } } } }
--- ```
---@param name string
---@return fun(fields: bk.ClusterRoleFields): bk.Component
function bk.cluster_role(name) end

---@class bk.RoleBindingFields
---@field role? bk.Component|string
---@field cluster_role? bk.Component|string
---@field to any[] as of a role

--- Who has a role that is made elsewhere, or that has more than one binding.
---
--- ```lua
--- local account = bk.service_account "metrics" {}
--- local reader = bk.role_binding "auth-reader" { meta = { namespace = "kube-system" },
---     role = "extension-apiserver-authentication-reader", to = { account } }
--- ```
---@param name string
---@return fun(fields: bk.RoleBindingFields): bk.Component
function bk.role_binding(name) end

---@class bk.ClusterRoleBindingFields
---@field cluster_role bk.Component|string
---@field to any[] as of a role

--- The same, in the whole cluster.
---
--- ```lua
--- local account = bk.service_account "metrics" {}
--- local delegator = bk.cluster_role_binding "delegator" { cluster_role = "system:auth-delegator", to = { account } }
--- ```
---@param name string
---@return fun(fields: bk.ClusterRoleBindingFields): bk.Component
function bk.cluster_role_binding(name) end

---@class bk.PriorityClassFields
---@field value integer
---@field default? boolean
---@field preemption? "Never"|"PreemptLowerPriority"
---@field description? string

--- A PriorityClass.
---
--- ```lua
--- local high = bk.priority_class "high" { value = 1000 }
--- local web = bk.deployment "web" { image = "shop:1", priority_class = high }
--- ```
---@param name string
---@return fun(fields: bk.PriorityClassFields): bk.Component
function bk.priority_class(name) end

---@class bk.QuotaFields
---@field hard table<string, string|number>
---@field scopes? string[]

--- A ResourceQuota of the namespace.
---
--- ```lua
--- local quota = bk.quota "quota" { hard = { pods = 50, ["requests.cpu"] = "10" } }
--- ```
---@param name string
---@return fun(fields: bk.QuotaFields): bk.Component
function bk.quota(name) end

---@class bk.LimitsFields
---@field container? table `{ default, request, max, min, ratio }`
---@field pod? table
---@field claim? table

--- A LimitRange of the namespace.
---
--- ```lua
--- local limits = bk.limits "limits" { container = { default = { memory = "512Mi" }, max = { memory = "4Gi" } } }
--- ```
---@param name string
---@return fun(fields: bk.LimitsFields): bk.Component
function bk.limits(name) end

--- A namespace beside the profile's own.
---
--- ```lua
--- local jobs = bk.namespace "jobs" { meta = { labels = { ["pod-security.kubernetes.io/enforce"] = "restricted" } } }
--- ```
---@param name string
---@return fun(fields: table): bk.Component
function bk.namespace(name) end

--## Kinds of one's own

---@class bk.CrdFields
---@field kind string
---@field versions table<string, table>|table<string, table>[] openAPIV3Schema by version; a list for an order
---@field storage? string the version that is stored, where there is more than one
---@field scope? "Namespaced"|"Cluster"
---@field singular? string
---@field list? string the kind of its lists
---@field short? string[]
---@field categories? string[]
---@field status? boolean with a status subresource
---@field columns? table<string, table[]> additionalPrinterColumns by version
---@field ready? fun(obj: table): string, string? when an object of the kind is ready: see bk.raw

--- A CustomResourceDefinition. `crd:resource "name" { ... }` is an object of its kind, which needs it; it may have
--- `needs`, `after` and `grace` as a component.
---
--- ```lua
--- local lamp = bk.crd "lamps.example.com" { kind = "Lamp", versions = { v1 = { type = "object", properties = {
---     spec = { type = "object", properties = { on = { type = "boolean" } } } } } } }
--- local hall = lamp:resource "hall" { spec = { on = true } }
--- ```
---@param name string plural.group
---@return fun(fields: bk.CrdFields): bk.Component
function bk.crd(name) end

--- API objects as they are, but for the profile's labels; with `needs`, `after`, `grace`, `keep` and `replace`
--- beside them.
---
--- `ready`, a function of an object as it stands on the cluster, tells when it is ready: it returns `"Current"`,
--- `"InProgress"` or `"Failed"`, and a reason. It goes before the rule of the kind, and sees no nulls. One that raises,
--- does not end or returns anything else makes the object Unknown, which apply waits for. That of a `bk.crd` is for all
--- objects of its kind, that of a `crd:resource` for one.
---
--- ```lua
--- local lease = bk.raw "lease" { { apiVersion = "coordination.k8s.io/v1", kind = "Lease", metadata = { name = "a" } },
---     ready = function(obj)
---         local holder = obj.spec and obj.spec.holderIdentity
---         return holder and "Current" or "InProgress", holder or "nobody holds it"
---     end }
--- ```
---@param name string
---@return fun(objects: table): bk.Component
function bk.raw(name) end

--## Helpers

--- As a value in an override or patch: takes the field away.
---
--- ```lua
--- local web = bk.deployment "web" { image = "shop:1", ports = { http = 80 },
---     patch = { service = { spec = { type = bk.remove } } } }
--- ```
---@type bk.Remove
bk.remove = nil

--- As a value in an override or patch: stands in the place of what is there, and is not merged with it.
---
--- ```lua
--- local web = bk.deployment "web" { image = "shop:1", env = { A = 1, B = 2 }, patch = { deployment = { spec = {
---     template = { spec = { containers = bk.replace { { name = "web", image = "shop:2" } } } } } } } }
--- ```
---@param value table
---@return bk.Replace
function bk.replace(value) end

--- JSON's null, where a field must say it.
---
--- ```lua
--- local web = bk.deployment "web" { image = "shop:1", patch = { deployment = { spec = { strategy = bk.null } } } }
--- ```
---@type bk.Null
bk.null = nil

--- The text of a file below the profile's folder.
---
--- ```lua
--- local conf = bk.config "conf" { ["my.cnf"] = bk.read "files/my.cnf" }
--- ```
---@param path string
---@return string
function bk.read(path) end

--- The YAML text of a value.
---
--- ```lua
--- local conf = bk.config "conf" { ["app.yaml"] = bk.yaml { debug = false, hosts = { "a", "b" } } }
--- ```
---@param value any
---@return string
function bk.yaml(value) end

--- Base64 of bytes.
---
--- ```lua
--- local conf = bk.config "conf" { icon = bk.base64 "\0\1\2" }
--- ```
---@param bytes string
---@return string
function bk.base64(bytes) end

--- Says that an empty table is a list, where no schema does: those of Kubernetes and of the CRDs of the profile are asked.
---
--- ```lua
--- local raw = bk.raw "none" { { apiVersion = "v1", kind = "ServiceAccount", metadata = { name = "a" },
---     imagePullSecrets = bk.array {} } }
--- ```
---@param list? table
---@return table
function bk.array(list) end

--- Says that an empty table is a map.
---
--- ```lua
--- local raw = bk.raw "none" { { apiVersion = "v1", kind = "ConfigMap", metadata = { name = "a" }, data = bk.object {} } }
--- ```
---@param map? table
---@return table
function bk.object(map) end

--- Ends the evaluation with an error of your own, at the line that runs.
---
--- ```lua
--- local replicas = bk.input "replicas" { type = "integer", default = 3 }
--- if replicas % 2 == 0 then
---     bk.fail("%d replicas can't agree; give an odd number", replicas)
--- end
--- local consul = bk.statefulset "consul" { image = "consul:1", replicas = replicas }
--- ```
---@param format string
---@param ... any
function bk.fail(format, ...) end

return bk
