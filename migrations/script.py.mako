"""${message}."""

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}

<%
def quoted(value):
    return "None" if value is None else repr(value).replace("'", '"')
%>\
revision = ${quoted(up_revision)}
down_revision = ${quoted(down_revision)}
branch_labels = ${quoted(branch_labels)}
depends_on = ${quoted(depends_on)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
