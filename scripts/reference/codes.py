"""The reference of codes: every code that petlake gives, read from the source by ``ast``.

A code is a text in upper snake case. Its sentence stands beside it: as a later argument of the same call, as a later
element of a tuple, as its value in a dictionary, or as the text below the constant that holds it; else in ``MEANINGS``.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = ("refusals", "petct", "warehouse", "figures", "analyses", "assets", "orchestration", "dashboard")

CODE = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
# Texts that look like codes: environment variables, columns and private elements.
_NAMES = ("PETLAKE_", "DAGSTER_", "GIT_", "LC_", "OPENBLAS_", "GEMS_", "CLOSED", "MAX_IP", "DOSE_INFO", "TIME_POINT")
MEANINGS = {
    "BODY_SIZE_UNKNOWN": "The metric needs the patient's height, which is not stated.",
    "CLINICAL_DATE_FORMAT": "A date was not written as YYYY-MM-DD, and can only be read in one way.",
    "CLINICAL_DECIMAL_COMMA": "A number was written with a decimal comma.",
    "CLINICAL_THOUSANDS_COMMA": "A number was written with commas between thousands.",
    "COMPETING_AFTER_DATA_LOCK": "The competing event is after the data lock and is not used.",
    "DEID_COLUMN_DROPPED": "The column was left out of the de-identified table.",
    "DEID_LABEL_REPLACED": "The name of a region could identify someone and was replaced by its number.",
    "DOSE_REPORT": "The file is a dose report and is not used.",
    "DYNAMIC_OR_GATED": "The PET series is dynamic or gated, and is not used.",
    "ENHANCED_CT_UNSUPPORTED": "Enhanced CT objects are not read.",
    "FRAME_OF_REFERENCE_DIFFERS": "The CT has another frame of reference than the PET of its study, and is not used.",
    "HAZARDS_NONE": "There are no hazard ratios under the protocols; the sentence says why.",
    "LIVER_REFERENCE_MISSING": "The metric needs a reference region in the liver, and there is none.",
    "MASK_SCAN_UNKNOWN": "Nothing says of which scan the mask is: its path has no date that only one scan has.",
    "MIXED_IMAGE_TYPES": "The files of the series are of different kinds, and the series is not used.",
    "MODALITY_NOT_USED": "Only PET, CT, RTSTRUCT and SEG are used.",
    "NOT_APPLICABLE": "The metric does not exist here, for example a ratio to a region for that region.",
    "NOT_ATTENUATION_CORRECTED": "The PET is not corrected for attenuation, and is not used.",
    "NOT_COMPARABLE": "Nothing says where a lesion of one scan lies in the other.",
    "NOT_STATED": "The header does not state it.",
    "NO_VARIANCE": "All values are equal, and the ICC does not exist.",
    "PRIVACY_BIRTH_DATE": "A date is, or may be, a date of birth.",
    "PRIVACY_CONTACT": "A text may hold a telephone number, an address or an e-mail address.",
    "PRIVACY_DATE_IN_TEXT": "A description or a label holds a date.",
    "PRIVACY_FREE_TEXT": "A text is free text, which may say anything.",
    "PRIVACY_ID_IS_NAME": "A patient id may be a name.",
    "QC_ACTIVITY_PER_WEIGHT": "The injected activity per kg is not usual for the tracer.",
    "QC_UPTAKE_DURATION": "The time between injection and scan is not usual for the tracer.",
    "SECONDARY_CAPTURE": "The file is a picture of a screen, and is not used.",
    "SPLEEN_REFERENCE_MISSING": "The metric needs a reference region in the spleen, and there is none.",
    "SQL_FAILED": "DuckDB could not run the query; the sentence is its own.",
    "STRUCTURED_REPORT": "The file is a structured report and is not used.",
    "SUV_SIZE_OVERRIDDEN": "The patient's height is from a column of the clinical table.",
    "SUV_WEIGHT_OVERRIDDEN": "The patient's weight is from a column of the clinical table.",
    "TIME_MISSING": "A duration is missing.",
    "TOO_FEW_TARGETS": "The ICC needs at least three targets.",
}
"""What codes mean whose sentence is made out of their sight; a test says when one is missing or no longer needed."""
HOLE = "…"
"""Stands in a sentence for what is only known when it is said."""


@dataclass(frozen=True)
class Use:
    """One place that gives a code."""

    code: str
    path: str
    line: int
    sentences: tuple[str, ...]
    hints: tuple[str, ...]
    refuses: bool


@cache
def uses(root: Path = ROOT) -> list[Use]:
    """Read every use of a code in the packages of petlake, in the order of the files and lines."""
    found = []
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    for package in project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]:
        for path in sorted((root / package).rglob("*.py")):
            found += list(_Module(ast.parse(path.read_text("utf-8")), path.relative_to(root).as_posix()).uses())
    return found


class _Module:
    def __init__(self, tree: ast.Module, path: str) -> None:
        self._tree, self._path = tree, path
        self._parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}

    def uses(self) -> Iterator[Use]:
        for node in ast.walk(self._tree):
            if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
                continue
            if CODE.fullmatch(node.value) and not self._is_name(node):
                sentences, hints = self._said_beside(node)
                yield Use(node.value, self._path, node.lineno, tuple(sentences), tuple(hints), self._refuses(node))

    def _is_name(self, node: ast.Constant) -> bool:
        """Whether the text is a name of something else than what petlake says: of a variable, or of a part of DICOM."""
        parent = self._parents[node]
        of_module = (
            isinstance(parent, ast.List)
            and isinstance(up := self._parents[parent], ast.Assign)
            and (ast.unparse(up.targets[0]) == "__all__")
        )
        return of_module or str(node.value).startswith(_NAMES)

    def _refuses(self, node: ast.AST) -> bool:
        """Whether the code is given to something that is called an error or a refusal, or is raised."""
        while isinstance(node := self._parents[node], ast.expr):
            if isinstance(node, ast.Call) and re.search(r"(?i)error|refus", ast.unparse(node.func)):
                return True
        return isinstance(node, ast.Raise)

    def _said_beside(self, code: ast.expr) -> tuple[list[str], list[str]]:
        parent = self._parents[code]
        if isinstance(parent, ast.IfExp):
            # One of two codes with the same sentence.
            return self._said_beside(parent)
        if isinstance(parent, ast.keyword) and parent.arg == "code":
            call = self._parents[parent]
            return (self._message_of(call) if isinstance(call, ast.Call) else []), []
        if isinstance(parent, ast.Call) and code in parent.args:
            hints = [text for each in parent.keywords if each.arg == "hint" for text in self._texts(each.value)]
            return self._texts_after(code, parent.args) or self._message_of(parent), hints
        if isinstance(parent, ast.Tuple):
            return self._texts_after(code, parent.elts), []
        if isinstance(parent, ast.Dict) and code in parent.keys:
            return self._sentences(parent.values[parent.keys.index(code)]), []
        if isinstance(parent, ast.Assign | ast.AnnAssign):
            return self._docstring_below(parent), []
        return [], []

    def _texts_after(self, code: ast.expr, siblings: list[ast.expr]) -> list[str]:
        """The first sentence after the code: a finding names its place between them."""
        return next(filter(None, map(self._sentences, siblings[siblings.index(code) + 1 :])), [])

    def _message_of(self, call: ast.Call) -> list[str]:
        return next((self._sentences(each.value) for each in call.keywords if each.arg == "message"), [])

    def _sentences(self, node: ast.expr) -> list[str]:
        """The texts of ``node`` that are more than a name."""
        return [text for text in self._texts(node) if " " in text.strip()]

    def _texts(self, node: ast.expr) -> list[str]:
        match node:
            case ast.Constant(value=str(text)):
                return [text]
            case ast.JoinedStr(values=values):
                return ["".join(str(v.value) if isinstance(v, ast.Constant) else HOLE for v in values)]
            case ast.IfExp(body=body, orelse=orelse):
                return self._texts(body) + self._texts(orelse)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return [a + b for a in self._texts(left) or [HOLE] for b in self._texts(right) or [HOLE]]
            case ast.Tuple(elts=[first, *_]):
                return self._texts(first)
            case ast.Name(id=name):
                return self._texts_of_name(name, node)
            case _:
                return []

    def _texts_of_name(self, name: str, node: ast.expr) -> list[str]:
        """The texts that a name was given last in its function, or in the module."""
        scope: ast.AST = node
        while scope is not self._tree:
            scope = self._parents[scope]
            if isinstance(scope, ast.FunctionDef | ast.Module):
                given = [
                    each
                    for each in ast.walk(scope)
                    if isinstance(each, ast.Assign)
                    and each.lineno < node.lineno
                    and any(isinstance(target, ast.Name) and target.id == name for target in each.targets)
                    and not isinstance(each.value, ast.Name)
                ]
                if given:
                    return self._texts(max(given, key=lambda each: each.lineno).value)
        return []

    def _docstring_below(self, assignment: ast.stmt) -> list[str]:
        body = getattr(self._parents[assignment], "body", [])
        after = body[body.index(assignment) + 1 :] if assignment in body else []
        match after[:1]:
            case [ast.Expr(value=ast.Constant(value=str(text)))]:
                return [" ".join(text.split())]
            case _:
                return []


def page(root: Path = ROOT) -> str:
    """Write the page as Markdown."""
    areas: dict[str, dict[str, list[Use]]] = {}
    area_of: dict[str, str] = {}
    for use in uses(root):
        area = area_of.setdefault(use.code, str(Path(use.path).parent))
        areas.setdefault(area, {}).setdefault(use.code, []).append(use)
    return "\n\n".join([_HEAD, *(_section(root / area, area, areas[area]) for area in sorted(areas))]) + "\n"


_HEAD = f"""\
# Error codes

Every message of petlake has a code, which stays the same when the wording changes. JSON output gives it as `code`.
A snapshot has it in the columns `code`, `status` and `reason` of its tables.

- *refused*: a value, a patient or a command was refused.
- *recorded*: something was noticed and written down, and the work went on.

{HOLE} stands for what is only known when the message is given. Use the search to find a code.
This page is written from the source."""


def _section(folder: Path, area: str, codes: dict[str, list[Use]]) -> str:
    said = ast.get_docstring(ast.parse((folder / "__init__.py").read_text("utf-8"))) or ""
    rows = [_row(code, found) for code, found in sorted(codes.items())]
    return "\n".join([f"## {area}", "", said.split("\n\n")[0], "", "| code | meaning |", "|---|---|", *rows])


def _row(code: str, found: list[Use]) -> str:
    kind = "refused" if any(use.refuses for use in found) else "recorded"
    sentences = _distinct(text for use in found for text in use.sentences) or [MEANINGS[code]]
    hints = _distinct(text for use in found for text in use.hints)
    places = _distinct(f"{use.path}:{use.line}" for use in found)
    meaning = "<br>".join([*sentences, *(f"*{hint}*" for hint in hints)])
    where = f"<small>{kind} in {', '.join(f'`{place}`' for place in places)}</small>"
    return f'| <span id="{code.lower()}">`{code}`</span> | {meaning}<br>{where} |'


def _distinct(texts: Iterable[str]) -> list[str]:
    # A sentence of the code stands in a cell of a table: neither a bar nor a tag may end it.
    shown = (" ".join(text.split()).replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*") for text in texts)
    return list(dict.fromkeys(shown))
