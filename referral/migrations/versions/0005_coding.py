"""What a closed case counts as, beyond its code: where it happened, what kind, what was done.

Cases that were closed before keep their code and outcome. What their outcome says was done is written down as
an action too; where it happened nobody was asked, except where the code itself says that it was online.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"

_CHECKS = {
    "case_occurred_is_known": "occurred IN ('online', 'offline', 'both', 'unknown')",
    "case_online_harm_is_known": (
        "online_harm IN ('harassment', 'threats', 'exclusion', 'rumours', 'hate_speech', 'impersonation',"
        " 'account_hacked', 'doxxing', 'images_shared', 'stalking', 'intimate_images', 'manipulated_images',"
        " 'blackmail', 'grooming', 'sexual_harassment', 'livestream', 'harmful_content', 'fraud', 'overuse',"
        " 'other')"
    ),
    "case_actions_are_known": (
        "actions <@ ARRAY['direct_intervention', 'resources', 'child_protection', 'healthcare',"
        " 'law_enforcement', 'mental_health', 'school', 'other_organisation', 'abuse_images_report']"
    ),
    "coded_is_closed": (
        "state = 'closed' OR (occurred IS NULL AND online_harm IS NULL AND counselled IS NULL"
        " AND actions = '{}')"
    ),
    "online_harm_is_online": "online_harm IS NULL OR occurred <> 'offline'",
}


def upgrade() -> None:
    op.add_column("case", sa.Column("occurred", sa.Text(), nullable=True))
    op.add_column("case", sa.Column("online_harm", sa.Text(), nullable=True))
    op.add_column("case", sa.Column("counselled", sa.Boolean(), nullable=True))
    op.add_column(
        "case",
        sa.Column("actions", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    )
    op.execute(
        "UPDATE \"case\" SET actions = ARRAY[CASE outcome WHEN 'emergency_services' THEN"
        " 'direct_intervention' ELSE outcome END] WHERE outcome IN ('emergency_services',"
        " 'child_protection', 'law_enforcement', 'healthcare', 'school', 'other_organisation')"
    )
    op.execute(
        "UPDATE \"case\" SET occurred = 'online'"
        " WHERE code IN ('violence.cyberbullying', 'violence.online_sexual_abuse')"
    )
    for name, condition in _CHECKS.items():
        op.create_check_constraint(op.f(name), "case", condition)


def downgrade() -> None:
    for name in _CHECKS:
        op.drop_constraint(op.f(name), "case", type_="check")
    for column in ("actions", "counselled", "online_harm", "occurred"):
        op.drop_column("case", column)
