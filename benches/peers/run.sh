#!/usr/bin/env bash
# Measures hairpin beside OpenVINO (2021.4 and current), ONNX Runtime and TensorFlow Lite: README.md beside this file.
#
#   benches/peers/run.sh [--rounds 5] [--inferences 150] [--networks shallow,...] [--limit sse4.2|native|both] ...
#
# Wants x86_64 Linux, a C compiler, python3 (3.11 to 3.13, or PEERS_PYTHON=...), and for OpenVINO 2021.4 a Python 3.8 or
# 3.9 (in PATH, from pyenv or uv, or PEERS_PYTHON39=...); without the last that engine is left out, and said to be.
# Uses the network for Python packages only; everything that it makes is in target/peers.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=${CARGO_TARGET_DIR:-$here/../../target}/peers
mkdir -p "$work"
work=$(cd "$work" && pwd)
export PYTHONDONTWRITEBYTECODE=1

# environment NAME PYTHON: one with exactly the packages of NAME.txt, made again where that file has changed.
environment() {
    local name=$1 python=$2
    cmp -s "$here/$name.txt" "$work/$name/made-of.txt" && return
    echo "installing $name.txt" >&2
    rm -rf "${work:?}/$name"
    "$python" -m venv "$work/$name"
    "$work/$name/bin/pip" install --quiet --no-deps --only-binary=:all: -r "$here/$name.txt"
    cp "$here/$name.txt" "$work/$name/made-of.txt"
}

# The first Python that starts and is old enough; a name in PATH may be a stand-in that does not.
old_python() {
    local candidate
    for candidate in "${PEERS_PYTHON39:-}" python3.9 python3.8 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.[89].*/bin/python3 \
        "$(uv python find 3.9 2>/dev/null || true)"; do
        if [[ -n $candidate ]] && "$candidate" -c 'import sys; sys.exit(not (3, 8) <= sys.version_info[:2] <= (3, 9))' \
            2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    return 1
}

environment engines "${PEERS_PYTHON:-python3}"
environment convert "${PEERS_PYTHON:-python3}"
if old=$(old_python); then
    environment openvino2021 "$old"
else
    echo "no Python 3.8 or 3.9 here: OpenVINO 2021.4 is left out" >&2
fi
"${CC:-cc}" -O2 -Wall -Wextra -shared -fPIC -o "$work/limit.so" "$here/limit.c"
exec "$work/engines/bin/python" "$here/interleave.py" --work "$work" "$@"
