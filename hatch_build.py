"""Writes into what is built which code it is: an installed wheel has no git to ask (``warehouse/source_code.py``)."""

import runpy
import tempfile
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class SourceCodeHook(BuildHookInterface):
    """Adds the file that ``warehouse.source_code`` reads; an editable installation asks git whenever it runs."""

    def initialize(self, version: str, build_data: dict) -> None:
        """Write the file beside the build, and name it to the builder."""
        if version == "editable":
            return
        code = runpy.run_path(str(Path(self.root) / "warehouse" / "source_code.py"))
        self._folder = tempfile.TemporaryDirectory(prefix="petlake-build-")
        written = Path(self._folder.name) / "source_code.json"
        written.write_text(code["source_code"]().to_json(), encoding="utf-8")
        build_data["force_include"][str(written)] = code["BUILT"]

    def finalize(self, version: str, build_data: dict, artifact_path: str) -> None:  # noqa: ARG002 (hatchling's signature)
        """Remove what was written."""
        if version != "editable":
            self._folder.cleanup()
