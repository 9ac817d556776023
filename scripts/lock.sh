#!/usr/bin/env bash
# Pins requirements/*.in into requirements/*.txt, with hashes and without the name of any host.
# Versions stay as they are where they still fit; UPGRADE=1 takes the newest.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# 3.11 means 3.11.0: Debian's own 3.11 is older than some, and needs packages that later ones do not.
options=(--quiet --python-version 3.11 --generate-hashes --no-emit-index-url --no-header)
[ -z "${UPGRADE:-}" ] || options+=(--upgrade)

for name in uv run dev; do
    echo "requirements/$name.txt"
    .venv/bin/uv pip compile "${options[@]}" "requirements/$name.in" -o "requirements/$name.txt"
done
