"""What is inside a released binary: the crates that cargo compiles into it, what of Rust's standard library, and what
the linker adds. Read from cargo, Cargo.lock, the toolchain and the binary; nothing is fetched. Proc-macros, build
scripts and tests run on the builder's machine and are not in the binary, so they are not listed.

For sbom.py, sbom_check.py and licences.py.
"""

import collections
import html
import json
import os
import pathlib
import re
import subprocess
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
# The standard library's own crates; every other library beside them is somebody else's.
STD = """alloc compiler_builtins core getopts panic_abort panic_unwind proc_macro profiler_builtins rustc_literal_escaper
    rustc_std_workspace_alloc rustc_std_workspace_core rustc_std_workspace_std std std_detect sysroot test unwind""".split()
# Licences of what Rust's own notice leaves out, as their crates state them.
STD_LICENCES = {
    "addr2line": "Apache-2.0 OR MIT",
    "adler2": "0BSD OR MIT OR Apache-2.0",
    "memchr": "Unlicense OR MIT",
    "miniz_oxide": "MIT OR Zlib OR Apache-2.0",
    "object": "Apache-2.0 OR MIT",
}

# One component. `folder` holds a crate's sources, `texts` are (file name, licence text) where there is no folder.
Part = collections.namedtuple("Part", "kind name version licence source sha256 authors folder texts needs")


def run(*words):
    """The output of a command that is run in the repository's root."""
    return subprocess.run(words, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def expression(licence):
    """Cargo's older notation as an SPDX expression."""
    return re.sub(r"\s*/\s*", " OR ", licence) if licence else None


def crates(triple):
    """hairpin itself first, then every crate in it. `needs` are "name version" of what it depends on."""
    tree = run("cargo", "tree", "--locked", "--offline", "-e", "normal,no-proc-macro", "--target", triple,
               "--prefix", "depth", "--format", " {p}")
    needs, path = collections.defaultdict(set), []
    for line in tree.splitlines():
        depth, name, version = line.split()[:3]
        key = f"{name} {version.removeprefix('v')}"
        del path[int(depth):]
        if path:
            needs[path[-1]].add(key)
        path.append(key)
        needs[key] |= set()
    sums = {f"{p['name']} {p['version']}": p.get("checksum")
            for p in tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]}
    facts = json.loads(run("cargo", "metadata", "--locked", "--offline", "--format-version", "1", "--filter-platform", triple))
    known = {f"{p['name']} {p['version']}": p for p in facts["packages"]}
    for key, wants in needs.items():
        p = known[key]
        source = "registry" if (p["source"] or "").startswith("registry+") else "repository"
        yield Part("crate", p["name"], p["version"], expression(p["license"]), source, sums[key], p["authors"],
                   pathlib.Path(p["manifest_path"]).parent, [], sorted(wants))


def tools():
    """Name and version of the pinned tools that link."""
    return dict(re.findall(r"^(ziglang|cargo-zigbuild)==(\S+)", (ROOT / "deploy/tools.txt").read_text(), re.M))


def compiler(strings):
    """Version and commit of the rustc that made a binary, as it says itself. `strings` is the binary, as text."""
    said = re.search(r"rustc version (\d[\w.-]*) \((\w+)", strings)
    if not said:
        sys.exit("the binary does not say which rustc made it (section .comment): is it a Rust program?")
    return said.groups()


def standard_library(triple, strings):
    """Rust's standard library and the crates inside it. `strings` is the binary, as text."""
    sysroot = pathlib.Path(run("rustc", "--print", "sysroot").strip())
    notice = sysroot / "share/doc/rust/COPYRIGHT-library.html"
    if not notice.is_file():
        sys.exit(f"{notice} is missing: the licences of Rust's standard library stand in it; rustup's toolchains have it")
    said = {}
    for entry in notice.read_text().split("<h3>")[1:]:
        name, version = re.match(r"\W*([\w-]+?)-(\d[^<]*)</h3>", entry).groups()
        licence = re.search(r"License:</b> ([^<]+)<", entry)[1]
        texts = re.findall(r"<code>([^<]+)</code></summary>\s*<pre>\n?(.*?)</pre>", entry, re.S)
        said[name.replace("-", "_")] = (version, expression(licence), [(n, html.unescape(t)) for n, t in texts])
    seen = dict(re.findall(r"/rust/deps/([\w-]+?)-(\d[\w.]*)/", strings))
    release, _ = compiler(strings)
    folder = sysroot / f"lib/rustlib/{triple}/lib"
    if not folder.is_dir():  # another compiler built it; the crates are the same for every Linux
        folder = sysroot / "lib/rustlib/x86_64-unknown-linux-gnu/lib"
    names = sorted({f.name[3:].rsplit("-", 1)[0] for f in folder.glob("lib*.rlib")} - set(STD))
    own = [(name, (ROOT / path).read_text()) for name, path in (("LICENSE-APACHE", "LICENSE"), ("LICENSE-MIT", "deploy/licences/MIT.txt"))]
    own[1] = (own[1][0], own[1][1].replace("<authors>", "The Rust Project Developers"))
    yield Part("std", "std", release, "MIT OR Apache-2.0", "rust", None, ["The Rust Project Developers"], None, own, names)
    for name in names:
        version, licence, texts = said.get(name, (seen.get(name), STD_LICENCES.get(name), []))
        if licence is None:
            sys.exit(f"{name}, inside Rust's standard library, has no licence that is known here: see STD_LICENCES in {__file__}")
        yield Part("std", name, version, licence, "rust", None, [], None, texts, [])


def linked(triple):
    """What zig links in besides: the unwinder, the compiler's run-time routines, the C library's start-up code."""
    place = run("deploy/tools.sh", "ziglang").strip()
    zig = next(pathlib.Path(place).glob("lib/python3*/site-packages/ziglang"))
    version = tools()["ziglang"]
    start = (zig / f"lib/libc/glibc/sysdeps/{triple.split('-')[0]}/start.S").read_text()
    exception = "LGPL-2.1-or-later with the unlimited permission to link that its start-up files give"
    parts = [
        ("libunwind", "Apache-2.0 WITH LLVM-exception", "lib/libunwind/LICENSE.TXT", None),
        ("compiler_rt", "MIT", "LICENSE", None),
        ("glibc start-up code", exception, "lib/libc/glibc/sysdeps/start.S", start[2:start.index("*/")]),
    ]
    for name, licence, file, text in parts:
        texts = [(pathlib.PurePath(file).name, text or (zig / file).read_text())]
        yield Part("linked", name, version, licence, "zig", None, [], None, texts, [])


def shipped(triple, binary):
    """Every part of `binary`, hairpin itself first."""
    strings = pathlib.Path(binary).read_bytes().decode("latin-1")
    return [*crates(triple), *standard_library(triple, strings), *linked(triple)]


def commit_time():
    """Seconds since 1970 of the commit, or what SOURCE_DATE_EPOCH says."""
    return int(os.environ.get("SOURCE_DATE_EPOCH") or run("git", "log", "-1", "--format=%ct"))
