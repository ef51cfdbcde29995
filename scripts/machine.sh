# Sourced by the other scripts: installs from Debian's packages, crates.io, PyPI and npm what this machine lacks.
# Each function does nothing when the thing is there. As root, or through sudo.

# Where cargo builds, and where what the scripts make is kept.
target=${CARGO_TARGET_DIR:-target}
mkdir -p "$target"

say() { printf '\n==> %s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif has sudo; then
        sudo "$@"
    else
        die "cannot run '$1' as root: run this once as root, or install sudo, or install by hand what is missing"
    fi
}

# debian_packages NAME...: the package lists are fetched once a run, and only when something is missing.
debian_packages() {
    has apt-get || die "missing: $*. Only Debian's packages are installed by themselves; install these by hand"
    say "installing $*"
    if [ -z "${apt_lists_fetched:-}" ]; then
        as_root apt-get update -qq
        apt_lists_fetched=1
    fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

need_compiler() {
    has cargo || die "the Rust toolchain is missing: install rustup first"
    if ! has cc || ! has make; then
        debian_packages gcc libc6-dev make
    fi
    # For librdkafka (feature kafka).
    if ! has c++ || ! has pkg-config || ! pkg-config --exists openssl zlib; then
        debian_packages g++ pkg-config libssl-dev zlib1g-dev
    fi
}

readonly NEXTEST=0.9.143

# Any version that is there is taken; what is installed is always the same one.
need_nextest() {
    if ! cargo nextest --version >/dev/null 2>&1; then
        say "installing cargo-nextest $NEXTEST (a few minutes, once)"
        cargo install --locked cargo-nextest --version "$NEXTEST"
    fi
}

# Tests start servers of their own. Debian would start a daemon on installing, so that is switched off for that long.
need_redis() {
    has redis-server && return
    local off=/usr/sbin/policy-rc.d
    if [ -e "$off" ]; then
        debian_packages redis-server
        return
    fi
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$off" >/dev/null
    as_root chmod +x "$off"
    debian_packages redis-server || { as_root rm -f "$off"; return 1; }
    as_root rm -f "$off"
}

# Sets PG_BIN, the folder of the newest server on this machine. Debian would start a cluster of its own on installing: a
# private one is enough, so that is switched off for the length of the installation.
need_postgres() {
    find_postgres && return
    local off=/etc/postgresql-common/createcluster.d/zz-usher-tests.conf
    as_root mkdir -p "${off%/*}"
    echo 'create_main_cluster = false' | as_root tee "$off" >/dev/null
    debian_packages postgresql || { as_root rm -f "$off"; return 1; }
    as_root rm -f "$off"
    find_postgres || die "PostgreSQL is installed, but initdb is not where it should be"
}

find_postgres() {
    local dir
    for dir in $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -rV) "$(dirname "$(command -v initdb || echo /nowhere/initdb)")"; do
        if [ -x "$dir/initdb" ] && [ -x "$dir/postgres" ]; then
            PG_BIN=$dir
            return 0
        fi
    done
    return 1
}

# need_python_tools FOLDER REQUIREMENTS: a virtual environment, made anew when the pinned list changes.
need_python_tools() {
    local folder=$1 wanted=$2
    cmp -s "$wanted" "$folder/installed.txt" && return
    if ! python3 -c 'import ensurepip, venv' >/dev/null 2>&1; then
        debian_packages python3 python3-venv
    fi
    say "installing the Python tools of $wanted"
    rm -rf "$folder"
    python3 -m venv "$folder"
    "$folder/bin/pip" install --quiet --disable-pip-version-check --requirement "$wanted"
    cp "$wanted" "$folder/installed.txt"
}

# need_node_tool FOLDER PACKAGE VERSION BIN: by the Node.js in the folder BIN (Debian's is too old for some tools). Without install
# scripts, so nothing but the package itself arrives.
need_node_tool() {
    local folder=$1 package=$2 version=$3 bin=$4
    [ "$(cat "$folder/version" 2>/dev/null)" = "$package@$version" ] && return
    say "installing $package $version"
    rm -rf "$folder"
    mkdir -p "$folder"
    PATH="$bin:$PATH" npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$folder" "$package@$version"
    printf '%s' "$package@$version" >"$folder/version"
}
