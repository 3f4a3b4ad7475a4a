-- Volume confounding: Spearman's rank correlation of every feature with the lesion's volume on the grid of the feature
-- set's modality, over the lesions of the baseline scan under the default protocol. Ties have their mean rank. The 95 %
-- interval is Fisher's with the standard error of Bonett and Wright 2000 (doi 10.1007/BF02294183). Lesions of one patient
-- are not independent, so the interval is too narrow where patients have many; n_patients stands beside n_lesions.
CREATE TABLE volume_confounding AS
WITH paired AS (
    SELECT
        baseline_features.feature_set_id,
        baseline_features.feature_name,
        baseline_features.patient_id,
        baseline_features.value,
        lesions.volume_ml
    FROM baseline_features
    JOIN feature_sets USING (feature_set_id)
    JOIN baseline_scans USING (patient_id)
    CROSS JOIN default_protocol
    JOIN lesions
        ON lesions.patient_id = baseline_features.patient_id
        AND lesions.scan_id = baseline_scans.scan_id
        AND lesions.protocol_id = default_protocol.protocol_id
        AND lesions.lesion_id = baseline_features.lesion_id
        AND lesions.modality = feature_sets.modality
    WHERE baseline_features.value IS NOT NULL
),
ranked AS (
    SELECT
        feature_set_id,
        feature_name,
        patient_id,
        rank() OVER (PARTITION BY feature_set_id, feature_name ORDER BY value)
            + (count(*) OVER (PARTITION BY feature_set_id, feature_name, value) - 1) / 2.0 AS value_rank,
        rank() OVER (PARTITION BY feature_set_id, feature_name ORDER BY volume_ml)
            + (count(*) OVER (PARTITION BY feature_set_id, feature_name, volume_ml) - 1) / 2.0 AS volume_rank
    FROM paired
),
correlated AS (
    SELECT
        feature_set_id,
        feature_name,
        count(DISTINCT patient_id) AS n_patients,
        count(*) AS n_lesions,
        CASE
            WHEN min(value_rank) < max(value_rank) AND min(volume_rank) < max(volume_rank)
            THEN greatest(-1.0, least(1.0, corr(value_rank, volume_rank)))
        END AS rho
    FROM ranked
    GROUP BY feature_set_id, feature_name
),
bounded AS (
    SELECT
        *,
        CASE
            WHEN n_lesions > 3 AND abs(rho) < 1 THEN 1.959963984540054 * sqrt((1 + rho * rho / 2) / (n_lesions - 3))
        END AS half_width
    FROM correlated
)
SELECT
    feature_set_id,
    feature_name,
    n_patients,
    n_lesions,
    rho,
    tanh(atanh(CASE WHEN abs(rho) < 1 THEN rho END) - half_width) AS rho_lower,
    tanh(atanh(CASE WHEN abs(rho) < 1 THEN rho END) + half_width) AS rho_upper
FROM bounded
ORDER BY feature_set_id, feature_name;
