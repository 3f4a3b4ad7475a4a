"""Perturbation sets: named, versioned chains of small changes of image and region, as YAML in ``petct/params``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from petct.errors import FeatureError
from petct.params import packaged, read_packaged
from petct.settings_digest import digest_id

StepKind = Literal["erode", "dilate", "translate", "threshold", "noise"]
_KINDS: tuple[StepKind, ...] = ("erode", "dilate", "translate", "threshold", "noise")

UNPERTURBED = "none"
"""The name of the measurement without any change; it is always one of them."""


@dataclass(frozen=True)
class Step:
    """One change.

    Attributes
    ----------
    kind, amount
        erode, dilate: the share of the region's voxels that are taken from its surface or added to it.
        translate: how far the sampling grid is moved, in voxels along (z, y, x).
        threshold: by which share the threshold is changed at which the region would have been drawn.
        noise: standard deviation of the added Gaussian noise, in multiples of the image's own noise.
    """

    kind: StepKind
    amount: tuple[float, ...]

    @property
    def share(self) -> float:
        """The amount of a step that has one number."""
        return self.amount[0]


@dataclass(frozen=True)
class PerturbationSet:
    """Chains of steps by the name of the measurement that they give."""

    name: str
    description: str
    modality: Literal["PT", "CT"]
    seed: int
    version: int
    chains: tuple[tuple[str, tuple[Step, ...]], ...]

    @property
    def settings(self) -> dict[str, object]:
        """What the id is a digest of."""
        return {
            "name": self.name,
            "version": self.version,
            "modality": self.modality,
            "seed": self.seed,
            "chains": [[name, [[step.kind, list(step.amount)] for step in steps]] for name, steps in self.chains],
        }

    @property
    def perturbation_set_id(self) -> str:
        """Readable name and digest of the settings."""
        return digest_id(self.name, self.settings)


def packaged_perturbation_sets() -> tuple[str, ...]:
    """Names of the perturbation sets that come with petlake."""
    return packaged("perturbations")


def load_perturbation_set(name: str) -> PerturbationSet:
    """Return the packaged perturbation set called ``name``.

    Raises
    ------
    FeatureError
        PERTURBATIONS_UNKNOWN, naming those there are; PERTURBATIONS_INVALID, naming the chain and the step.
    """
    if name not in packaged_perturbation_sets():
        raise FeatureError(
            "PERTURBATIONS_UNKNOWN",
            "There is no such set of perturbations",
            keyword="robustness.perturbations",
            found=name,
            expected=", ".join(packaged_perturbation_sets()),
        )
    return parse_perturbation_set(name, read_packaged("perturbations", name))


def parse_perturbation_set(name: str, settings: Mapping[str, object]) -> PerturbationSet:
    """The perturbation set that ``settings`` describe; raises ``FeatureError`` PERTURBATIONS_INVALID."""
    chains = cast("Mapping[str, list[Mapping[str, object]]]", settings["chains"])
    if UNPERTURBED in chains:
        raise _invalid(UNPERTURBED, "the name of the measurement without change", "another name")
    return PerturbationSet(
        name=name,
        description=str(settings["description"]),
        modality=cast("Literal['PT', 'CT']", settings["modality"]),
        seed=cast("int", settings["seed"]),
        version=cast("int", settings["version"]),
        chains=tuple((chain, tuple(_step(chain, step) for step in steps)) for chain, steps in chains.items()),
    )


def _step(chain: str, step: Mapping[str, object]) -> Step:
    if len(step) != 1 or next(iter(step)) not in _KINDS:
        raise _invalid(chain, str(dict(step)), f"one of {', '.join(_KINDS)}")
    kind, amount = next(iter(step.items()))
    given = amount if isinstance(amount, list) else [amount]
    numbers = tuple(float(number) for number in given if isinstance(number, int | float))
    if len(numbers) != (3 if kind == "translate" else 1):
        raise _invalid(chain, f"{kind}: {amount}", "three numbers (z, y, x)" if kind == "translate" else "one number")
    if kind in ("erode", "dilate") and not 0 < numbers[0] < 1:
        raise _invalid(chain, f"{kind}: {amount}", "a share between 0 and 1")
    return Step(cast("StepKind", kind), numbers)


def _invalid(chain: str, found: str, expected: str) -> FeatureError:
    return FeatureError(
        "PERTURBATIONS_INVALID",
        "A chain of perturbations cannot be used",
        keyword=chain,
        found=found,
        expected=expected,
    )
