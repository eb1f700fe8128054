#!/bin/sh
# Installs Debian's nginx without its service: the package would start a server
# on port 80, now and at each boot. An nginx that is there, or that the
# configuration names, is never touched.
set -eu

policy=/usr/sbin/policy-rc.d
saved=$policy.before-phoenix

if [ -n "${PHOENIX_NGINX:-}" ] || command -v nginx >/dev/null || [ -x /usr/sbin/nginx ]; then
	exit 0
fi
if ! command -v apt-get >/dev/null; then
	echo "make: nginx 1.22 or later is needed: install it with this system's package manager," >&2
	echo "      and keep its service stopped (it would take port 80)." >&2
	exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
	echo "make: nginx 1.22 or later is needed, and only root can install it. Run:" >&2
	echo "      sudo make deps" >&2
	exit 1
fi

# restore puts the machine's own policy back.
restore() {
	if [ -e "$saved" ]; then mv -f "$saved" "$policy"; else rm -f "$policy"; fi
}

# policy-rc.d decides whether maintainer scripts may start a service. Ours says
# no for nginx alone, and leaves everything else to the one that was there.
# One saved by a run that was killed is the machine's own, and is kept.
if [ -e "$policy" ] && [ ! -e "$saved" ]; then mv "$policy" "$saved"; fi
trap restore EXIT
trap 'exit 1' HUP INT TERM
cat >"$policy" <<EOF
#!/bin/sh
for word in "\$@"; do
	case \$word in nginx|nginx.service) exit 101 ;; esac
done
if [ -x $saved ]; then exec $saved "\$@"; fi
exit 0
EOF
chmod 755 "$policy"

echo "installing nginx, without starting its service" >&2
apt-get -qq update
DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install nginx >/dev/null
update-rc.d nginx disable # not at the next boot either
