"""The page about webhooks is true: what it shows is run against a real agent."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import httpx

from tests.cli.command import Onggi
from tests.lab.ports import free_port
from tests.lab.repositories import Repository
from tests.lab.waiting import until

PAGE = Path(__file__).parents[2] / "docs/webhooks.md"
EXAMPLES = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
VM = "apiVersion: onggi/v1\nkind: VirtualMachine\nmetadata: {name: hw-a}\nspec: {memory: 64, runStrategy: Halted}\n"


def test_a_push_and_the_pages_curl_bring_a_commit_into_force_at_once(
    pushed_repository: Repository, private_test_uri: str, tmp_path: Path
) -> None:
    # argoproj/argo-cd#7893 and #8596: up to five minutes until a push is noticed. The interval here is an hour.
    onggi = Onggi(tmp_path / "home")
    secret = tmp_path / "secret"
    make, call = EXAMPLES
    subprocess.run(["sh", "-ec", make.replace("/etc/onggi/webhook-secret", str(secret))], check=True)
    assert secret.stat().st_mode & 0o777 == 0o600
    listen = f"127.0.0.1:{free_port()}"
    process = onggi.start(
        "run", f"file://{tmp_path}/remote.git", "--connect", private_test_uri, "--state", str(tmp_path / "state"),
        "--interval", "1h", "--listen", listen, "--webhook-secret-file", str(secret),
    )  # fmt: skip
    try:
        until(lambda: httpx.get(f"http://{listen}/readyz").status_code == 200, 60, "the agent is ready")
        commit = pushed_repository.commit({"hw-a.yaml": VM})
        pushed_repository.push()
        environment = os.environ | {"SECRET_FILE": str(secret), "ONGGI": f"http://{listen}"}
        done = subprocess.run(["sh", "-ec", call], env=environment, capture_output=True, text=True, check=True)
        assert done.stdout == '{"accepted": true}', done.stderr
        until(
            lambda: httpx.get(f"http://{listen}/readyz").json()["revision"] == f"main@sha1:{commit}",
            60,
            "the pushed commit is in force",
        )
    finally:
        process.terminate()
        _, log = process.communicate(timeout=60)
    assert secret.read_text().strip() not in log
    assert process.returncode == 0, log


def test_without_a_secret_an_agent_takes_no_webhook(
    repository: Repository, private_test_uri: str, tmp_path: Path
) -> None:
    onggi = Onggi(tmp_path / "home")
    repository.commit({"hw-a.yaml": VM})
    listen = f"127.0.0.1:{free_port()}"
    words = ("run", str(repository.path), "--connect", private_test_uri, "--state", str(tmp_path / "state"))
    process = onggi.start(*words, "--listen", listen)
    try:
        until(lambda: httpx.get(f"http://{listen}/readyz").status_code == 200, 60, "the agent is ready")
        answer = httpx.post(
            f"http://{listen}/hooks/generic",
            content=b"x",
            headers={"X-Signature": "sha256=" + "0" * 64},
            timeout=60,
        )
        assert answer.status_code == 403
        assert "webhook-secret-file" in answer.json()["reason"]
    finally:
        process.terminate()
        process.communicate(timeout=60)


def test_forge_settings_that_cannot_be_right_end_the_command_with_a_sentence(
    repository: Repository, private_test_uri: str, tmp_path: Path
) -> None:
    onggi = Onggi(tmp_path / "home")
    repository.commit({"hw-a.yaml": VM})
    words = ("run", repository.path, "--connect", private_test_uri, "--state", tmp_path / "state")
    done = onggi(*words, "--forge", "github")
    assert done.code == 1
    assert "--forge-token-file" in done.err.splitlines()[-1]
