"""The demo cohort: synthetic 68Ga-DOTATOC PET/CT patients, written as real DICOM, whose truth is known."""
