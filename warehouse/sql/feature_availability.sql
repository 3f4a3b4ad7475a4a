-- What became of the features of each lesion, in each region that it belongs to: one row per reason, with the number of
-- values; is_first marks the lesion's own status, which is COMPUTED when it has any value.
CREATE TEMP TABLE lesion_statuses AS
WITH counted AS (
    SELECT
        lesion_regions.patient_id,
        lesion_regions.region,
        lesion_regions.lesion_id,
        feature_sets.feature_set_id,
        coalesce(baseline_features.status, 'NOT_COMPUTED') AS status,
        count(baseline_features.status) AS n_values
    FROM lesion_regions
    CROSS JOIN feature_sets
    LEFT JOIN baseline_features
        ON baseline_features.patient_id = lesion_regions.patient_id
        AND baseline_features.lesion_id = lesion_regions.lesion_id
        AND baseline_features.feature_set_id = feature_sets.feature_set_id
    GROUP BY ALL
)
SELECT
    *,
    row_number() OVER (
        PARTITION BY patient_id, region, lesion_id, feature_set_id
        ORDER BY status = 'COMPUTED' DESC, n_values DESC, status
    ) = 1 AS is_first
FROM counted;
-- What became of each patient's features, for each feature set and region ('all' or an organ that the study aggregates
-- in): COMPUTED when at least one lesion has a value, otherwise the reason. The reason of a patient whose lesions are all
-- lost is that of most of them (then the first by name).
CREATE TABLE feature_availability AS
WITH regions AS (
    SELECT 'all' AS region UNION ALL SELECT organ FROM aggregated_organs
),
asked AS (
    SELECT patients.patient_id, feature_sets.feature_set_id, feature_sets.modality, regions.region
    FROM patients CROSS JOIN feature_sets CROSS JOIN regions
),
counted AS (
    SELECT patient_id, region, feature_set_id, status, count(*) AS n
    FROM lesion_statuses
    WHERE is_first
    GROUP BY ALL
),
measured AS (
    SELECT
        patient_id,
        region,
        feature_set_id,
        sum(n)::BIGINT AS n_lesions,
        coalesce(sum(n) FILTER (WHERE status <> 'COMPUTED'), 0)::BIGINT AS n_lesions_lost,
        first(status ORDER BY status = 'COMPUTED' DESC, n DESC, status) AS status
    FROM counted
    GROUP BY patient_id, region, feature_set_id
),
known AS (
    SELECT DISTINCT delineations.patient_id, delineations.modality
    FROM delineations
    JOIN baseline_scans USING (patient_id, scan_id)
    JOIN default_protocol USING (protocol_id)
),
unplaced AS (
    SELECT DISTINCT patient_id FROM lesion_regions WHERE organ = 'unknown'
)
SELECT
    asked.patient_id,
    asked.feature_set_id,
    asked.region,
    CASE
        WHEN baseline_scans.scan_id IS NULL THEN 'NO_SCAN'
        WHEN measured.status IS NOT NULL THEN measured.status
        WHEN known.patient_id IS NULL THEN 'LESIONS_UNKNOWN'
        WHEN asked.region = 'all' THEN 'NO_LESION'
        WHEN unplaced.patient_id IS NOT NULL THEN 'ORGAN_UNKNOWN'
        ELSE 'NO_LESION_IN_ORGAN'
    END AS status,
    coalesce(measured.n_lesions, 0) AS n_lesions,
    coalesce(measured.n_lesions_lost, 0) AS n_lesions_lost
FROM asked
LEFT JOIN baseline_scans ON baseline_scans.patient_id = asked.patient_id
LEFT JOIN measured
    ON measured.patient_id = asked.patient_id
    AND measured.region = asked.region
    AND measured.feature_set_id = asked.feature_set_id
LEFT JOIN known ON known.patient_id = asked.patient_id AND known.modality = asked.modality
LEFT JOIN unplaced ON unplaced.patient_id = asked.patient_id
ORDER BY asked.patient_id, asked.feature_set_id, asked.region;
-- Attrition: what each feature set has and loses in each region, by reason. A patient and a lesion are counted once, under
-- their own status; a value is counted under its own, so that a COMPUTED lesion may have lost some of them.
CREATE TABLE feature_attrition AS
WITH of_patients AS (
    SELECT feature_set_id, region, status, count(*) AS n_patients
    FROM feature_availability
    GROUP BY ALL
),
of_lesions AS (
    SELECT
        feature_set_id,
        region,
        status,
        count(*) FILTER (WHERE is_first) AS n_lesions,
        sum(n_values)::BIGINT AS n_values
    FROM lesion_statuses
    GROUP BY feature_set_id, region, status
)
SELECT
    feature_set_id,
    region,
    status,
    coalesce(of_patients.n_patients, 0) AS n_patients,
    coalesce(of_lesions.n_lesions, 0) AS n_lesions,
    coalesce(of_lesions.n_values, 0) AS n_values
FROM of_patients
FULL JOIN of_lesions USING (feature_set_id, region, status)
ORDER BY feature_set_id, region, status <> 'COMPUTED', status;
