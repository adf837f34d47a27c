"""The bill of materials: every package in the image, as CycloneDX 1.6."""

import hashlib
import json
import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from email.parser import Parser
from pathlib import Path
from typing import Any
from urllib.parse import quote

from image.python import SITE
from image.release import Release

_DISTRO = "distro=debian-13"


def write(root: Path, release: Release, product: Path) -> int:
    """Write the bill of a root file system; returns how many components it names.

    Args:
        root: With dpkg's database, and Python's packages.
        release: What it is of.
        product: The file.
    """
    components = sorted([*_debian(root), *_python(root)], key=lambda one: str(one["bom-ref"]))
    name = uuid.uuid5(uuid.NAMESPACE_URL, f"cleandesk-image {release.commit} {release.version}")
    made = datetime.fromtimestamp(release.epoch, UTC).isoformat(timespec="seconds")
    bill = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{name}",
        "version": 1,
        "metadata": {
            "timestamp": made,
            "component": {
                "type": "operating-system",
                "bom-ref": "cleandesk-image",
                "name": "cleandesk-image",
                "version": release.version,
            },
        },
        "components": components,
        "dependencies": [
            {"ref": "cleandesk-image", "dependsOn": [one["bom-ref"] for one in components]}
        ],
    }
    product.write_text(json.dumps(bill, indent=1) + "\n", encoding="utf-8")
    return len(components)


def _debian(root: Path) -> Iterator[dict[str, Any]]:
    text = (root / "var/lib/dpkg/status").read_text(encoding="utf-8")
    for paragraph in re.split(r"\n\n+", text.strip()):
        fields = Parser().parsestr(paragraph)
        if fields["Status"] != "install ok installed":
            continue
        name, version = fields["Package"], fields["Version"]
        # As the purl specification has it for deb: the version's epoch is percent-encoded.
        where = f"arch={fields['Architecture']}&{_DISTRO}"
        purl = f"pkg:deb/debian/{name}@{quote(version, safe='.~-')}?{where}"
        yield {
            "type": "library",
            "bom-ref": purl,
            "name": name,
            "version": version,
            "purl": purl,
            "supplier": {"name": fields["Maintainer"]},
        }


def _python(root: Path) -> Iterator[dict[str, Any]]:
    for folder in sorted((root / SITE).glob("*.dist-info")):
        fields = Parser().parsestr(
            (folder / "METADATA").read_text(encoding="utf-8"), headersonly=True
        )
        name = re.sub(r"[-_.]+", "-", fields["Name"]).lower()
        component: dict[str, Any] = {
            "type": "library",
            "bom-ref": f"pkg:pypi/{name}@{fields['Version']}",
            "name": name,
            "version": fields["Version"],
            "purl": f"pkg:pypi/{name}@{fields['Version']}",
        }
        if licence := fields["License-Expression"]:
            component["licenses"] = [{"expression": licence}]
        record = hashlib.sha256((folder / "RECORD").read_bytes()).hexdigest()
        component["hashes"] = [{"alg": "SHA-256", "content": record}]
        yield component
