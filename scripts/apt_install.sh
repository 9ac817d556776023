#!/usr/bin/env bash
# Installs Debian packages as root, without starting any server: the tests start their own, in folders of their own.
#
#   scripts/apt_install.sh PACKAGE...
set -euo pipefail

export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
cluster=/etc/postgresql-common/createcluster.conf

install() {
    apt-get -qq -o DPkg::Lock::Timeout=120 install -y --no-install-recommends "$@"
}

put_back() {
    [ -z "${made_policy:-}" ] || rm -f "$policy"
    [ ! -f "$cluster.fangpin" ] || mv "$cluster.fangpin" "$cluster"
}
trap put_back EXIT

# One unreachable source among many makes `update` fail although the packages can be had: let `install` decide.
apt-get -qq -o DPkg::Lock::Timeout=120 update || echo "apt-get update: $?"

if [ ! -e "$policy" ]; then
    made_policy=yes
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi

if [[ " $* " == *" postgresql "* ]]; then
    # The package would make a database cluster at once; this setting, for the time of the installation, stops it.
    install postgresql-common
    cp -p "$cluster" "$cluster.fangpin"
    echo "create_main_cluster = false" >>"$cluster"
fi

install "$@"

if [[ " $* " == *" redis-server "* ]] && command -v systemctl >/dev/null; then
    systemctl --quiet disable redis-server || true # nor at the next start of the machine
fi
