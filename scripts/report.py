"""`neonate report`: everything that was measured, on one page."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console

from scripts.errors import UserError
from scripts.files import replacing
from scripts.report_find import find
from scripts.report_page import make_page, render


@dataclass(frozen=True)
class Report:
    """Write one HTML page of all results, runs, videos and pictures below a folder.

    The page needs no network and no other file: comparisons with intervals, learning curves,
    lesions, robustness, videos, versions, and the commands that repeat it. What cannot be read is
    named on it.
    """

    folder: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="DIR")]
    """Folder to report of, with everything below it."""
    out: Path | None = None
    """Page to write, *.html; DIR/report.html if not given."""
    title: str = "Neonate: what was measured"
    """Title of the page."""
    largest_mb: float = 25.0
    """Videos and pictures that are larger are named and left out."""
    overwrite: bool = False
    """Replace the page if it exists."""

    def run(self) -> None:
        """Do it."""
        out = self.out if self.out is not None else self.folder / "report.html"
        if not self.folder.is_dir():
            raise UserError(f"{self.folder} is no folder: name one that holds results or runs")
        if out.suffix != ".html":
            raise UserError(f"--out {out}: the name must end in .html")
        if out.exists() and not self.overwrite:
            raise UserError(f"{out} exists: add --overwrite, or name another file with --out")
        if self.largest_mb < 0:
            raise UserError(f"--largest-mb {self.largest_mb}: must be at least 0")
        found = find(self.folder)
        if found.empty and not found.unread:
            raise UserError(
                f"{self.folder} holds nothing to report of: `neonate evaluate --out "
                f"{self.folder}/…` or `neonate train --out {self.folder}/…` makes something"
            )
        name = self.folder.resolve().name
        page = make_page(found, self.title, name, round(1e6 * self.largest_mb))
        text = render(page)
        out.parent.mkdir(parents=True, exist_ok=True)
        with replacing(out) as beside:
            beside.write_text(text)
        console = Console()
        for place, reason in found.unread:
            console.print(f"{place}: {reason}", markup=False, soft_wrap=True)
        console.print(
            f"wrote {out}: {len(page.tasks)} comparisons, {len(page.lesions)} lesion studies, "
            f"{len(page.robustness)} of robustness, {len(found.trained)} runs, "
            f"{len(page.videos)} videos; {len(text) / 1e6:.1f} MB",
            soft_wrap=True,
            highlight=False,
        )
