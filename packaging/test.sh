#!/usr/bin/env bash
# Builds the package twice, the second time elsewhere and with nothing compiled before, and wants
# the same bytes; installs it into a root of its own with dpkg, looks at it, and takes it
# off again. The machine itself stays as it is. Needs root, dpkg, systemd and man-db.
set -euo pipefail
cd "$(dirname "$0")/.."
[ "$(id -u)" = 0 ] || { echo "packaging/test.sh needs root: dpkg sets owners" >&2; exit 1; }

fail() { echo "FAIL: $*" >&2; exit 1; }
say() { echo "--- $*"; }

tmp=$(mktemp -d)
trap 'chmod -R u+w "$tmp"; rm -rf "$tmp"' EXIT
chmod 755 "$tmp" # what is tried as another user is in it

say "builds twice, the same bytes"
packaging/build.sh
first=$(ls dist/*.deb -t | head -n 1)
VERSION=$(dpkg-deb -f "$first" Version) COMMIT=$(git rev-parse HEAD) SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export VERSION COMMIT SOURCE_DATE_EPOCH
mkdir "$tmp/elsewhere"
git ls-files -co --exclude-standard -z | xargs -0 cp --parents -t "$tmp/elsewhere"
(umask 077 && TZ=Asia/Tokyo LC_ALL=C.UTF-8 GOCACHE=$tmp/cache "$tmp/elsewhere/packaging/build.sh")
cmp "$first" "$tmp/elsewhere/$first" || fail "the second build differs"
(cd dist && sha256sum --quiet -c SHA256SUMS)

say "installs"
root=$tmp/root
mkdir -p "$root"/var/lib/dpkg/{info,updates,triggers} "$root/etc" "$root/var/log"
touch "$root"/var/lib/dpkg/{status,available}
# Scripts run outside of the root, which has no shell, with DPKG_ROOT.
package() { dpkg --root="$root" --force-script-chrootless --no-triggers "$@" >"$tmp/log" 2>&1 || { cat "$tmp/log"; fail "dpkg $*"; }; }
package --install "$first"
grep -q '^onelease:' "$root/etc/passwd" || fail "no user onelease"
owned() { [ "$(stat -c %a "$root/$2")" = "$1" ] || fail "/$2 has mode $(stat -c %a "$root/$2"), want $1"; }
owned 700 var/lib/onelease
owned 750 etc/onelease
owned 755 usr/bin/onelease
uid=$(awk -F: '$1 == "onelease" {print $3}' "$root/etc/passwd")
[ "$(stat -c %u "$root/var/lib/onelease")" = "$uid" ] || fail "/var/lib/onelease is not the user's"
[ -z "$(find "$root/usr" \( -not -user root -o -not -group root -o -perm /022 -not -type l \) -print -quit)" ] || fail "others may write to what is installed"

say "runs"
onelease=$root/usr/bin/onelease
"$onelease" version | grep -qF "$VERSION" || fail "it does not know its version"
"$onelease" version --json | grep -qF "$COMMIT" || fail "it does not know its commit"
"$onelease" --help >"$tmp/help" && grep -q 'onelease sam' "$tmp/help" || fail "no help"
for role in balancer frontend backend up sam; do
	"$onelease" config check "$root/usr/share/doc/onelease/examples/$role.toml" >/dev/null || fail "the example of $role is refused"
done
if readelf -l "$onelease" 2>/dev/null | grep -q INTERP; then fail "it is not static"; fi

say "man pages and completions"
for page in onelease onelease-balancer onelease-frontend onelease-backend onelease-up onelease-sam onelease-cluster-join; do
	[ -f "$root/usr/share/man/man1/$page.1.gz" ] || fail "no man page $page"
done
for page in "$root"/usr/share/man/man1/*.gz; do
	MANROFFSEQ='' MANWIDTH=80 man --warnings -l "$page" 2>"$tmp/warnings" >"$tmp/page" || fail "man does not read $page"
	[ ! -s "$tmp/warnings" ] || { cat "$tmp/warnings"; fail "man warns of $page"; }
	grep -q '^NAME' "$tmp/page" || fail "nothing in $page"
done
bash -n "$root/usr/share/bash-completion/completions/onelease"
[ -s "$root/usr/share/zsh/vendor-completions/_onelease" ] && [ -s "$root/usr/share/fish/vendor_completions.d/onelease.fish" ] || fail "no completions"

say "units"
install -D /bin/true "$root/bin/kill" # stands in for procps's
for unit in "$root"/usr/lib/systemd/system/onelease-*; do
	name=$(basename "${unit/@./@x.}")
	# It complains of all that the root does not have, so only what is of us counts.
	systemd-analyze verify --man=no --recursive-errors=no --root="$root" "$name" >"$tmp/verify" 2>&1 || true
	if grep -i onelease "$tmp/verify"; then fail "$name is not good"; fi
	# In tenths: docs/packaging.md has the figures.
	systemd-analyze security --offline=true --root="$root" --threshold=20 --no-pager "$name" >"$tmp/security" || fail "$name is more exposed than 2.0"
	tail -n 1 "$tmp/security"
done

say "upgrade, removal, purge"
touch "$root/var/lib/onelease/site.dat"
package --install "$first"
[ -f "$root/var/lib/onelease/site.dat" ] || fail "an upgrade took keys"
package --remove onelease
[ ! -e "$onelease" ] || fail "the program outlives its removal"
package --purge onelease
[ -f "$root/var/lib/onelease/site.dat" ] || fail "a purge took keys unasked"
grep -q 'keys and settings are left' "$tmp/log" || fail "a purge does not tell that keys are left"
package --install "$first"
ONELEASE_PURGE_KEYS=yes package --purge onelease
[ ! -e "$root/var/lib/onelease" ] || fail "keys outlive a purge that was to take them"
echo "PASS"
