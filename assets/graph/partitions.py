"""Patients are the partitions: dynamic, because a cohort grows."""

import dagster as dg

PATIENTS = "patients"

patients_partitions = dg.DynamicPartitionsDefinition(name=PATIENTS)
"""One partition a patient; the key is the patient id."""
