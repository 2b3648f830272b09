"""The report shows everything below a folder, says what it cannot read, and needs nothing else."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
import report_data

from scripts.cli import main


class Reader(HTMLParser):
    """Gathers the texts, tags and addresses of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.open: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        """Note it."""
        self.tags.append(tag)
        self.addresses += [v or "" for k, v in attrs if k in ("src", "href", "poster", "data")]
        if tag not in ("meta", "img", "link", "br", "path", "circle"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Check that tags are closed in the order in which they were opened."""
        if tag not in ("path", "circle"):
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Note it, but no code."""
        if self.open and self.open[-1] not in ("script", "style"):
            self.words.append(data.strip())

    @property
    def text(self) -> str:
        """Everything that can be read."""
        return " ".join(word for word in self.words if word)


def read(path: Path) -> Reader:
    reader = Reader()
    reader.feed(path.read_text())
    assert reader.open == []
    return reader


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "results"
    root.mkdir()
    report_data.fill(root)
    return root


def test_one_page_of_everything(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(folder), "--title", "All of it"]) == 0
    told = capsys.readouterr().out
    assert "3 comparisons, 2 lesion studies, 1 of robustness" in told
    assert "damaged/results.json" in told
    page = read(folder / "report.html")
    for words in (
        "All of it",
        "Some-v0",
        "Other-v0",
        "−4.00 (−5.00 … −3.00)",  # the brain's interquartile mean of -3, -4, -5 and its interval
        "Performance profile",
        "How probably Neonate ends better",
        "cerebellum",
        "after learning",
        "Pushed-v0",
        "kept after 500 steps with it",
        "0.88 (0.80 … 1.00)",
        "act us",
        "11.5",
        "films/arm.mp4",
        "stable_baselines3",
        "neonate evaluate --env Some-v0 --out results/some",
        "neonate lesion --env Lesioned-v0",
        "damaged/results.json",
        "sac seed 4",
    ):
        assert words in page.text, words
    assert "Twice-v0" not in page.text  # a shard of what was put together


def test_the_page_needs_no_network_and_runs_nothing_foreign(folder: Path) -> None:
    assert main(["report", str(folder)]) == 0
    page = read(folder / "report.html")
    assert page.addresses and all(a.startswith(("data:", "#")) for a in page.addresses)
    text = (folder / "report.html").read_text()
    assert "default-src 'none'" in text
    assert not re.search(r"https?://|//cdn|@import|url\(", text)
    assert page.tags.count("script") == 1 and page.tags.count("link") == 0
    assert report_data.HOSTILE in page.text  # as text, not as tags
    assert page.tags.count("img") == 1


def test_a_large_video_is_named_and_left_out(folder: Path) -> None:
    assert main(["report", str(folder), "--largest-mb", "0"]) == 0
    page = read(folder / "report.html")
    assert "video" not in page.tags and "too large for the page" in page.text


def test_mistakes(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    for words, said in (
        ([str(empty)], "nothing to report of"),
        ([str(tmp_path / "nowhere")], "is no folder"),
        ([str(folder), "--out", str(tmp_path / "page.pdf")], ".html"),
        ([str(folder), "--largest-mb", "-1"], "--largest-mb"),
    ):
        assert main(["report", *words]) == 2
        assert said in capsys.readouterr().err
    assert main(["report", str(folder)]) == 0
    before = (folder / "report.html").read_bytes()
    assert main(["report", str(folder)]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert (folder / "report.html").read_bytes() == before
    assert main(["report", str(folder), "--overwrite"]) == 0


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "[1, 2]",
        '[{"curve": []}]',
        '{"rows": [{"a": [1]}]}',
        '{"table": 3}',
        '[{"schema": 1, "curve": [{"steps": "many"}]}]',
        '[{"schema": 1, "algo": "brain", "env": 3, "curve": [1]}]',
        '{"envs": {"a": {"median": 3}}}',
        "\x00\xff",
    ],
)
def test_any_other_file_is_no_obstacle(content: str, tmp_path: Path) -> None:
    report_data.write(tmp_path / "good" / "results.json", report_data.comparison("Some-v0"))
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "results.json").write_text(content)
    (tmp_path / "bad" / "run.json").write_text(content)
    assert main(["report", str(tmp_path)]) == 0
    assert "Some-v0" in read(tmp_path / "report.html").text


def test_a_run_is_told_with_its_log(tmp_path: Path) -> None:
    words = "train --env neonate/Reach-v0 --algo random --steps 120 --seed 7".split()
    assert main([*words, "--out", str(tmp_path / "arm")]) == 0
    log = "time/total_timesteps,rollout/ep_rew_mean\n50,-9\n100,-8\n,\n"
    (tmp_path / "arm" / "progress.csv").write_text(log)
    assert main(["report", str(tmp_path)]) == 0
    text = read(tmp_path / "report.html").text
    assert "neonate/Reach-v0" in text and "While they learnt" in text
    info = json.loads((tmp_path / "arm" / "run.json").read_text())
    assert info["commands"][0] in text
