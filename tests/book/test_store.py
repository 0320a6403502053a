"""What a store does with its engine."""


def test_no_progress_bar_gets_into_a_page(sample_book):
    con = sample_book.opportunities.get_backend()
    assert con.raw_sql("SELECT current_setting('enable_progress_bar')").fetchone() == (False,)
