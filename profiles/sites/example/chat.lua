-- Hooks that tell the chat of the data centre how an apply went, where --input chat=URL or $CHAT_URL names one.
local bk = require "bk"

local chat = bk.input "chat" { optional = true, env = "CHAT_URL", doc = "the webhook of the site's chat" }

local function tell(ctx)
    local text = ctx.error and ctx.error.message
        or ("revision %d is up: %d created, %d changed, %d deleted"):format(ctx.revision, ctx.results.created,
            ctx.results.changed, ctx.results.deleted)
    local message = ("%s, %s: %s"):format(ctx.release.name, ctx.environment.name, text)
    -- A chat that is down is no reason to fail.
    local sent, answer = pcall(ctx.http.post, { url = chat, json = { text = message } })
    if not sent or not answer.ok then
        ctx.log("the chat was not told: %s", sent and answer.status or answer)
    end
end

return chat and { after_apply = tell, on_failure = tell } or {}
