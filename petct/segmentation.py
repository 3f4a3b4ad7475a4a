"""Protocols: the named, versioned rules by which lesions are delineated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

from petct.errors import MaskError
from petct.params import packaged, read_packaged
from petct.settings_digest import canonical_json, digest_id

Connectivity = Literal[6, 18, 26]


@dataclass(frozen=True)
class Protocol:
    """How lesions are made from contours.

    Attributes
    ----------
    connectivity
        6, 18 or 26: which neighbouring voxels belong to the same lesion (faces; and edges; and corners).
    minimum_volume_ml
        Components below this volume on the PET grid are not lesions.
    """

    name: str
    description: str
    connectivity: Connectivity
    minimum_volume_ml: float
    version: int

    @property
    def settings(self) -> dict[str, object]:
        """What the id is a digest of."""
        return {
            "name": self.name,
            "version": self.version,
            "connectivity": self.connectivity,
            "minimum_volume_ml": self.minimum_volume_ml,
        }

    @property
    def protocol_id(self) -> str:
        """Readable name and digest of the settings; it stands on every derived row."""
        return digest_id(self.name, self.settings)


@dataclass(frozen=True)
class ProtocolRecord:
    """A row of the table ``protocols``."""

    protocol_id: str
    name: str
    description: str
    settings_json: str


def protocol_record(protocol: Protocol) -> ProtocolRecord:
    """The row that describes ``protocol``."""
    return ProtocolRecord(protocol.protocol_id, protocol.name, protocol.description, canonical_json(protocol.settings))


def packaged_protocols() -> tuple[str, ...]:
    """Names of the protocols that come with petlake."""
    return packaged("protocols")


def load_protocol(name: str) -> Protocol:
    """Return the packaged protocol called ``name``.

    Raises
    ------
    MaskError
        PROTOCOL_UNKNOWN, naming the protocols there are.
    """
    if name not in packaged_protocols():
        raise MaskError(
            "PROTOCOL_UNKNOWN",
            "There is no such protocol",
            keyword="protocols",
            found=name,
            expected=", ".join(packaged_protocols()),
        )
    settings = read_packaged("protocols", name)
    return Protocol(
        name=name,
        description=str(settings["description"]),
        connectivity=cast("Connectivity", settings["connectivity"]),
        minimum_volume_ml=cast("float", settings["minimum_volume_ml"]),
        version=cast("int", settings["version"]),
    )
