"""The tables of a snapshot that are built from lesion features: wide by aggregation, availability and attrition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from records.columns import Kind
from warehouse.errors import WarehouseError
from warehouse.snapshots.derived import ColumnDefinition, Role, literal, quoted, run_script, slug

if TYPE_CHECKING:
    import duckdb

ALL_LESIONS = "all"
"""The region of all lesions of a patient; every other region is an organ."""

AGGREGATIONS: dict[str, str] = {
    "largest": "of the largest lesion (by PET volume)",
    "volume_weighted_mean": "mean over the lesions, weighted by their volume",
    "mean": "mean over the lesions",
    "max": "largest over the lesions",
    "min": "smallest over the lesions",
    "sd": "standard deviation over the lesions (n - 1)",
    "sum": "sum over the lesions",
}
"""The rules from lesion to patient, with the words that describe them; the rules themselves are in ``sql/``."""


@dataclass(frozen=True, order=True)
class OrganAggregation:
    """An aggregation over the lesions of one organ; ``rule`` is one of ``AGGREGATIONS``."""

    organ: str
    rule: str


# What feature_definitions call the unit of an intensity, and what it is in each kind of image.
_IMAGE_UNIT = "image unit"
_UNITS_OF_IMAGES = {"PT": "SUV", "CT": "HU"}
_STATUS = (
    "COMPUTED, or why there is no value: NO_SCAN, LESIONS_UNKNOWN (no contours could be read), NO_LESION, "
    "NO_LESION_IN_ORGAN, ORGAN_UNKNOWN (a lesion's organ is not known), NOT_COMPUTED, or the reason of the lesions' "
    "features, for example ROI_TOO_SMALL"
)
_REGION = ("region", Kind.TEXT, "'all' for all lesions, or an organ in which the study aggregates")
_FEATURE_SET = ("feature_set_id", Kind.TEXT, "Feature set")
_COLUMNS: dict[str, tuple[tuple[str, Kind, str], ...]] = {
    "feature_availability": (
        ("patient_id", Kind.TEXT, "Patient key"),
        _FEATURE_SET,
        _REGION,
        ("status", Kind.TEXT, _STATUS),
        ("n_lesions", Kind.INTEGER, "Lesions in the region"),
        ("n_lesions_lost", Kind.INTEGER, "Lesions among them without any value of the set"),
    ),
    "feature_attrition": (
        _FEATURE_SET,
        _REGION,
        ("status", Kind.TEXT, _STATUS),
        ("n_patients", Kind.INTEGER, "Patients with this status"),
        ("n_lesions", Kind.INTEGER, "Lesions with this status; COMPUTED when a lesion has any value"),
        ("n_values", Kind.INTEGER, "Values with this status, one a lesion and feature"),
    ),
}
_RELIABILITY: dict[str, tuple[tuple[str, Kind, str], ...]] = {
    "volume_confounding": (
        _FEATURE_SET,
        ("feature_name", Kind.TEXT, "Feature"),
        ("n_patients", Kind.INTEGER, "Patients with such a lesion"),
        ("n_lesions", Kind.INTEGER, "Lesions with a value of the feature"),
        ("rho", Kind.NUMBER, "Spearman's correlation with the lesion's volume; null where either is constant"),
        ("rho_lower", Kind.NUMBER, "Lower bound of its 95 % confidence interval, lesions taken as independent"),
        ("rho_upper", Kind.NUMBER, "Upper bound"),
    ),
    "feature_reliability": (
        _FEATURE_SET,
        ("feature_name", Kind.TEXT, "Feature"),
        ("ibsi_id", Kind.TEXT, "IBSI identifier"),
        ("ibsi_name", Kind.TEXT, "IBSI name"),
        ("ibsi_difference", Kind.TEXT, "How pyradiomics differs from the definition, where it does"),
        ("unit", Kind.TEXT, "Unit"),
        ("volume_n_lesions", Kind.INTEGER, "Lesions of the correlation with volume"),
        ("volume_rho", Kind.NUMBER, "Spearman's correlation with volume"),
        ("volume_rho_lower", Kind.NUMBER, "Lower bound of its 95 % confidence interval"),
        ("volume_rho_upper", Kind.NUMBER, "Upper bound"),
        ("source", Kind.TEXT, "Repeated measurements: perturbation, retest or reader"),
        ("status", Kind.TEXT, "COMPUTED, or why there is no ICC"),
        ("n_targets", Kind.INTEGER, "Targets that have all measurements"),
        ("icc", Kind.NUMBER, "The ICC that the filter acts on: (1,1) of perturbations, (2,1) of scans and readers"),
        ("icc_lower", Kind.NUMBER, "Lower bound of its 95 % confidence interval"),
        ("icc_upper", Kind.NUMBER, "Upper bound"),
        ("qcd", Kind.NUMBER, "Quartile coefficient of dispersion, median over targets"),
        ("is_robust", Kind.BOOLEAN, "Whether the lower bound reaches the study's minimum"),
    ),
}
_KEYS = {"patient_id", "feature_set_id", "region", "feature_name", "source"}


def feature_table(feature_set: str, aggregation: str, organ: str | None = None) -> str:
    """The name of the wide table of a feature set and an aggregation, of all lesions or of those of an organ."""
    return "__".join(("features", feature_set, *(() if organ is None else (slug(organ),)), aggregation))


def check_aggregations(rules: Sequence[str], of_organs: Sequence[OrganAggregation]) -> None:
    """Refuse an aggregation that does not exist or is named twice.

    Raises
    ------
    WarehouseError
        AGGREGATION_UNKNOWN; AGGREGATION_ORGAN_RESERVED for an organ that is called as all lesions are.
    """
    if any(slug(item.organ) in ("", ALL_LESIONS) for item in of_organs):
        raise WarehouseError(
            "AGGREGATION_ORGAN_RESERVED",
            "An organ in which features are aggregated needs a name of its own",
            keyword="organ_aggregations",
            found=", ".join(item.organ for item in of_organs),
            expected=f"letters or digits, and not '{ALL_LESIONS}', which stands for all lesions",
        )
    unknown = sorted({*rules, *(item.rule for item in of_organs)} - set(AGGREGATIONS))
    names = [*rules, *(f"{slug(item.organ)}: {item.rule}" for item in of_organs)]
    if unknown or len(set(names)) != len(names):
        raise WarehouseError(
            "AGGREGATION_UNKNOWN",
            "Each aggregation is one of those that exist, named once",
            found=", ".join(unknown or names),
            expected=", ".join(AGGREGATIONS),
        )


def build_feature_tables(
    connection: duckdb.DuckDBPyConnection,
    rules: Sequence[str],
    of_organs: Sequence[OrganAggregation],
    *,
    with_reliability: bool = False,
) -> tuple[ColumnDefinition, ...]:
    """Build all tables of features, after ``build_derived``, and return the definitions of their columns.

    ``with_reliability`` also builds ``volume_confounding`` and ``feature_reliability``.
    """
    count_availability(connection, sorted({item.organ for item in of_organs}))
    run_script(connection, "feature_aggregates")
    described = dict(_COLUMNS)
    if with_reliability:
        run_script(connection, "volume_confounding")
        run_script(connection, "feature_reliability")
        described |= _RELIABILITY
    definitions = [
        ColumnDefinition(table, name, kind, None, description, Role.KEY if name in _KEYS else Role.OTHER)
        for table, columns in described.items()
        for name, kind, description in columns
    ]
    for rule in rules:
        definitions += _build_wide(connection, rule, None)
    for item in of_organs:
        definitions += _build_wide(connection, item.rule, item.organ)
    return tuple(definitions)


def count_availability(connection: duckdb.DuckDBPyConnection, organs: Sequence[str]) -> None:
    """Build ``feature_availability`` and ``feature_attrition``, in all lesions and in each of ``organs``."""
    connection.execute("CREATE TEMP TABLE aggregated_organs AS SELECT unnest($1::VARCHAR[]) AS organ", [list(organs)])
    run_script(connection, "lesion_regions")
    run_script(connection, "feature_availability")


def _build_wide(connection: duckdb.DuckDBPyConnection, rule: str, organ: str | None) -> list[ColumnDefinition]:
    definitions: list[ColumnDefinition] = []
    sets = connection.execute(
        "SELECT feature_set_id, CASE WHEN count(*) OVER (PARTITION BY name) = 1 THEN name ELSE feature_set_id END,"
        " modality FROM feature_sets ORDER BY feature_set_id"
    ).fetchall()
    for feature_set_id, label, modality in sets:
        features = connection.execute(
            "SELECT feature_name, unit"
            " FROM (SELECT DISTINCT feature_name FROM feature_aggregates WHERE feature_set_id = $1)"
            " LEFT JOIN feature_definitions USING (feature_name) ORDER BY feature_name",
            [feature_set_id],
        ).fetchall()
        name = feature_table(label, rule, organ)
        columns = [ColumnDefinition(name, "patient_id", Kind.TEXT, None, "Patient key", Role.KEY)]
        for feature, unit in features:
            text = f"{modality} {feature}, {AGGREGATIONS[rule]}{f' in the organ {organ}' if organ else ''}"
            unit = unit and unit.replace(_IMAGE_UNIT, _UNITS_OF_IMAGES.get(modality, _IMAGE_UNIT))
            columns.append(ColumnDefinition(name, feature, Kind.NUMBER, unit, text, Role.COVARIATE))
        selected = wide_rows(feature_set_id, organ, rule, [feature for feature, _ in features])
        connection.execute(f"CREATE TABLE {quoted(name)} AS {selected} ORDER BY patient_id")
        definitions += columns
    return definitions


def wide_rows(feature_set_id: str, organ: str | None, rule: str, features: Sequence[str]) -> str:
    """SQL that selects ``features`` as columns, one row per patient, from ``feature_aggregates``."""
    rows = (
        f"(SELECT patient_id, feature_name, {quoted(rule)} AS value FROM feature_aggregates"
        f" WHERE feature_set_id = {literal(feature_set_id)} AND region = {literal(organ or ALL_LESIONS)})"
    )
    wanted = ", ".join(literal(feature) for feature in features)
    pivot = f"{rows} PIVOT (first(value) FOR feature_name IN ({wanted}) GROUP BY patient_id)" if features else rows
    return f"SELECT {', '.join(map(quoted, ('patient_id', *features)))} FROM {pivot}"
