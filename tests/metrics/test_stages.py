"""When deals entered stages, and the moves between them, against hand arithmetic."""

import datetime as dt

import pandas as pd

from salesops.book.write import typed
from salesops.metrics.stages import stage_times, transitions
from tests.companies import book_of

LOG_BEGINS = dt.datetime(2026, 1, 10)


def day(number: int) -> dt.datetime:
    return dt.datetime(2026, 1, number)


def _book(deals, moves):
    """A book of deals `(id, created, stage now)` and moves `(id, old, new, when)`."""
    ended = {"contract": True, "lost": False}
    opportunities = pd.DataFrame(
        [
            {"id": name, "created_at": born, "stage": stage, "amount": 100.0, "type": "new",
             "is_won": ended.get(stage)}
            for name, born, stage in deals
        ]
    ).astype({"is_won": object})  # fmt: skip
    changes = pd.DataFrame(moves, columns=["entity_id", "old_value", "new_value", "changed_at"])
    changes = changes.assign(entity="opportunities", field="stage", seq=range(len(moves)))
    tracked = pd.DataFrame(
        [("opportunities", "stage", LOG_BEGINS, "log")],
        columns=["entity", "field", "since", "how"],
    )
    frames = {"opportunities": opportunities, "changes": changes, "tracked": tracked}
    return book_of({name: typed(name, frame) for name, frame in frames.items()})


def _times(book):
    rows = stage_times(book).to_pandas().set_index("id")
    return rows.astype(object).where(rows.notna(), None)


def test_a_deal_older_than_the_log_got_beyond_earlier_stages_but_its_entry_is_unknown():
    book = _book([("a", day(2), "negotiation")], [("a", "needs", "negotiation", day(14))])
    times = _times(book).loc["a"]
    # It is in needs from its birth on, as far as the log shows; when it came there is not known.
    assert times["entered_0"] is None
    assert times["entered_1"] is None
    assert times["beyond_0"] == day(2)
    assert times["entered_2"] == times["beyond_1"] == day(14)
    assert times["beyond_2"] is None
    assert times["won_at"] is None


def test_a_return_into_the_stage_in_which_the_log_found_a_deal_is_no_first_entry():
    book = _book(
        [("a", day(2), "contract")],
        [
            ("a", "needs", "acquisition", day(12)),
            ("a", "acquisition", "needs", day(15)),
            ("a", "needs", "contract", day(20)),
        ],
    )
    times = _times(book).loc["a"]
    assert times["entered_0"] == day(12)
    assert times["beyond_0"] == day(2)
    # It had been in needs before the log begins; when it came there first is not known.
    assert times["entered_1"] is None
    assert times["beyond_1"] == times["won_at"] == day(20)


def test_another_field_that_changes_makes_no_entry_of_a_deal_older_than_the_log():
    opportunities = pd.DataFrame({
        "id": ["old", "new"], "created_at": [day(2), day(11)], "stage": ["needs", "needs"],
        "amount": [90.0, 80.0], "type": "new",
    })  # fmt: skip
    changes = pd.DataFrame({
        "entity": "opportunities", "entity_id": ["old", "new"], "field": "amount",
        "old_value": ["100.00", "100.00"], "new_value": ["90.00", "80.00"],
        "changed_at": [day(13), day(14)], "seq": [1, 2],
    })  # fmt: skip
    tracked = pd.DataFrame({"entity": "opportunities", "field": ["stage", "amount"],
                            "since": LOG_BEGINS, "how": "log"})  # fmt: skip
    frames = {"opportunities": opportunities, "changes": changes, "tracked": tracked}
    times = _times(book_of({name: typed(name, frame) for name, frame in frames.items()}))
    assert times.loc["old", "entered_1"] is None
    assert times.loc["new", "entered_1"] == day(11)


def test_the_last_open_stage_is_passed_by_winning_alone_and_loss_has_its_date():
    book = _book(
        [("a", day(11), "contract"), ("b", day(11), "lost")],
        [
            ("a", "negotiation", "contract", day(18)),
            ("b", "negotiation", "lost", day(19)),
        ],
    )
    times = _times(book)
    assert list(times["entered_2"]) == [day(11), day(11)]
    assert times.loc["a", "beyond_2"] == day(18)
    assert times.loc["b", "beyond_2"] is None
    assert times.loc["a", "gone_at"] is None
    assert times.loc["b", "gone_at"] == day(19)


def test_moves_are_counted_with_their_deals_value_and_the_days_before_them():
    book = _book(
        [("a", day(11), "needs"), ("b", day(11), "needs"), ("c", day(12), "lost")],
        [
            ("a", "acquisition", "needs", day(13)),
            ("b", "acquisition", "needs", day(15)),
            ("b", "needs", "acquisition", day(16)),
            ("b", "acquisition", "needs", day(20)),
            ("c", "acquisition", "lost", day(19)),
        ],
    )
    moves = transitions(book).set_index(["source", "target"])
    on = moves.loc[("acquisition", "needs")]
    # b moves on twice: after 15 - 11 and after 20 - 16 days; a after 13 - 11.
    assert (on["n"], on["n_deals"], on["amount"], on["median_days"]) == (3, 2, 3 * 100, 4)
    assert list(moves["n"]) == [3, 1, 1]
    assert list(moves["kind"]) == ["forward", "exit", "back"]


def test_moves_from_a_stage_that_the_process_no_longer_has_keep_its_name():
    book = _book(
        [("a", day(11), "needs"), ("b", day(11), "needs"), ("c", day(11), "needs")],
        [
            ("a", "demo", "needs", day(14)),
            ("b", None, "needs", day(15)),
            ("c", "acquisition", "needs", day(16)),
        ],
    )
    moves = transitions(book)
    assert list(moves["source"]) == ["acquisition", "demo", None]
    assert list(moves["target"]) == ["needs"] * 3
    assert list(moves["median_days"]) == [16 - 11, 14 - 11, 15 - 11]
    assert list(moves["kind"]) == ["forward", "reopen", "reopen"]
