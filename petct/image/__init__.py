"""Arrays in millimetres: volumes, their orientation, and masks resampled and compared."""
