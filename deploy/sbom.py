#!/usr/bin/env python3
"""Writes the bill of materials of a released binary: CycloneDX 1.6, JSON, to stdout.

    deploy/sbom.py BINARY TRIPLE > hairpin.cdx.json

Crates with their checksums of Cargo.lock, licences and dependencies, Rust's standard library, and what the linker adds.
The same commit and binary give the same bytes: its time is the commit's, its serial number comes from the digest.
"""

import datetime
import hashlib
import json
import pathlib
import re
import sys
import uuid

sys.dont_write_bytecode = True
import sbom_parts  # noqa: E402


def reference(part):
    """A name that is unique in the document."""
    return f"{part.kind}:{part.name}@{part.version}" if part.version else f"{part.kind}:{part.name}"


def component(part):
    """One part as CycloneDX has it."""
    entry = {"type": "library", "bom-ref": reference(part), "name": part.name}
    if part.version:
        entry["version"] = part.version
    if part.authors:
        entry["authors"] = [{"name": author} for author in part.authors]
    if part.sha256:
        entry["hashes"] = [{"alg": "SHA-256", "content": part.sha256}]
    # An expression of SPDX ids, or free words where there is no id for it.
    spdx = re.fullmatch(r"[\w.\-+() ]+", part.licence) and " with " not in part.licence
    entry["licenses"] = [{"expression": part.licence}] if spdx else [{"license": {"name": part.licence}}]
    if part.source == "registry":
        entry["purl"] = f"pkg:cargo/{part.name}@{part.version}"
    entry["properties"] = [{"name": "hairpin:from", "value": part.source}]
    return entry


def main(binary, triple):
    parts = sbom_parts.shipped(triple, binary)
    hairpin, rest = parts[0], parts[1:]
    content = pathlib.Path(binary).read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    release, commit = sbom_parts.compiler(content.decode("latin-1"))
    tools = sbom_parts.tools()
    by_name = {f"{p.name} {p.version}": reference(p) for p in parts if p.kind == "crate"}
    std = {p.name: reference(p) for p in parts if p.kind == "std"}
    edges = []
    for part in parts:
        if part.kind == "std":
            wants = [std[name] for name in part.needs]
        else:
            wants = [by_name[key] for key in part.needs]
        if part is hairpin:
            wants += [std["std"], *(reference(p) for p in rest if p.kind == "linked")]
        edges.append({"ref": reference(part), "dependsOn": sorted(wants)})
    whole = component(hairpin) | {"type": "application", "hashes": [{"alg": "SHA-256", "content": digest}]}
    whole["properties"] += [
        {"name": "hairpin:target", "value": triple},
        {"name": "hairpin:rustc", "value": f"{release} ({commit})"},
        {"name": "hairpin:ziglang", "value": tools["ziglang"]},
        {"name": "hairpin:cargo-zigbuild", "value": tools["cargo-zigbuild"]},
    ]
    time = datetime.datetime.fromtimestamp(sbom_parts.commit_time(), datetime.UTC)
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, digest)}",
        "version": 1,
        "metadata": {"timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ"), "component": whole},
        "components": sorted(map(component, rest), key=lambda c: c["bom-ref"]),
        "dependencies": sorted(edges, key=lambda e: e["ref"]),
    }
    json.dump(document, sys.stdout, indent=1, ensure_ascii=False)
    print()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: deploy/sbom.py BINARY TRIPLE")
    main(*sys.argv[1:])
