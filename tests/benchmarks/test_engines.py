"""The three engines of the benchmark give the same tables, so that their speed can be compared."""

from benchmarks.company import company
from benchmarks.engines import ENGINES, assert_equal


def test_all_engines_give_the_same_tables(tmp_path):
    place = company(tmp_path, 20_000)
    tables = {name: engine(place)() for name, engine in ENGINES.items()}
    assert tables["DuckDB SQL"]["stays"]["n"].sum() > 5_000
    for name in ENGINES:
        assert_equal(tables[name], tables["DuckDB SQL"])
