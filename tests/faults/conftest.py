"""The rule for skipped tests is that of the other suites."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from fixtures import pytest_sessionfinish  # noqa: F401
