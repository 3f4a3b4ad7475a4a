-- The lesions of the baseline scan under the default protocol, once for the region 'all' and once for their organ where
-- the study aggregates in it (temporary table aggregated_organs). A lesion's organ is that on the PET, where it is there.
CREATE TEMP TABLE lesion_regions AS
WITH found AS (
    SELECT
        lesions.patient_id,
        lesions.lesion_id,
        coalesce(
            max(lesions.organ) FILTER (WHERE lesions.modality = 'PT'), max(lesions.organ)
        ) AS organ
    FROM lesions
    JOIN baseline_scans USING (patient_id, scan_id)
    JOIN default_protocol USING (protocol_id)
    GROUP BY lesions.patient_id, lesions.lesion_id
)
SELECT patient_id, lesion_id, organ, 'all' AS region FROM found
UNION ALL
SELECT patient_id, lesion_id, organ, organ AS region FROM found JOIN aggregated_organs USING (organ);
-- Every value and reason of the lesions of the baseline scan under the default protocol, of the study's feature sets.
CREATE TEMP TABLE baseline_features AS
SELECT
    radiomic_features.patient_id,
    radiomic_features.feature_set_id,
    radiomic_features.lesion_id,
    radiomic_features.feature_name,
    CASE WHEN radiomic_features.status = 'COMPUTED' THEN radiomic_features.value END AS value,
    radiomic_features.status
FROM radiomic_features
JOIN baseline_scans USING (patient_id, scan_id)
JOIN default_protocol USING (protocol_id)
JOIN feature_sets USING (feature_set_id);
