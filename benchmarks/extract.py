"""petlake's features of images and label maps in files: the process that the benchmarks hold against pyradiomics' own.

``python benchmarks/extract.py CASES.csv --feature-set NAME --out FILE [--workers N]``: the CSV has the columns Image,
Mask and Label, as pyradiomics' batch files. An image is read once for all its lesions.
"""

from __future__ import annotations

import argparse
import csv
import os
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

# A worker is one of many: before NumPy is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

Group = tuple[tuple[str, str], list[int]]


def read(path: str) -> object:
    """An image file as ``Volume``, without a copy of its array."""
    import SimpleITK as sitk

    from petct.image.volume import Geometry, Volume

    image = sitk.ReadImage(path)
    array = sitk.GetArrayViewFromImage(image)
    geometry = Geometry(array.shape, image.GetSpacing(), image.GetOrigin(), image.GetDirection())
    volume = Volume(array, geometry)
    # The view is of the image's memory.
    object.__setattr__(volume, "_image", image)
    return volume


def features_of(job: tuple[Group, str]) -> list[tuple[str, int, str, float | None, str]]:
    """Rows of all lesions of one image: mask, label, feature, value, status."""
    from petct.radiomics.engines import extract
    from petct.radiomics.feature_set_files import load_feature_set

    ((image, mask), labels), feature_set = job
    extractions = extract(read(image), read(mask), labels, load_feature_set(feature_set))
    return [
        (mask, extraction.label, feature.feature_name, feature.value, str(feature.status))
        for extraction in extractions
        for feature in extraction.features
    ]


def groups(cases: Path) -> list[Group]:
    """The labels of each pair of image and mask."""
    with cases.open(encoding="utf-8", newline="") as file:
        rows = [((row["Image"], row["Mask"]), int(row["Label"])) for row in csv.DictReader(file)]
    return [(key, [label for _, label in part]) for key, part in groupby(rows, key=lambda row: row[0])]


def computed(jobs: list[tuple[Group, str]], workers: int) -> Iterable[list]:
    """The rows of each job; with more than one worker in warm processes, the largest files first, one job at a time."""
    if workers == 1:
        return map(features_of, jobs)
    from concurrent.futures import ProcessPoolExecutor

    jobs = sorted(jobs, key=lambda job: -Path(job[0][0][0]).stat().st_size)
    with ProcessPoolExecutor(workers) as pool:
        return list(pool.map(features_of, jobs, chunksize=1))


def main() -> None:
    """Compute and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", type=Path)
    parser.add_argument("--feature-set", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    jobs = [(group, options.feature_set) for group in groups(options.cases)]
    with options.out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("Mask", "Label", "feature_name", "value", "status"))
        for rows in computed(jobs, options.workers):
            writer.writerows(rows)


if __name__ == "__main__":
    main()
