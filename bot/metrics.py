"""What the bot counts; labels come from closed lists only, never from a visitor.

Every process counts what it does itself, so counters of several are added up. Gauges of inbox, outbox and
queue are read from the database whenever somebody asks: all processes tell the same, so one of them is taken.
"""

from prometheus_client import Counter, Gauge, Histogram

ACCEPTED = Counter("porchlight_messages_accepted_total", "Messages stored in the inbox.", ["channel", "kind"])
DELIVERIES = Counter(
    "porchlight_deliveries_total", "Effects carried out, by what came of it.", ["lane", "kind", "result"]
)
FIRST_AID = Counter(
    "porchlight_first_aid_total", "Answers given while the inbox was out of order.", ["channel", "danger"]
)
UNDERSTOOD = Counter(
    "porchlight_understood_total",
    "Texts and buttons, by what told their meaning and whether anything did.",
    ["locale", "by", "understood"],
)
PLATFORM_BUSY = Counter(
    "porchlight_platform_busy_total", "Deliveries that a messenger put off because it is busy.", ["channel"]
)
FIRST_REPLY = Histogram(
    "porchlight_first_reply_seconds",
    "From a visitor's message on disk to its first answer: with the messenger, or there for the web page.",
    ["channel"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
)
OPEN_MESSAGES = Gauge("porchlight_inbox_open", "Messages that no turn has answered yet.")
PARKED_MESSAGES = Gauge("porchlight_inbox_parked", "Messages that were set aside after repeated failure.")
OPEN_DELIVERIES = Gauge("porchlight_outbox_open", "Effects that are not delivered yet.", ["lane"])
OLDEST_MESSAGE = Gauge("porchlight_inbox_oldest_seconds", "Age of the oldest unanswered message, in seconds.")
OLDEST_DELIVERY = Gauge(
    "porchlight_outbox_oldest_seconds", "Age of the oldest effect that is not delivered yet.", ["lane"]
)
JOBS_WAITING = Gauge("porchlight_jobs_waiting", "Jobs that are due and that no worker has taken.", ["queue"])
WORKERS = Gauge("porchlight_workers", "Workers that have said within ten seconds that they live.")
CONNECTIONS = Gauge(
    "porchlight_database_connections_in_use", "Connections of this process's pool that somebody holds."
)
