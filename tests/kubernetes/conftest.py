"""Fixtures of the tests that need a real Kubernetes API server; `./dev test-k8s` says where its programs are."""

import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from fixtures import pytest_sessionfinish, redis, start  # noqa: F401
from control_plane import ControlPlane


@pytest.fixture(scope="session")
def plane(tmp_path_factory):
    binaries = os.environ.get("EXECD_KUBERNETES")
    assert binaries, "EXECD_KUBERNETES: the folder of kube-apiserver and kube-controller-manager (./dev test-k8s builds them)"
    p = ControlPlane(tmp_path_factory.mktemp("plane"), binaries)
    yield p
    p.close()
