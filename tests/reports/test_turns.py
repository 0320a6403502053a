"""An entry is made once for each time, whoever asks and whatever crashes."""

import datetime as dt
import os
import signal
import subprocess
import sys
import time

import pytest

from salesops.reports.turns import KEPT_DAYS, MOST_TRIES, Turns

SEVEN = dt.datetime.fromisoformat("2026-03-02T07:00+08:00")
HOLDS = (
    "import datetime as dt, pathlib, sys, time\n"
    "from salesops.reports.turns import Turns\n"
    "seven = dt.datetime.fromisoformat('2026-03-02T07:00+08:00')\n"
    "with Turns(pathlib.Path(sys.argv[1])).turn('monday', seven) as turn:\n"
    "    print(turn.refusal or 'mine', flush=True)\n"
    "    time.sleep(60)\n"
)


@pytest.fixture
def holder(tmp_path):
    """Another program that has the turn."""
    process = subprocess.Popen([sys.executable, "-c", HOLDS, str(tmp_path)], text=True,
                               stdout=subprocess.PIPE)  # fmt: skip
    assert process.stdout.readline() == "mine\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_while_one_program_makes_it_another_leaves_it(tmp_path, holder):
    with Turns(tmp_path).turn("monday", SEVEN) as turn:
        assert "another program" in turn.refusal
    with Turns(tmp_path).turn("monday", SEVEN + dt.timedelta(days=7)) as turn:
        assert turn.refusal == ""


def test_after_a_crash_of_its_holder_the_turn_is_free_again(tmp_path, holder):
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    with Turns(tmp_path).turn("monday", SEVEN) as turn:
        assert turn.refusal == ""


def test_what_is_done_is_not_done_again_and_the_same_instant_is_the_same_time(tmp_path):
    turns = Turns(tmp_path)
    with turns.turn("monday", SEVEN) as turn:
        turn.done("20260302-070004")
    assert not turns.is_open("monday", SEVEN)
    with turns.turn("monday", SEVEN.astimezone(dt.UTC)) as turn:
        assert "20260302-070004" in turn.refusal
    assert turns.is_open("tuesday", SEVEN)
    assert turns.state("monday", SEVEN) == "done"


def test_what_was_not_said_to_be_done_stays_open_but_is_not_tried_for_ever(tmp_path):
    turns = Turns(tmp_path)
    for _try in range(MOST_TRIES):
        assert turns.is_open("monday", SEVEN)
        with turns.turn("monday", SEVEN) as turn:
            assert turn.refusal == ""
    assert not turns.is_open("monday", SEVEN)
    with turns.turn("monday", SEVEN) as turn:
        assert f"{MOST_TRIES} times" in turn.refusal


def test_what_somebody_broke_off_on_purpose_is_no_try(tmp_path):
    turns = Turns(tmp_path)
    for _try in range(MOST_TRIES + 1):
        with turns.turn("monday", SEVEN) as turn:
            assert turn.refusal == ""
            turn.given_back()


def test_a_mark_that_a_full_disk_cut_off_counts_as_none(tmp_path):
    turns = Turns(tmp_path)
    with turns.turn("monday", SEVEN) as turn:
        turn.done("r")
    turn.mark.write_text('{"state": "do', encoding="utf-8")
    assert turns.is_open("monday", SEVEN)


def test_old_marks_are_forgotten(tmp_path):
    turns = Turns(tmp_path)
    with turns.turn("monday", SEVEN) as turn:
        turn.done("r")
    old = time.time() - (KEPT_DAYS + 1) * 86400
    os.utime(turn.mark, (old, old))
    with turns.turn("monday", SEVEN + dt.timedelta(days=7)):
        pass
    assert not turn.mark.exists()
