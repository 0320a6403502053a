"""HubSpot in a warehouse: stages by id with a table of names, properties with a prefix, UTC."""

from pathlib import Path

from tests.sources.systems.company import Company
from tests.sources.systems.files import sheet, states, utc

STAGES = {"acquisition": "1101", "needs": "1102", "negotiation": "1103", "contract": "1104",
          "lost": "1105"}  # fmt: skip
LABELS = {
    "1101": "初步接触",
    "1102": "需求确认",
    "1103": "商务谈判",
    "1104": "成交",
    "1105": "丢单",
}
MILLI = "%Y-%m-%d %H:%M:%S.000"
SYNCED = {"_fivetran_synced": "2026-06-30 08:00:00.000"}


def write(company: Company, folder: Path) -> None:
    deals = company.rows("opportunities")
    sheet(folder / "deal.csv", [{
        "deal_id": row["id"], "is_deleted": "FALSE", "deal_pipeline_id": "default",
        "deal_pipeline_stage_id": row["stage"], "owner_id": row["owner_id"],
        "property_dealname": row["name"], "property_amount": row["amount"],
        "property_dealtype": {"new": "newbusiness", "expansion": "existingbusiness"}.get(
            row["type"]),
        "property_closedate": utc(row["closed_at"], MILLI) or
            f"{row['expected_close_on']} 04:00:00.000",
        "property_createdate": utc(row["created_at"], MILLI),
        "property_closed_lost_reason": row["lost_reason"],
        "property_hs_analytics_source": row["source"],
        "property_hs_next_step": row["next_step"], **SYNCED,
    } for row in deals])  # fmt: skip
    sheet(folder / "deal_pipeline_stage.csv", [{
        "stage_id": key, "label": LABELS[key], "pipeline_id": "default", "display_order": n,
        "is_closed": str(n > 2).upper(), "closed_won": str(n == 3).upper(),
        "probability": (0.1, 0.4, 0.8, 1.0, 0.0)[n], **SYNCED,
    } for n, key in enumerate(LABELS)])  # fmt: skip
    sheet(folder / "owner.csv", [{
        "owner_id": row["id"], "first_name": row["name"], "last_name": None,
        "email": f"u{row['id']}@example.com", **SYNCED,
    } for row in company.rows("users")])  # fmt: skip
    sheet(folder / "company.csv", [{
        "id": row["id"], "property_name": row["name"], "property_industry": row["industry"],
        "property_hubspot_owner_id": row["owner_id"], "property_phone": row["phone"],
        "property_domain": row["domain"], "property_createdate": utc(row["created_at"], MILLI),
        **SYNCED,
    } for row in company.rows("accounts")])  # fmt: skip
    log = company.rows("changes")
    sheet(folder / "deal_stage.csv", [{
        "deal_id": deal["id"], "value": state["stage"], "date_entered": utc(state["at"]), **SYNCED,
    } for deal in deals for state in states(log, deal, ("stage",))])  # fmt: skip
    names = {"amount": "amount", "stage": "dealstage", "owner_id": "hubspot_owner_id"}
    sheet(folder / "deal_property_history.csv", [{
        "deal_id": deal["id"], "name": name, "value": state[field],
        "timestamp": utc(state["at"], MILLI), "source": "CRM_UI", **SYNCED,
    } for deal in deals for field, name in names.items()
      for state in states(log, deal, (field,))])  # fmt: skip
