-- PET metrics of the baseline scan under the default protocol: one row per patient (grain patient) and organ (grain organ).
CREATE TEMP TABLE measured_scans AS
SELECT pet_metrics.*
FROM pet_metrics
JOIN baseline_scans USING (patient_id, scan_id)
JOIN default_protocol USING (protocol_id)
WHERE grain IN ('patient', 'organ');
