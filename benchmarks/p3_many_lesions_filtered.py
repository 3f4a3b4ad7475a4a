"""P3: 40 lesions in a whole-body PET with Laplacian of Gaussian and wavelet, against ``execute`` with ``preCrop``.

``python benchmarks/p3_many_lesions_filtered.py [--rounds 3]``. Both in one process, on images in memory. Target: at
least 12 times less CPU time.
"""

from __future__ import annotations

import argparse

import engines
import whole_body
from paired import paired
from report import Report

from petct.image.volume import to_sitk
from petct.radiomics.engines import extract


def main() -> None:
    """Measure, print, and say by the exit code whether the target is met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    body = whole_body.pet()
    feature_set = engines.with_filters("PET")
    image, labels = (to_sitk(part.array, part.geometry) for part in (body.image, body.labels))
    extractor = engines.executing(feature_set, preCrop=True)
    wanted = range(1, whole_body.N_LESIONS + 1)
    result = paired(
        lambda: extract(body.image, body.labels, wanted, feature_set),
        lambda: [extractor.execute(image, labels, label=label) for label in wanted],
        options.rounds,
    )
    report = Report("P3")
    report.row(
        "40 lesions, LoG 1, 2, 3 mm and wavelet, in process",
        (result.ours_cpu_s, result.ours_wall_s), (result.theirs_cpu_s, result.theirs_wall_s),
        1 / result.cpu_ratio, 12, "CPU",
    )  # fmt: skip
    report.end()


if __name__ == "__main__":
    main()
