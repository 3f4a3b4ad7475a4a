"""Cells of Markdown tables."""


def code(text: str) -> str:
    """Text as code; between backticks no sign ends a cell, and none can be escaped."""
    return f"<code>{text.replace('|', '&#124;')}</code>" if "|" in text else f"`{text}`"


def cell(text: str) -> str:
    """Text that ends no cell and begins no tag."""
    return text.replace("|", "\\|").replace("<", "&lt;")
