"""Enquiries: those that became deals and the many that did not, how fast they were answered."""

import numpy as np
import pandas as pd

from salesops.sample import names
from salesops.sample.company import Company
from salesops.sample.deals import LEAD_WORD_WEIGHTS, WON
from salesops.sample.draws import NONE, Draws, Flags, Ints, lognormal
from salesops.sample.options import scaled, scaled_share
from salesops.sample.people import choose_rep, employed, seats_of
from salesops.sample.planted import TO_DEAL, month_start, real_change_teams
from salesops.sample.timeline import DAY

A_MONTH = 740
STATUSES = ("新线索", "已分配", "跟进中", "有效", "已转商机", "无效")
NEW, ASSIGNED, WORKED, VALID, CONVERTED, INVALID = range(len(STATUSES))
REASONS = ("没有需求", "联系不上", "规模不符", "学生或同行", "重复线索", "区域外")
CAMPAIGNS = ("春季展会", "质量月", "官网表单", "行业白皮书", "直播讲座", "老客推荐")
# Clean: two hours until somebody calls, seven days a week; three in a hundred are forgotten.
ANSWER_MINUTES, ANSWER_SIGMA = 120, 0.9
UNTOUCHED, UNTOUCHED_PLANTED = 0.03, 0.14
WEEKEND_HOURS = 30
SERVICE_LEVEL_MINUTES = 45
WEEKEND_SHARE = 0.18
VALID_SHARE = 0.16
# P16: this source brings 30 % of the leads and 5 % of the customers.
WEAK_WORD, WEAK_LEADS, WEAK_CUSTOMERS = 1, 0.30, 0.05


def receive_leads(company: Company) -> None:
    """Make the frame `leads` in order of arrival, and the deal of each that was converted."""
    draws, line = company.draws("leads"), company.timeline
    won, lost = _converted(company, draws), _others(company, draws)
    leads = pd.concat([won, lost], ignore_index=True)
    inside = (leads.created >= line.start * DAY) & (leads.created <= line.end_at)
    leads = leads[inside].sort_values("created", kind="stable").reset_index(drop=True)
    _answer(company, leads)
    _judge(company, leads)
    _write_down(company, leads)
    company["leads"] = leads


def _converted(company: Company, draws: Draws) -> pd.DataFrame:
    deals = company["deals"]
    rows = np.flatnonzero((deals.source == 0).to_numpy())
    ahead = draws.whole(2 * 24 * 60, 18 * 24 * 60, len(rows)) * 60
    return pd.DataFrame(
        {
            "deal": rows,
            "created": deals.created.to_numpy()[rows] - ahead,
            "team": deals.team.to_numpy()[rows],
            "owner": deals.owner.to_numpy()[rows],
            "account": deals.account.to_numpy()[rows],
            "word": deals.source_word.to_numpy()[rows],
        }
    )


def _others(company: Company, draws: Draws) -> pd.DataFrame:
    """Leads that never become a deal, in proportion to the deals of the clean company."""
    line = company.timeline
    months = (line.end + 60 - line.start) / 30.4375
    usual = A_MONTH * company.per_month / 165
    n = round(usual * (1 - TO_DEAL) * months)
    days = line.start + np.arange(line.end + 60 - line.start)
    is_weekend = (days + 3) % 7 >= 5  # day 0 was a Thursday
    weekday = 1_000_000
    weekend = int(weekday * WEEKEND_SHARE / (1 - WEEKEND_SHARE) * 5 / 2)
    weights = np.where(is_weekend, weekend, weekday)
    festive = line.signing_weights[days - line.first] == 0
    weights = np.where(festive & ~is_weekend & ~line.is_work(days), weekday // 4, weights)
    day = days[draws.pick(weights, n)]
    # Each team gets leads by its seats, so that all turn the same share into deals.
    team = np.array(company.teams, dtype=object)[draws.pick(seats_of(company.teams), n)]
    word = draws.pick(LEAD_WORD_WEIGHTS, n)
    multiple = company.options.size("P16")
    if multiple:
        planted = scaled_share(LEAD_WORD_WEIGHTS[WEAK_WORD] / 100, WEAK_LEADS, multiple)
        weights = np.array(LEAD_WORD_WEIGHTS, float)
        rest = weights.sum() - weights[WEAK_WORD]
        # Of all leads: those that became deals hardly come from it.
        of_others = min((planted - WEAK_CUSTOMERS * TO_DEAL) / (1 - TO_DEAL), 0.95)
        weights[WEAK_WORD] = rest * of_others / (1 - of_others)
        word = company.draws("P16").pick(np.rint(weights * 1000).astype(np.int64), n)
    found = pd.DataFrame(
        {
            "deal": NONE,
            "created": day * DAY + draws.whole(7 * 3600, 22 * 3600, n),
            "team": team,
            "account": NONE,
            "word": word,
        }
    )
    found["owner"] = choose_rep(draws, company["users"], team, day, fair=True)
    company.facts["P16"] = {"source": WEAK_WORD if multiple else None}
    return found


def shift_source_of_customers(company: Company) -> None:
    """P16: of the deals that come from leads hardly any come from the weak source."""
    multiple = company.options.size("P16")
    deals, draws = company["deals"], company.draws("P16 deals")
    if not multiple:
        return
    clean = LEAD_WORD_WEIGHTS[WEAK_WORD] / 100
    wanted = scaled_share(clean, WEAK_CUSTOMERS, multiple)
    of_leads = (deals.source == 0).to_numpy()
    closed = deals.closed.to_numpy()
    line = company.timeline
    customer = of_leads & (deals.outcome == WON).to_numpy()
    customer &= (closed >= line.start * DAY) & (closed <= line.end_at)
    weak = of_leads & (deals.source_word == WEAK_WORD).to_numpy()
    goes = weak & ~customer & draws.chance(1 - wanted / clean, len(deals))
    # Among the customers of the time that is shown the share is met to the head.
    ours = np.flatnonzero(weak & customer)
    keep = round(wanted * int(customer.sum()))
    goes[ours[draws.order(len(ours))][keep:]] = True
    moved = np.flatnonzero(goes)
    word = deals.source_word.to_numpy().copy()
    word[moved] = np.array([0, 2, 3, 4])[draws.whole(0, 3, len(moved))]
    deals["source_word"] = word


def _answer(company: Company, leads: pd.DataFrame) -> None:
    """Assign each lead and call it back, or forget it."""
    draws, n = company.draws("answers"), len(leads)
    created = leads.created.to_numpy()
    deal = leads.deal.to_numpy()
    is_deal = deal != NONE
    weekend = (created // DAY + 3) % 7 >= 5
    multiple = company.options.size("P3")
    minutes = np.full(n, ANSWER_MINUTES)
    slow = round(scaled(ANSWER_MINUTES / 60, WEEKEND_HOURS, multiple) * 60)
    minutes = np.where(weekend, slow, minutes)
    if company.options.size("P17"):
        better = leads.team.isin(real_change_teams(company)).to_numpy()
        since = month_start(company, 25) * DAY
        served = round(scaled(ANSWER_MINUTES, SERVICE_LEVEL_MINUTES, 1.0))
        # The level is held on working days; weekends stay as they are.
        better &= (created >= since) & ~weekend
        minutes = np.where(better, np.minimum(minutes, served), minutes)
    leads["assigned"] = created + draws.whole(2, 25, n) * 60
    wait = minutes * lognormal(10_000, ANSWER_SIGMA, 200_000)[draws.level(n)] // 10_000
    touched = leads["assigned"].to_numpy() + np.maximum(wait, 3) * 60
    share = scaled_share(UNTOUCHED, UNTOUCHED_PLANTED, multiple)
    # A lead that became a deal was touched; the others carry the whole share.
    forgotten = draws.chance(min(share / max(1 - is_deal.mean(), 0.1), 1.0), n) & ~is_deal
    born = company["deals"].created.to_numpy()[np.maximum(deal, 0)]
    touched = np.where(is_deal, np.minimum(touched, born - 4 * 3600), touched)
    leads["touched"] = np.where(forgotten, NONE, touched)
    leads["weekend"] = weekend
    sdr = np.flatnonzero((company["users"].role == "sdr").to_numpy())
    leads["sdr"] = sdr[draws.whole(0, len(sdr) - 1, n)]
    company.facts["P3"] = {"untouched_share": share, "weekend_hours": slow / 60}


def _judge(company: Company, leads: pd.DataFrame) -> None:
    """Find each touched lead valid or not; valid ones are accepted by their rep."""
    draws, n = company.draws("verdicts"), len(leads)
    touched, is_deal = leads.touched.to_numpy(), leads.deal.to_numpy() != NONE
    valid = is_deal | ((touched != NONE) & draws.chance(VALID_SHARE, n))
    born = company["deals"].created.to_numpy()[np.maximum(leads.deal.to_numpy(), 0)]
    judged = touched + draws.whole(4, 80, n) * 3600
    judged = np.where(is_deal, np.minimum(judged, (touched + born) // 2), judged)
    leads["qualified"] = np.where(valid, judged, NONE)
    leads["accepted"] = np.where(valid, judged + (born - judged) * is_deal // 3, NONE)
    leads["accepted"] = np.where(
        valid & ~is_deal, judged + draws.whole(1, 30, n) * 3600, leads.accepted
    )
    leads["converted"] = np.where(is_deal, born, NONE)
    refused = (touched != NONE) & ~valid & draws.chance(0.62, n)
    leads["refused"] = np.where(refused, touched + draws.whole(1, 14 * 24, n) * 3600, NONE)
    leads["reason"] = np.where(refused, draws.whole(0, len(REASONS) - 1, n), NONE)


def _write_down(company: Company, leads: pd.DataFrame) -> None:
    """Add what was entered on the form."""
    draws, n = company.draws("lead forms"), len(leads)
    region = np.array([team.split("/")[0] for team in leads.team], dtype=object)
    city = names.cities(draws, region)
    made_up = names.companies(draws, city, draws.pick(names.INDUSTRY_WEIGHTS, n))
    account = leads.account.to_numpy()
    known = company["accounts"].name.to_numpy()[np.maximum(account, 0)]
    leads["company"] = np.where(account != NONE, known, made_up)
    leads["name"] = names.people(draws, n)
    leads["phone"] = names.phones(draws, n)
    leads["campaign"] = np.where(draws.chance(0.4, n), draws.whole(0, len(CAMPAIGNS) - 1, n), NONE)


def lead_touches(company: Company) -> pd.DataFrame:
    """Give the calls of the leads: the first by the SDR, more for those found valid."""
    leads, draws = company["leads"], company.draws("lead touches")
    called = np.flatnonzero((leads.touched != NONE).to_numpy())
    first = pd.DataFrame(
        {
            "lead": called,
            "user": leads.sdr.to_numpy()[called],
            "at": leads.touched.to_numpy()[called],
        }
    )
    valid = np.flatnonzero(((leads.qualified != NONE) & (leads.deal == NONE)).to_numpy())
    each = draws.whole(0, 2, len(valid))
    row = np.repeat(valid, each)
    at = leads.accepted.to_numpy()[row] + draws.whole(24, 30 * 24, len(row)) * 3600
    at = company.timeline.at_work(draws, at // DAY)
    owner = leads.owner.to_numpy()[row]
    here = employed(company["users"], owner, at // DAY)
    more = pd.DataFrame({"lead": row[here], "user": owner[here], "at": at[here]})
    both = pd.concat([first, more], ignore_index=True)
    return both[_seen(company, both["at"].to_numpy())].reset_index(drop=True)


def _seen(company: Company, at: Ints) -> Flags:
    return at <= company.timeline.end_at
