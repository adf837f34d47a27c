"""A model as one file: a plain tar whose first three files say, signed, what the others are.

```
artefact.json   name, version, and size and SHA-256 of each part; signed as it stands
signature       ECDSA over P-256 and SHA-256 of these bytes, DER
signer.pem      whose key made it: a certificate by the fleet's root, for code signing alone
…               the parts, in the order of artefact.json
```
"""

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from cleandesk.contract.messages import Digest

LISTING, SIGNATURE, SIGNER = "artefact.json", "signature", "signer.pem"
#: Bytes of a whole artefact, and how many parts there may be.
MAX_ARTEFACT, MAX_PARTS = 64 * 2**20, 16

#: Versions are numbers with dots between them, so that anybody can tell which is the newer one.
VERSION_PATTERN = r"^(0|[1-9][0-9]{0,5})(\.(0|[1-9][0-9]{0,5})){0,3}$"
Version = Annotated[str, Field(pattern=VERSION_PATTERN)]
PartName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
#: What the service calls the file.
ArtefactName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,127}$")]


class Part(BaseModel):
    """One file of a model."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: PartName
    size: Annotated[int, Field(ge=0, le=MAX_ARTEFACT)] = Field(description="Bytes")
    sha256: Digest


class Listing(BaseModel):
    """`artefact.json`: what was signed."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    schema_version: Literal[1] = Field(1, alias="schema", description="Version of its form")
    kind: Literal["model"] = "model"
    name: Annotated[str, Field(min_length=1, max_length=64)]
    version: Version
    parts: Annotated[tuple[Part, ...], Field(min_length=1, max_length=MAX_PARTS)]

    def to_json(self) -> bytes:
        """Return the bytes that are signed."""
        return self.model_dump_json(by_alias=True).encode()


def order(version: str) -> tuple[int, ...]:
    """Return what versions are compared by; what is no such version is older than any.

    Example:
        >>> order("0.10") > order("0.9.1"), order("1.0") == order("1")
        (True, True)
    """
    if not re.fullmatch(VERSION_PATTERN, version):
        return ()
    numbers = [int(number) for number in version.split(".")]
    while len(numbers) > 1 and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)
