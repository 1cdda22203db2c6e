#!/usr/bin/env bash
# Upgrades a cluster of three balancers, two members and a publisher, and two backends by the
# lines of docs/packaging.md, with the package of another version, under a systemd of its own
# (testboot.sh). Visitors fetch pages and long downloads meanwhile, and none may be lost. It
# takes about five minutes, most of which are waits: who is to be moved from a router must be
# two minutes old there.
. "$(dirname "$0")/testboot.sh"

nodes="onelease-balancer@b1 onelease-balancer@b2 onelease-balancer@b3 onelease-frontend@r1 onelease-frontend@r2 onelease-frontend@r3 onelease-backend@k1 onelease-backend@k2"
visitors="1 2 3 4"

inside() {
	small_buffers
	install_version 1.0
	onelease simnet --i2cp 127.0.0.1:7654 --i2cp 127.0.0.1:7664 --i2cp 127.0.0.1:7674 \
		--http-proxy 127.0.0.1:4441 --http-proxy 127.0.0.1:4442 --http-proxy 127.0.0.1:4443 --http-proxy 127.0.0.1:4444 &
	cluster
	all_run 1.0
	for n in $visitors; do
		visit $n page 2 &
		visit $n download 0.1 --limit-rate 150k &
	done
	await "visitors have come" came

	install_version 2.0
	for unit in $nodes; do
		grep -q "$unit.service" /tmp/dpkg || fail "dpkg does not say that $unit is to be restarted"
	done
	all_run 1.0
	SECONDS=0
	eval "$(lines_of_docs)"
	echo "upgraded after $SECONDS s"
	all_run 2.0
	sleep 10
	touch /tmp/enough
	wait $(jobs -p | tail -n +2)
	judge
	echo PASS
}

# cluster: all nodes run, and are ready.
cluster() {
	local n node
	first_balancer
	for n in 2 3; do
		join b$n balancer --address 127.0.0.1:1765$n
		balancer_settings b$n
		systemctl start onelease-balancer@b$n
	done
	for n in 1 2; do frontend r$n $n "member = true" "sam = [\"127.0.0.1:767$n\"]"; done
	frontend r3 3 "publisher = true"
	as onelease plugin add /site >/dev/null
	backend k1
	backend k2
	chmod 755 /srv /srv/www
	head -c 20k /dev/urandom >/srv/www/page
	head -c 3M /dev/urandom >/srv/www/download
	chmod 644 /srv/www/*
	systemctl start onelease-frontend@r{1,2,3} onelease-backend@k{1,2}
	for node in b1 b2 b3 r1 r2 r3 k1 k2; do await "$node is ready" ready $node; done
	await "three votes" three_vote
}

three_vote() { [ "$(as onelease cluster members --dir b1 --json | grep -c '"voter": true')" = 3 ]; }

# all_run VERSION: each instance's process is of it.
all_run() {
	local unit
	for unit in $nodes; do
		"/proc/$(shows $unit MainPID)/exe" version | grep -qF "$1" || fail "$unit does not run version $1"
	done
}

# visit N FILE PAUSE ARG...: the visitor N fetches it again and again, until there is
# /tmp/enough. A line for each says how it went, the code and how long it took.
visit() {
	local got=/tmp/got.$1.$2 how verdict began
	while [ ! -e /tmp/enough ]; do
		printf -v began "%(%T)T"
		how=$(curl -sS --max-time 150 "${@:4}" -o "$got" -w '%{http_code} %{time_total}' --proxy "http://127.0.0.1:444$1" "http://$b32/$2" 2>&1) || how="$how error"
		verdict=LOST
		if [[ $how == "200 "* && $how != *error ]] && cmp -s "$got" "/srv/www/$2"; then verdict=got; fi
		echo "$verdict $how, from $began to $(printf "%(%T)T")" >>"/tmp/visits.$1.$2"
		sleep "$3"
	done
}

came() { for n in $visitors; do [ -s /tmp/visits.$n.page ] || return; done; }

# lines_of_docs are those of the section on it.
lines_of_docs() { sed -n '/^### An upgrade without a lost request/,/^###* What/s/^    //p' /usr/share/doc/onelease/docs/packaging.md; }

# The documentation's sudo, for who is root. It tells what is done.
sudo() {
	[[ $* != *restart* && $* != *drain* ]] || echo "$(date +%T), after $SECONDS s: $*"
	if [ "$1" = -u ]; then as "${@:3}" 2>/dev/null; else "$@"; fi
}

judge() {
	cp /tmp/visits.* /result
	local file lost n
	for file in page download; do
		cat /tmp/visits.*.$file >/tmp/all
		echo "${file}s: $(grep -c ^got /tmp/all) fetched, $(grep -c ^LOST /tmp/all) lost, the longest $(cut -d ' ' -f 3 /tmp/all | tr -d , | sort -n | tail -n 1) s"
	done
	lost=$(grep -H LOST /tmp/visits.*) && fail "lost: $lost"
	[ "$(moved)" -ge "$(wc -w <<<"$visitors")" ] || fail "$(moved) visitors were moved: the drains had nothing to do"
	for n in $visitors; do
		[ "$(grep -c got /tmp/visits.$n.download)" -ge 3 ] && [ "$(grep -c got /tmp/visits.$n.page)" -ge 30 ] || fail "visitor $n has fetched too little"
	done
}

# moved is how often a visitor was moved from a member.
moved() {
	local k sum=0
	for k in k1 k2; do
		sum=$((sum + $(curl -s --unix-socket /run/onelease/$k.sock http://onelease/metrics | sed -n 's/^onelease_backend_remotes_moved_total //p')))
	done
	echo $sum
}

case ${1:-} in
boot) boot ;;
inside) inside ;;
*) outside 900 1.0 2.0 ;;
esac
