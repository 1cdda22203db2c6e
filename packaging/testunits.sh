#!/usr/bin/env bash
# Runs the package's units as they are installed, under a systemd of their own in namespaces: a
# balancer, two frontends, a backend with a plugin and a SAM bridge on the embedded network. It
# fetches the plugin's site, reloads all, breaks a file of settings, and removes the package.
# The machine itself stays as it is. Needs root, systemd, util-linux, curl and Go.
#
# It is started anew twice: "boot" makes a root and has systemd run there, which starts "inside".
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
	mkdir -p usr etc/systemd/system var/lib var/log proc sys dev run tmp result old srv/www
	chmod 1777 tmp
	mount -t overlay -o "lowerdir=$tmp/package/usr:/usr" overlay usr
	for dir in bin sbin lib lib64; do ln -s usr/$dir $dir; done
	cp -a /etc/{passwd,group,nsswitch.conf,hosts,ld.so.cache} etc/
	tr -d - </proc/sys/kernel/random/uuid >etc/machine-id
	cp -r "$tmp/package/DEBIAN" "$tmp/site" "$here/testunits.sh" .
	echo '<h1>still here</h1>' >srv/www/index.html
	cat >etc/systemd/system/inside.service <<-UNIT
		[Unit]
		DefaultDependencies=no
		[Service]
		Type=oneshot
		ExecStart=/bin/bash /testunits.sh inside
		ExecStopPost=/bin/systemctl exit 0
		StandardOutput=append:/result/log
		StandardError=append:/result/log
	UNIT
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

join() { as onelease cluster invite --dir b1 --role "$2" --name "$1" 2>/dev/null | as onelease cluster join --dir "$1" >/dev/null; }
ready() { onelease status --admin "unix:/run/onelease/$1.sock"; }
served() { curl -sSf --max-time 20 --proxy http://127.0.0.1:4444 "http://$b32/" | grep 'still here'; }
shows() { systemctl show -p "$2" --value "$1"; }

inside() {
	sh /DEBIAN/postinst configure ""
	umask 077
	cd /var/lib/onelease
	export XDG_DATA_HOME=/var/lib
	b32=$(as onelease key generate site.dat)
	head -c 18 /dev/urandom | base64 | as tee pass >/dev/null
	as onelease cluster init --dir b1 --name b1 --address 127.0.0.1:17651 --keys site.dat --passphrase-file pass >/dev/null
	onelease simnet --i2cp 127.0.0.1:7654 --i2cp 127.0.0.1:7664 --http-proxy 127.0.0.1:4444 &

	settings balancer-b1 <<-X
		dir = "/var/lib/onelease/b1"
		passphrase-file = "/var/lib/onelease/pass"
		admin = "unix:/run/onelease/b1.sock"
	X
	systemctl start onelease-balancer@b1
	await "a leader" as onelease cluster members --dir b1
	for n in 1 2; do
		join r$n frontend
		settings frontend-r$n <<-X
			dir = "/var/lib/onelease/r$n"
			router = "127.0.0.1:76$((44 + 10 * n))"
			member = true
			publisher = true
			sam = ["127.0.0.1:767$n"]
			admin = "unix:/run/onelease/r$n.sock"
		X
	done
	join k1 backend
	as onelease plugin add /site --open-files 4096 >/dev/null
	settings backend-k1 <<-X
		dir = "/var/lib/onelease/k1"
		admin = "unix:/run/onelease/k1.sock"
		frontend = [{ name = "r1", address = "127.0.0.1:7671" }, { name = "r2", address = "127.0.0.1:7672" }]
		service = [{ plugin = "site", settings = { root = "/srv/www" } }]
	X
	settings sam <<-X
		admin = "unix:/run/onelease/sam.sock"
		router = [{ name = "a", address = "127.0.0.1:7654", roles = ["member", "publisher"] }, { name = "b", address = "127.0.0.1:7664" }]
	X
	onelease config check /etc/onelease/*.toml
	systemctl start onelease-frontend@r1 onelease-frontend@r2 onelease-backend@k1 onelease-sam
	for node in b1 r1 r2 k1 sam; do await "$node is ready" ready $node; done
	await "the plugin's site" served

	program=$(shows onelease-backend@k1 MainPID)
	plugin=$(pgrep -P "$program")
	for pid in $program $plugin; do
		grep -qE '^NoNewPrivs:\s1' /proc/$pid/status && grep -qE '^CapEff:\s0+$' /proc/$pid/status &&
			grep -qE '^Seccomp:\s2' /proc/$pid/status || fail "process $pid is not held"
	done
	grep -qE '^Max open files +4096 ' /proc/$plugin/limits || fail "the plugin has no limit"

	systemctl reload onelease-balancer@b1 onelease-frontend@r1 onelease-backend@k1 onelease-sam
	await "the site after a reload" served
	echo 'junk = 1' >>/etc/onelease/sam.toml
	systemctl restart onelease-sam || true
	await "the end of a bridge with a mistake in its file" systemctl is-failed onelease-sam
	[ "$(shows onelease-sam ExecMainStatus)" = 2 ] || fail "it does not end with 2"
	sh /DEBIAN/postinst configure 0 | grep 'onelease-backend@k1.service' || fail "an upgrade does not name what runs"
	sh /DEBIAN/prerm remove
	for unit in onelease-balancer@b1 onelease-frontend@r1 onelease-frontend@r2 onelease-backend@k1; do
		[ "$(shows $unit ActiveState) $(shows $unit Result)" = "inactive success" ] || fail "$unit is $(shows $unit ActiveState), $(shows $unit Result)"
	done
	echo PASS
}

case ${1:-} in
boot) boot ;;
inside) inside ;;
*)
	[ "$(id -u)" = 0 ] || fail "it needs root, for namespaces"
	tmp=$(mktemp -d)
	groups=/sys/fs/cgroup/systemd
	[ -d $groups ] || groups=/sys/fs/cgroup
	group=$groups/onelease-test-$$
	export tmp groups
	trap 'find "$group" -depth -type d -exec rmdir {} + || true; rm -rf "$tmp"' EXIT
	mkdir "$group"
	chmod 755 "$tmp"
	mkdir "$tmp/root" "$tmp/result"
	deb=$("$here/build.sh")
	dpkg-deb -R "$here/../$deb" "$tmp/package"
	(cd "$here/.." && CGO_ENABLED=0 go build -trimpath -o "$tmp/site" ./plugins/site/cmd/site)
	chmod 755 "$tmp/package" "$tmp/site"
	(
		echo "$BASHPID" >"$group/cgroup.procs"
		exec timeout -k 5 180 unshare --mount --pid --fork --net --cgroup --uts --ipc --kill-child "$0" boot
	) || true
	cat "$tmp/result/log"
	[ "$(tail -n 1 "$tmp/result/log")" = PASS ] || fail "the units do not run as they should"
	;;
esac
