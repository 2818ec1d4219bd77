"""Checks about the folder: its name, its README, its settings, its samples."""

from __future__ import annotations

import inspect

import msgspec

from tillbridge.contract.conformance.samples import Suite
from tillbridge.contract.promises import (
    Delivers,
    ReceivesWebhooks,
    Rereads,
    Translates,
)
from tillbridge.contract.signed import promises_of

README_MIN = 400


def is_named_like_its_folder(suite: Suite) -> list[str]:
    """The connector's name is the folder's name, and it signs something."""
    problems = []
    if suite.connector.name != suite.folder.name:
        problems.append(
            f"the connector is called {suite.connector.name!r}, its folder {suite.folder.name!r}"
        )
    if not promises_of(suite.connector):
        problems.append("it signs no promise (contract/promises.py)")
    return problems


def has_a_readme(suite: Suite) -> list[str]:
    """README.md says more than the name: at least 400 characters, and each promise by name."""
    path = suite.folder / "README.md"
    if not path.exists():
        return ["there is no README.md"]
    text = path.read_text(encoding="utf-8")
    problems = []
    if len(text.strip()) < README_MIN:
        problems.append(
            f"README.md has only {len(text.strip())} characters; {README_MIN} is the least"
        )
    missing = [promise for promise in promises_of(suite.connector) if promise not in text]
    if missing:
        problems.append(f"README.md does not name the promises {', '.join(missing)}")
    return problems


def has_typed_settings(suite: Suite) -> list[str]:
    """`config` is a msgspec Struct with a docstring that refuses unknown fields."""
    config: object = suite.connector.config
    if not (inspect.isclass(config) and issubclass(config, msgspec.Struct)):
        return ["config is no msgspec Struct"]
    problems = []
    if not (config.__doc__ or "").strip():
        problems.append("the settings have no docstring")
    if not config.__struct_config__.forbid_unknown_fields:
        problems.append("the settings take unknown fields; say forbid_unknown_fields=True")
    return problems


def has_samples(suite: Suite) -> list[str]:
    """Whoever translates, takes webhooks or delivers shows it by samples."""
    problems = []
    if isinstance(suite.connector, Translates):
        if not suite.samples:
            problems.append("it translates, but samples/ has no sample")
        elif not any(True for _ in suite.telling()):
            problems.append("no sample tells a fact")
        problems += [
            f"samples/{sample.path.name} has no {sample.name}.expected.json (--record writes it)"
            for sample in suite.samples
            if sample.expected is None
        ]
    if isinstance(suite.connector, ReceivesWebhooks) and not list(suite.webhooks()):
        problems.append("it takes webhooks, but samples/ has no *.webhook.json")
    if isinstance(suite.connector, Rereads) and suite.guide.reread is None:
        problems.append("it rereads, but suite.json does not say what: `reread`")
    if isinstance(suite.connector, Delivers) and not list(suite.documents()):
        problems.append("it delivers, but samples/ has no *.document.json")
    return problems
