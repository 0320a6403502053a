"""The benchmark of chances runs whole, and both programs judge alike."""

import pytest

from benchmarks.stall import PLAIN, main, report


def test_both_programs_judge_a_small_company_alike_and_the_page_says_so(tmp_path):
    page = tmp_path / "page.md"
    main(["--deals-per-month", "100", "--months", "18", "--open-per-month", "40", "--runs", "0",
          "--threads", "1", "--folder", str(tmp_path / "build"), "--to", str(page)])  # fmt: skip
    text = page.read_text(encoding="utf-8")
    assert "| difference in AUC | 0.00" in text
    assert f"| | salesops | {PLAIN} |" in text
    assert "open deals from an open book, s |" in text


@pytest.mark.parametrize(("seconds", "said"), [(179.0, "holds"), (181.0, "falls short")])
def test_the_page_says_which_aims_fall_short(seconds, said):
    one = {"rows": 10, "units": 5, "origins": 4, "judged": 6, "learning": seconds - 1, "peak": 1.0,
           "judging": 1.0, "seconds": seconds, "auc": 0.8, "low": 0.7, "high": 0.9, "gain": 0.1,
           "slope": 1.0, "way": "boosting", "processor": 2 * seconds}  # fmt: skip
    score = {"opening": 1.0, "features": 2.0, "all": 3.0, "frame": 1.0, "n": 7, "n_frame": 6,
             "peak": 1.0}  # fmt: skip
    text = report({"salesops": one, PLAIN: one, "scoring": score}, runs=1, threads=2)
    assert f"| learn and judge, s | {seconds:.0f} | under 180 | {said} |" in text
