local native = require "native"
local support = require "support"

--- A folder with a repository of one commit; `line` are further commands in it. Returns its path and what git says HEAD is.
local function repository(line)
    local folder = support.folder { ["shop/profile.lua"] = "return 1" }
    local run = support.shell(([[cd %s && export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b \
        GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b && { git init -q -b main . && git add . && git commit -qm one && %s
        } >/dev/null && git rev-parse HEAD]]):format(folder, line or "true"))
    assert.equal(0, run.code, run.err)
    return folder, run.out:match("%x+")
end

describe("the commit of a profile", function()
    --- Rows: what it is, commands that lead there.
    local rows = {
        { "a branch", "true" },
        { "a detached HEAD", "git checkout -q --detach" },
        { "packed refs", "git pack-refs --all" },
        { "packed refs, and a newer loose one", "git pack-refs --all && git commit -q --allow-empty -m two" },
        { "packed refs with tags and branches of like names",
            "git branch main2 && git tag -a -m t v1 && git checkout -q -b mai && git commit -q --allow-empty -m b && "
            .. "git pack-refs --all" },
        { "a branch with slashes", "git checkout -q -b feature/x && git commit -q --allow-empty -m b && git pack-refs --all" },
        { "a symbolic ref", "git symbolic-ref refs/heads/alias refs/heads/main && git symbolic-ref HEAD refs/heads/alias" },
    }
    for _, row in ipairs(rows) do
        it("is found by " .. row[1], function()
            local folder, commit = repository(row[2])
            assert.equal(commit, native.git_commit(folder))
            assert.equal(commit, native.git_commit(folder .. "/shop"))
            assert.equal(commit, native.git_commit(folder .. "/shop/profile.lua"))
        end)
    end

    it("is found in a worktree, with the refs of its repository", function()
        local folder = repository "git worktree add -q -b side tree && git -C tree commit -q --allow-empty -m two && git pack-refs --all"
        local commit = support.shell(("git -C %s/tree rev-parse HEAD"):format(folder)).out:match("%x+")
        assert.equal(commit, native.git_commit(folder .. "/tree/shop"))
        assert.not_equal(commit, native.git_commit(folder))
    end)

    it("is found in a repository of SHA-256", function()
        local folder = support.folder {}
        local run = support.shell(("cd %s && git init -q --object-format=sha256 . && git -c user.name=a -c user.email=a@b "
            .. "commit -q --allow-empty -m one && git rev-parse HEAD"):format(folder))
        assert.equal(0, run.code, run.err)
        assert.equal(run.out:match("%x+"), native.git_commit(folder))
        assert.equal(64, #native.git_commit(folder))
    end)

    it("is none where there is no repository, no commit, or nothing", function()
        local folder = support.shell("mktemp -d").out:match("%S+")
        assert.is_nil(native.git_commit(folder))
        assert.is_nil(native.git_commit(folder .. "/nowhere"))
        support.shell("git init -q " .. folder)
        assert.is_nil(native.git_commit(folder))
        os.execute("rm -rf " .. folder)
    end)

    --- What somebody's repository may say: files of .git.
    local hostile = {
        ["a ref outside of refs/"] = { HEAD = "ref: ../../etc/hostname\n" },
        ["a ref that climbs"] = { HEAD = "ref: refs/../../secret\n", secret = ("a"):rep(40) },
        ["a circle"] = { HEAD = "ref: refs/heads/a\n", ["refs/heads/a"] = "ref: refs/heads/a\n" },
        ["no hexadecimal"] = { HEAD = ("x"):rep(40) .. "\n" },
        ["a wrong length"] = { HEAD = ("a"):rep(41) .. "\n" },
        ["an empty file"] = { HEAD = "" },
        ["a large file"] = { HEAD = ("a"):rep(10000) },
        ["nothing after ref:"] = { HEAD = "ref:" },
    }
    for name, files in pairs(hostile) do
        it("is none by " .. name, function()
            local all = {}
            for file, text in pairs(files) do
                all[".git/" .. file] = text
            end
            assert.is_nil(native.git_commit(support.folder(all)))
        end)
    end

    it("is taken by no program of the repository's configuration", function()
        local folder, commit = repository "git config core.fsmonitor 'touch pwned; false' && git config core.sshCommand 'touch pwned'"
        os.remove(folder .. "/pwned")
        assert.equal(commit, native.git_commit(folder))
        assert.is_nil(io.open(folder .. "/pwned"))
    end)
end)
