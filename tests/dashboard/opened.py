"""Pages opened without a browser, and what stands on them."""

from __future__ import annotations

from pathlib import Path

from streamlit.testing.v1 import AppTest

APP = Path(__file__).resolve().parents[2] / "dashboard" / "app.py"
TIMEOUT = 60


def page_of(page: str, **parameters: str | list[str]) -> AppTest:
    """Open a page of the study that the environment names, by a link with ``parameters``: choices as they are shown."""
    # A first run tells the test which pages there are.
    app = AppTest.from_file(APP, default_timeout=TIMEOUT).run()
    for name, value in parameters.items():
        app.query_params[name] = value
    return checked(app.switch_page(f"{page}/page.py").run())


def checked(app: AppTest) -> AppTest:
    assert not app.exception, [element.message for element in app.exception]
    return app


def texts(app: AppTest) -> str:
    kinds = (app.title, app.subheader, app.markdown, app.caption, app.warning, app.error)
    return "\n".join(str(element.value) for elements in kinds for element in elements)


def charts(app: AppTest) -> dict[str, str]:
    """Plotly charts of a page by their key, as JSON."""
    return {element.proto.id.rpartition("-")[2]: str(element.proto.spec) for element in app.get("plotly_chart")}
