"""A plan as a comment below a pull request: dangers first, in bounds, and deaf to what documents would like to say."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from reconciler.planning.plan import Action, Blocked, Plan, Step, Waiting
from reconciler.reporting.plan_markdown import headline, plan_markdown
from specs.effect import Change, Effect
from specs.problem import Problem
from specs.reference import Ref

REVISION = "main@sha1:0123"
WEB, DB, OLD, LAN = (Ref("VirtualMachine", name) for name in ("web", "db", "old", "lan"))
OURS = {"h4", "p", "strong", "table", "thead", "tbody", "tr", "th", "td", "code", "em", ""}


def step(ref: Ref, action: Action, *changes: Change, effect: Effect = Effect.LIVE, why: str = "its document") -> Step:
    return Step(ref, action, why, effect, (), changes, path=f"vms/{ref.name}.yaml", line=3)


PLAN = Plan(
    REVISION,
    steps=(
        step(LAN, Action.CREATE, Change("/memory", None, 64, Effect.LIVE), why="declared, and not on the host"),
        step(WEB, Action.UPDATE, Change("/memory", 1024, 2048, Effect.LIVE)),
        step(DB, Action.UPDATE, Change("/cpus", 1, 2, Effect.NEXT_BOOT), effect=Effect.NEXT_BOOT),
        step(OLD, Action.DELETE, why="its document is gone; its volumes stay"),
    ),
    blocked=(Blocked(Ref.volume("p", "v"), "ShrinkRefused", "a disk never shrinks", "v.yaml", 7),),
    waiting=(Waiting(WEB, (Change("/machine", "pc", "q35", Effect.NEXT_BOOT),)),),
    notes=("a note",),
)


def test_the_headline_names_dangers_first() -> None:
    assert headline(PLAN) == "1 blocked, 1 to delete, 1 to create, 1 live, 2 wait for a restart"
    assert headline(Plan(REVISION)) == "No changes"
    assert headline(Plan(REVISION, (PLAN.steps[1],), waiting=PLAN.waiting)) == (
        "0 to delete, 1 live, 1 waits for a restart"
    )
    assert headline(Plan(REVISION), 1).startswith("1 document with errors")


def test_a_whole_plan_reads_like_this() -> None:
    assert plan_markdown(PLAN, [Problem("x.yaml", 1, 2, "no kind; write one")]) == (
        "**1 document with errors, 1 blocked, 1 to delete, 1 to create, 1 live, 2 wait for a restart**\n"
        "\n"
        "| delete | replace | change | create | blocked | waiting for a restart | documents with errors |\n"
        "|---:|---:|---:|---:|---:|---:|---:|\n"
        "| 1 | 0 | 2 | 1 | 1 | 2 | 1 |\n"
        "\n"
        "#### Deletes or replaces\n\n```diff\n"
        "- VirtualMachine/old (vms/old.yaml:3): its document is gone; its volumes stay\n```\n"
        "\n"
        "#### Documents with errors, whose objects stay as they are\n\n```diff\n"
        "! x.yaml:1:2: no kind; write one\n```\n"
        "\n"
        "#### Blocked\n\n```diff\n"
        "! StorageVolume/p/v (v.yaml:7): ShrinkRefused: a disk never shrinks\n```\n"
        "\n"
        "#### Changes\n\n```diff\n"
        "~ VirtualMachine/web (vms/web.yaml:3): its document\n"
        "    /memory: 1GiB → 2GiB (live)\n"
        "~ VirtualMachine/db (vms/db.yaml:3): its document\n"
        "    /cpus: 1 → 2 (at the next boot)\n```\n"
        "\n"
        "#### Waits for a restart\n\n```diff\n"
        "~ VirtualMachine/web waits for a restart\n"
        "    /machine: pc → q35 (at the next boot)\n```\n"
        "\n"
        "<details><summary>Creates</summary>\n\n```diff\n"
        "+ VirtualMachine/lan (vms/lan.yaml:3): declared, and not on the host\n```\n\n</details>\n"
        "\n"
        "#### Notes\n\n```diff\n  a note\n```\n"
    )


def test_what_is_too_long_is_cut_and_says_so_and_the_dangers_stay() -> None:
    many = tuple(step(Ref("Network", f"net-{number}"), Action.CREATE) for number in range(5000))
    text = plan_markdown(replace(PLAN, steps=(*many, PLAN.steps[3])), longest=2000)
    assert len(text.encode()) <= 2000
    assert "VirtualMachine/old" in text
    assert text.rstrip().endswith("`onggi plan` shows all of it._")


def outside_fences(text: str) -> tuple[set[str], str]:
    """The HTML tags that a forge would make of it, and the text outside fenced code."""
    tags: set[str] = set()
    words: list[str] = []
    for token in MarkdownIt("gfm-like", {"html": True, "linkify": False}).parse(text):
        if token.type == "fence":
            continue
        tags.add(token.tag)
        if token.type == "html_block":
            words.append(token.content)
        for child in token.children or ():
            tags.add(child.tag)
            words.append(child.content)
    return tags, "\n".join(words)


HOSTILE = (
    "@everyone", "```", "````diff\n</details>", "<script>alert(1)</script>", "![x](https://evil.invalid/x.png)",
    "\n/merge\n/close", "closes #1", "|", "`", "~~~", "<!-- onggi plan north -->", "\r\n# Title", "\u202e", "\ud800",
)  # fmt: skip
texts = (
    st.sampled_from(HOSTILE) | st.text(st.sampled_from("`~|<>&@#\n\r*_[]()! a/-"), max_size=30) | st.text(max_size=20)
)
values = st.recursive(
    st.none() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
changes = st.builds(Change, texts, values, values, st.sampled_from(Effect), texts)
refs = st.builds(Ref, texts, texts)
steps = st.builds(
    Step, refs, st.sampled_from(Action), texts, st.sampled_from(Effect), st.just(()),
    st.lists(changes, max_size=2).map(tuple), path=texts,
)  # fmt: skip
plans = st.builds(
    Plan,
    texts,
    steps=st.lists(steps, max_size=3).map(tuple),
    blocked=st.lists(st.builds(Blocked, refs, texts, texts, texts), max_size=2).map(tuple),
    waiting=st.lists(st.builds(Waiting, refs, st.lists(changes, max_size=2).map(tuple)), max_size=2).map(tuple),
    drifted=st.lists(st.tuples(refs, st.lists(changes, max_size=2).map(tuple)), max_size=2).map(tuple),
    notes=st.lists(texts, max_size=2).map(tuple),
)
OUR_WORDS = set(
    re.findall(
        r"\S+",
        "delete replace change create blocked waiting for a restart documents document with errors No changes to live "
        "wait waits Deletes or replaces Documents whose objects stay as they are Blocked Changes Waits Creates Drifted "
        "and left it is Notes The rest out here onggi plan shows all of",
    )
) | {"<details><summary>Creates</summary>", "<details><summary>Drifted,", "is</summary>", "</details>"}


@given(plans, st.lists(st.builds(Problem, texts, st.just(1), st.just(1), texts), max_size=2), st.integers(1000, 4000))
def test_nothing_from_a_document_is_markdown_html_a_mention_or_a_command(
    plan: Plan, problems: list[Problem], longest: int
) -> None:
    text = plan_markdown(plan, problems, longest=longest)
    assert len(text.encode()) <= longest
    tags, words = outside_fences(text)
    assert tags <= OURS
    for word in words.replace("|", " ").split():
        assert word in OUR_WORDS or word.strip(",.;").isdigit() or word.strip(",.;`*_") in OUR_WORDS, word
    assert not any(line.startswith("/") for line in text.splitlines())  # GitLab runs such lines


@pytest.mark.parametrize("length", range(290))
def test_a_section_of_which_nothing_fits_takes_no_room(length: int) -> None:
    web = Ref("VirtualMachine", "web")
    blocked = [Blocked(web, "InUse", "z" * long) for long in (length, 100, 100, 100, 100)]
    assert len(plan_markdown(Plan("r", blocked=tuple(blocked), notes=("n" * 80,)), longest=1000).encode()) <= 1000


@given(plans)
def test_equal_plans_have_equal_texts(plan: Plan) -> None:
    assert plan_markdown(plan) == plan_markdown(replace(plan))


@pytest.mark.parametrize("value", ["#cloud-config\npassword: hunter2\n", ["a\nb"]], ids=["text", "in-a-list"])
def test_a_file_inside_a_document_is_only_said_to_have_changed(value: Any) -> None:
    plan = Plan(REVISION, (step(WEB, Action.UPDATE, Change("/cloudInit/userData", value, "new", Effect.NEXT_BOOT)),))
    text = plan_markdown(plan)
    assert "/cloudInit/userData: changed" in text
    assert "hunter2" not in text
