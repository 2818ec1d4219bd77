"""The picture of a run: arrivals, waiting times, stock left and what waits for the ERP, over time.

matplotlib is asked for only here; `make flash-sale` installs it (requirements.txt in this folder).
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from tests.fire.flash_sale import shop
from tests.fire.flash_sale.figures import LIMITS_MS, RESERVED, Report, Second

INK, FLASH = "#22303c", "#f2e6d0"
COLOURS = {
    shop.AVAILABILITY: "#2a7f9e",
    shop.RESERVE: "#c4512d",
    shop.ORDER: "#5b8c3a",
    RESERVED: "#7a5aa6",
}


def draw(report: Report, path: Path) -> bool:
    """Write the PNG; False when matplotlib is not installed."""
    try:
        importlib.import_module("matplotlib").use("Agg")
        pyplot: Any = importlib.import_module("matplotlib.pyplot")
    except ImportError:
        return False
    pyplot.rcParams.update({"font.size": 9, "axes.edgecolor": INK, "text.color": INK})
    figure, axes = pyplot.subplots(3, 1, figsize=(9, 8.5), sharex=True, layout="constrained")
    seconds = [one for one in report.seconds if one.at < report.plan.end + 10]
    for axis in axes:
        axis.axvspan(report.plan.seconds, 2 * report.plan.seconds, color=FLASH, lw=0)
        axis.grid(axis="y", alpha=0.3)
        axis.spines[["top", "right"]].set_visible(False)
    _arrivals(axes[0], report, seconds)
    _waiting(axes[1], seconds)
    _stock(axes[2], seconds)
    axes[2].set_xlabel("seconds")
    figure.savefig(path, dpi=130)
    pyplot.close(figure)
    return True


def _arrivals(axis: Any, report: Report, seconds: list[Second]) -> None:
    plan = report.plan
    at = [one.at for one in seconds]
    axis.step(at, [one.arrivals for one in seconds], where="post", color=INK, label="requests")
    away = [one.routes[shop.RESERVE].refused if _has(one) else 0 for one in seconds]
    colour = COLOURS[shop.RESERVE]
    axis.step(at, away, where="post", color=colour, label="sent away: sold out")
    axis.set_ylabel("per second")
    places = f"{plan.stores} stores, an ERP that takes {plan.erp_seconds:g} s a call"
    axis.set_title(f"Flash sale of one product at {plan.factor:g} times the baseline: {places}")
    axis.legend(frameon=False, loc="upper right")


def _has(second: Second) -> bool:
    return shop.RESERVE in second.routes


def _waiting(axis: Any, seconds: list[Second]) -> None:
    for route, colour in COLOURS.items():
        rows = [(one.at, one.routes[route].p99_ms) for one in seconds if route in one.routes]
        label = f"{route} (promised {LIMITS_MS[route]:.0f})"
        axis.plot([at for at, _ in rows], [ms for _, ms in rows], color=colour, label=label)
    axis.set_yscale("log")
    axis.set_ylabel("p99, ms")
    axis.legend(frameon=False, loc="upper right")


def _stock(axis: Any, seconds: list[Second]) -> None:
    at = [one.at for one in seconds]
    left = [one.left for one in seconds]
    axis.step(at, left, where="post", color=COLOURS[shop.RESERVE], label="pieces left")
    waiting = [one.erp_backlog for one in seconds]
    axis.step(at, waiting, where="post", color=INK, label="documents waiting for the ERP")
    axis.set_ylabel("pieces, documents")
    axis.set_ylim(bottom=0)
    axis.legend(frameon=False, loc="upper right")
