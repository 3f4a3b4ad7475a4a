-- The scan that stands for a patient: the one before the origin of the first endpoint (by name) that has one, otherwise
-- the earliest scan. Patients without any scan have no row.
CREATE TABLE baseline_scans AS
WITH declared AS (
    SELECT patient_id, baseline_scan_id AS scan_id
    FROM endpoints
    WHERE baseline_scan_id IS NOT NULL
    QUALIFY row_number() OVER (PARTITION BY patient_id ORDER BY endpoint) = 1
),
earliest AS (
    SELECT patient_id, scan_id
    FROM scans
    QUALIFY row_number() OVER (PARTITION BY patient_id ORDER BY scan_date NULLS LAST, scan_id) = 1
)
SELECT
    patients.patient_id,
    coalesce(declared.scan_id, earliest.scan_id) AS scan_id,
    CASE WHEN declared.scan_id IS NULL THEN 'EARLIEST' ELSE 'ENDPOINT' END AS rule
FROM patients
LEFT JOIN declared USING (patient_id)
LEFT JOIN earliest USING (patient_id)
WHERE coalesce(declared.scan_id, earliest.scan_id) IS NOT NULL
ORDER BY patients.patient_id;
