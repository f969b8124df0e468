--- A page of --report in a browser: browser(page, name).
local assert = require "luassert"
local cjson = require "cjson"
local support = require "support"

-- What is looked at in each view: how it fits into the window, and what is drawn.
local looking = [[function() {
    const all = (where) => Array.from(document.querySelectorAll(where));
    const drawn = (where) => all(where).filter((e) => {
        const box = e.getBoundingClientRect();
        return box.width > 0 && box.height > 0;
    }).length;
    const boxed = (e) => {
        for (let up = e.parentElement; up; up = up.parentElement)
            if (getComputedStyle(up).overflowX != "visible" && up != document.body && up != document.documentElement)
                return true;
        return false;
    };
    const scroll = () => {
        const began = performance.now();
        for (const box of all(".tall").concat(document.documentElement))
            for (let step = 0; step <= 20; step++) {
                box.scrollTop = box.scrollHeight * step / 20;
                box.getBoundingClientRect();
            }
        all(".tall").concat(document.documentElement).forEach((box) => box.scrollTop = 0);
        return performance.now() - began;
    };
    const beyond = all("body *").filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && !boxed(e));
    return {
        outcome: document.querySelector("#outcome").innerText, width: innerWidth,
        scroll: document.documentElement.scrollWidth, beyond: beyond.map((e) => e.tagName + "." + e.className),
        bars: drawn("#timeline rect.applying, #timeline rect.rolling, #timeline rect.failed"),
        waits: drawn("#timeline rect.waiting"), names: drawn("#timeline .names div"),
        parts: drawn("#topology g"), lines: drawn("#topology path.tip"), failed: drawn("#topology g.bad"),
        scripts: document.scripts.length, images: document.images.length, handlers: all("[onload], [onerror]").length,
        background: getComputedStyle(document.body).backgroundColor,
        text: document.body.textContent, scrolling: scroll(),
    };
}]]

--- Opens the page in Chromium, holds each view against what holds for all, and returns what the desktop shows. The
--- pictures stay in build/pages/.
return function(page, name)
    -- Chromium does not run with what the sanitized specs are preloaded with.
    local run = support.shell(("timeout 300 env -u LD_PRELOAD tests/browser.py %s build/pages/%s '%s'")
        :format(page, name, looking))
    assert.equal("", run.err)
    assert.equal(0, run.code)
    local seen = cjson.decode(run.out)
    assert.same({}, seen.console)
    assert.same({}, seen.requests)
    for view, told in pairs(seen.views) do
        assert.is_true(told.scroll <= told.width, view)
        if not view:find "print" then
            assert.same({}, told.beyond, view)
        end
        assert.is_true(told.scrolling < 15000, told.scrolling)
        assert.same({ 0, 0, 0 }, { told.scripts, told.images, told.handlers })
        for _, key in ipairs { "bars", "waits", "names", "parts", "lines", "failed", "outcome" } do
            assert.equal(seen.views.desktop[key], told[key], view .. " " .. key)
        end
        assert.is_true(#support.read(("build/pages/%s-%s.png"):format(name, view)) > 5000)
    end
    assert.not_equal(seen.views.desktop.background, seen.views["desktop-dark"].background)
    return seen.views.desktop
end
