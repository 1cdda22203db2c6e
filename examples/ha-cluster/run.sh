#!/usr/bin/env bash
# Three balancers, three frontends and two backends that serve one Destination: a
# deployment as it would be on nine machines, each part a process of its own. It runs
# as it stands, on an embedded I2P network:
#
#	examples/ha-cluster/run.sh
#
# It forms the cluster, fetches the site, kills the balancer that leads and a backend
# with -9, and fetches again. All that it starts has ended when it ends, and nothing is left.
#
# On routers of your own (I2CP on this machine, and an HTTP proxy of another router):
#
#	ROUTERS="127.0.0.1:7654 127.0.0.1:7664 127.0.0.1:7674" PROXY=127.0.0.1:4444 examples/ha-cluster/run.sh
#
# ONELEASE is the program, which is built if it is not set; PORT the first of some twenty
# ports on the loopback; KEEP=1 leaves all running until you press Ctrl-C.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
port=${PORT:-17650}
dir=$(mktemp -d "${TMPDIR:-/tmp}/onelease-ha-XXXXXX")
declare -A pid # of what runs, by name

say() { printf '\n== %s\n' "$*"; }

fail() {
	echo "ha-cluster: $*" >&2
	for log in "$dir"/*.log; do
		echo "--- the end of $(basename "$log")" >&2
		tail -n 15 "$log" >&2
	done
	exit 1
}

cleanup() {
	for name in "${!pid[@]}"; do kill "${pid[$name]}" 2>/dev/null || true; done
	for name in "${!pid[@]}"; do
		for _ in {1..100}; do # what does not end within 10 s is killed
			kill -0 "${pid[$name]}" 2>/dev/null || break
			sleep 0.1
		done
		kill -9 "${pid[$name]}" 2>/dev/null || true
	done
	wait 2>/dev/null || true
	rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# start NAME COMMAND...: a process, with its log in a file.
start() {
	local name=$1
	shift
	"$onelease" "$@" >"$dir/$name.log" 2>&1 &
	pid[$name]=$!
}

# crash NAME: kill -9.
crash() {
	kill -9 "${pid[$1]}"
	wait "${pid[$1]}" 2>/dev/null || true
	unset "pid[$1]"
}

# await WHAT COMMAND...: until it succeeds, or for a minute.
await() {
	local what=$1
	shift
	for _ in {1..300}; do
		"$@" >/dev/null 2>&1 && return
		sleep 0.2
	done
	fail "$what: not within a minute"
}

# join NAME ROLE ARGUMENTS...: what an operator does for each node, here and there.
join() {
	local name=$1 role=$2
	shift 2
	"$onelease" cluster invite --dir "$dir/b1" --role "$role" --name "$name" 2>/dev/null |
		"$onelease" cluster join --dir "$dir/$name" "$@" >/dev/null
}

has() { # has WORDS COMMAND...: its output has them
	local words=$1
	shift
	"$@" 2>/dev/null | grep -q -- "$words"
}

members() { "$onelease" cluster members --dir "$dir/b1" "${ask[@]}"; }
leader() { members | sed -n 's/.*leader: //p'; }
fetch() { curl --silent --show-error --fail --max-time 60 --proxy "http://$proxy" "http://$b32/"; }

# page fetches the site, and says how long that took.
page() {
	local began=${EPOCHREALTIME/[.,]/}
	has 'still here' fetch || fail "the site was not served: $(fetch 2>&1)"
	echo "the site was fetched, in $(((${EPOCHREALTIME/[.,]/} - began) / 1000)) ms"
}

if [ -n "${ONELEASE:-}" ]; then
	onelease=$ONELEASE
else
	say "building onelease"
	onelease=$dir/onelease
	(cd "$here/../.." && go build -trimpath -o "$onelease" ./cmd/onelease)
fi

say "a Destination, its page, and a secret that seals its keys"
b32=$("$onelease" key generate "$dir/site.dat")
echo "$b32"
mkdir "$dir/www"
echo '<h1>still here</h1>' >"$dir/www/index.html"
(umask 077 && head -c 18 /dev/urandom | base64 >"$dir/passphrase")

if [ -n "${ROUTERS:-}" ]; then
	read -r -a routers <<<"$ROUTERS"
	proxy=${PROXY:?say which HTTP proxy to fetch through}
else
	say "an embedded network with three routers, in place of routers of your own"
	routers=("127.0.0.1:$((port + 10))" "127.0.0.1:$((port + 11))" "127.0.0.1:$((port + 12))")
	proxy=127.0.0.1:$((port + 13))
	start simnet simnet --i2cp "${routers[0]}" --i2cp "${routers[1]}" --i2cp "${routers[2]}" --http-proxy "$proxy"
	await "the embedded network" has "network" cat "$dir/simnet.log"
fi

say "three balancers"
ask=()
for n in 1 2 3; do
	address=127.0.0.1:$((port + n))
	if [ $n = 1 ]; then
		"$onelease" cluster init --dir "$dir/b1" --name b1 --address "$address" --keys "$dir/site.dat" --passphrase-file "$dir/passphrase" >/dev/null
	else
		join b$n balancer --address "$address"
	fi
	start b$n balancer --dir "$dir/b$n" --passphrase-file "$dir/passphrase"
	ask+=(--balancer "$address")
	await "balancer b$n" has "b$n .* yes " members
done
await "a leader" has 'leader: b' members
members

say "three frontends, one beside each router: two serve, one publishes"
for n in 1 2 3; do
	join router-$n frontend
done
sam=("127.0.0.1:$((port + 14))" "127.0.0.1:$((port + 15))")
quirk=${DONT_PUBLISH:-normal} # auto or inverted for i2pd 2.58
start router-1 frontend --dir "$dir/router-1" --router "${routers[0]}" --member --dont-publish "$quirk" --sam "${sam[0]}"
start router-2 frontend --dir "$dir/router-2" --router "${routers[1]}" --member --dont-publish "$quirk" --sam "${sam[1]}"
start router-3 frontend --dir "$dir/router-3" --router "${routers[2]}" --publisher --dont-publish "$quirk"

say "two backends, each attached to both frontends that serve"
for n in 1 2; do
	join backend-$n backend
	start backend-$n backend --dir "$dir/backend-$n" --drain-limit 5s --frontend router-1="${sam[0]}" --frontend router-2="${sam[1]}" \
		--builtin site --set "site.root=\"$dir/www\""
	await "backend-$n" has '"state": "up"' "$onelease" backend status --dir "$dir/backend-$n" --json
done
await "a LeaseSet of both routers" has 'of 2 routers' "$onelease" cluster status --dir "$dir/b1" "${ask[@]}"
"$onelease" cluster status --dir "$dir/b1" "${ask[@]}"

say "a visitor"
page

await "a leader" has 'leader: b' members
was=$(leader)
say "kill -9 of the leading balancer, $was"
crash "$was"
page
another() { local now; now=$(leader) && [ -n "$now" ] && [ "$now" != none ] && [ "$now" != "$was" ]; }
await "another leader" another
echo "$(leader) leads"

# The one that has sent something: the visitor would keep to it.
victim=backend-1
has '"packets_out": [1-9]' "$onelease" backend status --dir "$dir/backend-2" --json && victim=backend-2
say "kill -9 of the backend that answered, $victim"
crash $victim
page

say "all of it once more: one balancer of three, one backend of two are gone"
members
page
if [ -n "${KEEP:-}" ]; then
	echo "running until Ctrl-C: curl -x http://$proxy http://$b32/"
	wait
fi
say "done"
