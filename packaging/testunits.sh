#!/usr/bin/env bash
# Runs the package's units as they are installed, under a systemd of their own (testboot.sh): a
# balancer, two frontends, a backend with a plugin, a SAM bridge and a site by "up", on the
# embedded network. It fetches the sites, reloads all, breaks a file of settings, has the
# watchdog end one that hangs, stops one while it serves, and removes the package.
. "$(dirname "$0")/testboot.sh"

# served ADDRESS: its page is.
served() { curl -sSf --max-time 20 --proxy http://127.0.0.1:4444 "http://$1/" | grep 'still here'; }

# other UNIT WHAT VALUE: it shows another one.
other() { [ "$(shows "$1" "$2")" != "$3" ]; }

inside() {
	small_buffers
	install_version 1.0
	onelease simnet --i2cp 127.0.0.1:7654 --i2cp 127.0.0.1:7664 --http-proxy 127.0.0.1:4444 &
	first_balancer
	local n
	for n in 1 2; do frontend r$n $n "member = true" "publisher = true" "sam = [\"127.0.0.1:767$n\"]"; done
	backend k1
	as onelease plugin add /site --open-files 4096 >/dev/null
	echo '<h1>still here</h1>' >/srv/www/index.html
	chmod 755 /srv /srv/www
	head -c 2M /dev/urandom >/srv/www/large
	chmod 644 /srv/www/*
	settings sam <<-X
		admin = "unix:/run/onelease/sam.sock"
		router = [{ name = "a", address = "127.0.0.1:7654", roles = ["member", "publisher"] }, { name = "b", address = "127.0.0.1:7664" }]
	X
	settings up-site <<-X
		dir = "/var/lib/onelease/site"
		drain-limit = "30s"
		admin = "unix:/run/onelease/site.sock"
		router = [
		  { name = "a", address = "127.0.0.1:7654", roles = ["member", "publisher"], dont-publish = "normal" },
		  { name = "b", address = "127.0.0.1:7664", dont-publish = "normal" },
		]
		service = [{ builtin = "site", settings = { root = "/srv/www" } }]
	X
	onelease config check /etc/onelease/*.toml
	systemctl start onelease-frontend@r1 onelease-frontend@r2 onelease-backend@k1 onelease-sam onelease-up@site
	for node in b1 r1 r2 k1 sam site; do await "$node is ready" ready $node; done
	await "the plugin's site" served "$b32"
	local site
	site=$(onelease status --admin unix:/run/onelease/site.sock --json | sed -n 's/.*"destination": "\([a-z2-7]*.b32.i2p\)".*/\1/p' | head -n 1)
	await "the site that is up" served "$site"
	for unit in onelease-balancer@b1 onelease-frontend@r1 onelease-backend@k1 onelease-sam onelease-up@site; do
		echo "$unit: $(shows $unit StatusText)"
		[ "$(shows $unit WatchdogUSec)" = 1min ] && [ -n "$(shows $unit StatusText)" ] || fail "$unit says nothing to systemd"
	done
	held
	reloads
	hangs
	ends "$site"

	systemctl restart onelease-sam && fail "a bridge with a mistake in its file starts"
	[ "$(shows onelease-sam ActiveState) $(shows onelease-sam ExecMainStatus)" = "failed 2" ] || fail "it does not end with 2"
	sh /var/lib/dpkg/info/onelease.postinst configure 0 | grep 'onelease-backend@k1.service' || fail "an upgrade does not name what runs"
	dpkg --remove onelease
	for unit in onelease-balancer@b1 onelease-frontend@r1 onelease-frontend@r2 onelease-backend@k1; do
		[ "$(shows $unit ActiveState) $(shows $unit Result)" = "inactive success" ] || fail "$unit is $(shows $unit ActiveState), $(shows $unit Result)"
	done
	echo PASS
}

# held: the backend and its plugin may do little.
held() {
	local program plugin pid
	program=$(shows onelease-backend@k1 MainPID)
	plugin=$(pgrep -P "$program")
	for pid in $program $plugin; do
		grep -qE '^NoNewPrivs:\s1' /proc/$pid/status && grep -qE '^CapEff:\s0+$' /proc/$pid/status &&
			grep -qE '^Seccomp:\s2' /proc/$pid/status || fail "process $pid is not held"
	done
	grep -qE '^Max open files +4096 ' /proc/$plugin/limits || fail "the plugin has no limit"
	! tr '\0' '\n' </proc/$plugin/environ | grep NOTIFY_SOCKET || fail "the plugin could tell systemd something"
}

# reloads: when one ends, what came of it is in the status.
reloads() {
	systemctl reload onelease-balancer@b1 onelease-frontend@r1 onelease-backend@k1 onelease-sam onelease-up@site
	await "the site after a reload" served "$b32"
	echo 'junk = 1' >>/etc/onelease/sam.toml
	systemctl reload onelease-sam # on a busy machine it may end before the program has begun
	await "the status says that a reload failed" says onelease-sam 'last reload, which failed.*junk'
}

# says UNIT PATTERN: its status does.
says() { shows "$1" StatusText | grep "$2"; }

# edit UNIT LINE...: gives it other settings.
edit() {
	mkdir -p "/run/systemd/system/$1.service.d"
	printf '%s\n' '[Service]' "${@:2}" >"/run/systemd/system/$1.service.d/edit.conf"
	systemctl daemon-reload
}

# ends ADDRESS: a stop waits for what is open, for drain-limit and not as systemd would.
ends() {
	local fetch
	edit onelease-up@site TimeoutStopSec=2
	curl -sSf --max-time 60 --limit-rate 200k --proxy http://127.0.0.1:4444 "http://$1/large" | cmp - /srv/www/large &
	fetch=$!
	await "a stream is open" open_stream
	SECONDS=0
	systemctl stop onelease-up@site
	echo "a stop took $SECONDS s"
	[ "$SECONDS" -ge 4 ] && [ "$(shows onelease-up@site Result)" = success ] || fail "the stop did not wait: $(shows onelease-up@site Result)"
	wait $fetch || fail "the download was cut"
}

open_stream() { curl -sS --unix-socket /run/onelease/site.sock http://onelease/metrics | grep '^onelease_streams_open.* [1-9]'; }

# hangs: who is silent is killed and started again.
hangs() {
	local was
	edit onelease-frontend@r2 WatchdogSec=3 RestartSec=0
	systemctl restart onelease-frontend@r2
	was=$(shows onelease-frontend@r2 MainPID)
	sleep 4 # as long as it would take to be killed
	[ "$(shows onelease-frontend@r2 MainPID)" = "$was" ] || fail "the watchdog kills who is well"
	kill -STOP "$was"
	await "the watchdog has the frontend started again" other onelease-frontend@r2 NRestarts 0
	await "it runs" ready r2
	[ "$(shows onelease-frontend@r2 MainPID)" != "$was" ] || fail "it is the same process"
}

case ${1:-} in
boot) boot ;;
inside) inside ;;
*) outside 240 1.0 ;;
esac
