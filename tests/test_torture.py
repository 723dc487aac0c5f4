"""Whatever is killed at whatever moment, what customers were told stays true."""

from tests import torture


def test_kills_lose_no_order_and_double_no_message():
    report = torture.run(seconds=11, seed=7)

    assert report["trouble"] == []
    assert all(report["killed"][kind] >= 1 for kind in ("web", "worker", "postgres")), report["killed"]
    assert report["deeds of clerks"] >= 1
    assert len(report["placed"]) >= torture.FEWEST_PLACED
    assert report["orders"] >= len(report["placed"])
    assert report["messages"] >= 1
