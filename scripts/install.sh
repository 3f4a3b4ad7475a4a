#!/bin/sh
# Install petlake and everything in requirements.lock into .venv, from a system that has only Python.
# A second call does nothing, and so needs no network, as long as what was installed from is unchanged.
set -eu

# A network with a certificate authority of its own has told the system about it, and uv should ask there.
export UV_SYSTEM_CERTS=1
cd "$(dirname "$0")/.."
root=$(pwd -P)
stamp=.venv/petlake-installed

# Settings of another environment must not reach into this one.
unset PYTHONHOME PYTHONPATH VIRTUAL_ENV CONDA_PREFIX

# A command can be on PATH and still not run (a pyenv shim of a version that is not switched on), so each is tried.
find_python() {
    for candidate in ${PYTHON:-python3.11 python3 /usr/bin/python3.11}; do
        # The real path: the interpreter itself, also when the one on PATH belongs to a virtual environment.
        if "$candidate" -c '
import os, sys
if sys.version_info[:2] != (3, 11) or sys.implementation.name != "cpython":
    sys.exit(1)
print(os.path.realpath(sys.executable))' 2>/dev/null; then
            return
        fi
    done
}

# The Debian packages that are missing, judged by what the installation is going to use of them.
missing_packages() {
    if [ -z "$python" ]; then
        echo python3.11 python3.11-venv python3.11-dev
    else
        "$python" -c 'import ensurepip, venv; ensurepip.version()' 2>/dev/null || echo python3.11-venv
        include=$("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')
        [ -f "$include/Python.h" ] || echo python3.11-dev
    fi
    command -v "${CC:-cc}" >/dev/null || echo build-essential
}

# What the installed state follows from. The place counts: scripts and the editable install hold absolute paths.
fingerprint() {
    sha256sum requirements.lock pyproject.toml scripts/bootstrap.lock scripts/install.sh
    echo "$python" "$("$python" -VV)"
    echo "$root"
}

python=$(find_python)
if [ -n "$python" ] && [ -f "$stamp" ] && fingerprint | cmp -s - "$stamp" && .venv/bin/python -c '' 2>/dev/null; then
    exit 0
fi

missing=$(missing_packages)
if [ -n "$missing" ]; then
    {
        [ -n "$python" ] || echo "petlake needs Python 3.11; tried: ${PYTHON:-python3.11 python3 /usr/bin/python3.11}"
        echo "petlake cannot be installed yet: something is missing on this system. On Debian 12, as root:"
        echo
        echo "    apt-get install --yes" $missing
        echo
    } >&2
    exit 1
fi

echo "Installing petlake into .venv (from requirements.lock, with $python) ..."
rm -f "$stamp"
if [ "$(readlink -f .venv/bin/python 2>/dev/null)" != "$python" ] || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    "$python" -m venv --clear .venv
fi

# The cache and .venv may be on different file systems, where uv's hard links fail; without a home there is no cache.
export UV_LINK_MODE="${UV_LINK_MODE:-copy}"
export UV_HTTP_TIMEOUT="${UV_HTTP_TIMEOUT:-180}"
export UV_PYTHON_DOWNLOADS=never
if [ ! -w "${HOME:-}" ]; then
    export UV_CACHE_DIR="${UV_CACHE_DIR:-$root/.venv/uv-cache}"
fi

.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes -r scripts/bootstrap.lock

uv_pip() {
    .venv/bin/uv --preview-features extra-build-dependencies pip "$@" --python .venv/bin/python
}

# The lock also constrains what pyradiomics is built with.
sync_with_lock() {
    uv_pip sync --compile-bytecode --require-hashes --build-constraints requirements.lock requirements.lock "$@"
}

# Without the network first: after a change that touches no dependency, all that is needed is here already.
sync_with_lock --offline 2>/dev/null || sync_with_lock

# `sync` has removed the project itself, which is not in the lock: a file with hashes cannot hold an editable one.
uv_pip install --quiet --offline --no-deps --no-build-isolation -e .

fingerprint >"$stamp"
