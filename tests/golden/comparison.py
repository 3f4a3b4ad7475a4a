"""What moved between two golden records, and whether the versions of the code say so."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tests.golden.record import ABSOLUTE, RELATIVE, Cell, Record, TableRecord
from tests.golden.versions import upstream

SEVERAL = "(rows that are not recorded)"


@dataclass(frozen=True)
class Move:
    """One cell that is another one now; None is no value, or a row that is not there."""

    code: str
    table: str
    column: str
    row: str
    old: Cell
    new: Cell

    @property
    def change(self) -> float | None:
        """By how much of its old value a number moved; None for anything else."""
        if not _are_numbers(self.old, self.new) or not self.old:
            return None
        return float(self.new) / float(self.old) - 1  # type: ignore[arg-type]


def moves(old: Record, new: Record) -> list[Move]:
    """Return every cell that differs by more than rounding."""
    found = []
    for code in dict.fromkeys([*old, *new]):
        before, after = (record[code].tables if code in record else {} for record in (old, new))
        for table in dict.fromkeys([*before, *after]):
            of_table = _moves_of_table(before.get(table, TableRecord()), after.get(table, TableRecord()))
            found += [Move(code, table, *differing) for differing in of_table]
    return found


def _moves_of_table(old: TableRecord, new: TableRecord) -> Iterator[tuple[str, str, Cell, Cell]]:
    seen = set()
    for key in dict.fromkeys([*old.rows, *new.rows]):
        before, after = old.rows.get(key, {}), new.rows.get(key, {})
        for column in dict.fromkeys([*before, *after]):
            if not same(before.get(column), after.get(column)):
                seen.add(column)
                yield column, key, before.get(column), after.get(column)
    for column in dict.fromkeys([*old.sums, *new.sums]):
        (n_before, before_), (n_after, after_) = (sums.get(column, [0, 0.0]) for sums in (old.sums, new.sums))
        if column not in seen and (n_before != n_after or abs(before_ - after_) > RELATIVE * max(n_before, 1)):
            yield column, SEVERAL, before_, after_


def same(old: Cell, new: Cell) -> bool:
    """Whether two cells are equal, numbers but for rounding."""
    if _are_numbers(old, new):
        return math.isclose(old, new, rel_tol=RELATIVE, abs_tol=ABSOLUTE)  # type: ignore[arg-type]
    return old == new and isinstance(old, bool) == isinstance(new, bool)


def _are_numbers(*cells: Cell) -> bool:
    return all(isinstance(cell, int | float) and not isinstance(cell, bool) for cell in cells)


def problems(old: Record, new: Record) -> list[str]:
    """Return what is wrong with the versions: raised where nothing moved, or not raised where something did."""
    raised = {code for code in new if code not in old or old[code].version != new[code].version}
    moved: dict[str, list[Move]] = {}
    for move in moves(old, new):
        moved.setdefault(move.code, []).append(move)
    wrong = []
    for code, its in moved.items():
        if code in new and not raised & {code, *upstream(code)}:
            columns = ", ".join(dict.fromkeys(f"{move.table}.{move.column}" for move in its[:6]))
            wrong.append(
                f"{code}: {len(its)} values moved ({columns}, ...), and its code version was not raised. "
                "Raise it, or give the numbers back."
            )
    for code in sorted(raised - set(moved)):
        if new[code].elsewhere is None:
            wrong.append(
                f"{code}: the version was raised to {new[code].version}, and nothing moved. Where other studies "
                f"move and this one does not: make golden ELSEWHERE='{code}: what moves'."
            )
    return wrong


def changelog(old: Record, new: Record, most: int = 40) -> Iterator[str]:
    """Return lines for "Numbers that change", and below each the cells that moved."""
    found = moves(old, new)
    for table in dict.fromkeys(move.table for move in found):
        of_table = [move for move in found if move.table == table]
        code = of_table[0].code
        columns = dict.fromkeys(move.column for move in of_table)
        said = "; ".join(_column(column, [move for move in of_table if move.column == column]) for column in columns)
        yield f"- `{table}`: {said}. `code_version` of `{code}` is {new[code].version}."
        for move in of_table[:most]:
            yield f"    {move.table}  {move.column}  {move.row}  {move.old} -> {move.new}"
        if len(of_table) > most:
            yield f"    ... and {len(of_table) - most} more"


def _column(column: str, its: Sequence[Move]) -> str:
    first = its[0]
    more = f" and {len(its) - 1} more" if len(its) > 1 else ""
    return f"`{column}` of {first.row}: {first.old} -> {first.new}{more}{_largest(move.change for move in its)}"


def _largest(changes: Iterable[float | None]) -> str:
    known = [change for change in changes if change is not None]
    return f", by up to {max(known, key=abs):+.2g} of the value" if known else ""
