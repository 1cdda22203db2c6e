#!/bin/sh
# Makes sure that there is an i2pd to test against: Debian's package is
# installed if there is none and this may (root, apt-get). Its service is not
# started: the tests run their own routers in a network namespace. The same goes
# for nginx and curl, and for nft, with which benchmarks have packets get lost; they
# do without.
set -eu
may=
[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 && may=yes
export DEBIAN_FRONTEND=noninteractive
if [ -n "$may" ] && ! command -v nft >/dev/null 2>&1 && [ ! -x /usr/sbin/nft ]; then
	apt-get update -qq && apt-get install -y -qq --no-install-recommends nftables ||
		echo "no nft: benchmarks skip what needs loss" >&2
fi
if [ -n "$may" ] && { ! command -v curl || { ! command -v nginx && [ ! -x /usr/sbin/nginx ]; }; } >/dev/null 2>&1; then
	apt-get update -qq
	# RUNLEVEL=1 tells the packages' scripts to start no service.
	RUNLEVEL=1 apt-get install -y -qq --no-install-recommends nginx curl
fi
[ -n "${ONELEASE_I2PD:-}" ] && exit 0
command -v i2pd >/dev/null 2>&1 && exit 0
[ -x /usr/sbin/i2pd ] && exit 0
if [ -z "$may" ]; then
	echo "the tests against real routers need i2pd: install it, or run this as root on Debian" >&2
	exit 1
fi
apt-get update -qq
# RUNLEVEL=1 tells the package's scripts to start no service.
RUNLEVEL=1 apt-get install -y -qq --no-install-recommends i2pd
