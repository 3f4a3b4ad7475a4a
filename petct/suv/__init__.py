"""A PET series as SUV, with every adaptation and refusal; SUVpeak is in ``petct.lesions.intensity_peaks``."""
