"""``make golden``: write the golden record again, and print what moved."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.golden.comparison import changelog, moves, problems
from tests.golden.record import RECORD, Record, dumps, loads, record_of
from tests.golden.study import golden_study


def main(arguments: list[str]) -> int:
    """Compare, and write only where the versions of the code say what moved; the exit code."""
    parser = argparse.ArgumentParser(prog="make golden", description=__doc__)
    parser.add_argument(
        "--elsewhere", default="", metavar="CODE: WHAT", help="a version that moves no number of the demo"
    )
    elsewhere = parser.parse_args(arguments).elsewhere
    old = loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    with tempfile.TemporaryDirectory(prefix="petlake-golden-") as folder:
        new = record_of(golden_study(Path(folder) / "study").lake)
    return rewrite(old, new, elsewhere, RECORD)


def rewrite(old: Record, new: Record, elsewhere: str, path: Path) -> int:
    """Write ``new`` unless it contradicts the versions; a reason why nothing moved is kept while its version stands."""
    for code, made in new.items():
        if code in old and old[code].version == made.version:
            made.elsewhere = old[code].elsewhere
    code, _, reason = elsewhere.partition(":")
    if reason.strip():
        new[code.strip()].elsewhere = reason.strip()
    for line in changelog(old, new) if old else ():
        print(line)
    wrong = problems(old, new) if old else []
    if wrong:
        print(*wrong, "Nothing was written.", sep="\n", file=sys.stderr)
        return 1
    path.write_text(dumps(new), encoding="utf-8")
    print(f"{len(moves(old, new)) if old else 'All'} values moved; wrote {path.name}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
