"""docs/faults.md holds what the tests of this folder found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.mark.slow
def test_the_document_is_what_was_found(
    table: Any, document: Path, writing: bool, request: pytest.FixtureRequest
) -> None:
    """The document has every row, no other, and at least thirty of them."""
    folder = Path(__file__).parent
    collected = {item.path for item in request.session.items}
    options = request.config.option
    chosen = options.keyword or options.markexpr or any("::" in word for word in request.config.args)
    if chosen or not collected >= set(folder.glob("test_faults_of_*.py")):
        pytest.skip("the table is whole only after all tests of faults")
    assert len(table.rows) >= 30
    if writing:
        document.write_text(table.render(), encoding="utf-8")
    # In any order: several processes that run the tests do not keep that of the files.
    assert sorted(document.read_text(encoding="utf-8").splitlines()) == sorted(table.render().splitlines()), (
        "docs/faults.md is not what the tests found: make faults writes it again"
    )
