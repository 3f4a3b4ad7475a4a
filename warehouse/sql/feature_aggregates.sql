-- From lesion to organ and patient: every aggregation of every feature over the lesions of a region, which is 'all' or an
-- organ. Only COMPUTED values enter. Volumes are those of the lesion on the grid of the feature set's modality; when some
-- lesions have no value, the weights of the others are renormalised. A lesion with a value but without a volume leaves
-- the weighted mean empty. The largest lesion of a region is one lesion for all features of a set (by PET volume, then by
-- the volume in the set's modality, then by name), so its features are empty where they could not be computed. The
-- standard deviation is that of a sample (n - 1): empty for one lesion. A patient without a lesion in the region has no
-- row; feature_availability says why.
CREATE TEMP TABLE feature_aggregates AS
WITH used AS (
    SELECT 'all' AS region, baseline_features.* FROM baseline_features
    UNION ALL
    SELECT lesion_regions.region, baseline_features.*
    FROM baseline_features
    JOIN lesion_regions USING (patient_id, lesion_id)
    WHERE lesion_regions.region <> 'all'
),
lesion_volumes AS (
    SELECT lesions.patient_id, lesions.lesion_id, lesions.modality, lesions.volume_ml
    FROM lesions
    JOIN baseline_scans USING (patient_id, scan_id)
    JOIN default_protocol USING (protocol_id)
),
sized AS (
    SELECT
        measured.patient_id,
        measured.region,
        measured.feature_set_id,
        measured.lesion_id,
        own.volume_ml,
        row_number() OVER (
            PARTITION BY measured.patient_id, measured.region, measured.feature_set_id
            ORDER BY pet.volume_ml DESC NULLS LAST, own.volume_ml DESC NULLS LAST, measured.lesion_id
        ) = 1 AS is_largest
    FROM (SELECT DISTINCT patient_id, region, feature_set_id, lesion_id FROM used) AS measured
    JOIN feature_sets USING (feature_set_id)
    LEFT JOIN lesion_volumes AS own
        ON own.patient_id = measured.patient_id
        AND own.lesion_id = measured.lesion_id
        AND own.modality = feature_sets.modality
    LEFT JOIN lesion_volumes AS pet
        ON pet.patient_id = measured.patient_id
        AND pet.lesion_id = measured.lesion_id
        AND pet.modality = 'PT'
)
SELECT
    patient_id,
    region,
    feature_set_id,
    feature_name,
    max(value) FILTER (WHERE is_largest) AS largest,
    CASE
        WHEN count(value) = count(value) FILTER (WHERE volume_ml IS NOT NULL)
        THEN sum(value * volume_ml) / nullif(sum(volume_ml) FILTER (WHERE value IS NOT NULL), 0)
    END AS volume_weighted_mean,
    avg(value) AS mean,
    max(value) AS max,
    min(value) AS min,
    stddev_samp(value) AS sd,
    sum(value) AS sum
FROM used
JOIN sized USING (patient_id, region, feature_set_id, lesion_id)
GROUP BY patient_id, region, feature_set_id, feature_name;
