#!/usr/bin/env python3
"""Writes the licences of everything in a released binary, as text, to stdout.

    deploy/licences.py BINARY TRIPLE > THIRD-PARTY-LICENCES.txt

First what is in it and under which licence, then every licence text once, with the names of those it came with. The texts
are the crates' own files; a crate that ships none gets the standard text of a licence that it names, with its authors.
Exit: 0 complete, 1 a part has no text and names no licence whose standard text lies in deploy/licences.
"""

import re
import sys
import textwrap

sys.dont_write_bytecode = True
import sbom_parts  # noqa: E402

FILES = re.compile(r"(?i)^(un)?licen[sc]e|^copying|^notice|^copyright|^authors")
# Standard texts, the one that asks least first.
STANDARD = {"MIT": sbom_parts.ROOT / "deploy/licences/MIT.txt", "Apache-2.0": sbom_parts.ROOT / "LICENSE"}
RULE = "=" * 100


def name(part):
    """As people write it."""
    return f"{part.name} {part.version}" if part.version else part.name


def own_texts(part):
    """(file name, text) of the licence files that a part brings."""
    if part.folder is None:
        return part.texts
    files = sorted(f for f in part.folder.iterdir() if FILES.match(f.name))
    folders = [f for f in files if f.is_dir()]
    files = [f for f in files if f.is_file()] + [g for f in folders for g in sorted(f.iterdir()) if g.is_file()]
    return [(f.name, f.read_text(errors="replace")) for f in files if f.suffix not in (".rs", ".toml")]


def standard_text(part):
    """The text of a licence that the part lets us choose, or nothing."""
    if " AND " in part.licence:
        return []
    for licence, file in STANDARD.items():
        if licence in re.split(r" OR |[()]", part.licence):
            authors = ", ".join(part.authors) or f"the authors of {part.name}"
            return [(f"{licence}, standard text", file.read_text().replace("<authors>", authors))]
    return []


def tidy(text):
    """One form of a text, whatever its line ends and margins."""
    return "\n".join(line.rstrip() for line in text.replace("\r\n", "\n").strip("\n").split("\n"))


def main(binary, triple):
    hairpin, *parts = sbom_parts.shipped(triple, binary)
    parts.sort(key=lambda part: (part.kind, part.name, part.version or ""))
    texts, without, filled = {}, [], []
    for part in parts:
        found = own_texts(part)
        if not found:
            found = standard_text(part)
            filled += [name(part)] if found else []
            without += [] if found else [f"{name(part)} ({part.licence})"]
        for file, text in found:
            texts.setdefault(re.sub(r"\s+", " ", text).strip(), (tidy(text), []))[1].append(f"{name(part)}: {file}")
    if without:
        sys.exit("licences.py: no licence text in, and no standard text for: " + ", ".join(without))

    print(f"What is in the program hairpin {hairpin.version} for {triple}, and under which licences.")
    print("hairpin itself is under the Apache License 2.0: LICENSE, beside this file.")
    origin = {"crate": "Crates", "std": "Rust's standard library and the crates in it", "linked": "Linked in by zig"}
    for kind, title in origin.items():
        print(f"\n{title}\n")
        for part in parts:
            if part.kind == kind:
                print(f"    {name(part):<40} {part.licence}")
    if filled:
        print("\nThese ship no licence file. The standard text of a licence that they name stands below, with the authors that they name:\n")
        print(textwrap.fill(", ".join(filled), 100, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False))
    for text, sources in sorted(texts.values(), key=lambda entry: entry[1]):
        print(f"\n{RULE}")
        for source in sources:
            print(source)
        print(f"{RULE}\n\n{text}")
    print(f"licences   {len(parts)} parts, {len(texts)} different texts; {len(filled)} parts got a standard text", file=sys.stderr)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: deploy/licences.py BINARY TRIPLE")
    main(*sys.argv[1:])
