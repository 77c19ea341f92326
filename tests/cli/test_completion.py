"""The completion scripts, in the shell that they are for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.ledger.ledger import Ledger
from reconciler.status.condition import Condition
from specs.reference import Ref
from tests.cli.command import Onggi

COMPLETE = """
set -eu
PATH={bin}:$PATH
source <(onggi completion bash)
COMP_WORDS=({words} "{begun}")
COMP_CWORD={count}
_onggi_completion onggi 2>&1
echo "${{COMPREPLY[@]}}"
"""


def completed(onggi: Onggi, *words: str) -> list[str]:
    """What bash would offer for the last word."""
    *before, begun = words
    script = COMPLETE.format(
        bin=Path(sys.executable).parent, words=" ".join(before), begun=begun, count=len(before)
    ).replace("compopt", ": compopt")
    done = subprocess.run(["bash", "-c", script], env=onggi.env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_bash_completes_verbs_options_kinds_and_fields(onggi: Onggi) -> None:
    assert completed(onggi, "onggi", "va") == ["validate"]
    assert "--connect" in completed(onggi, "onggi", "plan", "--c")
    assert completed(onggi, "onggi", "get", "virt") == ["VirtualMachine", "virtualmachines"]
    assert completed(onggi, "onggi", "explain", "vm.run") == ["vm.runStrategy"]


def test_bash_completes_the_names_that_the_state_knows(onggi: Onggi, tmp_path: Path) -> None:
    ready = (Condition("Ready", True, "Succeeded"),)
    with Ledger.open(tmp_path) as ledger:
        found = {
            Ref("VirtualMachine", "tg-web"): ready,
            Ref("VirtualMachine", "tg-db"): ready,
            Ref("Network", "tg-lan"): ready,
        }
        ledger.status.note(found, "main@sha1:0123")
    (onggi.home / "onggi.toml").write_text(f'state = "{tmp_path}"')
    del onggi.env["ONGGI_STATE"]
    onggi.env["ONGGI_CONFIG"] = str(onggi.home / "onggi.toml")
    assert completed(onggi, "onggi", "get", "vm", "tg-") == ["tg-db", "tg-web"]
    assert completed(onggi, "onggi", "suspend", "net", "") == ["tg-lan"]


@pytest.mark.parametrize(("shell", "begins"), [("zsh", "#compdef onggi"), ("fish", "function _onggi_completion")])
def test_the_other_shells_have_a_script_too(onggi: Onggi, shell: str, begins: str) -> None:
    done = onggi("completion", shell)
    assert done.code == 0
    assert done.out.lstrip().startswith(begins)


def test_an_unknown_shell_is_an_error(onggi: Onggi) -> None:
    assert onggi("completion", "tcsh").code == 1
