-- Whose objects are, and how they become ours; recorded by tests/unit/recorded/record.
local cjson = require "cjson"
local native = require "native"

local function recorded(name)
    local file = assert(io.open(("tests/unit/recorded/%s.json"):format(name)))
    local text = file:read "a"
    file:close()
    return text
end

local function owner(object, set)
    return { native.ownership_of(type(object) == "table" and cjson.encode(object) or object, set or "applyset-us-v1") }
end

describe("the owner", function()
    local rows = {
        ["kubectl-apply"] = { "kubectl", "kubectl apply" },
        ["kubectl-server-side"] = { "kubectl", "kubectl apply" },
        ["kubectl-both-sides"] = { "kubectl", "kubectl apply" },
        ["kubectl-create"] = { "other", "'kubectl-create'" },
        ["helm"] = { "helm", "helm release 'shop' in namespace 'recorded'" },
        ["helm-client-side"] = { "helm", "helm release 'old-shop' in namespace 'recorded'" },
        ["edited"] = { "us", "bkdeploy, in no release" },
        ["applied"] = { "other", "'first'" },
        ["autoscaler"] = { "other", "'kubectl-autoscale'" },
        ["unmanaged"] = { "other", "somebody who is not known" },
    }
    for name, wanted in pairs(rows) do
        it("of " .. name, function()
            assert.same(wanted, owner(recorded(name)))
        end)
    end

    it("of what is not there is nobody", function()
        assert.same({ "nobody", "" }, owner(nil))
    end)

    local function labelled(labels)
        local object = cjson.decode(recorded "helm")
        object.metadata.labels = labels
        return object
    end

    it("is a release before all else", function()
        assert.same({ "us", "this release" }, owner(labelled { ["applyset.kubernetes.io/part-of"] = "applyset-us-v1" }))
        assert.same({ "release", "the applyset applyset-x-v1" },
            owner(labelled { ["applyset.kubernetes.io/part-of"] = "applyset-x-v1" }))
        assert.same({ "release", "the applyset applyset-x-v1, part of 'shop'" },
            owner(labelled { ["applyset.kubernetes.io/part-of"] = "applyset-x-v1",
                ["app.kubernetes.io/part-of"] = "shop" }))
        assert.same({ "release", "another release, of profile 'shop' (applyset-x-v1)" },
            owner(labelled { ["applyset.kubernetes.io/part-of"] = "applyset-x-v1",
                ["app.kubernetes.io/part-of"] = "shop", ["app.kubernetes.io/managed-by"] = "bkdeploy" }))
    end)

    it("is not helm by its annotation alone", function()
        assert.same({ "other", "'helm'" }, owner(labelled {}))
    end)
end)

describe("adopting", function()
    local function adopt(object)
        local entries, fields = native.ownership_adopting(type(object) == "table" and cjson.encode(object) or object)
        if entries then
            return cjson.decode(entries), cjson.decode(fields)
        end
    end

    local function names(entries)
        local all = {}
        for i, entry in ipairs(entries) do
            all[i] = ("%s %s %s"):format(entry.manager, entry.operation, entry.subresource or "-")
        end
        table.sort(all)
        return all
    end

    local controllers = "kube-controller-manager Update status"
    for _, name in ipairs { "kubectl-apply", "kubectl-server-side", "kubectl-both-sides", "helm", "helm-client-side" } do
        it("takes over from " .. name, function()
            local object = cjson.decode(recorded(name))
            local entries, fields = adopt(recorded(name))
            assert.same({ "bkdeploy Apply -", controllers }, names(entries))
            assert.equal("FieldsV1", entries[1].fieldsType)
            assert.equal("apps/v1", entries[1].apiVersion)
            assert.same(fields, entries[1].fieldsV1)
            -- All that was there is ours, last-applied too.
            for _, entry in ipairs(object.metadata.managedFields) do
                if not entry.subresource then
                    local before = cjson.encode(entry.fieldsV1)
                    assert.same(fields, cjson.decode(native.fields_union(cjson.encode(fields), before)))
                end
            end
            if name == "kubectl-apply" or name == "kubectl-both-sides" then
                assert.is_table(fields["f:metadata"]["f:annotations"]["f:kubectl.kubernetes.io/last-applied-configuration"])
            end
        end)
    end

    it("joins with what is ours", function()
        local entries, fields = adopt(recorded "before-first-apply")
        assert.same({ "bkdeploy Apply -", "kubectl-patch Update -" }, names(entries))
        assert.same({ ["f:a.b"] = {} }, { ["f:a.b"] = fields["f:data"]["f:a.b"] })
    end)

    it("takes the fields of one version only", function()
        local object = cjson.decode(recorded "helm-client-side")
        table.insert(object.metadata.managedFields, 1, { manager = "kubectl-client-side-apply", operation = "Update",
            apiVersion = "apps/v1beta1", time = "2020-01-01T00:00:00Z", fieldsType = "FieldsV1",
            fieldsV1 = { ["f:spec"] = { ["f:old"] = {} } } })
        local entries, fields = adopt(object)
        assert.same({ "bkdeploy Apply -", controllers }, names(entries))
        assert.equal("apps/v1", entries[1].apiVersion)
        assert.is_nil(fields["f:spec"]["f:old"])
    end)

    it("has the latest time", function()
        local object = cjson.decode(recorded "helm-client-side")
        table.insert(object.metadata.managedFields, { manager = "kubectl", operation = "Apply", apiVersion = "apps/v1",
            time = "2999-01-01T00:00:00Z", fieldsType = "FieldsV1", fieldsV1 = { ["f:spec"] = { ["f:new"] = {} } } })
        local entries, fields = adopt(object)
        assert.equal("2999-01-01T00:00:00Z", entries[1].time)
        assert.is_table(fields["f:spec"]["f:new"])
    end)

    for _, name in ipairs { "edited", "scaled", "kubectl-create", "applied", "unmanaged" } do
        it("has nothing to do with " .. name, function()
            assert.is_nil(adopt(recorded(name)))
        end)
    end
end)
