"""DICOM in: a folder tree becomes indexed series, images in physical units, and masks."""
