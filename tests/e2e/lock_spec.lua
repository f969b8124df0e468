local support = require "support"
local kubectl = support.kubectl

local holder = (os.getenv("BKDEPLOY") or "build/bkdeploy"):gsub("[^/]*$", "lock-holder")

-- A bash script in which $HOLD takes a lock of namespace "locks" and $KUBECTL asks; what it prints.
local function script(text)
    local folder = support.folder { ["script"] = text }
    return support.shell(("HOLD='%s %s locks' KUBECTL='build/cluster/bin/kubectl --kubeconfig %s -n locks' bash %s/script")
        :format(holder, support.kubeconfig, support.kubeconfig, folder))
end

-- Writes the Lease of another, renewed `ago` seconds ago (negative: in the future).
local function write_lease(name, who, ago, seconds)
    local time = os.date("!%Y-%m-%dT%H:%M:%S.000000Z", os.time() - ago)
    kubectl(([[create -f - <<'END'
{"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "%s", "namespace": "locks"},
 "spec": {"holderIdentity": "%s", "leaseDurationSeconds": %d, "acquireTime": "%s", "renewTime": "%s"}}
END]]):format(name, who, seconds or 15, time, time))
end

local function field(name, path)
    return kubectl(("get lease -n locks %s -o 'jsonpath={%s}'"):format(name, path))
end

local function is_gone(name)
    return kubectl("get lease -n locks --ignore-not-found -o name " .. name) == ""
end

describe("the lock of a release", function()
    setup(function()
        kubectl "create namespace locks"
    end)
    teardown(function()
        kubectl "delete namespace locks --wait=false"
    end)

    it("is taken, tells who holds it, and is gone afterwards", function()
        local run = script [[CI_JOB_URL=https://ci.example.org/jobs/7 $HOLD free hold=60000 & first=$!
            until $KUBECTL get lease free 2>/dev/null >&2; do sleep 0.05; done
            $KUBECTL get lease free -o 'jsonpath={.spec.holderIdentity}|{.spec.leaseDurationSeconds}|{.spec.leaseTransitions}'
            kill -TERM $first; wait $first; echo "code $?"]]
        assert.matches("held\n[^|@]+@[^|@]+ https://ci.example.org/jobs/7 %(pid %d+%)|15|0error: interrupted\nreleased\ncode 130", run.out)
        assert.is_true(is_gone "free")
    end)

    it("is not taken from who holds it: exit 6, and one line that says what to do", function()
        write_lease("held", "alice@build-7\\u001b[2J", 3)
        local run = script "$HOLD held"
        assert.equal(6, run.code)
        assert.matches("^error: the lock %(Lease locks/held%) is held by alice@build%-7%?%[2J since "
            .. "%d+%-%d+%-%d+T%d+:%d+:%d+Z %([2-5] s ago%) and, unless it is renewed, until %S+Z %(%d+ s from now%); "
            .. "%-%-wait%-for%-lock waits for it; it is taken over by itself when it is not renewed\n$", run.out)
        assert.equal("alice@build-7\27[2J", field("held", ".spec.holderIdentity"))
        assert.equal(6, script("$HOLD held wait=700").code)
        assert.equal(0, script("CI_JOB_URL=$'https://ci/\\xff' $HOLD bytes").code)
    end)

    it("is waited for, and taken once it is given back", function()
        local run = script [[$HOLD wait hold=1500 & sleep 0.5
            $HOLD wait wait=20000; echo "code $?"]]
        assert.equal("held\nreleased\nheld\nreleased\ncode 0\n", run.out)
    end)

    it("can be waited for with Ctrl-C at hand", function()
        write_lease("patience", "alice", 0, 60)
        local run = script [[$HOLD patience wait=60000 & sleep 0.5; kill -INT $!; wait $!; echo "code $?"]]
        assert.equal("error: interrupted\ncode 130\n", run.out)
        assert.equal("alice", field("patience", ".spec.holderIdentity"))
    end)

    it("is taken over when it has run out, with a notice", function()
        write_lease("old", "alice@build-7", 40)
        local run = script [[$HOLD old hold=300 & sleep 0.2; $KUBECTL get lease old -o 'jsonpath={.spec.leaseTransitions}
'; wait $!]]
        assert.equal(0, run.code)
        assert.matches("notice: the lock %(Lease locks/old%) was held by alice@build%-7 since %S+ %(4%d s ago%), "
            .. "who has not renewed it for 4%d s: taken over\nheld\n", run.out)
    end)

    it("is taken over while waiting, when its holder renews no more", function()
        write_lease("soon", "alice", 0, 2)
        local run = script "$HOLD soon wait=20000"
        assert.matches("who has not renewed it for %d s: taken over\nheld\nreleased\n$", run.out)
    end)

    it("is taken over at once from a process of this machine that was killed", function()
        local run = script [[$HOLD dead hold=60000 & sleep 0.3; kill -KILL $!; wait $! 2>/dev/null; $HOLD dead]]
        assert.matches("a process of this machine that has ended: taken over\nheld\nreleased\n$", run.out)
    end)

    it("is not taken over by old notes of a process when another tool holds it now", function()
        local run = script [[$HOLD notes hold=60000 & sleep 0.3; kill -KILL $!; wait $! 2>/dev/null
            $KUBECTL patch lease notes --type merge -p '{"spec": {"holderIdentity": "eve"}}' >&2; $HOLD notes]]
        assert.equal(6, run.code)
        assert.matches("is held by eve since", run.out)
    end)

    it("is renewed beyond its lease, whatever goes on meanwhile", function()
        local run = script [[for work in idle fetch drain; do
                $HOLD renewed-$work lease=2 renew=200 hold=5000 work=$work >/dev/null & done
            sleep 4; for work in idle fetch drain; do $HOLD renewed-$work >/dev/null; echo "$work $?"; done
            for job in $(jobs -p); do wait $job; echo "code $?"; done]]
        assert.equal("idle 6\nfetch 6\ndrain 6\ncode 0\ncode 0\ncode 0\n", run.out)
    end)

    it("is kept when others change what is not the lock's", function()
        local run = script [[$HOLD labels lease=2 renew=200 hold=3000 & sleep 0.5
            $KUBECTL label lease labels a=b >/dev/null; sleep 1; $KUBECTL label lease labels a- >/dev/null; wait $!; echo "code $?"]]
        assert.equal("held\nreleased\ncode 0\n", run.out)
        assert.is_true(is_gone "labels")
    end)

    it("is lost when another holds it, and left to him", function()
        local run = script [[$HOLD lost lease=2 renew=200 hold=60000 & sleep 0.5
            $KUBECTL patch lease lost --type merge -p '{"spec": {"holderIdentity": "eve"}}' >&2; wait $!; echo "code $?"]]
        assert.matches("^held\nerror: the lock %(Lease locks/lost%) is lost: it is now held by eve since .*\nreleased\ncode 6\n$", run.out)
        assert.equal("eve", field("lost", ".spec.holderIdentity"))
    end)

    it("is lost when it is deleted, and not made anew", function()
        local run = script [[$HOLD deleted lease=2 renew=200 hold=60000 & sleep 0.5
            $KUBECTL delete lease deleted >&2; wait $!; echo "code $?"]]
        assert.matches("is lost: somebody deleted it\nreleased\ncode 6\n$", run.out)
        assert.is_true(is_gone "deleted")
    end)

    it("is confirmed after a rest, or found to be lost", function()
        assert.equal("held\nreleased\n", script("$HOLD rest lease=1 renew=200 hold=2500 work=rest").out)
        local run = script [[$HOLD rest lease=1 renew=200 hold=3500 work=rest & sleep 2.5; $HOLD rest hold=2000 & wait]]
        assert.matches("taken over\nheld\nerror: the lock %(Lease locks/rest%) is lost: it is now held by ", run.out)
    end)

    it("is lost when the server does not answer while the lease lasts", function()
        local run = script(([[TMPDIR=$(mktemp -d)
            python3 -c '
import socket, sys, threading
def copy(a, b):
    while (data := a.recv(65536)):
        b.sendall(data)
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    one, other = listener.accept()[0], socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    for pair in (one, other), (other, one):
        threading.Thread(target=copy, args=pair, daemon=True).start()
' $(sed -n 's/.*server: .*:\([0-9]*\)$/\1/p' %s) >"$TMPDIR/port" & proxy=$!
            until [ -s "$TMPDIR/port" ]; do sleep 0.05; done
            sed "s/\(server: .*:\)[0-9]*$/\1$(cat "$TMPDIR/port")/" %s >"$TMPDIR/config"
            %s "$TMPDIR/config" locks cut lease=2 renew=300 hold=60000 & sleep 1
            kill -STOP $proxy; began=$(date +%%s); wait $!; echo "code $? after $(($(date +%%s) - began))"; kill -KILL $proxy
            rm -r "$TMPDIR"]]):format(support.kubeconfig, support.kubeconfig, holder))
        local after = run.out:match("^held\nerror: the lock %(Lease locks/cut%) is lost: it could not be renewed for "
            .. "%d+ s: .*\nreleased\ncode 6 after (%d+)\n$")
        assert.is_truthy(after, run.out)
        assert.is_true(tonumber(after) <= 6)
    end)

    it("goes to exactly one of those who want it at once", function()
        -- Free, run out, and left by a process that is no more, in turn.
        for round = 1, 21 do
            local name = "race-" .. round
            if round % 3 == 1 then
                write_lease(name, "alice", 60)
            elseif round % 3 == 2 then
                script(("$HOLD %s hold=60000 & sleep 0.3; kill -KILL $!"):format(name))
            end
            local run = script(([[$HOLD %s hold=9000 & $HOLD %s hold=9000 & $HOLD %s hold=9000 &
                wait -n; wait -n; kill -INT $(jobs -p) 2>/dev/null; wait]]):format(name, name, name))
            assert.equal(1, select(2, run.out:gsub("held\n", "")), run.out)
            assert.equal(2, select(2, run.out:gsub("is held by", "")), run.out)
        end
    end)

    it("goes by the server's time, not this machine's", function()
        local folder = support.folder { ["shift.c"] = [[
            #define _GNU_SOURCE
            #include <dlfcn.h>
            #include <time.h>
            time_t time(time_t *out)
            {
                struct timespec now;
                clock_gettime(CLOCK_REALTIME, &now);
                return out ? *out = now.tv_sec : now.tv_sec;
            }
            int clock_gettime(clockid_t id, struct timespec *now)
            {
                int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
                int result = real(id, now);
                if (id == CLOCK_REALTIME)
                    now->tv_sec += 36000;
                return result;
            }]] }
        assert.equal(0, support.shell(("gcc -shared -fPIC -o %s/shift.so %s/shift.c -ldl"):format(folder, folder)).code)
        local shifted = ("ASAN_OPTIONS=verify_asan_link_order=0 LD_PRELOAD=%s/shift.so "):format(folder)
        write_lease("clock", "alice", 1)
        assert.equal(6, script(shifted .. "$HOLD clock").code)
        local run = script(shifted .. [[$HOLD clock-own hold=1500 & sleep 1
            $KUBECTL get lease clock-own -o 'jsonpath={.spec.renewTime}'; echo; $HOLD clock-own; echo "code $?"; wait]])
        local y, m, d, h, min, s = run.out:match("held\n(%d+)-(%d+)-(%d+)T(%d+):(%d+):(%d+)")
        local written = os.time { year = y, month = m, day = d, hour = h, min = min, sec = s }
        local now = os.time(os.date("!*t"))
        assert.is_true(math.abs(now - written) < 5, run.out)
        assert.matches("code 6", run.out)
    end)

    it("is taken over when a renewal of the future stands still", function()
        write_lease("future", "alice", -3600, 2)
        local run = script "$HOLD future"
        assert.equal(6, run.code)
        assert.matches("%([12] s from now%)", run.out)
        run = script "$HOLD future wait=20000"
        assert.matches("was held by alice .*, who has not renewed it: taken over\nheld\n", run.out)
    end)

    it("says that there is no such namespace, and what it may not do", function()
        local run = support.shell(("%s %s nowhere x"):format(holder, support.kubeconfig))
        assert.equal(3, run.code)
        assert.equal("error: the lock (Lease nowhere/x): there is no such namespace\n", run.out)
        kubectl "create namespace locks-leaving"
        kubectl [[create -f - <<'END'
{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "stays", "namespace": "locks-leaving", "finalizers": ["example.org/stay"]}}
END]]
        kubectl "delete namespace locks-leaving --wait=false"
        run = support.shell(("%s %s locks-leaving x"):format(holder, support.kubeconfig))
        assert.equal(3, run.code)
        assert.matches("is being terminated", run.out)
        kubectl [[patch configmap stays -n locks-leaving --type merge -p '{"metadata": {"finalizers": null}}']]
        local folder = support.folder()
        support.shell(("sed 's/^current-context:.*/current-context: nobody/' %s >%s/config"):format(support.kubeconfig, folder))
        run = support.shell(("%s %s/config locks x"):format(holder, folder))
        assert.equal(8, run.code)
        assert.matches("^error: the lock %(Lease locks/x%): leases.* is forbidden: ", run.out)
    end)
end)
