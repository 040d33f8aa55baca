"""What the bot counts; labels come from closed lists only, never from a visitor."""

from prometheus_client import Counter, Gauge

ACCEPTED = Counter("porchlight_messages_accepted_total", "Messages stored in the inbox.", ["channel", "kind"])
DELIVERIES = Counter(
    "porchlight_deliveries_total", "Effects carried out, by what came of it.", ["lane", "kind", "result"]
)
FIRST_AID = Counter(
    "porchlight_first_aid_total", "Answers given while the inbox was out of order.", ["channel", "danger"]
)
OPEN_MESSAGES = Gauge("porchlight_inbox_open", "Messages that no turn has answered yet.")
PARKED_MESSAGES = Gauge("porchlight_inbox_parked", "Messages that were set aside after repeated failure.")
OPEN_DELIVERIES = Gauge("porchlight_outbox_open", "Effects that are not delivered yet.", ["lane"])
OLDEST_MESSAGE = Gauge("porchlight_inbox_oldest_seconds", "Age of the oldest unanswered message, in seconds.")
