#!/bin/sh
# Says clearly when the Go toolchain is missing or too old. Older go commands
# fail on go.work before they could say so themselves.
set -eu

want=26 # 1.26

if ! command -v go >/dev/null; then
	echo "make: Go 1.$want or later is needed, and no go is in PATH." >&2
	echo "      See https://go.dev/doc/install, and put its bin folder into PATH." >&2
	exit 1
fi

have=$(go version 2>/dev/null || GOTOOLCHAIN=local GOWORK=off go version 2>/dev/null || echo unknown)
minor=$(printf '%s\n' "$have" | sed -n 's/.* go1\.\([0-9][0-9]*\).*/\1/p')
case $have in *devel*) exit 0 ;; esac
if [ -z "$minor" ] || [ "$minor" -lt "$want" ]; then
	echo "make: Go 1.$want or later is needed; $(command -v go) is: $have" >&2
	echo "      See https://go.dev/doc/install, and put the newer one's bin folder first into PATH." >&2
	exit 1
fi
