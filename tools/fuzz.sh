#!/bin/sh
# Runs every fuzz test for the time given as the first argument, one by one:
# the go command fuzzes one at a time.
set -eu

time=$1
git ls-files -co --exclude-standard '*_test.go' | while read -r file; do
	sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$file" | while read -r test; do
		echo "fuzzing $test in $(dirname "$file") for $time"
		go test -vet=off -run='^$' -fuzz="^$test\$" -fuzztime="$time" "./$(dirname "$file")" </dev/null
	done
done
