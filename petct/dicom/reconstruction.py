"""What the name of a reconstruction states: PSF, time of flight, iterations and subsets; silence is not a No."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Names of the vendors. GE: VUE Point FX is time of flight, SharpIR a PSF, Q.Clear a PSF, and FX says time of flight.
# Siemens: TrueX and HD are a PSF, ultraHD a PSF and time of flight. Philips: BLOB-OS-TF is time of flight.
_PSF = re.compile(r"PSF|TRUEX|\bU?HD[ .-]?PET|ULTRAHD|SHARP ?IR|\bVP(?:FX|HD)-?S\b|Q\.?CLEAR|\bQC(?:FX|HD)\b")
_TOF = re.compile(r"TOF|TIME.OF.FLIGHT|ULTRAHD|\bUHD|\bVPFX|\bVUE ?POINT ?FX|\bQCFX\b|-OS-TF|\bTF\b")
_ITERATIONS = re.compile(r"(\d+) ?I(?:T(?:ER(?:ATIONS?)?)?)?[ ,/_-]*(\d+) ?S(?:UB(?:SETS?)?)?\b")


@dataclass(frozen=True)
class Reconstruction:
    """What is stated about a reconstruction; None where it is not.

    Attributes
    ----------
    has_psf, has_tof
        True where the name says so; False only where an element says No.
    """

    has_psf: bool | None
    has_tof: bool | None
    n_iterations: int | None
    n_subsets: int | None


def reconstruction_of(method: str | None, time_of_flight: str | None = None) -> Reconstruction:
    """Read Reconstruction Method (0054,1103), and Time of Flight Information Used (0018,9755) of Enhanced PET.

    Examples
    --------
    >>> reconstruction_of("PSF+TOF 3i21s")
    Reconstruction(has_psf=True, has_tof=True, n_iterations=3, n_subsets=21)
    """
    name = (method or "").upper()
    counts = _ITERATIONS.search(name)
    stated = {"TRUE": True, "YES": True, "FALSE": False, "NO": False}.get((time_of_flight or "").upper())
    return Reconstruction(
        has_psf=True if _PSF.search(name) else None,
        has_tof=stated if stated is not None else True if _TOF.search(name) else None,
        n_iterations=int(counts[1]) if counts else None,
        n_subsets=int(counts[2]) if counts else None,
    )
