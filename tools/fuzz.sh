#!/bin/sh
# Runs every fuzz target of the repository, one after the other, for a while each.
# usage: tools/fuzz.sh [TIME]     (default 20s)
set -eu
cd "$(dirname "$0")/.."
grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u | while read -r package; do
	grep -ho '^func Fuzz[A-Za-z0-9_]*' "$package"/*_test.go | sed 's/^func //' | while read -r target; do
		echo "$package $target"
		# Minimising an input is cut short: it would use up the time.
		go test "$package" -run '^$' -fuzz "^$target\$" -fuzztime "${1:-20s}" -fuzzminimizetime 10x
	done
done
