"""P5: the CT of 20 sarcoma patients with Laplacian of Gaussian and wavelet, in process, against ``execute``.

``python benchmarks/p5_cohort_ct_filtered.py [--data DIR] [--rounds 3] [--patients 20]``; 20 minutes. Target: at least
twice as little CPU time.
"""

from __future__ import annotations

import engines
import sarcoma
from paired import paired
from report import Report

from petct.radiomics.engines import extract


def main() -> None:
    """Measure, print, and say by the exit code whether the target is met."""
    options = sarcoma.arguments(__doc__)
    feature_set = engines.with_filters("CT")
    extractor = engines.executing(feature_set)
    ours, theirs = [0.0, 0.0], [0.0, 0.0]
    n_patients = 0
    for patient in sarcoma.patients(options.data, "CT", options.patients):
        image, mask = patient.sitk
        # Patient by patient, so that both are measured under the same load of the machine; the sum is the cohort's.
        result = paired(
            lambda patient=patient: extract(patient.image, patient.labels, (1,), feature_set),
            lambda image=image, mask=mask: extractor.execute(image, mask),
            options.rounds,
        )
        ours = [ours[0] + result.ours_cpu_s, ours[1] + result.ours_wall_s]
        theirs = [theirs[0] + result.theirs_cpu_s, theirs[1] + result.theirs_wall_s]
        n_patients += 1
    report = Report("P5")
    case = f"{n_patients} patients, LoG 1, 2, 3 mm and wavelet, in process, sums of the patients' medians"
    report.row(case, (ours[0], ours[1]), (theirs[0], theirs[1]), theirs[0] / ours[0], 2, "CPU")
    report.end()


if __name__ == "__main__":
    main()
