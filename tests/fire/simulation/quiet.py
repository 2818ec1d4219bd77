"""Silences the hub's log lines while many seeds run."""

from __future__ import annotations

import logging

import structlog


def quiet() -> None:
    """Only what is critical."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
