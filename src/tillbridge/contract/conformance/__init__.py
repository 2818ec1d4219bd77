"""The conformance suite: one set of checks that every connector passes, ours or a third party's.

A check is a plain function `(suite) -> list of problems` (empty = passed); it applies to whoever
signed the promise it is about (`Check.promise`, found by looking). Tests only parametrize:

    suite = load_suite(connector, folder_of_the_connector)
    for check in checks_for(connector):
        assert not check.run(suite)

or, from a shell: `python -m tillbridge.contract.conformance my.package --record`.

Samples: the folder `samples/` of a connector
---------------------------------------------
`suite.json` (optional)         how the suite sees this connector:
    connection  fields of `contract.promises.Connection` that differ from the defaults (entity
                `us`, channel `web`, currency `USD`, timezone `UTC`); `settings` is decoded with
                the connector's `config`. A config with `with_files(read)` gets its files read
                from the samples folder.
    names       {table: {theirs: ours}}; left out, every name is proposed (`names.Proposals`).
    secrets     names of the secrets the client asks for; the suite plants values of its own.
    loose       {path pattern: reason}: fields documented as number OR text (see `mutation`).
    nullable    {path pattern: reason}: numbers documented as possibly null (or empty text).
    personal    path patterns of personal data beyond the obvious names (email, phone, ...).
    stream      {"sample": "day.csv", "head_lines": 1, "tail_lines": 0}: the lines between head
                and tail may be repeated without end, to prove that a file is never read whole.
    poll, reread, publish  {"stream": ...}, {"topic": ..., "reference": ...},
                {"product": ..., "place": ...} (their names) for the outgoing checks.
`NAME.json`                     one message: {"topic": ..., "headers": {...}, "body": {...}}.
`NAME.csv|.tsv|.txt|.xml|...`   a file as it arrives: cut by `split` when the connector reads files,
                                else one message whose topic stands in the expected file.
`NAME.suite.json` (optional)    the same fields as `suite.json` for this sample only, laid over it.
`NAME.expected.json`            {"topic": ..., "facts": [{"type": ..., "body": {...}}],
                                "parties": [...], "ignored": "", "reread": null,
                                "problems": [{"place": ..., "problem": ...}]} (empty parts may be
                                left out). `--record` writes it where missing; read it before
                                you commit it: it is the statement of what is right.
`NAME.webhook.json`             {"path": "/", "topic": ..., "raw": "the exact body text",
                                "signature_header": "X-...", "deliveries": [{"secret": "one",
                                "headers": {...}}, {"secret": "two", "headers": {...}}]}: the same
                                body signed with two different secrets.
`settlement/NAME.csv|.xml|...`  a settlement or bank file; beside it `NAME.expected.json`, what it
                                tells, see `settling`.
`NAME.document.json`            a SubmitDocument, for connectors that deliver.

Against a live far side (a simulator, a real ERP) the tests hand over a `DeliveryTarget`
or a `PublishingTarget`.
"""

from tillbridge.contract.conformance.checks import CHECKS, Check, checks_for, run_all
from tillbridge.contract.conformance.delivering import DeliveryTarget
from tillbridge.contract.conformance.publishing import PublishingTarget
from tillbridge.contract.conformance.samples import Suite, load_suite, record_expected

__all__ = [
    "CHECKS",
    "Check",
    "DeliveryTarget",
    "PublishingTarget",
    "Suite",
    "checks_for",
    "load_suite",
    "record_expected",
    "run_all",
]
