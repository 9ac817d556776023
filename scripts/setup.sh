#!/usr/bin/env bash
# Sets up what a command needs, and only what is missing: system libraries, .venv with pinned packages, `fangpin`,
# and the style sheets and scripts of the pages.
#
#   scripts/setup.sh run    what the program needs
#   scripts/setup.sh dev    that, and what the tests, checks and measurements need
#
# Quiet when all is there. The details of an installation go to build/setup.log, and are shown if it fails.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

level=${1:-run}
venv=$PWD/.venv
stamp=$venv/installed
log=$PWD/build/setup.log
vendor=webapp/static/vendor

# What the pages use of the packages of package.json: copied to $vendor, so that node_modules is for the set-up only.
front_end=(
    @tabler/core/dist/css/tabler.min.css
    htmx.org/dist/htmx.min.js
    swagger-ui-dist/swagger-ui.css
    swagger-ui-dist/swagger-ui-bundle.js
)

say() { printf '%s\n' "$@" >&2; }

fail() {
    say "$@"
    exit 1
}

# Runs a step with its output in the log, which the first step begins anew; shows its end when the step fails.
logged() {
    [ -n "${log_begun:-}" ] || : >"$log"
    log_begun=yes
    printf '\n== %s\n' "$*" >>"$log"
    "$@" >>"$log" 2>&1 && return
    tail -n 25 "$log" >&2
    say "失败,详见 / failed, see $log: $*"
    return 1
}

find_python() {
    local candidate
    for candidate in python3.11 python3 /usr/bin/python3.11; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
            python=$candidate
            return
        fi
    done
    fail "需要 Python 3.11,本机没有找到。Debian/Ubuntu: sudo apt-get install python3.11 python3.11-venv" \
        "Python 3.11 is needed and was not found. Debian/Ubuntu: sudo apt-get install python3.11 python3.11-venv"
}

# The Debian packages that are not there yet, one a line. npm is needed only while it has something to fetch.
missing_packages() {
    local fetch=no
    front_end_there || fetch=yes
    "$python" - "$level" "$fetch" <<'PYTHON'
import ctypes, glob, importlib.util, os, shutil, sys

def library(name):
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True

needed = {
    "python3.11-venv": bool(importlib.util.find_spec("ensurepip")),
    "libpango-1.0-0": library("libpango-1.0.so.0"),
    "libpangoft2-1.0-0": library("libpangoft2-1.0.so.0"),
    "libharfbuzz-subset0": library("libharfbuzz-subset.so.0"),
}
if sys.argv[2] == "yes":
    needed |= {"nodejs": bool(shutil.which("node")), "npm": bool(shutil.which("npm"))}
if sys.argv[1] == "dev":
    needed |= {
        "chromium": os.path.exists("/usr/bin/chromium"),
        "fonts-noto-cjk": os.path.exists("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"),
        "postgresql": bool(glob.glob("/usr/lib/postgresql/*/bin/initdb") or shutil.which("initdb")),
        "redis-server": bool(shutil.which("redis-server")),
        "poppler-utils": bool(shutil.which("pdftotext") and shutil.which("pdftoppm")),
    }
print("\n".join(name for name, there in needed.items() if not there))
PYTHON
}

install_packages() {
    local missing as_root=()
    missing=$(missing_packages)
    [ -n "$missing" ] || return 0
    missing=${missing//$'\n'/ }
    command -v apt-get >/dev/null || fail "缺少系统软件,本机没有 apt,请自行安装: $missing" \
        "System packages are missing and there is no apt here; install by hand: $missing"
    if [ "$(id -u)" != 0 ]; then
        as_root=(sudo -n)
        sudo -n true 2>/dev/null || fail "缺少系统软件,安装它们需要管理员。请管理员执行:" \
            "System packages are missing; an administrator must type:" \
            "  sudo sh -c 'apt-get update && apt-get install -y --no-install-recommends $missing'"
    fi
    say "安装系统软件 / installing system packages: $missing"
    # shellcheck disable=SC2086  # one word for each package
    logged "${as_root[@]}" bash scripts/apt_install.sh $missing
}

# What the set-up depends on: when any of it changes, it is done again.
wanted_key() {
    { printf "%s\n" "$venv" && cat requirements/*.txt setup.cfg pyproject.toml scripts/setup.sh; } |
        sha256sum | cut -d ' ' -f 1
}

# A virtual environment knows its own path: one that was copied or moved starts the wrong programs.
venv_usable() {
    "$venv/bin/python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null &&
        grep -qsF "$venv/bin/python" "$venv/bin/pip"
}

install_python_packages() {
    local requirements=requirements/$level.txt
    if ! venv_usable; then
        say "建立 Python 环境 / making the Python environment: .venv"
        logged "$python" -m venv --clear "$venv"
    fi
    say "安装 Python 软件包 / installing Python packages: $requirements ($(grep -c == "$requirements"))"
    logged "$venv/bin/python" -m pip install --require-hashes --no-deps -r requirements/uv.txt
    logged "$venv/bin/uv" pip sync --require-hashes --python "$venv/bin/python" "$requirements" || {
        say "uv 未成功,改用 pip / uv failed, using pip"
        logged "$venv/bin/python" -m pip install --require-hashes --no-deps -r "$requirements"
    }
    # No isolation: it would fetch a setuptools that nobody pinned.
    logged "$venv/bin/python" -m pip install --no-deps --no-build-isolation --no-index -e .
}

front_end_key() {
    { cat package.json package-lock.json && printf '%s\n' "${front_end[@]}"; } | sha256sum | cut -d ' ' -f 1
}

front_end_there() {
    local file
    [ "$(cat "$vendor/installed" 2>/dev/null)" = "$(front_end_key)" ] || return 1
    for file in "${front_end[@]}"; do
        [ -f "$vendor/${file##*/}" ] || return 1
    done
    [ "$level" = run ] || [ -f node_modules/axe-core/axe.min.js ]
}

install_front_end() {
    local file omit=()
    [ "$level" = dev ] || omit=(--omit=dev)
    say "安装页面的样式与脚本 / installing the style sheets and scripts of the pages: package-lock.json"
    logged npm ci --ignore-scripts --no-audit --no-fund "${omit[@]}"
    rm -rf "$vendor"
    mkdir -p "$vendor"
    for file in "${front_end[@]}"; do
        cp "node_modules/$file" "$vendor/"
    done
    front_end_key >"$vendor/installed"
}

[ "$level" = run ] || [ "$level" = dev ] || fail "usage: scripts/setup.sh run|dev"
mkdir -p build
exec 9>build/setup.lock
flock 9 2>/dev/null || true # two commands started at once set up one after the other
find_python
install_packages

# dev holds all that run holds: once it is there, it stays, or `make run` and `make test` would undo each other.
installed_level='' installed_key=''
[ ! -f "$stamp" ] || read -r installed_level installed_key <"$stamp" || true
[ "$installed_level" != dev ] || level=dev
key=$(wanted_key)
if [ "$installed_level" != "$level" ] || [ "$installed_key" != "$key" ] || [ ! -x "$venv/bin/fangpin" ] || ! venv_usable; then
    rm -f "$stamp"
    install_python_packages
    printf '%s %s\n' "$level" "$key" >"$stamp"
fi
front_end_there || install_front_end
