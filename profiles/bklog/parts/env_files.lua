-- The dev.env.yml, stag.env.yml and prod.env.yml that the image reads from /app/code, from one table.
-- {settings.X} and {env.X} are put in by BK LOG itself when it starts.
local bk = require "bk"

local gateway = "{settings.PAAS_API_HOST}/api/"

-- Roots of the gateways; "?" is what differs by environment.
local roots = {
    ITSM_APIGATEWAY_ROOT_V2 = "c/compapi/v2/itsm/", LOG_SEARCH_APIGATEWAY_ROOT = "c/compapi/v2/bk_log/",
    USER_MANAGE_APIGATEWAY_ROOT = "c/compapi/v2/usermanage/", BK_NODE_APIGATEWAY_ROOT = "c/compapi/v2/nodeman/",
    BK_PAAS_APIGATEWAY_ROOT = "bkpaas3/?/", GSE_APIGATEWAY_ROOT_V2 = "bk-gse/?/",
    CC_APIGATEWAY_ROOT_V2 = "c/compapi/v2/cc/", CMSI_APIGATEWAY_ROOT_V2 = "c/compapi/v2/cmsi/",
    IAM_APIGATEWAY_ROOT_V2 = "c/compapi/v2/iam/", JOB_APIGATEWAY_ROOT_V2 = "c/compapi/v2/job/",
    MONITOR_APIGATEWAY_ROOT = "c/compapi/v2/monitor_v3/", ACCESS_APIGATEWAY_ROOT = "c/compapi/data/v3/access/",
    AUTH_APIGATEWAY_ROOT = "c/compapi/data/v3/auth/", STOREKIT_APIGATEWAY_ROOT = "c/compapi/data/v3/storekit/",
    DATABUS_APIGATEWAY_ROOT = "c/compapi/data/v3/databus/", META_APIGATEWAY_ROOT = "c/compapi/data/v3/meta/",
    DATAQUERY_APIGATEWAY_ROOT = "c/compapi/data/v3/dataquery/",
}
local only = {
    dev = { ACCESS_APIGATEWAY_ROOT = "bk-base/prod/v3/access/", DATABUS_APIGATEWAY_ROOT = "bk-base/prod/v3/databus/" },
    stag = {}, prod = {},
}
local data_web = { dev = "/t/bk_dataweb", stag = "/o/bk_dataweb", prod = "/o/bk_dataweb" }

return function()
    local files = {}
    for name, own in pairs(only) do
        local domains = {}
        for key, path in pairs(roots) do
            domains[key] = gateway .. (own[key] or path):gsub("%?", name)
        end
        files[name .. ".env.yml"] = bk.yaml {
            settings = {
                TITLE_MENU_CONFIG = { zh = "日志平台", en = "BK LOG" },
                EMAIL_TITLE = { zh = "蓝鲸日志平台", en = "BLUEKING LOG" },
                RUN_VER_DISPLAY = { value = "{env.RUN_VER_DISPLAY}", env = { RUN_VER_DISPLAY = "社区版" } },
                OAUTH_COOKIES_PARAMS = { bk_token = "bk_token" }, INIT_SUPERUSER = { "admin" }, APIGW_ENABLED = true,
                BKDATA_URL = { value = "{env.BK_PAAS_HOST}" .. data_web[name], env = { BK_PAAS_HOST = "" } },
            },
            domains = domains,
        }
    end
    return bk.config "bklog-env-files" (files)
end
