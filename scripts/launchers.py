"""Where runs are done: in this process, on the cores of this machine, or on a Ray cluster.

Whichever it is, every run is given back when it is finished, or with what went wrong: a broken run
does not stop the others.
"""

import logging
import os
import signal
import socket
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing import connection, get_context
from multiprocessing.context import SpawnProcess
from typing import Any, Literal

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm

from policies.baselines import SB3_CLASSES
from scripts.errors import UserError
from scripts.learning_curve import Run, prepare_worker, run_curve

LauncherName = Literal["local", "ray"]
Curve = list[dict[str, Any]]
RAY_RETRIES = 5  # a run whose node has died is begun anew on another so many times
_OFF_POLICY_COST = 20.0  # steps of others that one step with a gradient update takes, about


@dataclass(frozen=True)
class Outcome:
    """What became of a run: its curve, or what went wrong."""

    run: Run
    curve: Curve | None = None
    error: str = ""
    """One line; empty if all is well."""
    traceback: str = ""
    """Where it happened, for whoever mends it."""


def attempt(run: Run, report: Callable[[int], None] = lambda steps: None) -> Outcome:
    """Do a run; an exception is an outcome like another."""
    try:
        return Outcome(run, run_curve(run, report))
    except Exception as error:
        return broken(run, error)


def broken(run: Run, error: BaseException) -> Outcome:
    """Say that a run ended in an exception."""
    text = " ".join(str(error).split())
    where = "".join(traceback.format_exception(error))
    return Outcome(run, None, f"{type(error).__name__}: {text}" if text else repr(error), where)


def usable_cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def launch(
    runs: Sequence[Run],
    launcher: LauncherName,
    jobs: int,
    ray_address: str | None,
    console: Console,
) -> Iterator[Outcome]:
    """Do the runs and give each outcome as soon as it is there, in any order.

    Args:
        runs: what to do.
        launcher: `local` or `ray`.
        jobs: runs at a time on this machine.
        ray_address: of the cluster; None takes what RAY_ADDRESS names, or this machine alone.
        console: shows progress while it goes on.

    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as progress:
        everything = progress.add_task("runs", total=len(runs))
        if launcher == "ray":
            outcomes = on_ray(longest_first(runs), ray_address)
        elif min(jobs, len(runs)) <= 1:
            outcomes = one_by_one(runs, progress)
        else:
            outcomes = side_by_side(longest_first(runs), jobs)
        for outcome in outcomes:
            progress.advance(everything)
            yield outcome


def longest_first(runs: Sequence[Run]) -> list[Run]:
    """Sort runs by what they probably cost, so that all cores are busy until the end."""

    def cost(run: Run) -> float:
        sb3 = SB3_CLASSES.get(run.algo)
        slow = sb3 is not None and issubclass(sb3, OffPolicyAlgorithm)
        return run.steps * (_OFF_POLICY_COST if slow else 1.0)

    return sorted(runs, key=cost, reverse=True)


def one_by_one(runs: Sequence[Run], progress: Progress) -> Iterator[Outcome]:
    """Do the runs in this process."""
    for run in runs:
        bar = progress.add_task(f"{run.algo} seed {run.seed}, steps", total=run.steps)
        yield attempt(run, partial(_advance, progress, bar))
        progress.remove_task(bar)


def _advance(progress: Progress, bar: TaskID, steps: int) -> None:
    progress.update(bar, completed=steps)


def side_by_side(runs: Sequence[Run], jobs: int) -> Iterator[Outcome]:
    """Do the runs in processes of their own, `jobs` at a time.

    A process does one run after the other. One that dies takes only its own run with it.
    """
    waiting = list(runs)
    workers: dict[connection.Connection, _Worker] = {}
    try:
        for _ in range(min(jobs, len(waiting))):
            worker = _Worker(waiting.pop(0))
            workers[worker.pipe] = worker
        while workers:
            for pipe in connection.wait(list(workers)):
                worker = workers.pop(pipe)  # type: ignore[call-overload]
                outcome = worker.outcome()
                if waiting:
                    worker = worker.next(waiting.pop(0))
                    workers[worker.pipe] = worker
                else:
                    worker.stop()
                yield outcome
    finally:
        for worker in workers.values():
            worker.stop()


class _Worker:
    """A process and the run that it has in hand."""

    def __init__(self, run: Run) -> None:
        context = get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process: SpawnProcess = context.Process(target=_serve, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()  # the other end is the process's alone: when it dies, ours says so
        self._hand(run)

    def _hand(self, run: Run) -> None:
        self.run = run
        with suppress(OSError):  # it has died: `outcome` will say so
            self.pipe.send(run)

    def outcome(self) -> Outcome:
        """Take what it has done, or say that it died."""
        try:
            outcome: Outcome = self.pipe.recv()
        except (EOFError, OSError):
            self.process.join()
            code = self.process.exitcode or 0
            how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
            more = ": out of memory?" if code == -signal.SIGKILL else ""
            return Outcome(self.run, None, f"its process died with {how}{more}")
        return outcome

    def next(self, run: Run) -> "_Worker":
        """Hand it another run; if it is dead, another takes its place."""
        if not self.process.is_alive():
            self.stop()
            return _Worker(run)
        self._hand(run)
        return self

    def stop(self) -> None:
        """End it, whatever it does."""
        self.pipe.close()
        self.process.terminate()
        self.process.join()


def _serve(pipe: connection.Connection) -> None:
    """Do the runs that come through the pipe until it is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends this one
    prepare_worker()
    with suppress(EOFError, OSError):
        while True:
            pipe.send(attempt(pipe.recv()))


def on_ray(runs: Sequence[Run], address: str | None) -> Iterator[Outcome]:
    """Do the runs on a Ray cluster, one core each.

    A run whose node dies is begun anew on another. Outcomes are kept in this process as they come.

    Raises:
        UserError: Ray is not installed, or no cluster answers.

    """
    try:
        import ray
    except ImportError as error:
        raise UserError("--launcher ray needs Ray: pip install 'neonate[ray]'") from error
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        _knock(address)
        ray.init(
            address,
            include_dashboard=None if address else False,
            logging_level=logging.ERROR,
            log_to_driver=False,
        )
    except (OSError, ValueError, RuntimeError) as error:
        where = f"--ray-address {address}" if address else "--launcher ray"
        raise UserError(f"{where}: no Ray cluster answers ({error})") from error
    try:
        task = ray.remote(num_cpus=1, max_retries=RAY_RETRIES)(attempt)
        running = {task.remote(run): run for run in runs}
        while running:
            (done, *_), _ = ray.wait(list(running))
            run = running.pop(done)
            try:
                yield ray.get(done)
            except ray.exceptions.RayError as error:
                yield broken(run, error)
    finally:
        ray.shutdown()


def _knock(address: str | None) -> None:
    """Find out at once whether anything listens at host:port: Ray itself tries for minutes."""
    host, _, port = (address or "").rpartition(":")
    if host and port.isdigit() and "/" not in host:
        socket.create_connection((host, int(port)), timeout=10).close()
