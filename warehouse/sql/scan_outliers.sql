-- How far each scan lies from the others of the cohort with the same nuclide: the robust z of Iglewicz and Hoaglin (1993),
-- 0.6745 (value - median) / MAD. Where more than half of the values are equal the MAD is 0, and the mean absolute
-- deviation times 1.253314 takes its place. Below 10 scans, or where all are equal, there is no z.
CREATE TABLE scan_outliers AS
WITH measured AS (
    UNPIVOT (
        SELECT
            patient_id,
            scan_id,
            series_instance_uid,
            coalesce(radionuclide, 'not stated') AS radionuclide,
            uptake_duration_s,
            injected_dose_bq / patient_weight_kg AS injected_dose_bq_per_kg,
            dose_share_in_field,
            CASE WHEN suv_max > 0 THEN ln(suv_max) END AS ln_suv_max
        FROM suv
    )
    ON uptake_duration_s, injected_dose_bq_per_kg, dose_share_in_field, ln_suv_max
    INTO NAME quantity VALUE value
),
centred AS (
    SELECT
        *,
        count(*) OVER cohort AS n_scans,
        median(value) OVER cohort AS cohort_median
    FROM measured
    WINDOW cohort AS (PARTITION BY radionuclide, quantity)
),
scaled AS (
    SELECT
        *,
        median(abs(value - cohort_median)) OVER cohort / 0.6745 AS by_median,
        1.253314 * avg(abs(value - cohort_median)) OVER cohort AS by_mean
    FROM centred
    WINDOW cohort AS (PARTITION BY radionuclide, quantity)
)
SELECT
    patient_id,
    scan_id,
    series_instance_uid,
    radionuclide,
    quantity,
    value,
    n_scans,
    cohort_median,
    CASE
        WHEN n_scans < 10 THEN NULL
        WHEN by_median > 1e-9 * abs(cohort_median) THEN (value - cohort_median) / by_median
        WHEN by_mean > 1e-9 * abs(cohort_median) THEN (value - cohort_median) / by_mean
    END AS robust_z
FROM scaled
ORDER BY patient_id, scan_id, quantity;
