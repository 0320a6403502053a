"""Names of reports and options that are told apart."""

from salesops.reports.jobs import plan_jobs


def test_two_scopes_never_share_the_name_of_a_file():
    scopes = ["company", "team:A/B", "team:A-B", "team:A B", "user:A/B", "team:华东/一组",
              "team:华东", "team:A/B,user:C", "team:A/B/user/C"]  # fmt: skip
    given = {"book": "b", "as_of": "latest", "period": "latest"}
    stems = [job.stem for job in plan_jobs(["funnel"], scopes=scopes, langs=["zh"], given=given)]
    assert len(set(stems)) == len(scopes)
    assert "funnel.team-华东-一组.zh" in stems
    assert all("/" not in stem and ":" not in stem for stem in stems)
