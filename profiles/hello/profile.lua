local bk = require "bk"

local page = bk.config "page" { ["index.html"] = "<h1>Hello from bkdeploy</h1>\n" }

local web = bk.deployment "web" {
    image = "nginx:1.27", replicas = 2, ports = { http = 80 },
    readiness = bk.http "/", resources = { cpu = "50m..200m", memory = "32Mi..64Mi" },
    files = { ["/usr/share/nginx/html"] = page },
    ingress = { host = "hello.example.com" },
}
return bk.profile "hello" { components = { web } }
