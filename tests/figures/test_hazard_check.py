"""The check of accelerated failure time models as a figure: the numbers of the result and nothing else."""

from __future__ import annotations

from figures.diagnostics import hazard_check_figure
from petct.survival.with_lifelines.aft_result import AftModel, AftResult, Distribution, HazardCheck


def _model(distribution: Distribution, difference: float, at: tuple[float, ...]) -> AftModel:
    observed = tuple(1.1 * x for x in at)
    check = HazardCheck(at, observed, tuple(0.8 * x for x in observed), tuple(1.3 * x for x in observed))
    return AftModel(distribution, (), (), 1.0, 1.0, -10.0, 26.0 + difference, difference, 0.6, check)


def test_every_distribution_is_a_line_beside_the_diagonal() -> None:
    models = (_model("weibull", 0.0, (0.1, 0.5, 1.0)), _model("log_normal", 3.25, (0.2, 0.4, 1.4)))
    result = AftResult(
        unit="day",
        n=60,
        n_missing=2,
        n_events=30,
        n_parameters=2,
        events_per_parameter=15.0,
        lifelines_version="0.30.3",
        models=models,
        notes=(),
    )
    figure = hazard_check_figure(result)
    band, weibull, log_normal, diagonal = figure.data
    assert (weibull.name, log_normal.name) == ("Weibull (AIC +0.0)", "log-normal (AIC +3.2)")
    assert (tuple(weibull.x), tuple(weibull.y)) == (models[0].check.expected, models[0].check.observed)
    assert (tuple(log_normal.x), tuple(log_normal.y)) == (models[1].check.expected, models[1].check.observed)
    assert tuple(band.y) == (*models[0].check.upper, *reversed(models[0].check.lower))
    assert band.name == "95 % limits, Weibull"
    assert (tuple(diagonal.x), tuple(diagonal.y)) == ((0.0, 1.4), (0.0, 1.4))
