# For testunits.sh and testupgrade.sh, which read it: a systemd in namespaces of its own, with
# the machine's programs, the package, and the embedded network. The machine itself stays as
# it is. Needs root, systemd, util-linux, curl and Go.
#
# The script is started anew twice: "boot" makes a root and has systemd run there, which starts
# the script's function "inside"; that must end with "echo PASS".
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

fail() { echo "FAIL: $*" >&2; exit 1; }

# boot is the namespaces' first process; all that it mounts goes with it.
boot() {
	local root=$tmp/root dir n
	mount --make-rprivate /
	mount -t tmpfs tmpfs "$root"
	cd "$root"
	chmod 755 . # tmpfs is for all to write
	mkdir -p usr etc/systemd/system var/lib/dpkg/{info,updates,triggers} var/log proc sys dev run tmp result old srv/www upper work
	touch var/lib/dpkg/{status,available}
	chmod 1777 tmp
	mount -t overlay -o "lowerdir=/usr,upperdir=$root/upper,workdir=$root/work" overlay usr
	for dir in bin sbin lib lib64; do ln -s usr/$dir $dir; done
	cp -a /etc/{passwd,group,nsswitch.conf,hosts,ld.so.cache} etc/
	tr -d - </proc/sys/kernel/random/uuid >etc/machine-id
	cp -r "$tmp/packages" "$tmp/site" "$here" .
	cat >etc/systemd/system/inside.service <<-UNIT
		[Unit]
		DefaultDependencies=no
		[Service]
		Type=oneshot
		ExecStart=/bin/bash /packaging/$(basename "$0") inside
		ExecStopPost=/bin/systemctl exit --force 0
		StandardOutput=append:/result/log
		StandardError=append:/result/log
	UNIT
	mkdir etc/systemd/system/onelease-.service.d
	printf '[Service]\nStandardError=append:/result/nodes\n' >etc/systemd/system/onelease-.service.d/log.conf
	mount -t proc proc proc
	mount -t sysfs sysfs sys
	mount -t tmpfs tmpfs sys/fs/cgroup # of the machine's groups, it sees its own alone
	if [ "$groups" = /sys/fs/cgroup ]; then
		mount -t cgroup2 cgroup2 sys/fs/cgroup
	else
		mkdir sys/fs/cgroup/systemd
		mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd
	fi
	mount -t tmpfs -o mode=755 tmpfs run
	mount -t tmpfs -o mode=755 tmpfs dev
	mkdir dev/{shm,pts,mqueue,hugepages}
	mount -t devpts devpts dev/pts
	for n in null zero full random urandom tty; do touch dev/$n && mount --bind /dev/$n dev/$n; done
	ln -s pts/ptmx dev/ptmx
	ln -s /proc/self/fd dev/fd
	mount --bind "$tmp/result" result
	ip link set lo up
	pivot_root . old
	umount -l /old
	exec env -i container=onelease PATH=/usr/bin:/usr/sbin /lib/systemd/systemd --system --unit=inside.service
}

# tidy takes away what outside has made. The namespaces' processes may take a while to go.
tidy() {
	for _ in {1..50}; do
		find "$group" -depth -type d -exec rmdir {} + 2>/dev/null && break
		sleep 0.1
	done
	rm -rf "$tmp"
}

# outside LIMIT VERSION...: makes a package of each version, and boots. LIMIT is in seconds.
outside() {
	local limit=$1 version deb
	shift
	[ "$(id -u)" = 0 ] || fail "it needs root, for namespaces"
	tmp=$(mktemp -d)
	groups=/sys/fs/cgroup/systemd
	[ -d $groups ] || groups=/sys/fs/cgroup
	group=$groups/onelease-test-$$
	export tmp groups
	trap tidy EXIT
	mkdir "$group"
	chmod 755 "$tmp"
	mkdir "$tmp/root" "$tmp/result" "$tmp/packages"
	for version in "$@"; do
		deb=$(VERSION=$version COMMIT=test SOURCE_DATE_EPOCH=1767225600 COMPRESSION=none DIST=$tmp/dist nice "$here/build.sh")
		mv "$deb" "$tmp/packages/$version.deb"
	done
	(cd "$here/.." && CGO_ENABLED=0 nice go build -trimpath -o "$tmp/site" ./plugins/site/cmd/site)
	chmod 755 "$tmp/packages" "$tmp/site"
	(
		echo "$BASHPID" >"$group/cgroup.procs"
		exec timeout -k 5 "$limit" unshare --mount --pid --fork --net --cgroup --uts --ipc --kill-child "$0" boot
	) &
	booted=$!
	trap 'kill "$booted"' TERM INT
	wait "$booted" || wait "$booted" || true # the first one may be cut by a signal
	[ ! -s "$tmp/result/log" ] || cat "$tmp/result/log"
	[ -z "${KEEP:-}" ] || cp -r "$tmp/result/." "$KEEP"
	[ "$(tail -n 1 "$tmp/result/log" 2>/dev/null)" = PASS ] && return
	echo "--- the last that nodes have logged; KEEP=DIRECTORY keeps all" && tail -n 100 "$tmp/result/nodes"
	fail "$(basename "$0"): not as it should be"
}

# What follows is for inside.

install_version() { dpkg --force-unsafe-io --install "/packages/$1.deb" 2>&1 | tee /tmp/dpkg || fail "dpkg does not install version $1"; }

# small_buffers: else the kernel takes in most of a download at once, and its stream ends.
small_buffers() { for dir in r w; do echo 4096 65536 131072 >/proc/sys/net/ipv4/tcp_${dir}mem; done; }

as() { setpriv --reuid onelease --regid onelease --clear-groups --inh-caps=-all "$@"; }

# settings NAME, on stdin.
settings() { cat >"/etc/onelease/$1.toml" && chgrp onelease "/etc/onelease/$1.toml" && chmod 640 "/etc/onelease/$1.toml"; }

# await WHAT COMMAND...: until it succeeds, or for half a minute.
await() {
	local what=$1
	shift
	for _ in {1..150}; do
		"$@" >/tmp/awaited 2>&1 && return
		sleep 0.2
	done
	cat /tmp/awaited
	fail "$what: not within half a minute"
}

ready() { onelease status --admin "unix:/run/onelease/$1.sock"; }
shows() { systemctl show -p "$2" --value "$1"; }
join() { as onelease cluster invite --dir b1 --role "$2" --name "$1" 2>/dev/null | as onelease cluster join --dir "$1" "${@:3}" >/dev/null; }

# first_balancer makes a cluster with b1, which runs.
first_balancer() {
	umask 077
	cd /var/lib/onelease
	export XDG_DATA_HOME=/var/lib
	b32=$(as onelease key generate site.dat)
	head -c 18 /dev/urandom | base64 | as tee pass >/dev/null
	as onelease cluster init --dir b1 --name b1 --address 127.0.0.1:17651 --keys site.dat --passphrase-file pass >/dev/null
	balancer_settings b1
	systemctl start onelease-balancer@b1
	await "a leader" as onelease cluster members --dir b1
}

balancer_settings() {
	settings "balancer-$1" <<-X
		dir = "/var/lib/onelease/$1"
		passphrase-file = "/var/lib/onelease/pass"
		admin = "unix:/run/onelease/$1.sock"
	X
}

# frontend NAME NUMBER LINE...: joins one, beside the router of that number, with those lines in
# its settings.
frontend() {
	join "$1" frontend
	{
		cat <<-X
			dir = "/var/lib/onelease/$1"
			router = "127.0.0.1:76$((44 + 10 * $2))"
			admin = "unix:/run/onelease/$1.sock"
		X
		printf '%s\n' "${@:3}"
	} | settings "frontend-$1"
}

# backend NAME: joins one, with the plugin site, at frontends r1 and r2.
backend() {
	join "$1" backend
	settings "backend-$1" <<-X
		dir = "/var/lib/onelease/$1"
		admin = "unix:/run/onelease/$1.sock"
		frontend = [{ name = "r1", address = "127.0.0.1:7671" }, { name = "r2", address = "127.0.0.1:7672" }]
		service = [{ plugin = "site", settings = { root = "/srv/www" } }]
	X
}
