"""SUV and masks as lesions with their PET metrics: protocols, reference regions, SUVpeak, projections."""
