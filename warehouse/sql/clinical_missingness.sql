-- How often each declared variable is there, over the patients who have a row in the clinical table.
CREATE TABLE clinical_missingness AS
SELECT
    variable,
    min(kind) AS kind,
    min(unit) AS unit,
    (SELECT count(*) FROM patients WHERE has_clinical) AS n_patients,
    count(*) FILTER (WHERE status = 'RECORDED') AS n_recorded,
    count(*) FILTER (WHERE status = 'MISSING') AS n_missing,
    -- A text that was refused left neither a value nor a gap: table refusals says why.
    (SELECT count(*) FROM patients WHERE has_clinical) - count(*) AS n_refused,
    1 - count(*) FILTER (WHERE status = 'RECORDED') / nullif((SELECT count(*) FROM patients WHERE has_clinical), 0)
        AS share_missing
FROM clinical
GROUP BY variable
ORDER BY variable;
