#!/usr/bin/env python3
"""Checks a bill of materials against its format and against the binary that it describes.

    deploy/sbom_check.py SBOM BINARY

Valid by CycloneDX's own schema; names unique, dependencies known, licences SPDX ids; the binary is the very one, and every
crate that the binary names in its panic messages is listed. The schema comes with a wheel that deploy/tools.txt pins.
Exit: 0 all true, 1 not, with every complaint on stderr, 3 the schema cannot be had here.
"""

import hashlib
import json
import pathlib
import re
import subprocess
import sys

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parent.parent
# Fewer crates in the panic messages than this means that the messages were not understood.
FEWEST_SEEN = 30


def schemas():
    """CycloneDX's schemas by name, and the function that compiles one."""
    told = subprocess.run([ROOT / "deploy/tools.sh", "fastjsonschema", "cyclonedx-python-lib"], stdout=subprocess.PIPE, text=True)
    if told.returncode != 0:
        sys.exit(told.returncode)
    site = next(pathlib.Path(told.stdout.strip()).glob("lib/python3*/site-packages"))
    sys.path.insert(0, str(site))
    import fastjsonschema

    found = {f.name: json.loads(f.read_text()) for f in (site / "cyclonedx/schema/_res").glob("*.json")}
    return found, fastjsonschema


def licence_ids(document):
    """Every id in the licence expressions."""
    for part in [document["metadata"]["component"], *document["components"]]:
        for licence in part["licenses"]:
            expression = re.sub(r"\bWITH \S+", "", licence.get("expression", ""))
            yield from (word for word in re.findall(r"[\w.+-]+", expression) if word not in ("AND", "OR"))


def main(sbom, binary):
    bad = []
    document, content = json.loads(pathlib.Path(sbom).read_text()), pathlib.Path(binary).read_bytes()
    found, fastjsonschema = schemas()
    check = fastjsonschema.compile(found["bom-1.6.SNAPSHOT.schema.json"], handlers={"http": lambda uri: found[uri.rsplit("/", 1)[1]]})
    try:
        check(document)
    except fastjsonschema.JsonSchemaException as wrong:
        bad.append(f"not CycloneDX 1.6: {wrong.message}")

    parts = [document["metadata"]["component"], *document["components"]]
    names = [part["bom-ref"] for part in parts]
    bad += [f"named twice: {name}" for name in set(names) if names.count(name) > 1]
    wanted = {ref for edge in document["dependencies"] for ref in [edge["ref"], *edge["dependsOn"]]}
    bad += [f"a dependency on what is not listed: {name}" for name in sorted(wanted - set(names))]
    bad += [f"no dependency says why it is here: {name}" for name in sorted(set(names) - wanted)]
    bad += [f"no SPDX licence: {name}" for name in sorted(set(licence_ids(document)) - set(found["spdx.SNAPSHOT.schema.json"]["enum"]))]

    digest = hashlib.sha256(content).hexdigest()
    if parts[0]["hashes"][0]["content"] != digest:
        bad.append(f"the binary's digest is {digest}, the list was made for another")
    seen = {f"{n}@{v}" for n, v in re.findall(r"registry/src/[^/]+/([\w-]+?)-(\d[^/]*)/", content.decode("latin-1"))}
    listed = {name.removeprefix("crate:") for name in names}
    bad += [f"in the binary, not in the list: {crate}" for crate in sorted(seen - listed)]
    if len(seen) < FEWEST_SEEN:
        bad.append(f"the binary names only {len(seen)} crates in its messages, fewer than {FEWEST_SEEN}: this check sees nothing")

    for complaint in bad:
        print(f"sbom_check.py: {complaint}", file=sys.stderr)
    if bad:
        sys.exit(1)
    edges = sum(len(edge["dependsOn"]) for edge in document["dependencies"])
    print(f"sbom       valid: {len(parts)} parts, {edges} dependencies; the binary names {len(seen)} crates, all of them listed")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: deploy/sbom_check.py SBOM BINARY")
    main(*sys.argv[1:])
