"""`for` and `keep_firing_for` as Prometheus applies them, compared with promtool's own evaluation."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from random import Random

from tests.parts import missing
from watchroom.backtest.firing import Firing, firings

MINUTE_MS = 60_000
CASES = ((0, 0), (60, 0), (120, 0), (90, 0), (0, 60), (0, 180), (60, 300), (180, 90))  # for, keep_firing_for; seconds


def fire(present: Sequence[bool], for_s: float, keep_s: float) -> list[Firing]:
    """Firings of a series that exists at some minutes."""
    moments_ms = [minute * MINUTE_MS for minute in range(len(present))]
    values = {at_ms: 1.0 for at_ms, there in zip(moments_ms, present, strict=True) if there}
    return list(firings(values, moments_ms, for_s * 1000, keep_s * 1000))


def test_a_short_episode_never_fires() -> None:
    """It was only pending; the next episode waits for the whole `for` again."""
    assert fire([True, True, False, True, True], 120, 300) == []


def test_a_firing_that_is_kept_across_a_gap_is_one_firing() -> None:
    """Two episodes with a gap shorter than keep_firing_for page once."""
    two = [True, True, False, True, False, False]
    assert fire(two, 0, 120) == [Firing(0, 0, 300_000, 1.0)]
    assert [(each.from_ms, each.to_ms) for each in fire(two, 0, 0)] == [(0, 120_000), (180_000, 240_000)]


def test_a_firing_can_last_to_the_end_of_the_month() -> None:
    """A firing must not be dropped because it has not ended."""
    assert fire([False, True, True], 0, 0) == [Firing(60_000, 60_000, 120_000, 1.0)]


def test_promtool_fires_at_the_very_same_evaluations(tmp_path: Path) -> None:
    """Random series of 90 minutes under eight pairs of times, each evaluation compared."""
    done = promtool(tmp_path, shift_s=0)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_different_for_is_found(tmp_path: Path) -> None:
    """The comparison in a case where it must fail: our rules wait one evaluation longer than promtool's."""
    assert promtool(tmp_path, shift_s=60).returncode != 0


def promtool(folder: Path, shift_s: int) -> subprocess.CompletedProcess[str]:
    """Output of promtool for our firings of random series; JSON is YAML."""
    program = shutil.which("promtool")
    if program is None:
        missing("promtool is not on this machine; install prometheus")
    draw, rules, tests = Random(7), [], []
    for number, (for_s, keep_s) in enumerate(CASES):
        rules.append(
            {"alert": f"A{number}", "expr": f"x{number} > 0", "for": f"{for_s}s", "keep_firing_for": f"{keep_s}s"}
        )
        present = [draw.random() < 0.5]
        while len(present) < 90:
            present.append(present[-1] if draw.random() < 0.7 else not present[-1])
        fired = {
            at_ms
            for each in fire([*present, False, False, False, False, False, False], for_s + shift_s, keep_s)
            for at_ms in range(each.from_ms, each.to_ms, MINUTE_MS)
        }
        sample = {"labels": f'ALERTS{{alertname="A{number}",alertstate="firing"}}', "value": 1}
        tests.append(
            {
                "interval": "1m",
                "input_series": [{"series": f"x{number}", "values": " ".join(str(int(there)) for there in present)}],
                "promql_expr_test": [
                    {
                        "expr": f'ALERTS{{alertname="A{number}",alertstate="firing"}}',
                        "eval_time": f"{minute}m",
                        "exp_samples": [sample] if minute * MINUTE_MS in fired else [],
                    }
                    for minute in range(90)
                ],
            }
        )
    (folder / "rules.yml").write_text(json.dumps({"groups": [{"name": "g", "rules": rules}]}))
    file = folder / "test.yml"
    file.write_text(json.dumps({"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": tests}))
    return subprocess.run([program, "test", "rules", str(file)], capture_output=True, text=True, check=False)
