"""The names of petlake for scripts and notebooks: an analysis is asked for, read and answered as page and command do.

>>> import petlake
>>> request = petlake.KaplanMeierRequest("tumour_volume_ml", endpoint="OS")      # doctest: +SKIP
>>> with petlake.open_snapshot("study/lake") as snapshot:                        # doctest: +SKIP
...     answer = petlake.answer(request, petlake.load(snapshot, request, ["sex=F"]))
>>> answer.declared, answer.result.log_rank.p, petlake.numbers_of(answer)        # doctest: +SKIP

Everything here stands elsewhere, and is only called by a name that stays:

- ``open_snapshot(lake, id)`` opens a published snapshot: its columns, endpoints, SQL and data frames.
- ``KaplanMeierRequest``, ``CoxRequest``, ``AftRequest``, ``PcaRequest``, ``ScreenRequest`` and ``SensitivityRequest``
  are what can be asked; ``parse`` makes one of the words of a command line.
- ``load(snapshot, request, conditions)`` reads what a request needs, ``load_csv`` does so from any CSV.
- ``answer(request, data)`` answers it; ``enter(lake, answer)`` enters its tests into the ledger of the snapshot.
- ``numbers_of`` and ``figure_of`` give its table and its figure; ``run_script`` is what exported scripts call.
"""

from analyses.paper import figure_of, numbers_of
from analyses.requests.aft import AftRequest
from analyses.requests.answer import Answer
from analyses.requests.cox import CoxRequest
from analyses.requests.data import AnalysisData
from analyses.requests.kaplan_meier import KaplanMeierRequest
from analyses.requests.known import answer, parse, request_of_json
from analyses.requests.ledger import enter
from analyses.requests.load import load, load_csv
from analyses.requests.pca import PcaRequest
from analyses.requests.screen import ScreenRequest
from analyses.requests.sensitivity import SensitivityRequest
from analyses.script import run_script
from petct.errors import PetctError
from warehouse.errors import WarehouseError
from warehouse.queries.open_snapshot import Snapshot, open_snapshot

__all__ = [
    "AftRequest",
    "AnalysisData",
    "Answer",
    "CoxRequest",
    "KaplanMeierRequest",
    "PcaRequest",
    "PetctError",
    "ScreenRequest",
    "SensitivityRequest",
    "Snapshot",
    "WarehouseError",
    "answer",
    "enter",
    "figure_of",
    "load",
    "load_csv",
    "numbers_of",
    "open_snapshot",
    "parse",
    "request_of_json",
    "run_script",
]
