"""From SUV by body weight to SUV by lean body mass, body surface and ideal weight: one factor a scan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from petct.errors import SuvError
from petct.suv import body_size
from petct.suv.account import SuvAccount
from petct.suv.inputs import sex_of, size_m, weight_kg

if TYPE_CHECKING:
    from collections.abc import Callable

    from petct.dicom.images import PetSeries

BODY_SIZE_IMPLAUSIBLE = "SUV_BODY_SIZE_IMPLAUSIBLE"


@dataclass(frozen=True)
class BodySizeFactors:
    """What the body-weight SUV is multiplied by; a factor is None where body size or sex is not stated.

    Attributes
    ----------
    sul_janma_per_suv_bw
        Lean body mass (Janmahasatian) / weight: SUL, in g/ml.
    sul_james_per_suv_bw
        Lean body mass (James, 128) / weight: SUL, in g/ml.
    suv_bsa_per_suv_bw
        Body surface (DuBois) / weight, in cm2/g: SUVbsa, in cm2/ml.
    suv_ibw_per_suv_bw
        Ideal body weight / weight, in g/ml.
    body_size_reason
        Code of the first reason why a factor is None; None when all are known.
    """

    sul_janma_per_suv_bw: float | None
    sul_james_per_suv_bw: float | None
    suv_bsa_per_suv_bw: float | None
    suv_ibw_per_suv_bw: float | None
    body_size_reason: str | None


def body_size_factors(series: PetSeries, scan_id: str, account: SuvAccount) -> BodySizeFactors:
    """The factors of a scan; what had to be adapted for them is recorded with the SUV, a refusal is a reason here.

    The policy of the account counts: what it refuses gives no factor, and the body-weight SUV is not concerned.
    """
    reasons: list[str] = []

    def attempt(compute: Callable[[SuvAccount], float]) -> float | None:
        own = SuvAccount(series, scan_id, account.policy)
        try:
            value = compute(own)
        except SuvError as error:
            reasons.append(error.code)
            return None
        if value <= 0:
            reasons.append(BODY_SIZE_IMPLAUSIBLE)
            return None
        account.take(own)
        return value

    def over_weight(kind: Callable[[float, float, str], float]) -> Callable[[SuvAccount], float]:
        def compute(own: SuvAccount) -> float:
            weight = weight_kg(series, own)
            return kind(weight, size_m(series, own), sex_of(series, own)) / weight

        return compute

    def surface(own: SuvAccount) -> float:
        weight = weight_kg(series, own)
        return body_size.body_surface_area_m2(weight, size_m(series, own)) * 1e4 / (weight * 1000)

    def ideal(_weight: float, size: float, sex: str) -> float:
        return body_size.ideal_body_weight_kg(size, sex)

    return BodySizeFactors(
        sul_janma_per_suv_bw=attempt(over_weight(body_size.lean_body_mass_janmahasatian_kg)),
        sul_james_per_suv_bw=attempt(over_weight(body_size.lean_body_mass_james_kg)),
        suv_bsa_per_suv_bw=attempt(surface),
        suv_ibw_per_suv_bw=attempt(over_weight(ideal)),
        body_size_reason=reasons[0] if reasons else None,
    )
