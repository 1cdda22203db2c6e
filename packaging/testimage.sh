#!/usr/bin/env bash
# Builds the image of the Containerfile with podman, and runs it as docs/packaging.md says: a SAM
# bridge on the embedded network, its root read-only, asked by its health check. No registry
# is asked: in place of the image golang it takes this machine's Go. What podman keeps is in
# a directory of its own. Needs root, podman, crun and iproute2; no other test needs it.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { echo "FAIL: $*" >&2; exit 1; }

[ "$(id -u)" = 0 ] || fail "it needs root"
[ "${1:-}" = inside ] || exec unshare --net --mount --propagation private packaging/testimage.sh inside # ports of our own
ip link set lo up
mount -t cgroup2 cgroup2 /sys/fs/cgroup # crun does not start where there are both kinds
limits=(--ulimit nofile=1024:1024 --ulimit nproc=1024:1024) # as podman raises them else, which a container may not

tmp=$(mktemp -d)
pod() { podman --root "$tmp/store" --runroot "$tmp/run" --storage-driver vfs --cgroup-manager cgroupfs --events-backend file --runtime crun "$@"; }
finish() {
	pod rm -f -t 5 sam >/dev/null 2>&1 || true
	[ -z "${simnet:-}" ] || kill "$simnet"
	pod system reset -f >/dev/null 2>&1 || true
	rm -rf "$tmp"
}
trap finish EXIT

echo "--- builds"
mkdir -p "$tmp"/base/root/{etc,tmp,root}
for dir in bin sbin lib lib64; do ln -s usr/$dir "$tmp/base/root/$dir"; done
printf 'root:x:0:0::/root:/bin/sh\n' >"$tmp/base/root/etc/passwd"
cat >"$tmp/base/Containerfile" <<-STANDIN
	FROM scratch
	COPY root /
	ENV PATH=/goroot/bin:/usr/bin GOROOT=/goroot GOMODCACHE=/modules GOPROXY=off GOTOOLCHAIN=local
STANDIN
go mod download
pod build -q --isolation chroot -t docker.io/library/golang:1.26 "$tmp/base" >/dev/null
pod build -q --isolation chroot --pull=never --format docker -t onelease --build-arg VERSION=1.0 --build-arg COMMIT=abc \
	-v /usr:/usr:ro -v "$(go env GOROOT):/goroot:ro" -v "$(go env GOMODCACHE):/modules:ro" -v "$(go env GOCACHE):/root/.cache/go-build" . >/dev/null
echo "$(pod image inspect onelease --format '{{.Size}}') bytes"
pod run --rm "${limits[@]}" --cgroups=disabled --read-only --network none onelease version | tee "$tmp/version"
grep -q 1.0 "$tmp/version" && grep -q abc "$tmp/version" || fail "it does not know its version"

echo "--- runs"
mkdir -m 755 "$tmp/settings"
chmod 755 "$tmp"
cat >"$tmp/settings/sam.toml" <<-SETTINGS
	admin = "unix:/run/onelease/admin.sock"
	router = [{ name = "a", address = "127.0.0.1:7654", roles = ["member", "publisher"] }, { name = "b", address = "127.0.0.1:7664" }]
SETTINGS
pod create -q --name sam "${limits[@]}" --cgroups=disabled --read-only --tmpfs /tmp --tmpfs /run/onelease --cap-drop all --network host \
	-v onelease:/var/lib/onelease -v "$tmp/settings/sam.toml:/etc/onelease/sam.toml:ro" onelease sam --config /etc/onelease/sam.toml >/dev/null
pod start sam >/dev/null
health() { pod healthcheck run sam >"$tmp/health" 2>&1; }
sleep 2
! health || fail "it counts as healthy without routers"
go build -o "$tmp/onelease" ./cmd/onelease
"$tmp/onelease" simnet --i2cp 127.0.0.1:7654 --i2cp 127.0.0.1:7664 &
simnet=$!
for _ in {1..60}; do ! health || break; sleep 0.5; done
health || { cat "$tmp/health"; pod logs sam; fail "it is not healthy"; }
pid=$(pod inspect sam --format '{{.State.Pid}}')
grep -qE '^Uid:\s65532\s65532' "/proc/$pid/status" && grep -qE '^Cap(Eff|Bnd):\s0+$' "/proc/$pid/status" || fail "it may do more than it should"
exec 3<>/dev/tcp/127.0.0.1/7656
echo "HELLO VERSION" >&3
read -r -t 5 reply <&3
[[ $reply == "HELLO REPLY RESULT=OK"* ]] || fail "SAM says $reply"
pod stop -t 20 sam >/dev/null
[ "$(pod inspect sam --format '{{.State.ExitCode}}')" = 0 ] || fail "it does not end in order"
echo "PASS"
