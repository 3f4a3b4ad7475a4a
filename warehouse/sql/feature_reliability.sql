-- Every feature of the study's feature sets with what it is and how far it can be trusted: its definition, its
-- correlation with volume, and the agreement of its repeated measurements by source.
CREATE TABLE feature_reliability AS
WITH features AS (
    SELECT feature_set_id, feature_name FROM volume_confounding
    UNION
    SELECT feature_set_id, feature_name FROM robustness JOIN feature_sets USING (feature_set_id)
)
SELECT
    features.feature_set_id,
    features.feature_name,
    feature_definitions.ibsi_id,
    feature_definitions.ibsi_name,
    feature_definitions.ibsi_difference,
    feature_definitions.unit,
    volume_confounding.n_lesions AS volume_n_lesions,
    volume_confounding.rho AS volume_rho,
    volume_confounding.rho_lower AS volume_rho_lower,
    volume_confounding.rho_upper AS volume_rho_upper,
    robustness.source,
    robustness.status,
    robustness.n_targets,
    CASE WHEN robustness.filter_icc = '1,1' THEN robustness.icc_1_1 ELSE robustness.icc_2_1 END AS icc,
    CASE WHEN robustness.filter_icc = '1,1' THEN robustness.icc_1_1_lower ELSE robustness.icc_2_1_lower END AS icc_lower,
    CASE WHEN robustness.filter_icc = '1,1' THEN robustness.icc_1_1_upper ELSE robustness.icc_2_1_upper END AS icc_upper,
    robustness.qcd,
    robustness.is_robust
FROM features
LEFT JOIN feature_definitions USING (feature_name)
LEFT JOIN volume_confounding USING (feature_set_id, feature_name)
LEFT JOIN robustness USING (feature_set_id, feature_name)
ORDER BY features.feature_set_id, features.feature_name, robustness.source;
