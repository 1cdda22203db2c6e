#!/usr/bin/env bash
# Makes dist/onelease_VERSION_ARCH.deb and dist/SHA256SUMS, from the checkout as it is. The same
# input makes the same bytes: the same files and commit, the same Go (go.mod names the
# oldest), the same dpkg. Needs git, Go and dpkg-deb.
#
# VERSION, COMMIT and SOURCE_DATE_EPOCH stand in for what git says; all three are needed
# where there is no git. DIST is the directory to make it in, and COMPRESSION=none is for
# tests, which have no use for a small file.
set -euo pipefail
cd "$(dirname "$0")/.."
umask 022
export LC_ALL=C TZ=UTC CGO_ENABLED=0 GOFLAGS=-buildvcs=false
unset GOOS GOARCH # a page and a completion are made by the program, so it must run here

# dirty is "+dirty" if there is more than what the commit has.
dirty() { [ -z "$(git status --porcelain --untracked-files=normal)" ] || printf +dirty; }

# described is the version of the commit's tag; else one after the last tag's, or before all.
described() {
	local tag
	if tag=$(git describe --tags --exact-match --match 'v[0-9]*' 2>/dev/null); then
		printf '%s%s' "$(debian "$tag")" "$(dirty)"
		return
	fi
	tag=$(git describe --tags --abbrev=0 --match 'v[0-9]*' 2>/dev/null) && tag=$(debian "$tag")+ || tag=0~
	printf '%sgit%s.%s%s' "$tag" "$(git log -1 --date=format-local:%Y%m%d%H%M%S --format=%cd)" \
		"$(git rev-parse --short=10 HEAD)" "$(dirty)"
}

# debian is a tag as Debian sorts it: v1.0-rc1 comes before v1.0.
debian() { sed 's/^v//; s/-/~/g' <<<"$1"; }

VERSION=${VERSION:-$(described)}
COMMIT=${COMMIT:-$(git rev-parse HEAD)}
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}

case $(go env GOARCH) in
386) arch=i386 ;;
arm) arch=armhf ;;
*) arch=$(go env GOARCH) ;;
esac

dist=${DIST:-dist}
mkdir -p "$dist"
stage=$(mktemp -d "$dist/.stage.XXXXXX")
trap 'rm -rf "$stage"' EXIT
chmod 755 "$stage"

put() { install -D -m "$1" "$2" "$stage/$3"; }

program=$stage/usr/bin/onelease
go build -trimpath -ldflags "-s -w -buildid= -X main.version=$VERSION -X main.commit=$COMMIT" -o "$program" ./cmd/onelease

for unit in packaging/systemd/*; do put 644 "$unit" "usr/lib/systemd/system/$(basename "$unit")"; done
put 644 packaging/onelease.sysusers usr/lib/sysusers.d/onelease.conf
put 644 packaging/onelease.tmpfiles usr/lib/tmpfiles.d/onelease.conf

mkdir -p "$stage/usr/share/man/man1"
"$program" man "$stage/usr/share/man/man1"
gzip -9n "$stage"/usr/share/man/man1/*

for shell in bash zsh fish; do "$program" completion "$shell" >"$stage/$shell"; done
put 644 "$stage/bash" usr/share/bash-completion/completions/onelease
put 644 "$stage/zsh" usr/share/zsh/vendor-completions/_onelease
put 644 "$stage/fish" usr/share/fish/vendor_completions.d/onelease.fish
rm "$stage"/{bash,zsh,fish}

doc=usr/share/doc/onelease
put 644 LICENSE $doc/copyright
for file in README.md DESIGN.md docs/*; do put 644 "$file" "$doc/$file"; done
mkdir -p "$stage/$doc/examples"
for role in balancer frontend backend up sam; do "$program" config example "$role" >"$stage/$doc/examples/$role.toml"; done
printf 'onelease (%s) unstable; urgency=medium\n\n  * Of commit %s.\n\n -- The Onelease authors <onelease@localhost>  %s\n' \
	"$VERSION" "$COMMIT" "$(date -R -d "@$SOURCE_DATE_EPOCH")" | gzip -9n >"$stage/$doc/changelog.gz"
chmod 644 "$stage/$doc"/changelog.gz

# Sizes of files, not of blocks, which differ from one file system to the next.
size=$(find "$stage" -type f -printf '%s\n' | awk '{s += int(($1 + 1023) / 1024)} END {print s}')
mkdir "$stage/DEBIAN"
cat >"$stage/DEBIAN/control" <<CONTROL
Package: onelease
Version: $VERSION
Architecture: $arch
Maintainer: The Onelease authors <onelease@localhost>
Installed-Size: $size
Section: net
Priority: optional
Recommends: systemd
Suggests: i2pd
Homepage: https://github.com/onelease/onelease
Description: one I2P Destination, many routers, one LeaseSet
 Onelease hosts one Destination on several stock I2P routers at once. A balancer
 merges the inbound tunnels of all into one LeaseSet, so that the netDB sees
 what one router would show; when a router dies, its remotes go on with the
 others.
CONTROL
(cd "$stage" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$stage/DEBIAN/md5sums"
for script in packaging/debian/*; do put 755 "$script" "DEBIAN/$(basename "$script")"; done
find "$stage" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +

# One thread, since xz's output differs between one and several.
deb=onelease_${VERSION}_$arch.deb
dpkg-deb --root-owner-group --uniform-compression -Z"${COMPRESSION:-xz}" --threads-max=1 --build "$stage" "$dist/$deb" >/dev/null
(cd "$dist" && sha256sum "$deb" >SHA256SUMS)
echo "$dist/$deb"
