"""Pseudonyms, signs of identity, and the de-identification of DICOM and clinical tables."""
